/** TensorFlow.js in plain JavaScript. */
import type { BackendSource } from '../backend.ts';
import { isQuick } from '../problem.ts';
import { loadTfjs, tfjsBackend } from '../tfjs.ts';

const PLUGIN = '@tensorflow/tfjs-backend-cpu';

/** On one thread; small problems only. */
export const tfjsCpu: BackendSource = {
  name: 'tfjs-cpu',
  install: `npm install @tensorflow/tfjs-core ${PLUGIN}`,
  load: async () => tfjsBackend('tfjs-cpu', await loadTfjs(PLUGIN, 'cpu', () => {}), { threads: 1 }, isQuick),
};
