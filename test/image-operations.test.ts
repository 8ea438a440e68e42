/** gradientMagnitude, poolImage and correlateTemplate: results against what is written here, and bad input. */
import { afterEach, describe, expect, test } from 'vitest';
import {
  avgPool2d,
  correlateTemplate,
  filterImage,
  gradientMagnitude,
  type Image,
  imageToTensor,
  kernels,
  maxPool2d,
  type PixelData,
  poolImage,
  setLimits,
  Tensor,
} from '../index.ts';
import {
  detached,
  type Expected,
  expectError,
  invalidType,
  invalidValue,
  limitExceeded,
  outOfRange,
  overlap,
  shapeMismatch,
  unknownOption,
} from './support/error.ts';

const arrays = { Uint8Array, Uint8ClampedArray, Uint16Array, Float32Array } as const;
const arrayNames = Object.keys(arrays) as (keyof typeof arrays)[];

function noise<K extends keyof typeof arrays>(
  name: K,
  width: number,
  height: number,
  channels: number,
): Image {
  const uniform = Tensor.rand([width * height * channels], { seed: 5 }).data;
  const data = arrays[name].from(uniform.map((value) => Math.floor(value * 256)));
  return { data, width, height, channels };
}

describe('gradientMagnitude', () => {
  const pairs = { sobel: 'sobel', scharr: 'scharr', prewitt: 'prewitt' } as const;

  test.each(Object.keys(pairs) as (keyof typeof pairs)[])(
    '%s is the length of its two kernels’ answers',
    (operator) => {
      for (const name of arrayNames) {
        const image = noise(name, 37, 11, 3);
        const floats = { ...image, data: Float32Array.from(image.data) };
        const x = filterImage(floats, kernels[`${operator}X`]).data;
        const y = filterImage(floats, kernels[`${operator}Y`]).data;
        const lengths = Array.from(x, (gx, i) => Math.fround(Math.sqrt(gx * gx + (y[i] as number) ** 2)));
        const full = { Uint16Array: 65535, Float32Array: Infinity }[name as string] ?? 255;
        const result = gradientMagnitude(image, operator).data;
        expect(result.constructor).toBe(arrays[name]);
        for (const [i, length] of lengths.entries()) {
          if (name === 'Float32Array') expect(result[i]).toBeCloseTo(length, 3);
          else expect(Math.abs((result[i] as number) - Math.min(length, full))).toBeLessThanOrEqual(0.501);
        }
      }
    },
  );

  test('Sobel is the default; scale, offset, border and alpha are those of filterImage', () => {
    const image = { data: Uint8Array.of(0, 7, 100, 8, 200, 9), width: 3, height: 1, channels: 2 };
    expect([
      ...gradientMagnitude(image, undefined, { scale: 0.25, offset: 3, border: 'replicate' }).data,
    ]).toEqual([103, 7, 203, 8, 103, 9]);
    expect([...gradientMagnitude(image, 'prewitt', { alpha: 'filter', border: 'replicate' }).data]).toEqual([
      255, 3, 255, 6, 255, 3,
    ]);
  });

  test('an out receives the result', () => {
    const image = noise('Uint8Array', 9, 4, 1);
    const out = new Uint8Array(36);
    expect(gradientMagnitude(image, 'sobel', { out }).data).toBe(out);
    expect(out).toEqual(gradientMagnitude(image).data);
  });
});

describe('poolImage', () => {
  const planes = (image: Image) => imageToTensor(image, { normalize: false });

  test.each(arrayNames)('%s: equals the pooling of its tensor', (name) => {
    for (const channels of [1, 2, 3, 4]) {
      const image = noise(name, 23, 13, channels);
      for (const [size, options] of [
        [2, {}],
        [[3, 2], { stride: 1, padding: [1, 1] }],
        [3, { stride: 2, padding: 1, ceilMode: true }],
        [[2, 5], { padding: 'same-upper', stride: [1, 3] }],
      ] as const) {
        const max = poolImage(image, size, 'max', options);
        const expected = maxPool2d(planes(image), size, options);
        expect(planes(max).toArray()).toEqual(expected.toArray());
        expect([max.height, max.width]).toEqual(expected.shape.slice(1));
        const negative = planes(image).data.map((value) => -value);
        const min = maxPool2d(new Tensor(negative, [channels, 13, 23]), size, options).data.map((v) => 0 - v);
        expect([...planes(poolImage(image, size, 'min', options)).data]).toEqual([...min]);
        for (const countIncludePad of [true, false]) {
          const average = avgPool2d(planes(image), size, { ...options, countIncludePad }).data;
          const result = planes(poolImage(image, size, 'avg', { ...options, countIncludePad })).data;
          for (const [i, value] of average.entries()) {
            if (name === 'Float32Array') expect(result[i]).toBeCloseTo(value, 3);
            else expect(Math.abs((result[i] as number) - value)).toBeLessThanOrEqual(0.501);
          }
        }
      }
    }
  });

  test('the window is the default step, and max the default mode', () => {
    const image = { data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), width: 4, height: 2, channels: 1 };
    expect(poolImage(image, 2)).toEqual({ data: Uint8Array.of(6, 8), width: 2, height: 1, channels: 1 });
    // 3.5 and 5.5: half to even.
    expect([...poolImage(image, 2, 'avg').data]).toEqual([4, 6]);
    expect([...poolImage(image, 2, 'min').data]).toEqual([1, 3]);
  });

  test('a Buffer gives a Buffer, rows may lie apart, and out receives the result', () => {
    const image = { data: Buffer.from([1, 2, 0, 3, 4]), width: 2, height: 2, channels: 1, rowStride: 3 };
    const result = poolImage(image, 2);
    expect(Buffer.isBuffer(result.data)).toBe(true);
    expect([...result.data]).toEqual([4]);
    const out = Buffer.alloc(1);
    expect(poolImage(image, 2, 'min', { out }).data).toBe(out);
    expect([...out]).toEqual([1]);
  });
});

describe('correlateTemplate', () => {
  const crop = (image: Image, left: number, top: number, width: number, height: number): Image => {
    const { channels } = image;
    const data = image.data.slice(0, width * height * channels);
    for (let y = 0; y < height; y++) {
      const from = ((top + y) * image.width + left) * channels;
      data.set(image.data.subarray(from, from + width * channels), y * width * channels);
    }
    return { data, width, height, channels };
  };

  test.each(arrayNames)('%s: finds a part of the image', (name) => {
    for (const channels of [1, 2, 3, 4]) {
      const image = noise(name, 40, 30, channels);
      const template = crop(image, 13, 7, 9, 6);
      for (const method of ['ccoeffNormed', 'ccorrNormed'] as const) {
        const { scores, best } = correlateTemplate(image, template, { method });
        expect(scores.shape).toEqual([25, 32]);
        expect(best).toMatchObject({ x: 13, y: 7 });
        expect(best.score).toBeCloseTo(1, 5);
        expect(scores.at(7, 13)).toBe(best.score);
        expect(Math.max(...scores.data)).toBe(best.score);
      }
    }
  });

  test('scores are OpenCV’s: a worked example', () => {
    const image = { data: Uint8Array.of(1, 2, 4, 3, 9, 5), width: 3, height: 2, channels: 1 };
    const template = { data: Uint8Array.of(1, 2, 3, 4), width: 2, height: 2, channels: 1 };
    // Means 3.75 and 2.5; 5 is Σ(t − 2.5)².
    const left =
      (2.75 * 1.5 + 1.75 * 0.5 - 0.75 * 0.5 + 5.25 * 1.5) /
      Math.sqrt((2.75 ** 2 + 1.75 ** 2 + 0.75 ** 2 + 5.25 ** 2) * 5);
    const { scores } = correlateTemplate(image, template);
    expect(scores.at(0, 0)).toBeCloseTo(left, 6);
    const products = (1 * 1 + 2 * 2 + 3 * 3 + 9 * 4) / Math.sqrt((1 + 4 + 9 + 81) * 30);
    expect(correlateTemplate(image, template, { method: 'ccorrNormed' }).scores.at(0, 0)).toBeCloseTo(
      products,
      6,
    );
  });

  test('out receives the scores', () => {
    const image = noise('Uint8Array', 12, 10, 1);
    const out = Tensor.zeros([8, 9]);
    const { scores } = correlateTemplate(image, crop(image, 2, 2, 4, 3), { out });
    expect(scores).toBe(out);
    expect(scores.at(2, 2)).toBeCloseTo(1, 6);
  });
});

describe('bad input', () => {
  const image = { data: new Uint8Array(48), width: 4, height: 4, channels: 3 };
  const moved = new Uint8Array(48);
  structuredClone(moved.buffer, { transfer: [moved.buffer] });
  const out = new Uint8Array(48).fill(9);
  const loose = { gradientMagnitude, poolImage, correlateTemplate } as unknown as Record<
    'gradientMagnitude' | 'poolImage' | 'correlateTemplate',
    (...args: unknown[]) => unknown
  >;

  afterEach(() => {
    expect(new Set(out)).toEqual(new Set([9]));
    setLimits({ maxElements: 2 ** 31 - 1, maxFlops: Number.POSITIVE_INFINITY });
  });

  test.each<[string, readonly unknown[], Expected]>([
    ['no image', [], invalidType('image')],
    ['a tensor', [Tensor.zeros([4, 4])], invalidType('image.width')],
    ['an array as data', [{ ...image, data: [1] }], invalidType('image.data')],
    ['detached data', [{ ...image, data: moved }], detached('image.data')],
    ['a kernel', [image, kernels.sobelX], invalidType('operator')],
    ['an unknown operator', [image, 'canny', { out }], invalidValue('operator')],
    ['an unknown option', [image, 'sobel', { out, stride: 1 }], unknownOption('options')],
    ['a scale of NaN', [image, 'sobel', { out, scale: Number.NaN }], outOfRange('scale')],
    ['an unknown border', [image, 'sobel', { out, border: 'zeros' }], invalidValue('border')],
    ['out of another type', [image, 'sobel', { out: new Uint16Array(48) }], invalidType('out')],
    ['out too short', [image, 'sobel', { out: out.subarray(1) }], shapeMismatch('out')],
    ['out is data', [image, 'sobel', { out: image.data }], overlap('out')],
  ])('gradientMagnitude: %s', (_, args, expected) => {
    expectError(() => loose.gradientMagnitude(...args), expected);
  });

  test.each<[string, readonly unknown[], Expected]>([
    ['no image', [], invalidType('image')],
    ['no window', [image], invalidType('poolSize')],
    ['a window of 0', [image, 0], outOfRange('poolSize')],
    ['a window larger than the image', [image, 5], outOfRange('kernelSize')],
    ['a window of three sides', [image, [1, 2, 3]], invalidValue('poolSize')],
    ['an unknown mode', [image, 2, 'median'], invalidValue('mode')],
    ['a mode as a number', [image, 2, 1], invalidType('mode')],
    ['a stride of 0', [image, 2, 'max', { stride: 0 }], outOfRange('stride')],
    ['a padding over half of the window', [image, 2, 'max', { padding: 2 }], outOfRange('padding')],
    ['an unknown option', [image, 2, 'max', { dilation: 2 }], unknownOption('options')],
    ['out of the input’s size', [image, 2, 'max', { out }], shapeMismatch('out')],
    ['out is data', [image, 1, 'max', { out: image.data }], overlap('out')],
  ])('poolImage: %s', (_, args, expected) => {
    expectError(() => loose.poolImage(...args), expected);
  });

  const template = { data: new Uint8Array(12), width: 2, height: 2, channels: 3 };
  test.each<[string, readonly unknown[], Expected]>([
    ['no template', [image], invalidType('template')],
    ['a short template', [image, { ...template, height: 3 }], shapeMismatch('template.data')],
    ['another type', [image, { ...template, data: new Float32Array(12) }], invalidType('template.data')],
    [
      'other channels',
      [image, { ...template, data: new Uint8Array(4), channels: 1 }],
      shapeMismatch('template'),
    ],
    [
      'a larger template',
      [image, { data: new Uint8Array(60), width: 5, height: 4, channels: 3 }],
      shapeMismatch('template'),
    ],
    ['an unknown method', [image, template, { method: 'sqdiff' }], invalidValue('method')],
    ['an unknown option', [image, template, { border: 'wrap' }], unknownOption('options')],
    ['out too long', [image, template, { out: new Float32Array(10) }], shapeMismatch('out')],
    ['out of bytes', [image, template, { out }], invalidType('out')],
  ])('correlateTemplate: %s', (_, args, expected) => {
    expectError(() => loose.correlateTemplate(...args), expected);
  });

  test('correlateTemplate: out shares memory with an input', () => {
    const memory = new Float32Array(60);
    const data = memory.subarray(0, 16) as PixelData;
    const call = () =>
      correlateTemplate(
        { data, width: 4, height: 4, channels: 1 },
        { data: memory.subarray(50, 54), width: 2, height: 2, channels: 1 },
        { out: memory.subarray(44, 53) },
      );
    expectError(call, overlap('out'));
  });

  test('limits', () => {
    setLimits({ maxElements: 11 });
    expectError(() => poolImage(image, 2), limitExceeded('the result'));
    expectError(() => gradientMagnitude(image), limitExceeded('the result'));
    expectError(() => correlateTemplate(image, template), limitExceeded('the image'));
    setLimits({ maxElements: 1000, maxFlops: 10 });
    expectError(() => poolImage(image, 2), limitExceeded('the call'));
    expectError(() => gradientMagnitude(image), limitExceeded('the call'));
    expectError(() => correlateTemplate(image, template), limitExceeded('the call'));
  });
});
