/** Gradients against PyTorch's in float64, against slopes, and in layers. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  avgPool2d,
  avgPool2dBackward,
  Conv2D,
  ConvTranspose2D,
  conv2d,
  conv2dBackward,
  convTranspose2d,
  convTranspose2dBackward,
  getThreads,
  maxPool2d,
  maxPool2dBackward,
  setLimits,
  setThreads,
  Tensor,
} from '../index.ts';
import { bits, expectClose, expectSameBits } from './support/close.ts';
import { expectError, limitExceeded, outOfRange, shapeMismatch } from './support/error.ts';

interface Encoded {
  shape: number[];
  /** Little-endian float32 in base64. */
  f32: string;
}

type Two = [number, number];

interface ConvCase {
  op: 'conv2d';
  stride: Two;
  padding: Two;
  dilation: Two;
  groups: number;
  x: Encoded;
  weight: Encoded;
  gradOutput: Encoded;
  gradInput: Encoded;
  gradWeight: Encoded;
  gradBias: Encoded;
}

interface PoolCase {
  op: 'pool2d';
  mode: 'max' | 'avg';
  kernelSize: Two;
  stride: Two;
  padding: Two;
  x: Encoded;
  gradOutput: Encoded;
  gradInput: Encoded;
}

const file = new URL('fixtures/gradients.json.gz', import.meta.url);
const all = JSON.parse(gunzipSync(readFileSync(file)).toString()) as (ConvCase | PoolCase)[];
const convolutions = all.filter((c) => c.op === 'conv2d');
const poolings = all.filter((c) => c.op === 'pool2d');

function decode({ shape, f32 }: Encoded): Tensor {
  const bytes = Uint8Array.from(Buffer.from(f32, 'base64'));
  return new Tensor(new Float32Array(bytes.buffer), shape);
}

const signed = (shape: readonly number[], seed: number): Tensor => {
  const tensor = Tensor.rand([...shape], { seed });
  return new Tensor(
    tensor.data.map((value) => 2 * value - 1),
    shape,
  );
};

describe('PyTorch’s gradients', () => {
  it('are the 60 cases of the fixture', () => {
    expect([convolutions.length, poolings.length]).toEqual([40, 20]);
  });

  it.each(convolutions.map((c, i) => [i, c] as const))('convolution %d', (_, c) => {
    const { stride, padding, dilation, groups } = c;
    const [x, weight, gradOutput] = [decode(c.x), decode(c.weight), decode(c.gradOutput)];
    const options = { stride, padding, dilation, groups };
    const gradients = conv2dBackward(x, weight, gradOutput, options);
    expectClose(gradients.input, decode(c.gradInput), 2e-5);
    expectClose(gradients.weight, decode(c.gradWeight), 2e-5);
    expectClose(gradients.bias, decode(c.gradBias), 2e-5);

    const [outChannels = 0, , height = 0, width = 0] = weight.shape;
    const layer = new Conv2D({
      inChannels: x.shape[1],
      outChannels,
      kernelSize: [height, width],
      ...options,
    });
    layer.weight = weight;
    const same = layer.backward(x, gradOutput);
    for (const name of ['input', 'weight', 'bias'] as const) {
      expectSameBits(bits(same[name]), bits(gradients[name]));
    }

    const last = conv2dBackward(x.transpose(0, 2, 3, 1), weight, gradOutput.transpose(0, 2, 3, 1), {
      ...options,
      layout: 'NHWC',
    });
    expectClose(last.input.transpose(0, 3, 1, 2), decode(c.gradInput), 2e-5);
    expectClose(last.weight, decode(c.gradWeight), 2e-5);
    expectClose(last.bias, decode(c.gradBias), 2e-5);
  });

  it.each(poolings.map((c, i) => [i, c] as const))('pooling %d', (_, c) => {
    const { mode, kernelSize, stride, padding } = c;
    const backward = mode === 'max' ? maxPool2dBackward : avgPool2dBackward;
    const result = backward(decode(c.x), decode(c.gradOutput), kernelSize, { stride, padding });
    expectClose(result, decode(c.gradInput), 2e-6);
  });
});

/** Sum of the products of a result and a fixed direction: a loss whose gradient is that direction. */
function dot(a: Tensor, b: Tensor): number {
  const [left, right] = [a.contiguous().data, b.contiguous().data];
  return left.reduce((sum, value, i) => sum + value * (right[i] as number), 0);
}

/** The slope of `loss` along each element of `x`, by differences. */
function slopes(x: Tensor, loss: (x: Tensor) => number, step = 1 / 64): Tensor {
  const slope = Float32Array.from(x.data, (_, i) => {
    const moved = (by: number): Tensor =>
      new Tensor(
        x.data.map((value, j) => (i === j ? value + by : value)),
        x.shape,
      );
    return (loss(moved(step)) - loss(moved(-step))) / (2 * step);
  });
  return new Tensor(slope, x.shape);
}

describe('finite differences', () => {
  it.each([
    ['same padding', { padding: 'same', stride: 2 }],
    [
      'other pads on each side',
      {
        padding: [
          [2, 0],
          [1, 3],
        ],
      },
    ],
    ['reflected', { padding: 2, paddingMode: 'reflect' }],
    ['wrapped, channels last', { padding: 1, paddingMode: 'circular', layout: 'NHWC' }],
    ['repeated, dilated', { padding: 2, paddingMode: 'replicate', dilation: 2 }],
    ['leaky', { activation: { leakyRelu: 0.2 } }],
    ['silu', { activation: 'silu', padding: 1 }],
    ['hardswish', { activation: 'hardswish' }],
  ] as const)('conv2d: %s', (_, options) => {
    const shape = 'layout' in options ? [1, 5, 6, 4] : [1, 4, 5, 6];
    const [x, weight, bias] = [signed(shape, 1), signed([4, 4, 3, 2], 2), signed([4], 3)];
    const y = conv2d(x, weight, { ...options, bias } as never);
    const direction = signed(y.shape, 4);
    const gradients = conv2dBackward(x, weight, direction, { ...options, bias } as never);
    const loss = (a: Tensor, b: Tensor, c: Tensor): number =>
      dot(conv2d(a, b, { ...options, bias: c } as never), direction);
    expectClose(
      slopes(x, (a) => loss(a, weight, bias)),
      gradients.input,
      1e-3,
    );
    expectClose(
      slopes(weight, (b) => loss(x, b, bias)),
      gradients.weight,
      1e-3,
    );
    expectClose(
      slopes(bias, (c) => loss(x, weight, c)),
      gradients.bias,
      1e-3,
    );
  });

  it.each([
    ['plain', {}],
    ['strided', { stride: [2, 3], padding: 1, outputPadding: [1, 2], groups: 2 }],
    ['of a given shape', { stride: 2, outputShape: [9, 10], activation: 'silu' }],
    ['channels last', { stride: 2, dilation: 2, layout: 'NHWC' }],
  ] as const)('convTranspose2d: %s', (_, options) => {
    const shape = 'layout' in options ? [2, 4, 5, 4] : [2, 4, 4, 5];
    const outs = 'groups' in options ? 3 : 6;
    const [x, weight, bias] = [signed(shape, 1), signed([4, outs, 3, 2], 2), signed([6], 3)];
    const y = convTranspose2d(x, weight, { ...options, bias });
    const direction = signed(y.shape, 4);
    const gradients = convTranspose2dBackward(x, weight, direction, { ...options, bias });
    const loss = (a: Tensor, b: Tensor, c: Tensor): number =>
      dot(convTranspose2d(a, b, { ...options, bias: c }), direction);
    expectClose(
      slopes(x, (a) => loss(a, weight, bias)),
      gradients.input,
      1e-3,
    );
    expectClose(
      slopes(weight, (b) => loss(x, b, bias)),
      gradients.weight,
      1e-3,
    );
    expectClose(
      slopes(bias, (c) => loss(x, weight, c)),
      gradients.bias,
      1e-3,
    );
  });

  it.each([
    ['overlapping windows', 3, { stride: 1, padding: 1 }],
    ['windows apart', 2, { stride: 3 }],
    ['dilated, rounded up', [2, 3], { stride: 2, dilation: 2, ceilMode: true }],
    ['channels last', 3, { stride: 2, padding: 1, layout: 'NHWC' }],
  ] as const)('pooling: %s', (_, kernelSize, options) => {
    const x = signed('layout' in options ? [2, 7, 8, 3] : [2, 3, 7, 8], 5);
    for (const [forward, backward] of [
      [maxPool2d, maxPool2dBackward],
      [avgPool2d, avgPool2dBackward],
    ] as const) {
      const direction = signed(forward(x, kernelSize, options).shape, 6);
      const loss = (a: Tensor): number => dot(forward(a, kernelSize, options), direction);
      // So small a step changes no maximum of these numbers.
      const slope = slopes(x, loss, 1 / 8192);
      expectClose(slope, backward(x, direction, kernelSize, options), 5e-3);
    }
  });

  it('avgPool2d: divisors of every kind', () => {
    const x = Tensor.ones([4, 4]);
    const y = Tensor.ones([3, 3]);
    const corner = (options: object): number =>
      avgPool2dBackward(x, y, 2, { padding: 1, ...options }).at(0, 0);
    expect([corner({}), corner({ countIncludePad: false }), corner({ divisorOverride: 2 })]).toEqual([
      0.25, 1, 0.5,
    ]);
  });
});

describe('maxPool2dBackward', () => {
  it('gives to the first of equal elements, and to the last NaN', () => {
    const x = [
      [1, 1, Number.NaN, 0],
      [1, 1, 5, Number.NaN],
    ];
    expect(maxPool2dBackward(x, [[3, 4]], 2).toArray()).toEqual([
      [3, 0, 0, 0],
      [0, 0, 0, 4],
    ]);
  });

  it('adds up where windows share their maximum', () => {
    expect(maxPool2dBackward([[0, 9, 0]], [[3, 4]], [1, 2], { stride: 1 }).toArray()).toEqual([[0, 7, 0]]);
  });
});

describe('layers', () => {
  const layer = new Conv2D({ inChannels: 2, outChannels: 3, kernelSize: 3, seed: 1 });
  const x = signed([4, 2, 6, 7], 2);

  it('step goes against the gradient', () => {
    const [weight, bias] = [layer.weight, layer.bias as Tensor];
    const gradients = layer.backward(x, signed([4, 3, 4, 5], 3));
    const before = layer.forward(x);
    layer.step(gradients, { lr: 0.5 });
    const moved = (a: Tensor, b: Tensor): Float32Array =>
      a.data.map((value, i) => value - 0.5 * (b.data[i] as number));
    expect(layer.weight.data).toEqual(moved(weight, gradients.weight));
    expect(layer.bias?.data).toEqual(moved(bias, gradients.bias));
    expect(layer.forward(x)).not.toEqual(before);
    const copy = Conv2D.fromJSON(layer.toJSON());
    copy.bias = null;
    copy.step({ weight: gradients.weight }, { lr: 0 });
    expect(copy.weight.data).toEqual(layer.weight.data);
  });

  it('take [h, w] where they have one channel', () => {
    const edge = new Conv2D([1, 2]);
    edge.weight = [[1, -1]];
    const gradients = edge.backward([[1, 2, 4]], [[1, 10]]);
    expect(gradients.input.toArray()).toEqual([[1, 9, -10]]);
    expect(gradients.weight.toArray()).toEqual([[[[21, 42]]]]);
    expect(gradients.bias.toArray()).toEqual([11]);
    edge.step(gradients, { lr: 1 });
    expect(edge.weight.toArray()).toEqual([[[[-20, -43]]]]);
  });

  it('refuse what doesn’t fit, and stay as they are', () => {
    const before = layer.toJSON();
    const good = layer.backward(x, signed([4, 3, 4, 5], 3));
    expectError(() => layer.backward(x, Tensor.ones([4, 3, 4, 4])), shapeMismatch('gradOutput'));
    expectError(
      () => layer.backward(Tensor.ones([4, 3, 6, 7]), Tensor.ones([4, 3, 4, 5])),
      shapeMismatch('weight'),
    );
    expectError(() => layer.step({ ...good, weight: [1] }, { lr: 1 }), shapeMismatch('gradients.weight'));
    expectError(() => layer.step({ ...good, bias: [1] }, { lr: 1 }), shapeMismatch('gradients.bias'));
    expectError(() => layer.step(good, { lr: -1 }), outOfRange('lr'));
    expect(layer.toJSON()).toEqual(before);
  });

  it('ConvTranspose2D has the gradients of its function', () => {
    const up = new ConvTranspose2D({ inChannels: 2, outChannels: 3, kernelSize: 3, stride: 2, seed: 1 });
    const direction = signed(up.outputShape(x.shape), 4);
    const gradients = up.backward(x, direction);
    const expected = convTranspose2dBackward(x, up.weight, direction, { stride: 2 });
    for (const name of ['input', 'weight', 'bias'] as const) {
      expectSameBits(bits(gradients[name]), bits(expected[name]));
    }
    up.step(gradients, { lr: 0.1 });
    expect(up.forward(x).shape).toEqual([4, 3, 13, 15]);
  });
});

describe('bits', () => {
  it('are the same on any number of threads', () => {
    const threads = getThreads();
    const [x, weight] = [signed([3, 24, 30, 31], 1), signed([20, 24, 3, 3], 2)];
    const direction = signed([3, 20, 30, 31], 3);
    const gradients = [1, 3].map((count) => {
      setThreads(count);
      return conv2dBackward(x, weight, direction, { padding: 1 });
    });
    setThreads(threads);
    for (const name of ['input', 'weight', 'bias'] as const) {
      expectSameBits(bits(gradients[1]?.[name] as Tensor), bits(gradients[0]?.[name] as Tensor));
    }
    const parts = [0, 1, 2].flatMap((i) => [
      ...bits(conv2dBackward(x.slice([i, i + 1]), weight, direction.slice([i, i + 1]), { padding: 1 }).input),
    ]);
    expectSameBits(Uint32Array.from(parts), bits(gradients[0]?.input as Tensor));
  });

  it('of an empty batch are zeros', () => {
    const gradients = conv2dBackward(
      Tensor.zeros([0, 2, 5, 5]),
      Tensor.ones([3, 2, 3, 3]),
      Tensor.zeros([0, 3, 3, 3]),
    );
    expect(gradients.input.shape).toEqual([0, 2, 5, 5]);
    expect(gradients.weight.toArray()).toEqual(Tensor.zeros([3, 2, 3, 3]).toArray());
    expect(maxPool2dBackward(Tensor.zeros([0, 2, 4, 4]), Tensor.zeros([0, 2, 2, 2]), 2).shape).toEqual([
      0, 2, 4, 4,
    ]);
  });

  it('count twice the forward pass’s operations', () => {
    const [x, weight, direction] = [
      Tensor.ones([1, 4, 4]),
      Tensor.ones([1, 1, 3, 3]),
      Tensor.ones([1, 2, 2]),
    ];
    setLimits({ maxFlops: 2 * 72 - 1 });
    try {
      expectError(() => conv2dBackward(x, weight, direction), limitExceeded('call'));
    } finally {
      setLimits({ maxFlops: Number.POSITIVE_INFINITY });
    }
    expect(conv2dBackward(x, weight, direction).bias.toArray()).toEqual([4]);
  });
});
