/** The length of the gradient of an image, both directions in one pass. */
import { ASYNC_CONTROL_NAMES, type AsyncControl, readAsyncControl } from './async-call.ts';
import { checkWord } from './check.ts';
import {
  FILTER_OPTION_NAMES,
  IMAGE,
  type ImageCall,
  type ImageFilterOptions,
  imageParams,
  OPERATIONS,
  readFilterOptions,
  runImage,
  runImageAsync,
} from './image-call.ts';
import { checkFlops } from './limits.ts';
import { type Image, type PixelData, readImage } from './pixels.ts';

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
  return runImage(readCall(image, operator, options, FILTER_OPTION_NAMES).call);
}

/** `gradientMagnitude` as `filterImageAsync` does it. */
export async function gradientMagnitudeAsync<D extends PixelData>(
  image: Image<D>,
  operator: GradientOperator = 'sobel',
  options?: GradientMagnitudeAsyncOptions<D>,
): Promise<Image<D>> {
  const { call, others } = readCall(image, operator, options, ASYNC_NAMES);
  return runImageAsync(call, readAsyncControl(others));
}

function readCall<D extends PixelData>(
  given: Image<D>,
  operator: GradientOperator,
  options: unknown,
  names: readonly string[],
): { call: ImageCall<D>; others: Record<string, unknown> } {
  const image = readImage(given);
  const { width, height, channels } = image;
  const params = imageParams(image);
  params[IMAGE.OPERATION] = OPERATIONS.indexOf(checkWord(operator, 'operator', OPERATORS));
  const { out, ...others } = readFilterOptions(params, options, names);
  checkFlops(FLOPS * width * height * channels);
  return { call: { image, params, kernel: null, window: null, width, height, out }, others };
}
