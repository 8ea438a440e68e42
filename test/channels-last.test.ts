/** `layout: 'NHWC'`: the same numbers with the channels in the last axis, to the bit. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Conv2D, type Conv2dOptions, conv2d, conv2dOutputShape, Tensor } from '../index.ts';
import { bits, expectClose, expectSameBits } from './support/close.ts';
import { expectError, shapeMismatch } from './support/error.ts';

const toLast = (x: Tensor) => x.transpose(0, 2, 3, 1).contiguous();

function layerOf(weight: Tensor, { bias, out: _, ...options }: Conv2dOptions): Conv2D {
  const [outChannels, channels, ...kernelSize] = weight.shape as [number, number, number, number];
  const inChannels = channels * (options.groups ?? 1);
  const layer = new Conv2D({ ...options, inChannels, outChannels, kernelSize, init: 'zeros' });
  layer.weight = weight;
  if (bias !== undefined) layer.bias = bias;
  return layer;
}

/** What decides on the bits of an algorithm's results: those that transform have their own, the others add products in order. */
const sumsOf = (algorithm: string) =>
  (/^(winograd|fft|bf16x3)/.test(algorithm) ? algorithm : 'direct') as Exclude<
    Conv2dOptions['algorithm'],
    undefined
  >;

/** For either layout `auto` takes what is fastest: the bits are those that the other has by the same sums. */
function expectSameInBothLayouts(x: Tensor, weight: Tensor, options: Conv2dOptions): void {
  const first = toLast(conv2d(x, weight, options));
  const last = conv2d(toLast(x), weight, { ...options, layout: 'NHWC' });
  expect(last.shape).toEqual(first.shape);
  expectClose(first, last, 2e-5);
  const { algorithm } = layerOf(weight, { ...options, layout: 'NHWC' }).plan(toLast(x).shape);
  const sums = sumsOf(algorithm);
  expectSameBits(bits(last), bits(toLast(conv2d(x, weight, { ...options, algorithm: sums }))));
  if (sumsOf(layerOf(weight, options).plan(x.shape).algorithm) === sums) {
    expectSameBits(bits(last), bits(first));
  }
}

const side = fc.integer({ min: 1, max: 12 });
const small = fc.integer({ min: 1, max: 3 });
const problems = fc.record({
  batch: fc.integer({ min: 0, max: 3 }),
  groups: small,
  channels: fc.integer({ min: 1, max: 20 }),
  outputs: fc.integer({ min: 1, max: 40 }),
  sides: fc.tuple(side, side),
  kernel: fc.tuple(small, small),
  stride: fc.tuple(small, small),
  dilation: fc.tuple(small, small),
  pads: fc.tuple(
    fc.integer({ min: 6, max: 8 }),
    fc.integer({ min: 0, max: 3 }),
    fc.integer({ min: 6, max: 8 }),
    fc.integer({ min: 0, max: 3 }),
  ),
});

describe("layout: 'NHWC'", () => {
  it('gives the bits of NCHW on any geometry', () => {
    fc.assert(
      fc.property(problems, ({ batch, groups, channels, outputs, sides, kernel, stride, dilation, pads }) => {
        const x = Tensor.rand([batch, channels * groups, ...sides], { seed: 1 });
        const weight = Tensor.rand([outputs * groups, channels, ...kernel], { seed: 2 });
        const [top, bottom, left, right] = pads;
        const padding = [
          [top, bottom],
          [left, right],
        ] as const;
        const bias = Tensor.rand([outputs * groups], { seed: 3 });
        expectSameInBothLayouts(x, weight, { stride, dilation, groups, padding, bias, activation: 'relu6' });
      }),
      { numRuns: 150 },
    );
  });

  it.each([1, 3, 16, 17, 40])('gives the bits of NCHW for %d depthwise channels', (channels) => {
    const x = Tensor.rand([2, channels, 11, 13], { seed: 1 });
    const weight = Tensor.rand([channels, 1, 3, 3], { seed: 2 });
    for (const stride of [1, 2]) {
      expectSameInBothLayouts(x, weight, { stride, padding: 1, groups: channels, activation: 'silu' });
    }
  });

  it.each(['zeros', 'reflect', 'replicate', 'circular'] as const)('pads with %s', (paddingMode) => {
    const x = Tensor.rand([2, 5, 6, 7], { seed: 1 });
    const weight = Tensor.rand([4, 5, 3, 4], { seed: 2 });
    expectSameInBothLayouts(x, weight, { padding: [2, 3], paddingMode });
    expectSameInBothLayouts(x, weight, { padding: 'same', paddingMode, stride: 2 });
  });

  it('never takes one order of axes for the other where there is one channel', () => {
    const x = Tensor.rand([1, 1, 4, 6], { seed: 1 });
    const weight = Tensor.rand([1, 1, 3, 2], { seed: 2 });
    expectSameInBothLayouts(x, weight, {});
    expect(conv2d(x.reshape(1, 4, 6, 1), weight, { layout: 'NHWC' }).shape).toEqual([1, 2, 5, 1]);
    expectError(() => conv2d(x, weight, { layout: 'NHWC' }), shapeMismatch('weight'));
  });

  it('takes [h, w, c], and says the shape beforehand', () => {
    const x = Tensor.rand([6, 7, 3], { seed: 1 });
    const weight = Tensor.rand([2, 3, 3, 3], { seed: 2 });
    const y = conv2d(x, weight, { layout: 'NHWC' });
    expect(y.shape).toEqual([4, 5, 2]);
    expect(conv2dOutputShape(x.shape, weight.shape, { layout: 'NHWC' })).toEqual([4, 5, 2]);
    expectSameBits(bits(y), bits(conv2d(x.transpose(2, 0, 1), weight).transpose(1, 2, 0)));
  });

  it('reads a cropped or interleaved view as a copy of it', () => {
    const canvas = Tensor.rand([2, 20, 30, 6], { seed: 1 });
    const weight = Tensor.rand([8, 3, 3, 3], { seed: 2 });
    for (const view of [
      canvas.slice([0, 2], [3, 12], [5, 25], [0, 3]),
      canvas.slice([1, 2], [0, 20], [0, 30], [2, 5]),
    ]) {
      const options = { layout: 'NHWC', padding: 1 } as const;
      expectSameBits(bits(conv2d(view, weight, options)), bits(conv2d(view.contiguous(), weight, options)));
    }
  });

  it('goes through a layer, its plan and its JSON', () => {
    const layer = new Conv2D({ inChannels: 3, outChannels: 5, kernelSize: 3, layout: 'NHWC', seed: 1 });
    const x = Tensor.rand([2, 8, 9, 3], { seed: 2 });
    const y = layer.forward(x);
    expect(y.shape).toEqual(layer.outputShape(x.shape));
    expect(y.shape).toEqual([2, 6, 7, 5]);
    expect(layer.plan(x.shape).algorithm).toBe('channels-last');
    expectSameBits(bits(layer.plan(x.shape).run(x)), bits(y));
    const copy = Conv2D.fromJSON(JSON.parse(JSON.stringify(layer)));
    expectSameBits(bits(copy.forward(x)), bits(y));
  });

  it('takes [h, w] in a layer of one channel', () => {
    const layer = new Conv2D({ kernelSize: [2, 3], layout: 'NHWC', seed: 1 });
    const x = Tensor.rand([5, 6], { seed: 2 });
    expect(layer.forward(x).shape).toEqual([4, 4]);
    expectSameBits(bits(layer.forward(x)), bits(layer.forward(x.reshape(1, 5, 6, 1))));
  });
});
