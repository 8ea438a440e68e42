import { expect } from 'vitest';
import type { Tensor } from '../../index.ts';

/** The largest difference from `expected`, as a share of the largest absolute value of `expected`. */
export function relativeError(actual: Float32Array, expected: Float32Array): number {
  expect(actual.length).toBe(expected.length);
  let scale = 0;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs((actual[i] as number) - (expected[i] as number));
    // A NaN counts as the largest possible error instead of vanishing in the comparison.
    worst = difference <= worst ? worst : Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
    scale = Math.max(scale, Math.abs(expected[i] as number));
  }
  return worst === 0 ? 0 : worst / scale;
}

/** Same shape, and no element further off than `tolerance` of the scale. */
export function expectClose(actual: Tensor, expected: Tensor, tolerance: number): void {
  expect(actual.shape).toEqual(expected.shape);
  expect(relativeError(actual.contiguous().data, expected.contiguous().data)).toBeLessThanOrEqual(tolerance);
}

/** The bits of the elements, so that NaN, −0 and the last bit count. */
export function bits(tensor: Tensor): Uint32Array {
  const { data } = tensor.contiguous();
  return new Uint32Array(data.buffer, data.byteOffset, data.length).slice();
}

/** The same bits everywhere; `toEqual` takes seconds for arrays of this size. */
export function expectSameBits(actual: Uint32Array, expected: Uint32Array): void {
  expect(actual.length).toBe(expected.length);
  expect(
    actual.findIndex((value, i) => value !== expected[i]),
    'the first element that differs',
  ).toBe(-1);
}
