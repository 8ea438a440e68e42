/** The only door to what computes: nothing else imports the loaders. `corr2d/wasm` has `wasm/door.ts` in its place. */
import { cpus } from 'node:os';
import { loadNative } from '../loader/native.cjs';
import { invalidValue } from './errors.ts';
import { loadWasm } from './wasm/node.ts';

/** What computes: the addon, or the WebAssembly module. */
export type Backend = 'native' | 'wasm';

const LOADERS = { native: loadNative, wasm: loadWasm };

// The environment's `CORR2D_BACKEND`: one of them, or both with a comma, of which the first that loads is taken.
function load(): [Backend, ReturnType<typeof loadNative>] {
  const wanted = process.env.CORR2D_BACKEND || 'native';
  const names = wanted.split(',') as Backend[];
  if (!names.every((name) => Object.hasOwn(LOADERS, name))) {
    throw invalidValue("'native', 'wasm' or 'native,wasm'", 'CORR2D_BACKEND', wanted);
  }
  let failure: unknown;
  for (const name of names) {
    try {
      return [name, LOADERS[name]()];
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

const loaded = load();

export const backend: Backend = loaded[0];
export const native: ReturnType<typeof loadNative> = loaded[1];

/** The algorithms of this binary, in the order of the numbers that stand for them in params. */
export const algorithms: readonly string[] = native.runtimeInfo().algorithms;

/** Name of the processor. */
export function cpu(): string {
  return cpus()[0]?.model.trim() ?? process.arch;
}
