/** What an image is: its samples, their types, the checks of an image that comes in, and memory for one that goes out. */
import { checkInteger } from './check.ts';
import { detachedBuffer, invalidType, limitExceeded, shapeMismatch, typedArrayName } from './errors.ts';
import { checkElements } from './limits.ts';
import { isDetached } from './memory.ts';

/** What holds the samples of an image. A `Buffer` is a `Uint8Array` and comes back as a `Buffer`. */
export type PixelData = Uint8Array | Uint8ClampedArray | Uint16Array | Float32Array;

/**
 * An image: rows from top to bottom, pixels from left to right, the channels of a pixel side by side.
 * `{ data, ...info }` of sharp's raw output is one (further fields are ignored), and so is a canvas' `ImageData` with
 * `channels: 4`.
 */
export interface Image<D extends PixelData = PixelData> {
  /** `width * height * channels` samples; more where rows are farther apart. */
  data: D;
  /** Pixels in a row. */
  width: number;
  /** Rows. */
  height: number;
  /** 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha. */
  channels: number;
  /** Samples from one row to the next where there are gaps between rows; results have none. Default `width * channels`. */
  rowStride?: number | undefined;
}

/** An image that was read: checked, its fields read once. */
export interface ReadImage<D extends PixelData = PixelData> extends Image<D> {
  rowStride: number;
}

/** The array that holds samples of each type. */
export interface SampleArrays {
  uint8: Uint8Array;
  uint16: Uint16Array;
  float32: Float32Array;
}

const SAMPLE_ARRAYS = { uint8: Uint8Array, uint16: Uint16Array, float32: Float32Array } as const;
const SAMPLE_TYPES = {
  Uint8Array: 'uint8',
  Uint8ClampedArray: 'uint8',
  Uint16Array: 'uint16',
  Float32Array: 'float32',
} as const;

/** A sample's largest value, which `normalize` maps to 1. */
export const FULL_SCALE = { uint8: 255, uint16: 65535, float32: 1 } as const;

/** A copy of an image's fields, checked; others are ignored. */
export function readImage<D extends PixelData>(image: Image<D>, parameter = 'image'): ReadImage<D> {
  if (typeof image !== 'object' || image === null) {
    throw invalidType('an object { data, width, height, channels }', parameter, image);
  }
  const { data, width, height, channels, rowStride } = image;
  checkPixelData(data, `${parameter}.data`);
  checkInteger(width, `${parameter}.width`, 1);
  checkInteger(height, `${parameter}.height`, 1);
  checkInteger(channels, `${parameter}.channels`, 1, 4);
  const row = width * channels;
  const size = `${width} × ${height} pixels × ${channels} channels`;
  if (rowStride === undefined) {
    if (data.length !== row * height) {
      throw shapeMismatch(`${row * height} samples (${size})`, `${parameter}.data`, `${data.length}`);
    }
    return { data, width, height, channels, rowStride: row };
  }
  checkInteger(rowStride, `${parameter}.rowStride`, row);
  const samples = rowStride * (height - 1) + row;
  if (!(data.length >= samples)) {
    const what = `at least ${samples} samples (${size}, rows ${rowStride} apart)`;
    throw shapeMismatch(what, `${parameter}.data`, `${data.length}`);
  }
  return { data, width, height, channels, rowStride };
}

/** Throws unless `data` is one of the arrays of `PixelData`, and attached. */
export function checkPixelData(data: unknown, parameter: string): void {
  if (!Object.hasOwn(SAMPLE_TYPES, typedArrayName(data) ?? '')) {
    throw invalidType('a Uint8Array, Uint8ClampedArray, Uint16Array or Float32Array', parameter, data);
  }
  // Only the length and the buffer are looked at.
  if (isDetached(data as Float32Array)) throw detachedBuffer(parameter);
}

/** The type of an array's samples. */
export function sampleType(data: PixelData): keyof SampleArrays {
  // By the intrinsic name and not by `instanceof`, so that arrays of other realms are known; a Buffer is a Uint8Array.
  return SAMPLE_TYPES[typedArrayName(data) as keyof typeof SAMPLE_TYPES];
}

/**
 * An array of the same class as `data` for a result, after the limits were checked. Its content is anything: whoever asks
 * for it writes every sample before it gets out of their hands.
 */
export function allocateLike<D extends PixelData>(data: D, samples: number): D;
export function allocateLike(data: PixelData, samples: number): PixelData {
  checkElements(samples, 'the result');
  const isBuffer = globalThis.Buffer?.isBuffer(data);
  const Samples =
    typedArrayName(data) === 'Uint8ClampedArray' ? Uint8ClampedArray : SAMPLE_ARRAYS[sampleType(data)];
  return orLimit(samples, () => {
    // A Buffer only exists in Node. Its memory is not zeroed, which for a large image takes longer than to filter it.
    if (globalThis.Buffer === undefined) return new Samples(samples);
    const memory = Buffer.allocUnsafeSlow(samples * Samples.BYTES_PER_ELEMENT);
    return isBuffer ? memory : new Samples(memory.buffer, memory.byteOffset, samples);
  });
}

/** Zeroed memory for samples, after the limits were checked. */
export function allocateSamples(type: keyof SampleArrays, samples: number): PixelData {
  checkElements(samples, 'the result');
  return orLimit(samples, () => new SAMPLE_ARRAYS[type](samples));
}

function orLimit<T>(samples: number, make: () => T): T {
  try {
    return make();
  } catch {
    throw limitExceeded('a size that can be allocated', 'the result', samples);
  }
}
