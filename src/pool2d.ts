import { checkBoolean, checkOptions, checkWord, type Pair } from './check.ts';
import { type IndexedMax, poolWithIndices } from './max-indices.ts';
import { checkImagesShape, toImages } from './operand.ts';
import { type OutOption, readOut } from './output.ts';
import {
  AVG_POOL_OPTION_NAMES,
  type AvgPoolOptions,
  MAX_POOL_OPTION_NAMES,
  type PoolMode,
  type PoolOptions,
  readPoolSettings,
} from './pool-settings.ts';
import { pool, poolingShape } from './pooling.ts';
import type { Tensor, TensorInput } from './tensor.ts';

/** The options of `maxPool2d`, and of `pool2d` with `'max'`. */
export interface MaxPool2dOptions extends PoolOptions, OutOption {}

/** The options of `maxPool2d` when the places of the maxima are asked for. */
export interface IndexedMaxPool2dOptions extends MaxPool2dOptions {
  returnIndices: true;
}

/** The options of `avgPool2d`, and of `pool2d` with `'avg'`. */
export interface AvgPool2dOptions extends AvgPoolOptions, OutOption {}

const MAX_NAMES: readonly string[] = [...MAX_POOL_OPTION_NAMES, 'out'];
const INDEXED_MAX_NAMES: readonly string[] = [...MAX_NAMES, 'returnIndices'];
const AVG_NAMES: readonly string[] = [...AVG_POOL_OPTION_NAMES, 'out'];

function run(
  x: unknown,
  mode: PoolMode,
  kernel: unknown,
  kernelName: string,
  options: unknown,
  defaultStride: 'kernel' | 1,
): Tensor {
  const given = checkOptions(options, 'options', mode === 'max' ? MAX_NAMES : AVG_NAMES);
  const settings = readPoolSettings(mode, kernel, kernelName, given, defaultStride);
  const out = readOut(given?.out);
  return pool(toImages(x, 'x', 2, 4), settings, out);
}

/**
 * Maximum or mean of each window, each channel by itself, with a stride of 1 unless told otherwise. Source: seed 4
 * (`pool2d`).
 *
 * @param x [h, w], [c, h, w] or [n, c, h, w] (`layout: 'NHWC'`: [h, w, c] or [n, h, w, c])
 * @param poolSize the window
 * @param mode `'max'` or `'avg'`
 * @returns as many axes as `x` has; without options the sides are h − ph + 1 and w − pw + 1
 * @throws as `maxPool2d`
 */
export function pool2d(x: TensorInput, poolSize: Pair, mode?: 'max', options?: MaxPool2dOptions): Tensor;
export function pool2d(x: TensorInput, poolSize: Pair, mode: 'avg', options?: AvgPool2dOptions): Tensor;
export function pool2d(x: TensorInput, poolSize: Pair, mode?: PoolMode, options?: MaxPool2dOptions): Tensor;
export function pool2d(
  x: TensorInput,
  poolSize: Pair,
  mode: PoolMode = 'max',
  options?: AvgPool2dOptions,
): Tensor {
  return run(x, checkWord(mode, 'mode', ['max', 'avg']), poolSize, 'poolSize', options, 1);
}

/**
 * Maximum of each window. NaN wins over every number. Source: seed 4.2; PyTorch `max_pool2d`; ONNX `MaxPool`.
 *
 * @param x [h, w], [c, h, w] or [n, c, h, w] (`layout: 'NHWC'`: [h, w, c] or [n, h, w, c])
 * @param kernelSize the window, and the stride unless `stride` is given
 * @param options.returnIndices whether to tell where each maximum was, too
 * @returns as many axes as `x` has; a batch of 0 gives an empty result. With `returnIndices: true`, `{output, indices}`
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` (unknown option), `ERR_DETACHED_BUFFER`;
 *   RangeError `ERR_INVALID_ARG_VALUE` (unknown word), `ERR_OUT_OF_RANGE`, `ERR_SHAPE_MISMATCH`, `ERR_OVERLAP`,
 *   `ERR_LIMIT_EXCEEDED`
 */
export function maxPool2d(
  x: TensorInput,
  kernelSize: Pair,
  options?: MaxPool2dOptions & { returnIndices?: false | undefined },
): Tensor;
export function maxPool2d(x: TensorInput, kernelSize: Pair, options: IndexedMaxPool2dOptions): IndexedMax;
export function maxPool2d(
  x: TensorInput,
  kernelSize: Pair,
  options?: MaxPool2dOptions & { returnIndices?: boolean | undefined },
): Tensor | IndexedMax {
  const given = checkOptions(options, 'options', INDEXED_MAX_NAMES);
  const settings = readPoolSettings('max', kernelSize, 'kernelSize', given, 'kernel');
  const out = readOut(given?.out);
  const returnIndices = given?.returnIndices;
  const withIndices = returnIndices !== undefined && checkBoolean(returnIndices, 'returnIndices');
  const input = toImages(x, 'x', 2, 4);
  return withIndices ? poolWithIndices(input, settings, out) : pool(input, settings, out);
}

/**
 * Mean of each window. Source: seed 4.1; PyTorch `avg_pool2d`; ONNX `AveragePool` (whose `count_include_pad` is off
 * unless given).
 *
 * @param x [h, w], [c, h, w] or [n, c, h, w] (`layout: 'NHWC'`: [h, w, c] or [n, h, w, c])
 * @param kernelSize the window, and the stride unless `stride` is given
 * @returns as many axes as `x` has; a batch of 0 gives an empty result
 * @throws as `maxPool2d`
 */
export function avgPool2d(x: TensorInput, kernelSize: Pair, options?: AvgPool2dOptions): Tensor {
  return run(x, 'avg', kernelSize, 'kernelSize', options, 'kernel');
}

/**
 * The shape that `maxPool2d` and `avgPool2d` give, without computing anything: the stride defaults to `kernelSize`. (For
 * the seed's `pool2d` give `{stride: 1}`.) `countIncludePad`, `divisorOverride` and `out` have no influence on it.
 *
 * @param inputShape [h, w], [c, h, w] or [n, c, h, w] (`layout: 'NHWC'`: [h, w, c] or [n, h, w, c])
 * @throws as `maxPool2d`
 */
export function pool2dOutputShape(
  inputShape: readonly number[],
  kernelSize: Pair,
  options?: AvgPool2dOptions,
): number[] {
  const given = checkOptions(options, 'options', AVG_NAMES);
  const settings = readPoolSettings('avg', kernelSize, 'kernelSize', given, 'kernel');
  return poolingShape(settings, checkImagesShape(inputShape, 'inputShape', 2));
}
