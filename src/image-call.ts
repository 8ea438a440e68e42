/**
 * What every operation on images shares: the numbers that cross to the native side, `out`, and the call itself, which is
 * synchronous or a job. A new operation that gives an image for an image builds an `ImageCall` and hands it to
 * `runImage` or `runImageAsync`.
 */
import { type CallControl, move, runJob } from './async-call.ts';
import { checkBoolean, checkNumber, checkOptions, checkWord } from './check.ts';
import { invalidType, overlapping, shapeMismatch } from './errors.ts';
import { checkFlops } from './limits.ts';
import { overlaps } from './memory.ts';
import { native } from './native.ts';
import {
  allocateLike,
  checkPixelData,
  type Image,
  type PixelData,
  type ReadImage,
  readImage,
  sampleType,
} from './pixels.ts';
import type { Tensor } from './tensor.ts';

/** What a filter reads beyond the edge of `abcd`: see `ImageFilterOptions.border`. */
export type ImageBorder = 'reflect101' | 'reflect' | 'replicate' | 'constant' | 'wrap';

/** Where an image goes. */
export interface ImageOutOption<D extends PixelData = PixelData> {
  /** Receives the result: an array of the same sample type and of the result's length, whose memory is not an input's. */
  out?: D | undefined;
}

/** The options that all filters of images have. */
export interface ImageFilterOptions<D extends PixelData = PixelData> extends ImageOutOption<D> {
  /**
   * What lies beyond the edge of `abcd`: `'reflect101'` dcb|abcd|cba (the default, as in OpenCV), `'reflect'`
   * dcba|abcd|dcba, `'replicate'` aaa|abcd|ddd, `'wrap'` bcd|abcd|abc, `'constant'` 000|abcd|000.
   */
  border?: ImageBorder | undefined;
  /** Factor on each result, default 1. (`sharp.convolve` divides by the kernel's sum instead.) */
  scale?: number | undefined;
  /** Added after `scale`, in units of the samples, default 0. */
  offset?: number | undefined;
  /** `'pass'` (the default) copies the last channel of 2 or 4 unchanged; `'filter'` treats it like the others. */
  alpha?: 'pass' | 'filter' | undefined;
  /**
   * Filters light instead of samples: colours are taken out of sRGB's curve (IEC 61966-2-1), filtered, scaled and offset
   * in units where full scale stays full scale, and put back. Alpha has no curve. Float samples from 0 to 1 are
   * meant. As libvips does in `linear` operations. Default `false`.
   */
  linear?: boolean | undefined;
}

/** The names of `ImageFilterOptions`. */
export const FILTER_OPTION_NAMES: readonly string[] = ['border', 'scale', 'offset', 'alpha', 'linear', 'out'];

// The order of the words is the order of the numbers that stand for them on the native side.
const BORDERS = ['reflect101', 'reflect', 'replicate', 'constant', 'wrap'] as const satisfies ImageBorder[];
const ALPHA = ['pass', 'filter'] as const;

/** Positions of the numbers that cross to the native side; crates/node/src/params.rs has the same. */
export const IMAGE = {
  WIDTH: 0,
  HEIGHT: 1,
  CHANNELS: 2,
  ROW_STRIDE: 3,
  THREADS: 4,
  OPERATION: 5,
  KH: 6,
  KW: 7,
  BORDER: 8,
  SCALE: 9,
  OFFSET: 10,
  ALPHA: 11,
  LINEAR: 12,
  POOL_MODE: 13,
  METHOD: 14,
} as const;
const IMAGE_PARAMS_LENGTH = 16;

/** Operations in the order of their numbers. */
export const OPERATIONS = ['correlate', 'sobel', 'scharr', 'prewitt', 'pool'] as const;

/** Params with the sizes of an image. */
export function imageParams(image: ReadImage): Float64Array {
  const params = new Float64Array(IMAGE_PARAMS_LENGTH);
  params[IMAGE.WIDTH] = image.width;
  params[IMAGE.HEIGHT] = image.height;
  params[IMAGE.CHANNELS] = image.channels;
  params[IMAGE.ROW_STRIDE] = image.rowStride;
  return params;
}

/** Reads the options of a filter into its params; gives back those that are no numbers. */
function readFilterOptions(
  params: Float64Array,
  options: unknown,
  names: readonly string[],
): Record<string, unknown> {
  const given = checkOptions(options, 'options', names) ?? {};
  const { border = 'reflect101', scale = 1, offset = 0, alpha = 'pass', linear = false, ...others } = given;
  params[IMAGE.BORDER] = BORDERS.indexOf(checkWord(border, 'border', BORDERS));
  params[IMAGE.SCALE] = checkNumber(scale, 'scale');
  params[IMAGE.OFFSET] = checkNumber(offset, 'offset');
  params[IMAGE.ALPHA] = ALPHA.indexOf(checkWord(alpha, 'alpha', ALPHA));
  params[IMAGE.LINEAR] = checkBoolean(linear, 'linear') ? 1 : 0;
  return others;
}

/** An operation on an image, checked but for `out`. */
export interface ImageCall<D extends PixelData> {
  readonly image: ReadImage<D>;
  readonly params: Float64Array;
  readonly kernel: Float32Array | null;
  /** The params of a pooling. */
  readonly window: Float64Array | null;
  readonly width: number;
  readonly height: number;
  readonly out: unknown;
}

/** What a filter does to an image. */
export interface FilterOperation {
  readonly operation: (typeof OPERATIONS)[number];
  /** `[kh, kw]`; null where the operation has its own. */
  readonly weights: Tensor | null;
  /** Floating-point operations of a sample. */
  readonly flops: number;
}

/**
 * Reads a filter of an image whose result has its size, and the options; gives back those that are not the filter's.
 *
 * @param readOperation is asked after the image was checked
 */
export function readFilterCall<D extends PixelData>(
  given: Image<D>,
  options: unknown,
  names: readonly string[],
  readOperation: () => FilterOperation,
): { call: ImageCall<D>; others: Record<string, unknown> } {
  const image = readImage(given);
  const { width, height, channels } = image;
  const { operation, weights, flops } = readOperation();
  const params = imageParams(image);
  const { out, ...others } = readFilterOptions(params, options, names);
  params[IMAGE.OPERATION] = OPERATIONS.indexOf(operation);
  if (weights !== null) {
    params[IMAGE.KH] = weights.shape[0] as number;
    params[IMAGE.KW] = weights.shape[1] as number;
  }
  checkFlops(flops * width * height * channels);
  const kernel = weights?.data ?? null;
  return { call: { image, params, kernel, window: null, width, height, out }, others };
}

/** Computes the result now. */
export function runImage<D extends PixelData>(call: ImageCall<D>): Image<D> {
  const { image, params, kernel, window, width, height } = call;
  const out = readOut(call);
  const data = out ?? allocateLike(image.data, width * height * image.channels);
  native.runImage(params, kernel, window, image.data, data);
  return { data, width, height, channels: image.channels };
}

/** Computes the result on the pool's threads. */
export async function runImageAsync<D extends PixelData>(
  call: ImageCall<D>,
  { signal, transfer, ownPixels = false }: CallControl,
): Promise<Image<D>> {
  const { image, params, kernel, window, width, height } = call;
  const { channels } = image;
  const out = readOut(call);
  if (transfer && out !== undefined && out.buffer === image.data.buffer)
    throw overlapping('out', 'image.data');
  const samples = width * height * channels;
  if (ownPixels && window === null && image.rowStride === width * channels) {
    await runJob((done) => native.startImage(params, kernel, null, image.data, null, done), signal);
    return { data: image.data, width, height, channels };
  }
  const memory = allocateLike(image.data, samples);
  const data = ownPixels ? image.data : takeSamples(image.data, transfer);
  await runJob((done) => native.startImage(params, kernel, window, data, memory, done), signal);
  if (out === undefined) return { data: memory, width, height, channels };
  // The caller may have moved or shrunk it meanwhile.
  readOut(call);
  out.set(memory);
  return { data: out, width, height, channels };
}

/** Samples in memory that nobody else has. */
function takeSamples(data: PixelData, transfer: boolean): PixelData {
  const own = { uint8: Uint8Array, uint16: Uint16Array, float32: Float32Array }[sampleType(data)];
  if (transfer) {
    // Read before: a detached array has lost its place.
    const { byteOffset, length } = data;
    const buffer = move(data.buffer);
    if (buffer !== undefined) return new own(buffer as ArrayBuffer, byteOffset, length);
  }
  return new own(data);
}

function readOut<D extends PixelData>({ image, kernel, width, height, out }: ImageCall<D>): D | undefined {
  if (out === undefined) return undefined;
  checkPixelData(out, 'out');
  const memory = out as PixelData;
  const type = sampleType(image.data);
  const samples = width * height * image.channels;
  if (sampleType(memory) !== type) throw invalidType(`${type} samples, as image.data has them,`, 'out', out);
  if (memory.length !== samples) throw shapeMismatch(`${samples} samples`, 'out', `${memory.length}`);
  if (overlaps(memory, image.data)) throw overlapping('out', 'image.data');
  if (kernel !== null && overlaps(memory, kernel)) throw overlapping('out', 'kernel');
  return memory as D;
}
