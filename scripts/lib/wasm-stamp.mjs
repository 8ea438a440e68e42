// Whether the WebAssembly modules are of the present sources: they need another compiler than the rest, so they are built apart.
import { hashOf, readStamp, writeStamp } from './stamp.mjs';

const sources = () => hashOf(['crates', 'Cargo.toml', 'Cargo.lock']);

/** Records that the modules were just built. */
export const writeWasmStamp = () => writeStamp('wasm', sources());

/** Why the modules can't be tested, or an empty string. */
export function wasmProblem() {
  const stamp = readStamp('wasm');
  if (stamp === '') return 'not built here; scripts/platforms.sh wasm32 builds and tests it';
  return stamp === sources() ? '' : 'built from other sources; scripts/build-wasm.sh builds it anew';
}
