import { afterEach, describe, expect, test } from 'vitest';
import { type Image, imageToTensor, maxPool2d, setLimits, Tensor, tensorToImage } from '../index.ts';

const rgb: Image = {
  data: Uint8Array.of(0, 51, 255, 1, 52, 254, 2, 53, 253, 3, 54, 252, 4, 55, 251, 5, 56, 250),
  width: 3,
  height: 2,
  channels: 3,
};

describe('imageToTensor', () => {
  test('gives one plane per channel, divided by 255', () => {
    const tensor = imageToTensor(rgb);
    expect(tensor.shape).toEqual([3, 2, 3]);
    expect([...tensor.data.subarray(0, 6)]).toEqual(
      [0, 1, 2, 3, 4, 5].map((value) => Math.fround(value / 255)),
    );
    expect(tensor.at(2, 0, 0)).toBe(1);
    expect(tensor.at(1, 1, 2)).toBe(Math.fround(56 / 255));
  });

  test('without normalize the samples stay', () => {
    const planes = imageToTensor(rgb, { normalize: false });
    expect(planes.toArray()).toEqual([
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
      [
        [51, 52, 53],
        [54, 55, 56],
      ],
      [
        [255, 254, 253],
        [252, 251, 250],
      ],
    ]);
  });

  test('NHWC keeps the order', () => {
    const tensor = imageToTensor(rgb, { layout: 'NHWC', normalize: false });
    expect(tensor.shape).toEqual([2, 3, 3]);
    expect([...tensor.data]).toEqual([...rgb.data]);
  });

  test('16-bit samples are divided by 65535, floats by nothing', () => {
    const wide = { data: Uint16Array.of(0, 65535, 257), width: 3, height: 1, channels: 1 };
    expect([...imageToTensor(wide).data]).toEqual([0, 1, Math.fround(257 / 65535)]);
    const floats = { data: Float32Array.of(-3, 0.25, 1e9), width: 3, height: 1, channels: 1 };
    const tensor = imageToTensor(floats);
    expect([...tensor.data]).toEqual([-3, 0.25, 1e9]);
    expect(tensor.data.buffer).not.toBe(floats.data.buffer);
  });
});

describe('tensorToImage', () => {
  test.each(['NCHW', 'NHWC'] as const)('%s: every 8-bit value comes back', (layout) => {
    for (const channels of [1, 2, 3, 4]) {
      const image = {
        data: Uint8Array.from({ length: 256 * channels }, (_, i) => i % 256),
        width: 32,
        height: 8,
        channels,
      };
      for (const normalize of [true, false]) {
        expect(tensorToImage(imageToTensor(image, { layout, normalize }), { layout, normalize })).toEqual(
          image,
        );
      }
    }
  });

  test('every 16-bit value comes back', () => {
    const image = {
      data: Uint16Array.from({ length: 65536 }, (_, i) => i),
      width: 256,
      height: 256,
      channels: 1,
    };
    expect(tensorToImage(imageToTensor(image), { type: 'uint16' })).toEqual(image);
  });

  test('floats come back as they were', () => {
    const image = {
      data: Float32Array.of(-3, 0.25, 1e9, Number.POSITIVE_INFINITY),
      width: 2,
      height: 2,
      channels: 1,
    };
    expect(tensorToImage(imageToTensor(image), { type: 'float32' })).toEqual(image);
  });

  test('rounds half to even and saturates; NaN is 0', () => {
    const samples = [[-1, 0.5, 1.5, 2.5, 254.5, 255.5, 1e30, -1e30, Number.POSITIVE_INFINITY, Number.NaN]];
    const image = tensorToImage(samples, { normalize: false });
    expect([...image.data]).toEqual([0, 0, 2, 2, 254, 255, 255, 0, 255, 0]);
    const wide = tensorToImage([[-1, 1.5, 65534.5, 65535.5, 1e30, Number.NaN]], {
      normalize: false,
      type: 'uint16',
    });
    expect([...wide.data]).toEqual([0, 2, 65534, 65535, 65535, 0]);
    expect([...tensorToImage([[-0.1, 0, 0.5, 1, 1.1]]).data]).toEqual([0, 0, 128, 255, 255]);
  });

  test('two axes are a gray image; views are read by their strides', () => {
    const view = Tensor.from([
      [1, 2, 3],
      [4, 5, 6],
    ]).transpose();
    const image = tensorToImage(view, { normalize: false });
    expect(image).toEqual({ data: Uint8Array.of(1, 4, 2, 5, 3, 6), width: 2, height: 3, channels: 1 });
    expect(tensorToImage(view, { normalize: false, layout: 'NHWC' })).toEqual(image);
  });

  test('max pooling a colour image per channel (seed 4.3)', () => {
    const pooled = tensorToImage(maxPool2d(imageToTensor({ ...rgb, width: 2, height: 3 }), [3, 2]));
    expect(pooled).toEqual({ data: Uint8Array.of(5, 56, 255), width: 1, height: 1, channels: 3 });
  });
});

describe('bad input', () => {
  const type = 'TypeError ERR_INVALID_ARG_TYPE';
  const shape = 'RangeError ERR_SHAPE_MISMATCH';
  const toTensor = imageToTensor as unknown as (...args: unknown[]) => unknown;
  const toImage = tensorToImage as unknown as (...args: unknown[]) => unknown;
  const outcome = (call: () => unknown): string => {
    try {
      call();
    } catch (error) {
      const { name, code, message } = error as Error & { code?: string };
      expect(message).toMatch(/^expected .+ for .+, received .+/);
      return `${name} ${code}`;
    }
    return 'no error';
  };

  afterEach(() => {
    setLimits({ maxElements: 2 ** 31 - 1 });
  });

  test.each<[string, readonly unknown[], string]>([
    ['no image', [], type],
    ['a tensor', [Tensor.zeros([3, 2, 2])], type],
    ['data too short', [{ ...rgb, width: 4 }], shape],
    ['five channels', [{ ...rgb, data: new Uint8Array(30), channels: 5 }], 'RangeError ERR_OUT_OF_RANGE'],
    ['normalize as a number', [rgb, { normalize: 255 }], type],
    ['an unknown layout', [rgb, { layout: 'CHW' }], 'RangeError ERR_INVALID_ARG_VALUE'],
    ['an unknown option', [rgb, { type: 'uint8' }], 'TypeError ERR_INVALID_ARG_VALUE'],
  ])('imageToTensor: %s', (_, args, expected) => {
    expect(outcome(() => toTensor(...args))).toBe(expected);
  });

  test.each<[string, readonly unknown[], string]>([
    ['no tensor', [], type],
    ['an image', [rgb], type],
    ['one axis', [[1, 2, 3]], shape],
    ['four axes', [Tensor.zeros([1, 3, 2, 2])], shape],
    ['five channels', [Tensor.zeros([5, 2, 2])], shape],
    ['five channels last', [Tensor.zeros([2, 2, 5]), { layout: 'NHWC' }], shape],
    ['no channel', [Tensor.zeros([0, 2, 2])], shape],
    ['no row', [Tensor.zeros([3, 0, 2])], shape],
    ['doubles', [{ data: new Float64Array(4), shape: [2, 2] }], type],
    ['an unknown type', [[[1]], { type: 'int8' }], 'RangeError ERR_INVALID_ARG_VALUE'],
    ['type as a constructor', [[[1]], { type: Uint8Array }], type],
    ['normalize null as a string', [[[1]], { normalize: 'no' }], type],
    ['an unknown option', [[[1]], { dtype: 'uint8' }], 'TypeError ERR_INVALID_ARG_VALUE'],
  ])('tensorToImage: %s', (_, args, expected) => {
    expect(outcome(() => toImage(...args))).toBe(expected);
  });

  test('limits', () => {
    setLimits({ maxElements: 17 });
    expect(outcome(() => toTensor(rgb))).toBe('RangeError ERR_LIMIT_EXCEEDED');
    expect(outcome(() => toImage(new Tensor(new Float32Array(18), [3, 2, 3])))).toBe(
      'RangeError ERR_LIMIT_EXCEEDED',
    );
  });
});
