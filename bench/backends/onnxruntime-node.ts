/** onnxruntime's addon for Node. */
import { type BackendSource, defineBackend, type Prepared } from '../backend.ts';
import type { Weights } from '../data.ts';
import { hasOnnxModel, onnxModel, onnxShapes } from '../onnx-model.ts';
import { loadPackage, versionOf } from '../optional.ts';
import type { Problem } from '../problem.ts';

interface Session {
  run(feeds: Record<string, unknown>, fetches: Record<string, unknown>): Promise<unknown>;
  release(): Promise<void>;
}

interface Onnxruntime {
  InferenceSession: { create(model: Uint8Array, options: Record<string, unknown>): Promise<Session> };
  Tensor: new (
    type: 'float32',
    data: Float32Array,
    dims: readonly number[],
  ) => { readonly data: Float32Array };
}

async function prepare(
  ort: Onnxruntime,
  problem: Problem,
  weights: Weights,
  threads: number,
): Promise<Prepared> {
  const session = await ort.InferenceSession.create(onnxModel(problem, weights), {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  });
  const shapes = onnxShapes(problem);
  const out = new Float32Array(shapes.y.reduce((size, side) => size * side, 1));
  const feeds = { x: new ort.Tensor('float32', weights.x as Float32Array, shapes.x) };
  const fetches = { y: new ort.Tensor('float32', out, shapes.y) };
  return {
    run: async () => {
      await session.run(feeds, fetches);
    },
    output: () => fetches.y.data,
    dispose: () => session.release(),
  };
}

/** Its CPU provider, with the result's memory reused. Calls are asynchronous: it has no others. */
export const onnxruntimeNode: BackendSource = {
  name: 'onnxruntime-node',
  install: 'npm install onnxruntime-node',
  async load({ threads }) {
    const ort = loadPackage<Onnxruntime>('onnxruntime-node');
    return defineBackend({
      name: 'onnxruntime-node',
      version: versionOf('onnxruntime-node'),
      supports: hasOnnxModel,
      prepare: (problem, weights) => prepare(ort, problem, weights, threads),
    });
  },
};
