/** TensorFlow.js on WebAssembly. */
import path from 'node:path';
import type { BackendSource } from '../backend.ts';
import { locate } from '../optional.ts';
import { loadTfjs, tfjsBackend } from '../tfjs.ts';

const PLUGIN = '@tensorflow/tfjs-backend-wasm';

interface Plugin {
  setWasmPaths(folder: string): void;
  setThreadsCount(threads: number): void;
  getThreadsCount(): number;
}

/** With SIMD; with threads where the environment has them, which Node has not. */
export const tfjsWasm: BackendSource = {
  name: 'tfjs-wasm',
  install: `npm install @tensorflow/tfjs-core ${PLUGIN}`,
  async load({ threads }) {
    let counted = (): number => 1;
    const tf = await loadTfjs(PLUGIN, 'wasm', (plugin) => {
      const { setWasmPaths, setThreadsCount, getThreadsCount } = plugin as Plugin;
      setWasmPaths(`${path.join(path.dirname(locate(`${PLUGIN}/package.json`)), 'dist')}${path.sep}`);
      setThreadsCount(threads);
      counted = getThreadsCount;
    });
    const simd = await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT');
    const threaded = await tf.env().getAsync('WASM_HAS_MULTITHREAD_SUPPORT');
    const details = { simd: simd ? 'yes' : 'no', threads: threaded ? counted() : 1 };
    return tfjsBackend('tfjs-wasm', tf, details, () => true);
  },
};
