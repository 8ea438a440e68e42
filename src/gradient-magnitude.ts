/** The length of the gradient of an image, both directions in one pass. */
import { ASYNC_CONTROL_NAMES, type AsyncControl, readAsyncControl } from './async-call.ts';
import { checkWord } from './check.ts';
import {
  FILTER_OPTION_NAMES,
  type FilterOperation,
  type ImageFilterOptions,
  readFilterCall,
  runImage,
  runImageAsync,
} from './image-call.ts';
import type { Image, PixelData } from './pixels.ts';

/** The pair of 3×3 kernels whose answers `gradientMagnitude` puts together. */
export type GradientOperator = 'sobel' | 'scharr' | 'prewitt';

/** The options of `gradientMagnitude`. */
export interface GradientMagnitudeOptions<D extends PixelData = PixelData> extends ImageFilterOptions<D> {}

/** The options of `gradientMagnitudeAsync`. */
export interface GradientMagnitudeAsyncOptions<D extends PixelData = PixelData>
  extends GradientMagnitudeOptions<D>,
    AsyncControl {}

const OPERATORS = ['sobel', 'scharr', 'prewitt'] as const satisfies GradientOperator[];
const ASYNC_NAMES: readonly string[] = [...FILTER_OPTION_NAMES, ...ASYNC_CONTROL_NAMES];

/** Additions, multiplications and the root of one sample. */
const FLOPS = 20;

/**
 * Edges: `scale * √(gx² + gy²) + offset` of each channel, with `gx` and `gy` the answers of `sobelX` and `sobelY` (or
 * `scharrX`…), which are neither rounded nor saturated before. Rounding, saturation, borders and alpha are those of
 * `filterImage`. A step of one gray level gives 4 with `'sobel'`, 16 with `'scharr'` and 3 with `'prewitt'`: see `scale`.
 * Source: OpenCV `Sobel` or `Scharr` twice, and `magnitude`; scikit-image `sobel` (which divides by 4·√2).
 *
 * @param image interleaved samples; not changed
 * @param operator default `'sobel'`
 * @returns a new image with samples of the same type (in `options.out` where that is given)
 * @throws as `filterImage`
 */
export function gradientMagnitude<D extends PixelData>(
  image: Image<D>,
  operator: GradientOperator = 'sobel',
  options?: GradientMagnitudeOptions<D>,
): Image<D> {
  return runImage(readFilterCall(image, options, FILTER_OPTION_NAMES, () => readOperation(operator)).call);
}

/** `gradientMagnitude` as `filterImageAsync` does it. */
export async function gradientMagnitudeAsync<D extends PixelData>(
  image: Image<D>,
  operator: GradientOperator = 'sobel',
  options?: GradientMagnitudeAsyncOptions<D>,
): Promise<Image<D>> {
  const { call, others } = readFilterCall(image, options, ASYNC_NAMES, () => readOperation(operator));
  return runImageAsync(call, readAsyncControl(others));
}

function readOperation(operator: GradientOperator): FilterOperation {
  return { operation: checkWord(operator, 'operator', OPERATORS), weights: null, flops: FLOPS };
}
