import { checkOptions, type Pair } from './check.ts';
import { type ConvOptions, type ConvSettings, convParams, readConvSettings } from './conv-settings.ts';
import {
  CONV_TRANSPOSE_OPTION_NAMES,
  type ConvTransposeOptions,
  readConvTransposeSettings,
} from './conv-transpose2d.ts';
import { convolutionShape } from './convolve.ts';
import { formatShape, shapeMismatch } from './errors.ts';
import { checkFlops } from './limits.ts';
import { allocate, allocateResult } from './memory.ts';
import { native } from './native.ts';
import { denseData, toImages, toWeight } from './operand.ts';
import { CONV } from './params.ts';
import {
  AVG_POOL_OPTION_NAMES,
  type AvgPoolOptions,
  MAX_POOL_OPTION_NAMES,
  type PoolMode,
  type PoolOptions,
  poolParams,
  readPoolSettings,
} from './pool-settings.ts';
import { checkPooling } from './pooling.ts';
import { assertReadable, fromChecked, sameShape, type Tensor, type TensorInput, toTensor } from './tensor.ts';

/** The gradients of a convolution, each of the shape of what it is the gradient of. */
export interface ConvGradients {
  /** With respect to `x`. */
  input: Tensor;
  /** With respect to the weight. */
  weight: Tensor;
  /** [o], with respect to a bias, whether there is one or not. */
  bias: Tensor;
}

/** The options of `conv2dBackward`: those of the `conv2d` call whose gradients are asked for. */
export interface Conv2dBackwardOptions extends Omit<ConvOptions, 'algorithm'> {
  /** [o], the bias; it matters to the activation only. */
  bias?: TensorInput | undefined;
}

/** The options of `convTranspose2dBackward`: those of the `convTranspose2d` call whose gradients are asked for. */
export interface ConvTranspose2dBackwardOptions extends Omit<ConvTransposeOptions, 'algorithm'> {
  /** [o], the bias; it matters to the activation only. */
  bias?: TensorInput | undefined;
}

const CONV_NAMES: readonly string[] = [
  'stride',
  'padding',
  'paddingMode',
  'dilation',
  'groups',
  'layout',
  'activation',
  'bias',
];
const CONV_TRANSPOSE_NAMES: readonly string[] = [
  ...CONV_TRANSPOSE_OPTION_NAMES.filter((name) => name !== 'algorithm'),
  'bias',
];

// The result's gradient, of the result's shape.
function checkGradient(gradOutput: Tensor, shape: readonly number[]): void {
  if (!sameShape(gradOutput.shape, shape)) {
    throw shapeMismatch(`shape ${formatShape(shape)}`, 'gradOutput', formatShape(gradOutput.shape));
  }
  assertReadable(gradOutput, 'gradOutput');
}

/** The gradients of a convolution, ordinary or transposed, from checked operands. */
export function convolutionGradients(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  gradOutput: Tensor,
  settings: ConvSettings,
): ConvGradients {
  assertReadable(x, 'x');
  assertReadable(weight, 'weight');
  if (bias !== undefined) assertReadable(bias, 'bias');
  const shape = convolutionShape(x.shape, weight.shape, settings, bias?.size);
  checkGradient(gradOutput, shape);
  // As much for the input as for the weight, and the forward pass again where an activation needs it.
  checkFlops((settings.activation.kind === 0 ? 2 : 3) * (convParams[CONV.FLOPS] as number));
  const channels =
    (convParams[CONV.C_OUT] as number) * (settings.transposed === undefined ? 1 : settings.groups);
  // Of an empty input nothing is computed, and the weight's gradient is zero.
  const make = x.size > 0 ? allocateResult : allocate;
  const gradients = [x.size, weight.size, channels].map((size) => make(size, 'the gradient')) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const backward = settings.transposed === undefined ? native.conv2dBackward : native.convTranspose2dBackward;
  const offsets = bias === undefined ? null : denseData(bias);
  const operands = [denseData(x), denseData(weight), offsets, denseData(gradOutput)] as const;
  if (x.size > 0) backward(convParams, ...operands, ...gradients);
  return {
    input: fromChecked(gradients[0], [...x.shape]),
    weight: fromChecked(gradients[1], [...weight.shape]),
    bias: fromChecked(gradients[2], [channels]),
  };
}

function backward(
  x: unknown,
  weight: unknown,
  gradOutput: unknown,
  bias: unknown,
  settings: ConvSettings,
): ConvGradients {
  const offsets = bias === undefined ? undefined : toWeight(bias, 'bias', 1);
  const input = toImages(x, 'x', 3, 4);
  const kernel = toWeight(weight, 'weight', 4);
  return convolutionGradients(input, kernel, offsets, toTensor(gradOutput, 'gradOutput'), settings);
}

/**
 * The gradients of `conv2d(x, weight, options)`: how a loss moves with each element of the input, the weight and the
 * bias, when it moves with the result's elements by `gradOutput`. What a padding mode repeats counts as often as it is
 * read. At a corner of an activation the slope is that of its flat side. Source: PyTorch's autograd of `conv2d`.
 *
 * @param x [n, c, h, w] or [c, h, w] (`layout: 'NHWC'`: [n, h, w, c] or [h, w, c])
 * @param weight [o, c / groups, kh, kw]
 * @param gradOutput of the shape of `conv2d`'s result
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` (unknown option), `ERR_DETACHED_BUFFER`;
 *   RangeError `ERR_INVALID_ARG_VALUE` (unknown word), `ERR_OUT_OF_RANGE`, `ERR_SHAPE_MISMATCH`, `ERR_LIMIT_EXCEEDED`
 */
export function conv2dBackward(
  x: TensorInput,
  weight: TensorInput,
  gradOutput: TensorInput,
  options?: Conv2dBackwardOptions,
): ConvGradients {
  const given = checkOptions(options, 'options', CONV_NAMES);
  return backward(x, weight, gradOutput, given?.bias, readConvSettings(given));
}

/**
 * The gradients of `convTranspose2d(x, weight, options)`, as `conv2dBackward` gives those of `conv2d`. Source: PyTorch's
 * autograd of `conv_transpose2d`.
 *
 * @param x [n, c, h, w] or [c, h, w] (`layout: 'NHWC'`: [n, h, w, c] or [h, w, c])
 * @param weight [c, o / groups, kh, kw]
 * @param gradOutput of the shape of `convTranspose2d`'s result
 * @throws as `conv2dBackward`
 */
export function convTranspose2dBackward(
  x: TensorInput,
  weight: TensorInput,
  gradOutput: TensorInput,
  options?: ConvTranspose2dBackwardOptions,
): ConvGradients {
  const given = checkOptions(options, 'options', CONV_TRANSPOSE_NAMES);
  return backward(x, weight, gradOutput, given?.bias, readConvTransposeSettings(given));
}

function poolBackward(
  x: unknown,
  gradOutput: unknown,
  kernel: unknown,
  options: unknown,
  mode: PoolMode,
): Tensor {
  const names = mode === 'max' ? MAX_POOL_OPTION_NAMES : AVG_POOL_OPTION_NAMES;
  const given = checkOptions(options, 'options', names);
  const settings = readPoolSettings(mode, kernel, 'kernelSize', given, 'kernel');
  const input = toImages(x, 'x', 2, 4);
  const gradient = toTensor(gradOutput, 'gradOutput');
  const { shape } = checkPooling(input, settings, undefined);
  checkGradient(gradient, shape);
  const ofX = allocateResult(input.size, 'the gradient');
  const dense = denseData(gradient);
  if (input.size > 0) {
    if (mode === 'max') native.maxPool2dBackward(poolParams, denseData(input), dense, ofX);
    else native.avgPool2dBackward(poolParams, dense, ofX);
  }
  return fromChecked(ofX, [...input.shape]);
}

/**
 * The gradient of `maxPool2d(x, kernelSize, options)` with respect to `x`: each window's goes to its maximum, of equal
 * elements to the first, of NaNs to the last. Source: PyTorch's autograd of `max_pool2d`.
 *
 * @param x [h, w], [c, h, w] or [n, c, h, w] (`layout: 'NHWC'`: [h, w, c] or [n, h, w, c])
 * @param gradOutput of the shape of `maxPool2d`'s result
 * @param kernelSize the window, and the stride unless `stride` is given
 * @returns of the shape of `x`
 * @throws as `conv2dBackward`
 */
export function maxPool2dBackward(
  x: TensorInput,
  gradOutput: TensorInput,
  kernelSize: Pair,
  options?: PoolOptions,
): Tensor {
  return poolBackward(x, gradOutput, kernelSize, options, 'max');
}

/**
 * The gradient of `avgPool2d(x, kernelSize, options)` with respect to `x`: each window's goes to its elements in equal
 * parts. Source: PyTorch's autograd of `avg_pool2d`.
 *
 * @param x [h, w], [c, h, w] or [n, c, h, w] (`layout: 'NHWC'`: [h, w, c] or [n, h, w, c]); only its shape matters
 * @param gradOutput of the shape of `avgPool2d`'s result
 * @param kernelSize the window, and the stride unless `stride` is given
 * @returns of the shape of `x`
 * @throws as `conv2dBackward`
 */
export function avgPool2dBackward(
  x: TensorInput,
  gradOutput: TensorInput,
  kernelSize: Pair,
  options?: AvgPoolOptions,
): Tensor {
  return poolBackward(x, gradOutput, kernelSize, options, 'avg');
}
