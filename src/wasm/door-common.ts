/** What `native.ts` is for `require('corr2d/wasm')`: WebAssembly, without the addon. */
import { cpus } from 'node:os';
import type { loadNative } from '../../loader/native.cjs';
import type { Backend } from '../native.ts';
import { loadWasm } from './node.ts';

export const backend: Backend = 'wasm';
export const native: ReturnType<typeof loadNative> = loadWasm();
export const algorithms: readonly string[] = native.runtimeInfo().algorithms;

export function cpu(): string {
  return cpus()[0]?.model.trim() ?? process.arch;
}
