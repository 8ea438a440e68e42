import { info } from '../../index.ts';

/** WebAssembly has one thread and memory of its own: tests of threads and of addresses have no meaning there. */
export const onWasm: boolean = info().backend === 'wasm';
