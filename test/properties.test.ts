/** What holds for every geometry, tried on random ones. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  avgPool2d,
  Conv2D,
  conv2d,
  conv2dOutputShape,
  corr2d,
  maxPool2d,
  pool2dOutputShape,
  Tensor,
} from '../index.ts';
import { expectClose } from './support/close.ts';
import { type Geometry, naiveConv2d, naiveCorr2d, naivePool2d } from './support/naive.ts';

const RUNS = { numRuns: 60 };
const side = fc.integer({ min: 1, max: 13 });
const small = fc.integer({ min: 1, max: 4 });
const two = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<[T, T]> => fc.tuple(value, value);
const sides = two(two(fc.integer({ min: 0, max: 3 })));

/** Small integers, of which every sum is exact in float32. */
const integers = (shape: number[], seed: number): Tensor => {
  const tensor = Tensor.rand(shape, { seed });
  for (let i = 0; i < tensor.size; i++) tensor.data[i] = Math.floor((tensor.data[i] ?? 0) * 17) - 8;
  return tensor;
};

interface ConvCase {
  x: Tensor;
  weight: Tensor;
  bias: Tensor;
  options: Geometry;
}

const convolution: fc.Arbitrary<ConvCase> = fc
  .record({
    n: fc.integer({ min: 0, max: 2 }),
    groups: fc.integer({ min: 1, max: 3 }),
    perGroup: two(small),
    input: two(side),
    kernel: two(small),
    stride: two(fc.integer({ min: 1, max: 3 })),
    dilation: two(fc.integer({ min: 1, max: 3 })),
    padding: sides,
    seed: fc.nat(),
  })
  .filter(({ input, kernel, dilation, padding }) =>
    [0, 1].every((axis) => {
      const [before, after] = padding[axis as 0 | 1];
      return (input[axis] ?? 0) + before + after > (dilation[axis] ?? 0) * ((kernel[axis] ?? 0) - 1);
    }),
  )
  .map(({ n, groups, perGroup: [c, o], input, kernel, stride, dilation, padding, seed }) => ({
    x: integers([n, groups * c, ...input], seed),
    weight: integers([groups * o, c, ...kernel], seed + 1),
    bias: integers([groups * o], seed + 2),
    options: { stride, padding, dilation, groups },
  }));

describe('conv2d', () => {
  it('agrees with plain loops, and its shape with conv2dOutputShape and the layer’s', () => {
    fc.assert(
      fc.property(convolution, ({ x, weight, bias, options }) => {
        const y = conv2d(x, weight, { ...options, bias });
        expect(y.toArray()).toEqual(naiveConv2d(x, weight, [...bias.data], options).toArray());
        expect(conv2dOutputShape(x.shape, weight.shape, options)).toEqual(y.shape);
        const [outChannels = 0, , kh = 0, kw = 0] = weight.shape;
        const layer = new Conv2D({ inChannels: x.shape[1], outChannels, kernelSize: [kh, kw], ...options });
        expect(layer.outputShape(x.shape)).toEqual(y.shape);
      }),
      RUNS,
    );
  });

  it('is linear in the image and in the kernel', () => {
    fc.assert(
      fc.property(convolution, fc.integer({ min: -3, max: 3 }), ({ x, weight, options }, factor) => {
        const scaled = (t: Tensor): Tensor =>
          new Tensor(
            t.data.map((v) => v * factor),
            t.shape,
          );
        const sum = (a: Tensor, b: Tensor): Tensor =>
          new Tensor(
            a.data.map((v, i) => v + (b.data[i] ?? 0)),
            a.shape,
          );
        const other = integers([...x.shape], 99);
        const y = conv2d(x, weight, options);
        // Adding 0 makes −0 and 0 the same.
        const zero = Tensor.zeros(y.shape);
        const combined = sum(scaled(y), conv2d(other, weight, options));
        expect(sum(conv2d(sum(scaled(x), other), weight, options), zero).toArray()).toEqual(
          sum(combined, zero).toArray(),
        );
        expect(sum(conv2d(x, scaled(weight), options), zero).toArray()).toEqual(
          sum(scaled(y), zero).toArray(),
        );
      }),
      RUNS,
    );
  });

  it("makes outputs of ⌈input / stride⌉ with 'same'", () => {
    const padding = fc.constantFrom('same', 'same-lower', 'same-upper' as const);
    fc.assert(
      fc.property(
        two(side),
        two(small),
        two(small),
        two(small),
        padding,
        (input, kernel, stride, dilation, rule) => {
          const shape = conv2dOutputShape([1, ...input], [1, 1, ...kernel], {
            stride,
            dilation,
            padding: rule as 'same',
          });
          expect(shape).toEqual([1, ...input.map((length, axis) => Math.ceil(length / (stride[axis] ?? 0)))]);
        },
      ),
      RUNS,
    );
  });
});

describe('corr2d', () => {
  it('of a single 1 in the kernel is a crop of the image', () => {
    fc.assert(
      fc.property(two(side), two(small), fc.nat(), ([h, w], [kh, kw], seed) => {
        fc.pre(kh <= h && kw <= w);
        const x = Tensor.rand([h, w], { seed });
        const k = Tensor.zeros([kh, kw]);
        const tap = seed % k.size;
        k.data[tap] = 1;
        const [top, left] = [Math.floor(tap / kw), tap % kw];
        const crop = x.slice([top, top + h - kh + 1], [left, left + w - kw + 1]);
        expect(corr2d(x, k).toArray()).toEqual(crop.toArray());
      }),
      RUNS,
    );
  });
});

describe('corr2d of integers', () => {
  const heights = Array.from({ length: 8 }, (_, i) => i + 1);
  it.each(heights)('is exact for kernels of %d rows and 1 to 12 columns', (kh) => {
    for (let kw = 1; kw <= 12; kw++) {
      for (const [h, w] of [
        [8, 13],
        [20, 33],
      ] as const) {
        const x = integers([h, w], kw);
        const k = integers([kh, kw], kw + 1);
        expect(corr2d(x, k).toArray(), `${h}×${w} by ${kh}×${kw}`).toEqual(naiveCorr2d(x, k).toArray());
      }
    }
  });
});

describe('pooling', () => {
  const pooling = fc
    .record({
      lead: two(fc.integer({ min: 1, max: 3 })),
      input: two(side),
      kernel: two(fc.integer({ min: 1, max: 5 })),
      stride: two(fc.integer({ min: 1, max: 4 })),
      padding: sides,
      seed: fc.nat(),
    })
    .filter(({ input, kernel, padding }) =>
      [0, 1].every((axis) => {
        const half = Math.floor((kernel[axis] ?? 0) / 2);
        const [before, after] = padding[axis as 0 | 1];
        return before <= half && after <= half && (input[axis] ?? 0) + before + after >= (kernel[axis] ?? 0);
      }),
    );

  it('agrees with plain loops, and its shape with pool2dOutputShape', () => {
    fc.assert(
      fc.property(pooling, ({ lead, input, kernel, stride, padding, seed }) => {
        const x = integers([...lead, ...input], seed);
        const geometry: Geometry = { stride, padding, dilation: [1, 1], groups: 1 };
        const max = maxPool2d(x, kernel, { stride, padding });
        expect(max.toArray()).toEqual(naivePool2d(x, 'max', kernel, geometry).toArray());
        const avg = avgPool2d(x, kernel, { stride, padding, countIncludePad: false });
        expectClose(avg, naivePool2d(x, 'avg', kernel, geometry), 2e-6);
        expect(pool2dOutputShape(x.shape, kernel, { stride, padding })).toEqual(max.shape);
      }),
      RUNS,
    );
  });
});
