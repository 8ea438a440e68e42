/** The only door to what computes: nothing else imports the loaders. */
import { loadNative } from '../loader/native.cjs';

// The path is right from `src/` and from `dist/` alike.
export const native: ReturnType<typeof loadNative> = loadNative();

/** The algorithms of this binary, in the order of the numbers that stand for them in params. */
export const algorithms: readonly string[] = native.runtimeInfo().algorithms;
