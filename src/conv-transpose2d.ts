import { checkOptions, checkPair, type Pair } from './check.ts';
import { type ConvSettings, readConvSettings } from './conv-settings.ts';
import { convolutionShape, convolve } from './convolve.ts';
import { invalidValue } from './errors.ts';
import { checkImagesShape, checkWeightShape, toImages, toWeight } from './operand.ts';
import type { Activation, Algorithm, Layout, Padding } from './options.ts';
import { type OutOption, readOut } from './output.ts';
import type { Tensor, TensorInput } from './tensor.ts';

/** What a transposed convolution does besides its weight and bias. PyTorch's meanings and defaults. */
export interface ConvTransposeOptions {
  /** Distance in the result between the places of neighbouring input elements. Default 1. */
  stride?: Pair | undefined;
  /**
   * Rows and columns cut off the result, the padding of the convolution whose gradient this is. `'same'`, `'same-lower'`
   * and `'same-upper'` cut the result to input · stride, by ONNX's `auto_pad`: of an odd number, `'same-upper'` cuts one
   * more at the bottom and right, the others at the top and left. Default 0.
   */
  padding?: Padding | undefined;
  /** Rows and columns added at the bottom and right, fewer than stride or dilation. Default 0. */
  outputPadding?: Pair | undefined;
  /**
   * The result's [height, width], from which the padding follows (ONNX `output_shape`); `padding` is then left out, or a
   * rule that says where an odd row or column is cut.
   */
  outputShape?: Pair | undefined;
  /** Distance between the kernel's taps. Default 1. */
  dilation?: Pair | undefined;
  /** Divides the input and the output channels; group i of one feeds group i of the other only. Default 1. */
  groups?: number | undefined;
  /** Order of the axes of the input and the result; the weight is [c, o / groups, kh, kw] in both. Default `'NCHW'`. */
  layout?: Layout | undefined;
  /** Default `'none'`. */
  activation?: Activation | undefined;
  /** That of the convolutions that the result is made of. Default `'auto'`. */
  algorithm?: Algorithm | undefined;
}

/** The options of `convTranspose2d`. */
export interface ConvTranspose2dOptions extends ConvTransposeOptions, OutOption {
  /** [o], added to each output channel. */
  bias?: TensorInput | undefined;
}

/** The names of `ConvTransposeOptions`. */
export const CONV_TRANSPOSE_OPTION_NAMES: readonly string[] = [
  'stride',
  'padding',
  'outputPadding',
  'outputShape',
  'dilation',
  'groups',
  'layout',
  'activation',
  'algorithm',
];

const OPTION_NAMES: readonly string[] = [...CONV_TRANSPOSE_OPTION_NAMES, 'bias', 'out'];

/** Reads each option once; the object was checked for unknown names. */
export function readConvTransposeSettings(options: Record<string, unknown> | undefined): ConvSettings {
  const { outputPadding, outputShape, ...others } = options ?? {};
  const settings = readConvSettings(others);
  const [outputPaddingH, outputPaddingW] =
    outputPadding === undefined ? [0, 0] : checkPair(outputPadding, 'outputPadding', 0);
  const [outputH, outputW] = outputShape === undefined ? [0, 0] : checkPair(outputShape, 'outputShape', 1);
  const { kind, top, bottom, left, right } = settings.padding;
  if (outputShape !== undefined && kind === 0 && top + bottom + left + right > 0) {
    throw invalidValue("'same-lower', 'same-upper' or nothing beside outputShape", 'padding', others.padding);
  }
  return { ...settings, transposed: { outputPaddingH, outputPaddingW, outputH, outputW } };
}

/**
 * Two-dimensional transposed convolution: each input element adds its multiple of the kernel to the result, `stride`
 * apart. It is the gradient of `conv2d` with respect to its input. Source: PyTorch `conv_transpose2d`; ONNX
 * `ConvTranspose`; Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016.
 *
 * @param x [n, c, h, w] or [c, h, w]; with `layout: 'NHWC'`, [n, h, w, c] or [h, w, c]
 * @param weight [c, o / groups, kh, kw] in both layouts
 * @returns [n, o, h', w'] or [o, h', w'] (`'NHWC'`: [n, h', w', o] or [h', w', o]), where
 *   h' = (h − 1) · stride − top − bottom + dilation · (kh − 1) + outputPadding + 1; a batch of 0 gives an empty result
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` (unknown option), `ERR_DETACHED_BUFFER`;
 *   RangeError `ERR_INVALID_ARG_VALUE` (unknown word; numbers for `padding` beside `outputShape`), `ERR_OUT_OF_RANGE`,
 *   `ERR_SHAPE_MISMATCH`, `ERR_OVERLAP`, `ERR_LIMIT_EXCEEDED`
 */
export function convTranspose2d(
  x: TensorInput,
  weight: TensorInput,
  options?: ConvTranspose2dOptions,
): Tensor {
  const given = checkOptions(options, 'options', OPTION_NAMES);
  const settings = readConvTransposeSettings(given);
  const out = readOut(given?.out);
  const givenBias = given?.bias;
  const bias = givenBias === undefined ? undefined : toWeight(givenBias, 'bias', 1);
  const input = toImages(x, 'x', 3, 4);
  const kernel = toWeight(weight, 'weight', 4);
  return convolve(input, kernel, 'weight', bias, settings, out, input.shape.length);
}

/**
 * The shape that `convTranspose2d` gives, without computing anything. `bias` and `out` have no influence on it and
 * aren't looked at.
 *
 * @param inputShape [n, c, h, w] or [c, h, w]; with `layout: 'NHWC'`, [n, h, w, c] or [h, w, c]
 * @param weightShape [c, o / groups, kh, kw]
 * @throws as `convTranspose2d`
 */
export function convTranspose2dOutputShape(
  inputShape: readonly number[],
  weightShape: readonly number[],
  options?: ConvTranspose2dOptions,
): number[] {
  const settings = readConvTransposeSettings(checkOptions(options, 'options', OPTION_NAMES));
  const input = checkImagesShape(inputShape, 'inputShape', 3);
  const weight = checkWeightShape(weightShape, 'weightShape');
  return convolutionShape(input, weight, settings);
}
