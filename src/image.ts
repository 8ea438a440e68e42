/** Filters that take interleaved 8-bit, 16-bit or float images as they are and give back the same. */
import { ASYNC_CONTROL_NAMES, type AsyncControl, readAsyncControl } from './async-call.ts';
import { formatShape, shapeMismatch } from './errors.ts';
import {
  FILTER_OPTION_NAMES,
  type FilterOperation,
  type ImageFilterOptions,
  readFilterCall,
  runImage,
  runImageAsync,
} from './image-call.ts';
import type { Image, PixelData } from './pixels.ts';
import { type Tensor, type TensorInput, toTensor } from './tensor.ts';

/** The options of `filterImage`. */
export interface FilterImageOptions<D extends PixelData = PixelData> extends ImageFilterOptions<D> {}

/** The options of `filterImageAsync`. */
export interface FilterImageAsyncOptions<D extends PixelData = PixelData>
  extends FilterImageOptions<D>,
    AsyncControl {}

const ASYNC_NAMES: readonly string[] = [...FILTER_OPTION_NAMES, ...ASYNC_CONTROL_NAMES];

/**
 * Correlates each channel of an image with one kernel: `scale * Σ kernel * samples + offset` around each pixel,
 * computed in float32, rounded half to even and saturated to the sample type (float samples are neither rounded nor
 * clamped). The result has the image's size; an alpha channel, the last of 2 or 4, is copied unless `alpha` says
 * `'filter'`. The same bits on every instruction set and for every number of threads. The kernel is not flipped, its centre is `[⌊kh/2⌋, ⌊kw/2⌋]`, and it may be even-sized or larger than the
 * image. Source: OpenCV `filter2D`.
 *
 * @param image interleaved samples; not changed
 * @param kernel `[kh, kw]`; the named kernels, or any other `TensorInput`
 * @returns a new image with samples of the same type (in `options.out` where that is given)
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` (unknown option), `ERR_DETACHED_BUFFER`; RangeError
 *   `ERR_INVALID_ARG_VALUE` (unknown word), `ERR_OUT_OF_RANGE`, `ERR_SHAPE_MISMATCH`, `ERR_OVERLAP`,
 *   `ERR_LIMIT_EXCEEDED`
 */
export function filterImage<D extends PixelData>(
  image: Image<D>,
  kernel: TensorInput,
  options?: FilterImageOptions<D>,
): Image<D> {
  return runImage(readFilterCall(image, options, FILTER_OPTION_NAMES, () => readOperation(kernel)).call);
}

/**
 * `filterImage` on the pool's threads, while the event loop goes on; any number may be in flight. The samples are copied
 * before the call returns (or moved, see `transfer`), and the result is computed in memory of its own and copied to `out`
 * at the end. The same bits as `filterImage`.
 *
 * @param options as those of `filterImage`, and `signal` and `transfer`
 * @returns a promise, rejected with what `filterImage` throws or with the signal's reason
 */
export async function filterImageAsync<D extends PixelData>(
  image: Image<D>,
  kernel: TensorInput,
  options?: FilterImageAsyncOptions<D>,
): Promise<Image<D>> {
  const { call, others } = readFilterCall(image, options, ASYNC_NAMES, () => readOperation(kernel));
  return runImageAsync(call, readAsyncControl(others));
}

function readOperation(kernel: TensorInput): FilterOperation {
  const weights = readKernel(kernel);
  return { operation: 'correlate', weights, flops: 2 * weights.size };
}

function readKernel(kernel: TensorInput): Tensor {
  const weights = toTensor(kernel, 'kernel');
  if (weights.shape.length !== 2 || weights.size === 0) {
    throw shapeMismatch('a shape [height, width] without a zero', 'kernel', formatShape(weights.shape));
  }
  return weights.contiguous();
}
