/** The same bits for every number of threads, every split of a batch and every form of the call. */
import { afterAll, describe, it } from 'vitest';
import {
  avgPool2d,
  Conv2D,
  type Conv2dOptions,
  conv2d,
  getThreads,
  maxPool2d,
  setThreads,
  Tensor,
} from '../index.ts';
import { bits, expectSameBits } from './support/close.ts';

const threadsBefore = getThreads();
afterAll(() => setThreads(threadsBefore));

const cases: [string, number[], number[], Omit<Conv2dOptions, 'out'>][] = [
  ['a gray 3×3', [3, 1, 210, 190], [1, 1, 3, 3], { padding: 1 }],
  ['a gray 11×11', [2, 1, 120, 133], [1, 1, 11, 11], { padding: 'same' }],
  ['1×1', [3, 40, 40, 37], [48, 40, 1, 1], {}],
  ['3×3 of many channels', [3, 32, 28, 30], [40, 32, 3, 3], { padding: 1 }],
  ['stride 2', [3, 20, 41, 39], [24, 20, 3, 3], { stride: 2, padding: 1 }],
  ['7×7 of three channels', [3, 3, 60, 62], [16, 3, 7, 7], { stride: 2, padding: 3 }],
  ['depthwise', [3, 33, 40, 41], [33, 1, 3, 3], { groups: 33, padding: 1 }],
  ['groups', [3, 24, 20, 21], [36, 6, 3, 3], { groups: 4, dilation: 2 }],
  ['reflected', [3, 5, 30, 31], [6, 5, 3, 3], { padding: 1, paddingMode: 'reflect' }],
  ['with relu', [3, 8, 30, 31], [9, 8, 3, 3], { activation: 'relu' }],
];

function operands(xShape: number[], weightShape: number[]): { x: Tensor; weight: Tensor; bias: Tensor } {
  const signed = (shape: number[], seed: number): Tensor => {
    const tensor = Tensor.rand(shape, { seed });
    for (let i = 0; i < tensor.size; i++) tensor.data[i] = (tensor.data[i] ?? 0) * 2 - 1;
    return tensor;
  };
  return { x: signed(xShape, 1), weight: signed(weightShape, 2), bias: signed([weightShape[0] ?? 0], 3) };
}

function layerOf(weight: Tensor, bias: Tensor, options: Omit<Conv2dOptions, 'out' | 'bias'>): Conv2D {
  const [outChannels = 0, perGroup = 0, height = 0, width = 0] = weight.shape;
  const inChannels = perGroup * (options.groups ?? 1);
  const layer = new Conv2D({ inChannels, outChannels, kernelSize: [height, width], ...options });
  layer.weight = weight;
  layer.bias = bias;
  return layer;
}

function batchSplits(x: Tensor, f: (part: Tensor) => Tensor): Uint32Array[] {
  const n = x.shape[0] ?? 0;
  const join = (parts: Tensor[]): Uint32Array => Uint32Array.from(parts.flatMap((part) => [...bits(part)]));
  const single = Array.from({ length: n }, (_, i) => f(x.slice([i, i + 1])));
  const uneven = [f(x.slice([0, 1])), f(x.slice([1]))];
  const withoutBatch = Array.from({ length: n }, (_, i) => f(x.slice([i, i + 1]).reshape(x.shape.slice(1))));
  return [join(single), join(uneven), join(withoutBatch)];
}

describe.each(cases)('conv2d: %s', (_, xShape, weightShape, options) => {
  const { x, weight, bias } = operands(xShape, weightShape);
  setThreads(1);
  const expected = bits(conv2d(x, weight, { ...options, bias }));

  it.each([1, 2, 3])('%d threads', (threads) => {
    setThreads(threads);
    expectSameBits(bits(conv2d(x, weight, { ...options, bias })), expected);
    const plan = layerOf(weight, bias, options).plan(xShape, { threads });
    expectSameBits(bits(plan.run(x)), expected);
  });

  it('any split of the batch', () => {
    for (const split of batchSplits(x, (part) => conv2d(part, weight, { ...options, bias }))) {
      expectSameBits(split, expected);
    }
  });

  it('function, layer, plan, `out` and a second run', () => {
    const layer = layerOf(weight, bias, options);
    expectSameBits(bits(layer.forward(x)), expected);
    expectSameBits(bits(layer.forward(x)), expected);
    const plan = layer.plan(xShape);
    const out = new Float32Array(expected.length).fill(Number.NaN);
    expectSameBits(bits(plan.run(x, { out })), expected);
    expectSameBits(bits(conv2d(x, weight, { ...options, bias, out: out.fill(7) })), expected);
  });
});

describe.each([
  ['max 2×2', maxPool2d, 2, {}],
  ['max 3×3 by 2', maxPool2d, 3, { stride: 2, padding: 1 }],
  ['avg 2×2', avgPool2d, 2, {}],
  ['avg 3×3 by 1', avgPool2d, 3, { stride: 1, padding: 1 }],
] as const)('pooling: %s', (_, pool, kernelSize, options) => {
  const x = Tensor.rand([3, 16, 61, 67], { seed: 4 });
  setThreads(1);
  const expected = bits(pool(x, kernelSize, options));

  it.each([1, 2, 3])('%d threads', (threads) => {
    setThreads(threads);
    expectSameBits(bits(pool(x, kernelSize, options)), expected);
  });

  it('any split of the batch', () => {
    for (const split of batchSplits(x, (part) => pool(part, kernelSize, options)))
      expectSameBits(split, expected);
  });
});
