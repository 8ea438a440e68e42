/** `layout: 'NHWC'` in pooling: the numbers of channels first, with the channels in the last axis. */
import { describe, expect, it } from 'vitest';
import {
  AdaptiveAvgPool2D,
  AdaptiveMaxPool2D,
  AvgPool2D,
  adaptiveAvgPool2d,
  adaptiveMaxPool2d,
  avgPool2d,
  Conv2D,
  globalAvgPool2d,
  globalMaxPool2d,
  type Layer,
  LPPool2D,
  layerFromJSON,
  lpPool2d,
  MaxPool2D,
  maxPool2d,
  pool2d,
  pool2dOutputShape,
  Sequential,
  Tensor,
} from '../index.ts';
import { bits, expectClose, expectSameBits } from './support/close.ts';

type Layouts = { layout?: 'NHWC' };

const functions: [string, (x: Tensor, options: Layouts) => Tensor][] = [
  ['pool2d max', (x, o) => pool2d(x, [2, 3], 'max', { stride: [2, 1], ...o })],
  ['maxPool2d', (x, o) => maxPool2d(x, 3, { stride: 2, padding: 1, ...o })],
  ['avgPool2d', (x, o) => avgPool2d(x, 3, { stride: 2, padding: 1, countIncludePad: false, ...o })],
  ['avgPool2d, dilated', (x, o) => avgPool2d(x, 2, { stride: 1, dilation: [2, 3], ...o })],
  ['lpPool2d', (x, o) => lpPool2d(x, 3, 2, o)],
  ['adaptiveMaxPool2d', (x, o) => adaptiveMaxPool2d(x, [3, 4], o)],
  ['adaptiveAvgPool2d', (x, o) => adaptiveAvgPool2d(x, [null, 4], o)],
  ['globalMaxPool2d', globalMaxPool2d],
  ['globalAvgPool2d', globalAvgPool2d],
];

/** One channel is the case in which both layouts look alike. */
describe.each([1, 2, 3, 16, 33])('%d channels', (channels) => {
  const x = Tensor.rand([2, channels, 9, 11], { seed: channels });
  const last = x.transpose(0, 2, 3, 1);

  it.each(functions)('%s', (_, f) => {
    const expected = f(x, {}).transpose(0, 2, 3, 1).contiguous();
    expectClose(f(last, { layout: 'NHWC' }), expected, 2e-6);
    expectClose(f(last.contiguous(), { layout: 'NHWC' }), expected, 2e-6);
    const image = last.slice([1, 2]).reshape(9, 11, channels);
    const part = expected.slice([1, 2]);
    expectClose(f(image, { layout: 'NHWC' }), part.reshape(part.shape.slice(1)), 2e-6);
  });
});

it('reads some channels of a wider image in place', () => {
  const wide = Tensor.rand([9, 11, 5], { seed: 1 });
  for (const [from, to] of [
    [0, 1],
    [2, 4],
    [4, 5],
  ] as const) {
    const some = wide.slice([0, 9], [0, 11], [from, to]);
    const y = maxPool2d(some, 2, { layout: 'NHWC' });
    expectSameBits(bits(y), bits(maxPool2d(some.contiguous(), 2, { layout: 'NHWC' })));
  }
});

it('[h, w] is the same in both layouts', () => {
  const x = Tensor.rand([6, 8], { seed: 1 });
  expectSameBits(bits(avgPool2d(x, 2, { layout: 'NHWC' })), bits(avgPool2d(x, 2)));
});

it('shapes', () => {
  expect(pool2dOutputShape([2, 9, 11, 5], 2, { layout: 'NHWC' })).toEqual([2, 4, 5, 5]);
  expect(pool2dOutputShape([9, 11, 5], [3, 2], { layout: 'NHWC' })).toEqual([3, 5, 5]);
});

it.each<Layer>([
  new MaxPool2D(2, { layout: 'NHWC' }),
  new AvgPool2D(2, { layout: 'NHWC' }),
  new LPPool2D(2, 2, { layout: 'NHWC' }),
  new AdaptiveMaxPool2D(2, { layout: 'NHWC' }),
  new AdaptiveAvgPool2D(2, { layout: 'NHWC' }),
])('a layer, its shape, its JSON, its place behind a convolution: %o', async (layer) => {
  const x = Tensor.rand([2, 8, 9, 3], { seed: 2 });
  const y = layer.forward(x);
  expect(y.shape).toEqual(layer.outputShape(x.shape));
  expect(y.shape[3]).toBe(3);
  const copy = layerFromJSON(JSON.parse(JSON.stringify(layer)));
  expectSameBits(bits(copy.forward(x)), bits(y));
  const net = new Sequential([
    new Conv2D({ inChannels: 3, outChannels: 3, kernelSize: 1, layout: 'NHWC', seed: 1 }),
    layer,
  ]);
  expectSameBits(bits(await net.forwardAsync(x)), bits(net.forward(x)));
});
