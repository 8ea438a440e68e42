/** The native entries that run an operator refuse what the facade never hands them, and small results are memory of their own. */
import { describe, expect, it } from 'vitest';
import { Conv2D, corr2d, maxPool2d, Tensor } from '../index.ts';
import { loadNative } from '../loader/native.cjs';
import { onWasm } from './support/backend.ts';

const floats = new Float32Array(25);
const numbers = new Float64Array(40);

describe.skipIf(onWasm)('an entry called past the facade', () => {
  const native = loadNative() as unknown as Record<string, (...values: unknown[]) => void>;

  it.each<[string, unknown[]]>([
    ['runPlan', []],
    ['runPlan', ['1', floats, null, floats]],
    ['runPlan', [1e9, floats, null, new Float32Array(9)]],
    ['runPlan', [Number.NaN, floats, null, new Float32Array(9)]],
    ['runPlan', [0, new Float64Array(25), null, floats]],
    ['conv2d', []],
    ['conv2d', [floats, floats, null, floats, null, floats]],
    ['conv2d', [numbers, floats, floats, floats, null, floats]],
    ['conv2d', [new Float64Array(3), floats, null, floats, null, floats]],
    ['pool2d', [numbers, floats]],
    ['pool2d', [numbers, floats, null, 'out']],
  ])('%s throws', (name, values) => {
    expect(() => native[name]?.(...values)).toThrow(/expected|failed/i);
  });
});

describe('results of few elements', () => {
  const x = Tensor.rand([5, 5], { seed: 1 });
  const plan = new Conv2D({ inChannels: 1, outChannels: 1, kernelSize: 3, seed: 1 }).plan([1, 1, 5, 5]);
  it.each<[string, () => Tensor]>([
    ['corr2d', () => corr2d(x, [[1]])],
    [
      'corr2d of 4×4',
      () =>
        corr2d(x, [
          [0, 1],
          [2, 3],
        ]),
    ],
    ['maxPool2d', () => maxPool2d(x, 2)],
    ['a plan', () => plan.run(x.reshape(1, 1, 5, 5))],
  ])('%s: own memory, of just that size', (_, call) => {
    const first = call();
    const kept = [...first.data];
    expect(first.data.buffer.byteLength).toBe(first.size * 4);
    const second = call();
    expect(second.data.buffer).not.toBe(first.data.buffer);
    second.data.fill(-1);
    expect([...first.data]).toEqual(kept);
    expect([...call().data]).toEqual(kept);
  });
});
