import { checkOptions } from './check.ts';
import { CONV_OPTION_NAMES, type ConvOptions, readConvSettings } from './conv-settings.ts';
import { convolutionShape, convolve } from './convolve.ts';
import { checkImagesShape, checkWeightShape, toImages, toWeight } from './operand.ts';
import { type OutOption, readOut } from './output.ts';
import type { Tensor, TensorInput } from './tensor.ts';

/** The options of `conv2d`. */
export interface Conv2dOptions extends ConvOptions, OutOption {
  /** [o], added to each output channel. */
  bias?: TensorInput | undefined;
}

const OPTION_NAMES: readonly string[] = [...CONV_OPTION_NAMES, 'bias', 'out'];

/**
 * Two-dimensional convolution as deep learning means it (cross-correlation: the kernel isn't flipped).
 * Source: seed 2 and 3; PyTorch `conv2d`; ONNX `Conv`.
 *
 * @param x [n, c, h, w] or [c, h, w]; with `layout: 'NHWC'`, [n, h, w, c] or [h, w, c]
 * @param weight [o, c / groups, kh, kw] in both layouts
 * @returns [n, o, h', w'] or [o, h', w'] (`'NHWC'`: [n, h', w', o] or [h', w', o]), where h' = ⌊(h + top + bottom − dilation · (kh − 1) − 1) / stride⌋ + 1; a
 *   batch of 0 gives an empty result
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` (unknown option), `ERR_DETACHED_BUFFER`;
 *   RangeError `ERR_INVALID_ARG_VALUE` (unknown word), `ERR_OUT_OF_RANGE`, `ERR_SHAPE_MISMATCH`, `ERR_OVERLAP`,
 *   `ERR_LIMIT_EXCEEDED`
 */
export function conv2d(x: TensorInput, weight: TensorInput, options?: Conv2dOptions): Tensor {
  const given = checkOptions(options, 'options', OPTION_NAMES);
  const settings = readConvSettings(given);
  const out = readOut(given?.out);
  const givenBias = given?.bias;
  const bias = givenBias === undefined ? undefined : toWeight(givenBias, 'bias', 1);
  const input = toImages(x, 'x', 3, 4);
  const kernel = toWeight(weight, 'weight', 4);
  return convolve(input, kernel, 'weight', bias, settings, out, input.shape.length);
}

/**
 * The shape that `conv2d` gives, without computing anything. `bias` and `out` have no influence on it and aren't looked
 * at.
 *
 * @param inputShape [n, c, h, w] or [c, h, w]; with `layout: 'NHWC'`, [n, h, w, c] or [h, w, c]
 * @param weightShape [o, c / groups, kh, kw]
 * @throws as `conv2d`
 */
export function conv2dOutputShape(
  inputShape: readonly number[],
  weightShape: readonly number[],
  options?: Conv2dOptions,
): number[] {
  const settings = readConvSettings(checkOptions(options, 'options', OPTION_NAMES));
  const input = checkImagesShape(inputShape, 'inputShape', 3);
  const weight = checkWeightShape(weightShape, 'weightShape');
  return convolutionShape(input, weight, settings);
}
