/**
 * The one way from checked operands to the native convolution, ordinary or transposed; every function and layer comes
 * through here.
 */
import { type ConvSettings, convParams, fillConvParams } from './conv-settings.ts';
import { checkElements, checkFlops } from './limits.ts';
import { native } from './native.ts';
import { denseData, nativeView, withDenseRows } from './operand.ts';
import { NHWC } from './options.ts';
import { apartFrom, checkOut, resultMemory, resultShape, toResult } from './output.ts';
import { CONV, OPERATOR } from './params.ts';
import { type NativePlan, Plan } from './plan.ts';
import { sizeOf } from './strides.ts';
import { assertReadable, sameShape, type Tensor } from './tensor.ts';
import { tunedPlan } from './tuning.ts';

/** The problem that convParams hold, with the native side's answers, and the shape of its result. */
interface Resolved {
  readonly input: readonly number[];
  readonly weight: readonly number[];
  readonly bias: number;
  readonly settings: ConvSettings;
  readonly rank: number;
  readonly threads: number;
  readonly shape: readonly number[];
}

let resolved: Resolved | undefined;

// Fills convParams; the native side checks the geometry, throws the final errors and writes the output's sides back. A call like
// the one before it, as in a loop over images, finds all that done.
function resolve(
  input: readonly number[],
  weight: readonly number[],
  bias: number,
  settings: ConvSettings,
  rank: number,
  threads: number,
): readonly number[] {
  if (
    resolved !== undefined &&
    resolved.settings === settings &&
    resolved.bias === bias &&
    resolved.rank === rank &&
    resolved.threads === threads &&
    sameShape(resolved.input, input) &&
    sameShape(resolved.weight, weight)
  ) {
    return resolved.shape;
  }
  resolved = undefined;
  const p = convParams;
  fillConvParams(settings, input, weight, bias, threads);
  const isTransposed = settings.transposed !== undefined;
  if (isTransposed) native.convTranspose2dShape(p);
  else native.conv2dShape(p);
  const shape = resultShape(
    rank,
    p[CONV.N] as number,
    (p[CONV.C_OUT] as number) * (isTransposed ? settings.groups : 1),
    p[CONV.OUT_H] as number,
    p[CONV.OUT_W] as number,
    settings.layout === NHWC,
  );
  // Results carry this very array, hence frozen.
  Object.freeze(shape);
  resolved = { input: [...input], weight: [...weight], bias, settings, rank, threads, shape };
  return shape;
}

/**
 * Shape of a convolution's result, of as many axes as the input has; fills convParams.
 *
 * @param bias length of the bias, where it is to be checked
 */
export function convolutionShape(
  input: readonly number[],
  weight: readonly number[],
  settings: ConvSettings,
  bias = -1,
): number[] {
  // Whose array the result is, and may be changed.
  return [...resolve(input, weight, bias, settings, input.length, 0)];
}

/**
 * One convolution, its plan used once. Shapes without batch or channels count as one of them.
 *
 * @param weightName what the caller's signature calls the weight
 * @param rank number of axes of the result
 */
export function convolve(
  x: Tensor,
  weight: Tensor,
  weightName: string,
  bias: Tensor | undefined,
  settings: ConvSettings,
  out: Tensor | undefined,
  rank: number,
): Tensor {
  assertReadable(x, 'x');
  assertReadable(weight, weightName);
  if (bias !== undefined) assertReadable(bias, 'bias');
  const shape = resolve(x.shape, weight.shape, bias === undefined ? -1 : bias.size, settings, rank, 0);
  const size = sizeOf(shape);
  checkElements(size, 'the output');
  checkFlops(convParams[CONV.FLOPS] as number);
  let input = x;
  if (out !== undefined) {
    checkOut(out, shape, size);
    input = apartFrom(out, x, 'x');
    apartFrom(out, weight, weightName);
    if (bias !== undefined) apartFrom(out, bias, 'bias');
  }
  const taps = denseData(weight);
  const offsets = bias === undefined ? null : denseData(bias);
  const source = withDenseRows(input);
  const memory = resultMemory(size, out);
  if (size > 0) {
    const run = settings.transposed === undefined ? native.conv2d : native.convTranspose2d;
    run(convParams, source.data, nativeView(source), taps, offsets, memory);
  }
  return toResult(memory, shape, out);
}

/**
 * A plan for inputs of one shape: chooses the algorithm and packs the weight now.
 *
 * @param rank number of axes of the result
 * @param threads 0 for all of the pool's
 * @param isTuned whether the algorithm is chosen by measurement, unless the settings name one
 */
export function planConvolution(
  input: readonly number[],
  weight: readonly number[],
  taps: Float32Array,
  bias: Float32Array | null,
  settings: ConvSettings,
  rank: number,
  threads: number,
  isTuned: boolean,
): Plan {
  const shape = resolve(input, weight, bias === null ? -1 : bias.length, settings, rank, threads);
  checkElements(sizeOf(shape), 'the output');
  checkFlops(convParams[CONV.FLOPS] as number);
  const isTransposed = settings.transposed !== undefined;
  const operator = isTransposed ? OPERATOR.CONV_TRANSPOSE : OPERATOR.CONV;
  const create = (params: Float64Array): NativePlan => new native.NativePlan(operator, params, taps, bias);
  if (!isTuned || settings.algorithm >= 0) return new Plan(create(convParams), input, shape);
  const { plan, times } = tunedPlan(create, input, shape, isTransposed);
  return new Plan(plan, input, shape, times);
}
