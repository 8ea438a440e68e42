/** WebAssembly where there is a file system: read and compiled before the package is loaded. */
import type { loadNative } from '../../loader/native.cjs';
import { readWasm } from '../../loader/wasm.cjs';
import { engine } from './engine.ts';
import { bindModule } from './module.ts';
import { chooseTier } from './tier.ts';

export function loadWasm(): ReturnType<typeof loadNative> {
  const isa = process.env.CORR2D_ISA;
  return bindModule(new engine.Module(readWasm(chooseTier(isa))), isa);
}
