import { checkBoolean, checkInteger, checkOptions } from './check.ts';
import { invalidType, invalidValue } from './errors.ts';
import { type IndexedMax, poolWithIndices } from './max-indices.ts';
import { toImages } from './operand.ts';
import { type Layout, NO_PADDING, readLayout } from './options.ts';
import { type OutOption, readOut } from './output.ts';
import type { PoolMode, PoolSettings } from './pool-settings.ts';
import { pool } from './pooling.ts';
import type { Tensor, TensorInput } from './tensor.ts';

/** One number for both sides, or `[height, width]`; `null` is the input's side. */
export type OutputSize = number | null | readonly [height: number | null, width: number | null];

/** What an adaptive pooling takes besides the size. */
export interface AdaptivePoolOptions {
  /** Order of the axes of the input and the result; [h, w] is the same in both. Default `'NCHW'`. */
  layout?: Layout | undefined;
}

/** The options of adaptive and global pooling. */
export interface AdaptivePool2dOptions extends AdaptivePoolOptions, OutOption {}

/** The options of `adaptiveMaxPool2d` when the places of the maxima are asked for. */
export interface IndexedAdaptiveMaxPool2dOptions extends AdaptivePool2dOptions {
  returnIndices: true;
}

/** The names of `AdaptivePoolOptions`. */
export const ADAPTIVE_POOL_OPTION_NAMES: readonly string[] = ['layout'];
const NAMES: readonly string[] = [...ADAPTIVE_POOL_OPTION_NAMES, 'out'];
const INDEXED_NAMES: readonly string[] = [...NAMES, 'returnIndices'];

function readSide(value: unknown, parameter: string): number {
  return value === null ? 0 : checkInteger(value, parameter, 1);
}

function readOutputSize(value: unknown): [height: number, width: number] {
  if (value === null || typeof value === 'number') {
    const both = readSide(value, 'outputSize');
    return [both, both];
  }
  if (!Array.isArray(value)) throw invalidType('an integer, null or [height, width]', 'outputSize', value);
  if (value.length !== 2) throw invalidValue('an integer, null or [height, width]', 'outputSize', value);
  return [readSide(value[0], 'outputSize[0]'), readSide(value[1], 'outputSize[1]')];
}

/** The settings of an adaptive pooling; the options were checked for unknown names. */
export function readAdaptiveSettings(
  mode: PoolMode,
  outputSize: unknown,
  options: Record<string, unknown> | undefined,
): PoolSettings {
  const layout = options?.layout;
  const [kernelH, kernelW] = readOutputSize(outputSize);
  return {
    mode: mode === 'max' ? 0 : 1,
    kernelH,
    kernelW,
    strideH: 1,
    strideW: 1,
    padding: NO_PADDING,
    paddingLimit: 0,
    dilationH: 1,
    dilationW: 1,
    ceil: 0,
    countIncludePad: 0,
    divisorOverride: 0,
    adaptive: true,
    norm: 0,
    layout: layout === undefined ? 0 : readLayout(layout),
  };
}

function run(x: unknown, mode: PoolMode, outputSize: unknown, options: unknown): Tensor {
  const given = checkOptions(options, 'options', NAMES);
  const settings = readAdaptiveSettings(mode, outputSize, given);
  const out = readOut(given?.out);
  return pool(toImages(x, 'x', 2, 4), settings, out);
}

/**
 * Maximum of each of `outputSize` windows: window i of a side reaches from ⌊i · in / out⌋ to ⌈(i + 1) · in / out⌉, the
 * end excluded. NaN wins over every number. Source: PyTorch `adaptive_max_pool2d`.
 *
 * @param x [h, w], [c, h, w] or [n, c, h, w] (`layout: 'NHWC'`: [h, w, c] or [n, h, w, c])
 * @param outputSize the sides of the result, which may be longer than the input's
 * @param options.returnIndices whether to tell where each maximum was, too
 * @returns as many axes as `x` has; a batch of 0 gives an empty result. With `returnIndices: true`, `{output, indices}`
 * @throws as `maxPool2d`
 */
export function adaptiveMaxPool2d(
  x: TensorInput,
  outputSize: OutputSize,
  options?: AdaptivePool2dOptions & { returnIndices?: false | undefined },
): Tensor;
export function adaptiveMaxPool2d(
  x: TensorInput,
  outputSize: OutputSize,
  options: IndexedAdaptiveMaxPool2dOptions,
): IndexedMax;
export function adaptiveMaxPool2d(
  x: TensorInput,
  outputSize: OutputSize,
  options?: AdaptivePool2dOptions & { returnIndices?: boolean | undefined },
): Tensor | IndexedMax {
  const given = checkOptions(options, 'options', INDEXED_NAMES);
  const settings = readAdaptiveSettings('max', outputSize, given);
  const out = readOut(given?.out);
  const returnIndices = given?.returnIndices;
  const withIndices = returnIndices !== undefined && checkBoolean(returnIndices, 'returnIndices');
  const input = toImages(x, 'x', 2, 4);
  return withIndices ? poolWithIndices(input, settings, out) : pool(input, settings, out);
}

/**
 * Mean of each of `outputSize` windows, which are those of `adaptiveMaxPool2d`, over the window's own size. Source:
 * PyTorch `adaptive_avg_pool2d`.
 *
 * @param x [h, w], [c, h, w] or [n, c, h, w] (`layout: 'NHWC'`: [h, w, c] or [n, h, w, c])
 * @param outputSize the sides of the result, which may be longer than the input's
 * @returns as many axes as `x` has; a batch of 0 gives an empty result
 * @throws as `maxPool2d`
 */
export function adaptiveAvgPool2d(
  x: TensorInput,
  outputSize: OutputSize,
  options?: AdaptivePool2dOptions,
): Tensor {
  return run(x, 'avg', outputSize, options);
}

/**
 * Maximum of each channel. Source: ONNX `GlobalMaxPool`.
 *
 * @param x [h, w], [c, h, w] or [n, c, h, w] (`layout: 'NHWC'`: [h, w, c] or [n, h, w, c])
 * @returns as many axes as `x` has, the height and the width 1 long
 * @throws as `maxPool2d`
 */
export function globalMaxPool2d(x: TensorInput, options?: AdaptivePool2dOptions): Tensor {
  return run(x, 'max', 1, options);
}

/**
 * Mean of each channel. Source: ONNX `GlobalAveragePool`.
 *
 * @param x [h, w], [c, h, w] or [n, c, h, w] (`layout: 'NHWC'`: [h, w, c] or [n, h, w, c])
 * @returns as many axes as `x` has, the height and the width 1 long
 * @throws as `maxPool2d`
 */
export function globalAvgPool2d(x: TensorInput, options?: AdaptivePool2dOptions): Tensor {
  return run(x, 'avg', 1, options);
}
