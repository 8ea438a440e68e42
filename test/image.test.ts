import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import {
  type FilterImageOptions,
  filterImage,
  gaussian,
  getThreads,
  type Image,
  type ImageBorder,
  type PixelData,
  setLimits,
  setThreads,
  sharpen,
  sobelX,
  Tensor,
} from '../index.ts';
import { exactFilter, toSample } from './image-reference.ts';

const borders: readonly ImageBorder[] = ['reflect101', 'reflect', 'replicate', 'constant', 'wrap'];
const arrays = { Uint8Array, Uint8ClampedArray, Uint16Array, Float32Array } as const;
type ArrayName = keyof typeof arrays;
const arrayNames = Object.keys(arrays) as ArrayName[];

/** Integers that look random and are the same in every run. */
function integers(seed: number, count: number, low: number, high: number): number[] {
  const uniform = Tensor.rand([count], { seed }).data;
  return Array.from(uniform, (value) => low + Math.floor(value * (high - low + 1)));
}

function makeImage(name: ArrayName, width: number, height: number, channels: number, seed = 1): Image {
  const top = name === 'Uint8Array' || name === 'Uint8ClampedArray' ? 255 : 65535;
  const data = arrays[name].from(integers(seed, width * height * channels, 0, top));
  return { data, width, height, channels };
}

function makeKernel(height: number, width: number, seed = 2): number[][] {
  const weights = integers(seed, height * width, -3, 3);
  return Array.from({ length: height }, (_, row) => weights.slice(row * width, (row + 1) * width));
}

/** Small integers and halves: every sum is exact in float32, so the results have to be equal. */
function expectExact(image: Image, kernel: number[][], options: FilterImageOptions): void {
  const result = filterImage(image, kernel, options);
  const expected = exactFilter(image, kernel, options);
  const name = `${image.data.constructor.name} ${image.width}×${image.height}×${image.channels}`;
  const label = `${name}, kernel ${kernel.length}×${kernel[0]?.length}, ${JSON.stringify(options)}`;
  expect(Array.from(result.data), label).toEqual(
    Array.from(expected, (value) => toSample(value, image.data)),
  );
}

const kernelSizes = [
  [1, 1],
  [3, 3],
  [2, 2],
  [1, 4],
  [5, 1],
  [4, 3],
  [5, 5],
  [7, 9],
] as const;

describe.each(arrayNames)('filterImage of a %s equals the naive loop', (name) => {
  test.each(borders)(
    'border %s: all channel counts, kernels odd, even and larger than the image',
    (border) => {
      for (const channels of [1, 2, 3, 4]) {
        for (const [kh, kw] of kernelSizes) {
          for (const [width, height] of [
            [1, 1],
            [23, 1],
            [1, 19],
            [3, 2],
            [18, 7],
          ] as const) {
            const image = makeImage(name, width, height, channels);
            for (const alpha of channels % 2 === 0 ? (['pass', 'filter'] as const) : (['pass'] as const)) {
              expectExact(image, makeKernel(kh, kw), { border, alpha, scale: 0.5, offset: 0.5 });
            }
          }
        }
      }
    },
  );

  test('every width from 1 to 80: all remainders of the vectors', () => {
    for (let width = 1; width <= 80; width++) {
      const channels = 1 + (width % 4);
      const border = borders[width % borders.length] as ImageBorder;
      expectExact(makeImage(name, width, 3, channels, width), makeKernel(3, 3, width), { border });
    }
  });

  test('a kernel of 31×31 on a picture of 40×33', () => {
    const ones = Array.from({ length: 31 }, () => new Array<number>(31).fill(1));
    const image = makeImage('Uint8Array', 40, 33, 3);
    const same = { ...image, data: arrays[name].from(image.data) };
    expectExact(same, ones, { scale: 1 / 1024 });
  });
});

describe('rounding and saturation', () => {
  const row = <D extends PixelData>(data: D): Image<D> => ({
    data,
    width: data.length,
    height: 1,
    channels: 1,
  });

  test.each(['Uint8Array', 'Uint8ClampedArray', 'Uint16Array'] as const)('%s: half to even', (name) => {
    const image = row(arrays[name].of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 201, 203));
    expect([...filterImage(image, [[0.5]]).data]).toEqual([0, 0, 1, 2, 2, 2, 3, 4, 4, 4, 100, 102]);
    const shifted = filterImage(image, [[1]], { offset: -2.5 }).data;
    expect([...shifted]).toEqual([0, 0, 0, 0, 2, 2, 4, 4, 6, 6, 198, 200]);
  });

  test('8 bits end at 0 and 255', () => {
    const image = row(Uint8Array.of(0, 1, 127, 128, 254, 255));
    expect([...filterImage(image, [[2]]).data]).toEqual([0, 2, 254, 255, 255, 255]);
    expect([...filterImage(image, [[-1]]).data]).toEqual([0, 0, 0, 0, 0, 0]);
    expect([...filterImage(image, [[1]], { scale: 1e30 }).data]).toEqual([0, 255, 255, 255, 255, 255]);
    expect([...filterImage(image, [[-1]], { offset: 255 }).data]).toEqual([255, 254, 128, 127, 1, 0]);
  });

  test('16 bits end at 0 and 65535', () => {
    const image = row(Uint16Array.of(0, 255, 32767, 32768, 65535));
    expect([...filterImage(image, [[2]]).data]).toEqual([0, 510, 65534, 65535, 65535]);
    expect([...filterImage(image, [[-1]], { offset: 300 }).data]).toEqual([300, 45, 0, 0, 0]);
  });

  test('floats are neither rounded nor clamped, and NaN goes where the kernel reaches it', () => {
    const image = row(Float32Array.of(-1.25, 0.5, 1e6, 3));
    expect([...filterImage(image, [[-0.5]], { offset: 0.25 }).data]).toEqual([0.875, 0, -499999.75, -1.25]);
    const spoilt = row(Float32Array.of(1, 1, Number.NaN, 1, 1, 1));
    const blurred = filterImage(spoilt, [[1, 1, 1]]).data;
    expect([...blurred].map(Number.isNaN)).toEqual([false, true, true, true, false, false]);
  });

  test('a flat picture stays as it is under a Gaussian and under sharpening', () => {
    for (const value of [0, 1, 127, 254, 255]) {
      const flat = { data: new Uint8Array(40 * 9).fill(value), width: 40, height: 9, channels: 1 };
      expect([...filterImage(flat, gaussian(2)).data]).toEqual([...flat.data]);
      expect([...filterImage(flat, sharpen).data]).toEqual([...flat.data]);
    }
  });
});

describe('alpha', () => {
  const image = makeImage('Uint8Array', 9, 6, 4);
  const alphaOf = (picture: Image) => Array.from(picture.data).filter((_, i) => i % 4 === 3);

  test('is passed through by default and by name', () => {
    expect(alphaOf(filterImage(image, gaussian(1)))).toEqual(alphaOf(image));
    expect(filterImage(image, gaussian(1), { alpha: 'pass' })).toEqual(filterImage(image, gaussian(1)));
    expect(alphaOf(filterImage(image, [[1]], { scale: 2, offset: 9 }))).toEqual(alphaOf(image));
  });

  test("is treated as a colour by 'filter'", () => {
    const gray = { data: Uint8Array.from(alphaOf(image)), width: 9, height: 6, channels: 1 };
    const filtered = filterImage(image, [[1, 2, 1]], { scale: 0.25, alpha: 'filter' });
    expect(alphaOf(filtered)).toEqual([...filterImage(gray, [[1, 2, 1]], { scale: 0.25 }).data]);
  });

  test('one and three channels have none', () => {
    for (const channels of [1, 3]) {
      const opaque = makeImage('Uint8Array', 9, 6, channels);
      expect(filterImage(opaque, sobelX, { alpha: 'filter' })).toEqual(filterImage(opaque, sobelX));
    }
  });
});

describe('memory', () => {
  test.each(arrayNames)(
    '%s: the result is a new array of the same type, and the image is untouched',
    (name) => {
      const image = makeImage(name, 8, 5, 3);
      const before = image.data.slice();
      const result = filterImage(image, sobelX);
      expect(result.data.constructor).toBe(arrays[name]);
      expect(result.data.buffer).not.toBe(image.data.buffer);
      expect(image.data).toEqual(before);
      expect(result).toEqual({ data: result.data, width: 8, height: 5, channels: 3 });
    },
  );

  test('a Buffer gives a Buffer, also one in the middle of a pool', () => {
    const data = Buffer.from(integers(3, 24, 0, 255));
    const result = filterImage({ data, width: 6, height: 4, channels: 1 }, sharpen);
    expect(Buffer.isBuffer(result.data)).toBe(true);
    const plain = filterImage({ data: Uint8Array.from(data), width: 6, height: 4, channels: 1 }, sharpen);
    expect([...result.data]).toEqual([...plain.data]);
  });

  test.each(arrayNames)('%s: byteOffset is honoured on both sides, and nothing else is written', (name) => {
    const image = makeImage(name, 7, 4, 3);
    const padded = new arrays[name](100);
    padded.set(image.data, 10);
    const memory = new arrays[name](100).fill(77);
    const out = memory.subarray(6, 90);
    const options = { out } as FilterImageOptions;
    const result = filterImage({ ...image, data: padded.subarray(10, 94) }, sobelX, options);
    expect(result.data).toBe(out);
    expect([...out]).toEqual([...filterImage(image, sobelX).data]);
    expect(new Set([...memory.slice(0, 6), ...memory.slice(90)])).toEqual(new Set([77]));
  });

  test('8-bit arrays of another class are taken as out', () => {
    const image = makeImage('Uint8ClampedArray', 5, 5, 1);
    const out = new Uint8Array(25);
    const result = filterImage<Uint8Array | Uint8ClampedArray>(image as Image<Uint8ClampedArray>, sobelX, {
      out,
    });
    expect(result.data).toBe(out);
    expect([...out]).toEqual([...filterImage(image, sobelX).data]);
  });

  test('out may be another part of the same buffer', () => {
    const memory = new Uint8Array(200);
    const image = { data: memory.subarray(0, 100), width: 10, height: 10, channels: 1 };
    image.data.set(integers(4, 100, 0, 255));
    const expected = [...filterImage(image, sobelX).data];
    filterImage(image, sobelX, { out: memory.subarray(100) });
    expect([...memory.subarray(100)]).toEqual(expected);
  });

  test('the fields of sharp’s info are ignored', () => {
    const image = makeImage('Uint8Array', 4, 3, 3);
    const raw = { ...image, format: 'raw', size: 36, premultiplied: false };
    expect(filterImage(raw, sobelX)).toEqual(filterImage(image, sobelX));
  });
});

test.each(arrayNames)('%s: rows may lie apart', (name) => {
  const image = makeImage(name, 7, 5, 3);
  const expected = filterImage(image, sobelX);
  for (const rowStride of [21, 22, 40]) {
    const data = new arrays[name](4 * rowStride + 21).fill(99);
    for (let y = 0; y < 5; y++) data.set(image.data.subarray(21 * y, 21 * y + 21), rowStride * y);
    expect(filterImage({ ...image, data, rowStride }, sobelX)).toEqual(expected);
  }
});

describe('linear', () => {
  test('a mean of black and white is bright, and what is flat stays', () => {
    const image = { data: Uint8Array.of(0, 255, 40, 0, 255, 40), width: 2, height: 1, channels: 3 };
    const mean = filterImage({ ...image, data: Uint8Array.of(0, 0, 40, 255, 255, 40) }, [[0.5, 0.5]], {
      linear: true,
      border: 'replicate',
    });
    // Half of the light is 188 of 255 in sRGB.
    expect([...mean.data]).toEqual([0, 0, 40, 188, 188, 40]);
    expect(filterImage(image, [[1]], { linear: true })).toEqual(image);
  });

  test('alpha has no curve', () => {
    const image = { data: Uint8Array.of(0, 0, 255, 255), width: 2, height: 1, channels: 2 };
    const half = filterImage(image, [[0.5, 0.5]], { linear: true, alpha: 'filter', border: 'replicate' });
    expect([...half.data]).toEqual([0, 0, 188, 128]);
  });
});

test('the kernel may be any tensor input, also a strided view', () => {
  const image = makeImage('Uint8Array', 12, 9, 3);
  const expected = filterImage(image, [
    [-1, -2, -1],
    [0, 0, 0],
    [1, 2, 1],
  ]).data;
  for (const kernel of [
    sobelX.transpose(),
    { data: Float32Array.of(-1, -2, -1, 0, 0, 0, 1, 2, 1), shape: [3, 3] },
    { data: Float32Array.of(-1, -2, -1, 0, 0, 0, 1, 2, 1), dims: [3, 3] },
  ]) {
    expect(filterImage(image, kernel).data).toEqual(expected);
  }
});

test('the same bits for every number of threads', () => {
  const threads = getThreads();
  try {
    for (const name of arrayNames) {
      const image = makeImage(name, 331, 257, 3);
      setThreads(1);
      const one = filterImage(image, gaussian(1.5));
      for (const count of [2, 3]) {
        setThreads(count);
        expect(
          Buffer.from(filterImage(image, gaussian(1.5)).data.buffer).equals(Buffer.from(one.data.buffer)),
        ).toBe(true);
      }
    }
  } finally {
    setThreads(threads);
  }
});

describe('property: any image, kernel and options are within float32 of the exact result', () => {
  const cases = fc.record({
    name: fc.constantFrom(...arrayNames),
    width: fc.integer({ min: 1, max: 40 }),
    height: fc.integer({ min: 1, max: 12 }),
    channels: fc.integer({ min: 1, max: 4 }),
    kh: fc.integer({ min: 1, max: 9 }),
    kw: fc.integer({ min: 1, max: 9 }),
    border: fc.constantFrom(...borders),
    alpha: fc.constantFrom('pass' as const, 'filter' as const),
    scale: fc.double({ min: -2, max: 2, noNaN: true }),
    offset: fc.double({ min: -300, max: 300, noNaN: true }),
    seed: fc.nat(),
  });

  test('filterImage', () => {
    fc.assert(
      fc.property(cases, ({ name, width, height, channels, kh, kw, seed, ...options }) => {
        const image = makeImage(name, width, height, channels, seed);
        const weights = Tensor.rand([kh, kw], { seed: seed + 1 });
        const kernel = weights.toArray() as number[][];
        const result = filterImage(image, weights, options).data;
        const exact = exactFilter(image, kernel, options);
        const magnitude = exactFilter(image, kernel, {
          ...options,
          scale: Math.abs(options.scale),
          offset: Math.abs(options.offset),
        });
        for (let i = 0; i < result.length; i++) {
          // The last term is for a scale that float32 can't hold.
          const error = (kh * kw + 2) * 2 ** -23 * (magnitude[i] as number) + 1e-30;
          const low = toSample((exact[i] as number) - error, image.data);
          const high = toSample((exact[i] as number) + error, image.data);
          if ((result[i] as number) < low || (result[i] as number) > high) return false;
        }
        return true;
      }),
      { numRuns: 150 },
    );
  });
});

describe('bad input', () => {
  const type = 'TypeError ERR_INVALID_ARG_TYPE';
  const range = 'RangeError ERR_OUT_OF_RANGE';
  const shape = 'RangeError ERR_SHAPE_MISMATCH';
  const word = 'RangeError ERR_INVALID_ARG_VALUE';
  const overlap = 'RangeError ERR_OVERLAP';
  const data = new Uint8Array(12);
  const image = { data, width: 2, height: 2, channels: 3 };
  const loose = filterImage as unknown as (...args: unknown[]) => unknown;
  const detached = new Uint8Array(12);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  const shared = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13);

  const outcome = (args: readonly unknown[]): string => {
    try {
      loose(...args);
    } catch (error) {
      const { name, code, message } = error as Error & { code?: string };
      expect(message).toMatch(/^expected .+ for .+, received .+/);
      return `${name} ${code}`;
    }
    return 'no error';
  };

  afterEach(() => {
    setLimits({ maxElements: 2 ** 31 - 1, maxFlops: Number.POSITIVE_INFINITY });
  });

  test.each<[string, readonly unknown[], string]>([
    ['no image', [], type],
    ['null image', [null, sobelX], type],
    ['a bare array', [data, sobelX], type],
    ['a number array as data', [{ ...image, data: [...data] }, sobelX], type],
    ['an ArrayBuffer as data', [{ ...image, data: data.buffer }, sobelX], type],
    ['a DataView as data', [{ ...image, data: new DataView(data.buffer) }, sobelX], type],
    ['Int8Array data', [{ ...image, data: new Int8Array(12) }, sobelX], type],
    ['Float64Array data', [{ ...image, data: new Float64Array(12) }, sobelX], type],
    ['Uint32Array data', [{ ...image, data: new Uint32Array(12) }, sobelX], type],
    ['a detached buffer', [{ ...image, data: detached }, sobelX], 'TypeError ERR_DETACHED_BUFFER'],
    ['no width', [{ ...image, width: undefined }, sobelX], type],
    ['width as a string', [{ ...image, width: '2' }, sobelX], type],
    ['width 0', [{ ...image, data: new Uint8Array(0), width: 0 }, sobelX], range],
    ['width negative', [{ ...image, width: -2 }, sobelX], range],
    ['width fractional', [{ ...image, width: 1.5 }, sobelX], range],
    ['width NaN', [{ ...image, width: Number.NaN }, sobelX], range],
    ['height 0', [{ ...image, data: new Uint8Array(0), height: 0 }, sobelX], range],
    ['height infinite', [{ ...image, height: Number.POSITIVE_INFINITY }, sobelX], range],
    ['no channels', [{ ...image, channels: undefined }, sobelX], type],
    ['channels 0', [{ ...image, channels: 0 }, sobelX], range],
    ['channels 5', [{ ...image, data: new Uint8Array(20), channels: 5 }, sobelX], range],
    ['data too short', [{ ...image, data: data.subarray(1) }, sobelX], shape],
    ['data too long', [{ ...image, data: new Uint8Array(13) }, sobelX], shape],
    ['sizes that overflow', [{ ...image, width: 2 ** 40, height: 2 ** 40 }, sobelX], shape],
    ['no kernel', [image], type],
    ['a kernel name', [image, 'sobelX'], type],
    ['a kernel of one axis', [image, [1, 2, 3]], shape],
    ['a kernel of three axes', [image, [[[1]]]], shape],
    ['an empty kernel', [image, Tensor.zeros([0, 3])], shape],
    ['ragged kernel rows', [image, [[1, 2], [3]]], shape],
    ['a kernel of doubles', [image, { data: new Float64Array(9), shape: [3, 3] }], type],
    ['options as an array', [image, sobelX, []], type],
    ['options null', [image, sobelX, null], type],
    ['an unknown option', [image, sobelX, { padding: 1 }], 'TypeError ERR_INVALID_ARG_VALUE'],
    ['an option of filterImageAsync', [image, sobelX, { transfer: true }], 'TypeError ERR_INVALID_ARG_VALUE'],
    ['linear as a number', [image, sobelX, { linear: 1 }], type],
    ['a row stride below a row', [{ ...image, rowStride: 5 }, sobelX], range],
    ['a row stride as a string', [{ ...image, rowStride: '6' }, sobelX], type],
    ['data too short for the row stride', [{ ...image, rowStride: 7 }, sobelX], shape],
    ['border as a number', [image, sobelX, { border: 0 }], type],
    ['an unknown border', [image, sobelX, { border: 'mirror' }], word],
    ['a border from the prototype', [image, sobelX, { border: 'toString' }], word],
    ['scale as a string', [image, sobelX, { scale: '1' }], type],
    ['scale NaN', [image, sobelX, { scale: Number.NaN }], range],
    ['scale infinite', [image, sobelX, { scale: Number.POSITIVE_INFINITY }], range],
    ['offset null', [image, sobelX, { offset: null }], type],
    ['offset NaN', [image, sobelX, { offset: Number.NaN }], range],
    ['alpha as a boolean', [image, sobelX, { alpha: true }], type],
    ['an unknown alpha', [image, sobelX, { alpha: 'keep' }], word],
    ['out as an array', [image, sobelX, { out: [...data] }], type],
    ['out of another depth', [image, sobelX, { out: new Uint16Array(12) }], type],
    ['out of an unknown type', [image, sobelX, { out: new Int8Array(12) }], type],
    ['out too short', [image, sobelX, { out: new Uint8Array(11) }], shape],
    ['out too long', [image, sobelX, { out: new Uint8Array(13) }], shape],
    ['out detached', [image, sobelX, { out: detached }], 'TypeError ERR_DETACHED_BUFFER'],
    ['out is data', [image, sobelX, { out: data }], overlap],
    ['out is data under another class', [image, sobelX, { out: Buffer.from(data.buffer) }], overlap],
    [
      'out overlaps data by one',
      [
        { data: shared.subarray(0, 4), width: 4, height: 1, channels: 1 },
        [[1]],
        { out: shared.subarray(3, 7) },
      ],
      overlap,
    ],
    [
      'out overlaps the kernel',
      [
        { data: shared.slice(0, 4), width: 4, height: 1, channels: 1 },
        new Tensor(shared, [1, 13]),
        { out: shared.subarray(3, 7) },
      ],
      overlap,
    ],
  ])('%s', (_, args, expected) => {
    expect(outcome(args)).toBe(expected);
  });

  test('nothing is written where the call throws', () => {
    const out = new Uint8Array(12).fill(9);
    expect(outcome([image, sobelX, { out, scale: Number.NaN }])).toBe(range);
    expect([...out]).toEqual(new Array(12).fill(9));
  });

  test('limits', () => {
    setLimits({ maxElements: 11 });
    expect(outcome([image, [[1]]])).toBe('RangeError ERR_LIMIT_EXCEEDED');
    setLimits({ maxElements: 12, maxFlops: 2 * 9 * 12 - 1 });
    expect(outcome([image, sobelX])).toBe('RangeError ERR_LIMIT_EXCEEDED');
    setLimits({ maxFlops: 2 * 9 * 12 });
    expect(outcome([image, sobelX])).toBe('no error');
  });

  test('the message names the sizes', () => {
    expect(() => loose({ ...image, data: new Uint8Array(11) }, sobelX)).toThrow(
      'expected 12 samples (2 × 2 pixels × 3 channels) for image.data, received 11',
    );
  });
});
