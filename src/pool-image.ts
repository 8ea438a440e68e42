/** Pooling of interleaved images as they are. */
import { ASYNC_CONTROL_NAMES, type AsyncControl, readAsyncControl } from './async-call.ts';
import { checkOptions, checkWord, type Pair } from './check.ts';
import {
  IMAGE,
  type ImageCall,
  type ImageOutOption,
  imageParams,
  OPERATIONS,
  runImage,
  runImageAsync,
} from './image-call.ts';
import { checkFlops } from './limits.ts';
import { native } from './native.ts';
import type { Padding } from './options.ts';
import { POOL } from './params.ts';
import { type Image, type PixelData, readImage } from './pixels.ts';
import { fillPoolParams, poolParams, readPoolSettings } from './pool-settings.ts';

/** What `poolImage` takes of a window: its largest sample (dilation), its smallest (erosion), or its mean. */
export type ImagePoolMode = 'max' | 'min' | 'avg';

/** The options of `poolImage`; PyTorch's meanings. */
export interface PoolImageOptions<D extends PixelData = PixelData> extends ImageOutOption<D> {
  /** Step of the window. Default: the window itself; 1 keeps the image's size, with a padding of half the window. */
  stride?: Pair | undefined;
  /** At most half of the window. It never is the largest or smallest sample; in a mean it is zeros. Default 0. */
  padding?: Padding | undefined;
  /** Whether a last, incomplete window counts: see `PoolOptions.ceilMode`. Default `false`. */
  ceilMode?: boolean | 'onnx' | undefined;
  /** Whether padding counts in the divisor of a mean. Default `true`. */
  countIncludePad?: boolean | undefined;
}

/** The options of `poolImageAsync`. */
export interface PoolImageAsyncOptions<D extends PixelData = PixelData>
  extends PoolImageOptions<D>,
    AsyncControl {}

const MODES = ['max', 'min', 'avg'] as const satisfies ImagePoolMode[];
const NAMES: readonly string[] = ['stride', 'padding', 'ceilMode', 'countIncludePad', 'out'];
const ASYNC_NAMES: readonly string[] = [...NAMES, ...ASYNC_CONTROL_NAMES];

/**
 * The largest, smallest or mean sample of each window, each channel (alpha too) by itself. Means of integer samples are
 * exact, rounded half to even. Source: PyTorch `max_pool2d`, `avg_pool2d`; with a stride of 1, OpenCV `dilate`, `erode`.
 *
 * @param image interleaved samples; not changed
 * @param poolSize the window in pixels
 * @param mode default `'max'`
 * @returns a new image with samples of the same type, `⌊(side + padding - window) / stride⌋ + 1` pixels down and across
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` (unknown option), `ERR_DETACHED_BUFFER`; RangeError
 *   `ERR_INVALID_ARG_VALUE` (unknown word), `ERR_OUT_OF_RANGE` (also a window larger than the padded image),
 *   `ERR_SHAPE_MISMATCH`, `ERR_OVERLAP`, `ERR_LIMIT_EXCEEDED`
 */
export function poolImage<D extends PixelData>(
  image: Image<D>,
  poolSize: Pair,
  mode: ImagePoolMode = 'max',
  options?: PoolImageOptions<D>,
): Image<D> {
  return runImage(readCall(image, poolSize, mode, checkOptions(options, 'options', NAMES) ?? {}));
}

/** `poolImage` as `filterImageAsync` does it. */
export async function poolImageAsync<D extends PixelData>(
  image: Image<D>,
  poolSize: Pair,
  mode: ImagePoolMode = 'max',
  options?: PoolImageAsyncOptions<D>,
): Promise<Image<D>> {
  const given = checkOptions(options, 'options', ASYNC_NAMES) ?? {};
  const call = readCall(image, poolSize, mode, given);
  return runImageAsync(call, readAsyncControl(given));
}

function readCall<D extends PixelData>(
  given: Image<D>,
  poolSize: Pair,
  mode: ImagePoolMode,
  options: Record<string, unknown>,
): ImageCall<D> {
  const image = readImage(given);
  const word = checkWord(mode, 'mode', MODES);
  const geometry = word === 'avg' ? 'avg' : 'max';
  const settings = readPoolSettings(geometry, poolSize, 'poolSize', options, 'kernel');
  fillPoolParams(settings, [image.channels, image.height, image.width], 0);
  native.pool2dShape(poolParams);
  // The one array of all poolings may be filled anew before a job has read it.
  const window = poolParams.slice();
  checkFlops(window[POOL.FLOPS] as number);
  const params = imageParams(image);
  params[IMAGE.OPERATION] = OPERATIONS.indexOf('pool');
  params[IMAGE.POOL_MODE] = MODES.indexOf(word);
  const [width, height] = [window[POOL.OUT_W] as number, window[POOL.OUT_H] as number];
  return { image, params, kernel: null, window, width, height, out: options.out };
}
