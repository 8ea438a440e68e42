/** The only door to the native addon: nothing else imports the generated loader. */
import { createRequire } from 'node:module';
import type * as Binding from '../native/binding.cjs';

// A literal path, so that bundlers and file tracers find the binary; it is right from `src/` and from `dist/` alike.
const binding = createRequire(import.meta.url)('../native/binding.cjs') as typeof Binding;

export const native: typeof Binding = binding;

/** The algorithms of this binary, in the order of the numbers that stand for them in params. */
export const algorithms: readonly string[] = binding.runtimeInfo().algorithms;
