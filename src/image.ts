/** Filters that take interleaved 8-bit, 16-bit or float images as they are and give back the same. */
import { checkNumber, checkOptions, checkWord } from './check.ts';
import { formatShape, invalidType, overlapping, shapeMismatch } from './errors.ts';
import { checkFlops } from './limits.ts';
import { native } from './native.ts';
import { allocateLike, checkPixelData, type Image, type PixelData, readImage, sampleType } from './pixels.ts';
import { type Tensor, type TensorInput, toTensor } from './tensor.ts';

/** What a filter reads beyond the edge of `abcd`: see `FilterImageOptions.border`. */
export type ImageBorder = 'reflect101' | 'reflect' | 'replicate' | 'constant' | 'wrap';

/** The options of `filterImage`. */
export interface FilterImageOptions<D extends PixelData = PixelData> {
  /**
   * What lies beyond the edge of `abcd`: `'reflect101'` dcb|abcd|cba (the default, as in OpenCV), `'reflect'`
   * dcba|abcd|dcba, `'replicate'` aaa|abcd|ddd, `'wrap'` bcd|abcd|abc, `'constant'` 000|abcd|000.
   */
  border?: ImageBorder | undefined;
  /** Factor on each sum, default 1. (`sharp.convolve` divides by the kernel's sum instead.) */
  scale?: number | undefined;
  /** Added after `scale`, in units of the samples, default 0. */
  offset?: number | undefined;
  /** `'pass'` (the default) copies the last channel of 2 or 4 unchanged; `'filter'` treats it like the others. */
  alpha?: 'pass' | 'filter' | undefined;
  /** Receives the result: an array of the same sample type and length, whose memory is not `data`'s. */
  out?: D | undefined;
}

// The order of the words is the order of the numbers that stand for them on the native side.
const BORDERS = ['reflect101', 'reflect', 'replicate', 'constant', 'wrap'] as const satisfies ImageBorder[];
const ALPHA = ['pass', 'filter'] as const;

/** Positions of the numbers that cross to the native side for `filterImage`. */
const IMAGE = {
  WIDTH: 0,
  HEIGHT: 1,
  CHANNELS: 2,
  KH: 3,
  KW: 4,
  BORDER: 5,
  SCALE: 6,
  OFFSET: 7,
  ALPHA: 8,
  THREADS: 9,
  ROW_STRIDE: 10,
} as const;
const IMAGE_PARAMS_LENGTH = 16;

/**
 * Correlates each channel of an image with one kernel: `scale * Σ kernel * samples + offset` around each pixel,
 * computed in float32, rounded half to even and saturated to the sample type (float samples are neither rounded nor
 * clamped). The result has the image's size; an alpha channel, the last of 2 or 4, is copied unless `alpha` says
 * `'filter'`. The kernel is not flipped, its centre is `[⌊kh/2⌋, ⌊kw/2⌋]`, and it may be even-sized or larger than the
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
  const { data, width, height, channels } = readImage(image);
  const weights = readKernel(kernel);
  const given = checkOptions(options, 'options', ['border', 'scale', 'offset', 'alpha', 'out']) ?? {};
  const { border = 'reflect101', scale = 1, offset = 0, alpha = 'pass', out } = given;

  const params = new Float64Array(IMAGE_PARAMS_LENGTH);
  params[IMAGE.WIDTH] = width;
  params[IMAGE.HEIGHT] = height;
  params[IMAGE.CHANNELS] = channels;
  params[IMAGE.KH] = weights.shape[0] as number;
  params[IMAGE.KW] = weights.shape[1] as number;
  params[IMAGE.BORDER] = BORDERS.indexOf(checkWord(border, 'border', BORDERS));
  params[IMAGE.SCALE] = checkNumber(scale, 'scale');
  params[IMAGE.OFFSET] = checkNumber(offset, 'offset');
  params[IMAGE.ALPHA] = ALPHA.indexOf(checkWord(alpha, 'alpha', ALPHA));
  params[IMAGE.ROW_STRIDE] = width * channels;
  if (out !== undefined) checkOut(out, data, weights.data);
  checkFlops(2 * weights.size * data.length);

  const result = (out ?? allocateLike(data)) as D;
  run(params, data, weights.data, result);
  return { data: result, width, height, channels };
}

function run(params: Float64Array, data: PixelData, kernel: Float32Array, out: PixelData): void {
  const type = sampleType(data);
  if (type === 'float32') native.filterImageF32(params, data as Float32Array, kernel, out as Float32Array);
  else if (type === 'uint16') native.filterImageU16(params, data as Uint16Array, kernel, out as Uint16Array);
  else native.filterImageU8(params, asBytes(data), kernel, asBytes(out));
}

function readKernel(kernel: TensorInput): Tensor {
  const weights = toTensor(kernel, 'kernel');
  if (weights.shape.length !== 2 || weights.size === 0) {
    throw shapeMismatch('a shape [height, width] without a zero', 'kernel', formatShape(weights.shape));
  }
  return weights.contiguous();
}

function checkOut(out: unknown, data: PixelData, kernel: Float32Array): void {
  checkPixelData(out, 'out');
  const memory = out as PixelData;
  const type = sampleType(data);
  if (sampleType(memory) !== type) throw invalidType(`${type} samples, as image.data has them,`, 'out', out);
  if (memory.length !== data.length) throw shapeMismatch(`${data.length} samples`, 'out', `${memory.length}`);
  if (overlaps(memory, data)) throw overlapping('out', 'image.data');
  if (overlaps(memory, kernel)) throw overlapping('out', 'kernel');
}

function overlaps(a: ArrayBufferView, b: ArrayBufferView): boolean {
  return (
    a.buffer === b.buffer &&
    a.byteOffset < b.byteOffset + b.byteLength &&
    b.byteOffset < a.byteOffset + a.byteLength
  );
}

function asBytes(data: PixelData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.length);
}
