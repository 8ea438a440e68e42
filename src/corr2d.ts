import { checkOptions } from './check.ts';
import { DEFAULT_CONV_SETTINGS } from './conv-settings.ts';
import { convolve } from './convolve.ts';
import { formatShape, shapeMismatch } from './errors.ts';
import { toImages, toWeight } from './operand.ts';
import { OUT_OPTION_NAMES, type OutOption, readOut } from './output.ts';
import type { Tensor, TensorInput } from './tensor.ts';

function correlate(
  x: unknown,
  k: unknown,
  options: unknown,
  inputRank: number,
  kernelRank: number,
  rank: number,
): Tensor {
  const out = readOut(checkOptions(options, 'options', OUT_OPTION_NAMES)?.out);
  const input = toImages(x, 'x', inputRank, inputRank);
  const kernel = toWeight(k, 'k', kernelRank);
  return convolve(input, kernel, 'k', undefined, DEFAULT_CONV_SETTINGS, out, rank);
}

/**
 * Two-dimensional cross-correlation: each output element is the sum of the products of the kernel and the region of `x`
 * under it. Source: seed 1.1 (`corr2d`).
 *
 * @param x [h, w]
 * @param k [kh, kw]
 * @returns [h − kh + 1, w − kw + 1]
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` (unknown option), `ERR_DETACHED_BUFFER`;
 *   RangeError `ERR_SHAPE_MISMATCH`, `ERR_OUT_OF_RANGE`, `ERR_OVERLAP`, `ERR_LIMIT_EXCEEDED`
 */
export function corr2d(x: TensorInput, k: TensorInput, options?: OutOption): Tensor {
  return correlate(x, k, options, 2, 2, 2);
}

/**
 * Cross-correlation of each channel with its own kernel, summed over the channels. Source: seed 3.1
 * (`corr2d_multi_in`).
 *
 * @param x [c, h, w]
 * @param k [c, kh, kw]
 * @returns [h − kh + 1, w − kw + 1]
 * @throws as `corr2d`
 */
export function corr2dMultiIn(x: TensorInput, k: TensorInput, options?: OutOption): Tensor {
  return correlate(x, k, options, 3, 3, 2);
}

/**
 * `corr2dMultiIn` once for each output channel. Source: seed 3.2 (`corr2d_multi_in_out`).
 *
 * @param x [c, h, w]
 * @param k [o, c, kh, kw]
 * @returns [o, h − kh + 1, w − kw + 1]
 * @throws as `corr2d`
 */
export function corr2dMultiInOut(x: TensorInput, k: TensorInput, options?: OutOption): Tensor {
  return correlate(x, k, options, 3, 4, 3);
}

/**
 * A fully connected layer across the channels of each pixel: `corr2dMultiInOut` with 1×1 kernels, and the same bits as
 * that. Source: seed 3.3 (`corr2d_multi_in_out_1`).
 *
 * @param x [c, h, w]
 * @param k [o, c, 1, 1]
 * @returns [o, h, w]
 * @throws as `corr2d`; RangeError `ERR_SHAPE_MISMATCH` for a larger kernel
 */
export function corr2dMultiInOut1x1(x: TensorInput, k: TensorInput, options?: OutOption): Tensor {
  const kernel = toWeight(k, 'k', 4);
  if (kernel.shape[2] !== 1 || kernel.shape[3] !== 1) {
    throw shapeMismatch('shape [o, c, 1, 1]', 'k', formatShape(kernel.shape));
  }
  return correlate(x, kernel, options, 3, 4, 3);
}
