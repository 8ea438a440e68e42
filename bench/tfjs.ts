/** What the backends of TensorFlow.js share. */
import { type Backend, defineBackend, type Prepared } from './backend.ts';
import type { Weights } from './data.ts';
import { loadPackage, versionOf } from './optional.ts';
import { toChannelsFirst, toChannelsLast } from './planes.ts';
import { type ConvProblem, isConv, outputSides, type PoolProblem, type Problem } from './problem.ts';

/** A tensor of TensorFlow.js. */
interface TfTensor {
  dataSync(): Float32Array;
  dispose(): void;
}

type Padding = [[0, 0], [number, number], [number, number], [0, 0]];
type Pair = readonly [number, number];

/** What is used of `@tensorflow/tfjs-core`. */
export interface TfCore {
  enableProdMode(): void;
  setBackend(name: string): Promise<boolean>;
  env(): { getAsync(name: string): Promise<unknown> };
  tensor4d(data: Float32Array, shape: readonly number[]): TfTensor;
  conv2d(
    x: TfTensor,
    filter: TfTensor,
    stride: Pair,
    padding: Padding,
    format: 'NHWC',
    dilation: Pair,
  ): TfTensor;
  depthwiseConv2d(
    x: TfTensor,
    filter: TfTensor,
    stride: Pair,
    padding: Padding,
    format: 'NHWC',
    dilation: Pair,
  ): TfTensor;
  maxPool(x: TfTensor, kernel: Pair, stride: Pair, padding: Padding): TfTensor;
  avgPool(x: TfTensor, kernel: Pair, stride: Pair, padding: Padding): TfTensor;
}

/** A backend of TensorFlow.js, already chosen in `tf`. */
export function tfjsBackend(
  name: string,
  tf: TfCore,
  details: Readonly<Record<string, string | number>>,
  fits: (problem: Problem) => boolean,
): Backend {
  return defineBackend({
    name,
    version: versionOf('@tensorflow/tfjs-core'),
    layout: 'NHWC',
    supports: (problem) => isSupported(problem) && fits(problem),
    prepare: (problem, weights) => ({
      ...prepare(tf, problem as ConvProblem | PoolProblem, weights),
      details: () => details,
    }),
  });
}

function isDepthwise({ c, o, groups }: ConvProblem): boolean {
  return groups === c && o === c && c > 1;
}

/** Its average doesn't count the padding, its strides with dilation are refused, and it has no groups. */
function isSupported(problem: Problem): boolean {
  if (problem.kind === 'maxpool') return true;
  if (problem.kind === 'avgpool') return Math.max(...problem.padding) === 0;
  if (problem.kind !== 'conv') return false;
  const oneStep = Math.max(...problem.stride) === 1 || Math.max(...problem.dilation) === 1;
  return oneStep && (problem.groups === 1 || isDepthwise(problem));
}

/** [o, i, kh, kw] to [kh, kw, i, o]. */
function toFilter(weight: Float32Array, o: number, i: number, taps: number): Float32Array {
  const result = new Float32Array(weight.length);
  for (let k = 0; k < o; k++) {
    for (let c = 0; c < i; c++) {
      for (let tap = 0; tap < taps; tap++) {
        result[(tap * i + c) * o + k] = weight[(k * i + c) * taps + tap] as number;
      }
    }
  }
  return result;
}

function prepare(tf: TfCore, problem: ConvProblem | PoolProblem, weights: Weights): Prepared {
  const { n, c, h, w, kernel, stride, padding, kind } = problem;
  const [oh, ow] = outputSides(problem);
  const channels = isConv(problem) ? problem.o : c;
  const x = tf.tensor4d(toChannelsLast(weights.x as Float32Array, n, c, h * w), [n, h, w, c]);
  const pad: Padding = [
    [0, 0],
    [padding[0], padding[0]],
    [padding[1], padding[1]],
    [0, 0],
  ];
  const kept: TfTensor[] = [x];
  let compute = (): TfTensor => (kind === 'maxpool' ? tf.maxPool : tf.avgPool)(x, kernel, stride, pad);
  if (isConv(problem)) {
    const { o, groups, dilation } = problem;
    const taps = kernel[0] * kernel[1];
    const depthwise = isDepthwise(problem);
    // A depthwise filter is [kh, kw, c, 1].
    const [inputs, outputs] = depthwise ? [1, c] : [c / groups, o];
    const shape = [...kernel, ...(depthwise ? [c, 1] : [c, o])];
    const filter = tf.tensor4d(toFilter(weights.weight, outputs, inputs, taps), shape);
    kept.push(filter);
    const operator = depthwise ? tf.depthwiseConv2d : tf.conv2d;
    compute = () => operator(x, filter, stride, pad, 'NHWC', dilation);
  }
  let last: TfTensor | undefined;
  return {
    run() {
      // It has no `out`; memory that was disposed of is used again.
      last?.dispose();
      last = compute();
    },
    output: () => toChannelsFirst((last as TfTensor).dataSync(), n, channels, oh * ow),
    dispose() {
      for (const tensor of last === undefined ? kept : [...kept, last]) tensor.dispose();
    },
  };
}

/** The core, with one of its backends chosen. @throws MissingBackend */
export async function loadTfjs(
  packageName: string,
  backend: string,
  setUp: (plugin: unknown) => void,
): Promise<TfCore> {
  const tf = loadPackage<TfCore>('@tensorflow/tfjs-core');
  // Otherwise it advertises its own addon.
  tf.enableProdMode();
  setUp(loadPackage(packageName));
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js has no backend ${backend} here`);
  return tf;
}
