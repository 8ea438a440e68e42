/** A function that is called again remembers what it found out before; its results tell nothing of it. */
import { describe, expect, it } from 'vitest';
import { conv2d, convTranspose2d, corr2d, setLimits, Tensor } from '../index.ts';
import { bits, expectClose, expectSameBits } from './support/close.ts';
import { expectError, limitExceeded } from './support/error.ts';
import { naiveCorr2d } from './support/naive.ts';

const x = Tensor.rand([9, 11], { seed: 1 });

/** Kernels of small integers, so that sums of these are exact and each kernel has a result of its own. */
const kernel = (seed: number, size = 3): Tensor => {
  const data = Float32Array.from({ length: size * size }, (_, i) => ((i * 7 + seed * 5) % 13) - 6);
  return new Tensor(data, [size, size]);
};

describe('the result of a repeated call', () => {
  it('is that of the weight as it is now', () => {
    const k = kernel(0);
    const first = bits(corr2d(x, k));
    expectSameBits(bits(corr2d(x, k)), first);
    k.data[4] = 100;
    const changed = corr2d(x, k);
    expectClose(changed, naiveCorr2d(x, k), 1e-6);
    expect(bits(changed)).not.toEqual(first);
    k.data[4] = kernel(0).data[4] ?? 0;
    expectSameBits(bits(corr2d(x, k)), first);
  });

  it('is its own for each of many kernels in turn', () => {
    const kernels = Array.from({ length: 7 }, (_, i) => kernel(i, 1 + (i % 4)));
    const expected = kernels.map((k) => naiveCorr2d(x, k));
    for (let round = 0; round < 3; round++) {
      for (const [i, k] of kernels.entries()) {
        const y = corr2d(x, k);
        expect(y.shape).toEqual(expected[i]?.shape);
        for (const [j, value] of y.data.entries())
          expect(value).toBeCloseTo(expected[i]?.data[j] ?? Number.NaN, 4);
      }
    }
  });

  it('is that of its bias, its stride, its activation and its weight’s shape', () => {
    const input = Tensor.rand([1, 2, 8, 8], { seed: 2 });
    const weight = Tensor.rand([2, 2, 3, 3], { seed: 3 });
    const variants = [
      () => conv2d(input, weight),
      () => conv2d(input, weight, { bias: new Tensor(Float32Array.of(1, 2), [2]) }),
      () => conv2d(input, weight, { bias: new Tensor(Float32Array.of(0, 0), [2]) }),
      () => conv2d(input, weight, { stride: 2 }),
      () => conv2d(input, weight, { activation: 'relu', padding: 1 }),
      () => conv2d(input, weight.reshape([2, 2, 1, 9]), { padding: [0, 4] }),
      () => convTranspose2d(input, weight),
      () => convTranspose2d(input, weight, { stride: 2, bias: new Tensor(Float32Array.of(3, 4), [2]) }),
    ];
    // A call that stands alone between those that push everything else out.
    const alone = variants.map((variant) => {
      for (let i = 0; i < 6; i++) {
        corr2d(x, kernel(20 + i));
        convTranspose2d(input, Tensor.full([2, 1, 1, 1], i));
      }
      return bits(variant());
    });
    for (let round = 0; round < 2; round++) {
      for (const [i, variant] of variants.entries()) expectSameBits(bits(variant()), alone[i] as Uint32Array);
    }
  });

  it('has a shape of its own to read and none to write', () => {
    const k = kernel(1);
    const y = corr2d(x, k);
    expect(() => (y.shape as number[]).push(1)).toThrow(TypeError);
    expect(corr2d(x, k).shape).toEqual([7, 9]);
  });

  it('is an error as often as the call is wrong', () => {
    const k = kernel(2);
    corr2d(x, k);
    for (let i = 0; i < 2; i++) {
      expect(() => corr2d(x, kernel(2, 12))).toThrow(RangeError);
      expect(() => corr2d(x, k, { out: new Float32Array(3) })).toThrow(RangeError);
    }
    setLimits({ maxFlops: 10 });
    try {
      expectError(() => corr2d(x, k), limitExceeded('the call'));
    } finally {
      setLimits({ maxFlops: Number.POSITIVE_INFINITY });
    }
    expect(corr2d(x, k).shape).toEqual([7, 9]);
  });
});
