import { describe, expect, it } from 'vitest';
import {
  ConvTranspose2D,
  conv2d,
  convTranspose2d,
  convTranspose2dOutputShape,
  getThreads,
  layerFromJSON,
  loadSafetensors,
  Sequential,
  saveSafetensors,
  setThreads,
  stateDict,
  Tensor,
} from '../index.ts';
import { bits, expectClose, expectSameBits } from './support/close.ts';
import { expectError, invalidValue, outOfRange, shapeMismatch } from './support/error.ts';

const signed = (shape: number[], seed: number): Tensor => {
  const tensor = Tensor.rand(shape, { seed });
  return new Tensor(
    tensor.data.map((value) => 2 * value - 1),
    shape,
  );
};

describe('convTranspose2d', () => {
  it('spreads each element by the kernel', () => {
    const x = [
      [
        [1, 2],
        [3, 4],
      ],
    ];
    const weight = [
      [
        [
          [1, 10],
          [100, 1000],
        ],
      ],
    ];
    expect(convTranspose2d(x, weight).toArray()).toEqual([
      [
        [1, 12, 20],
        [103, 1234, 2040],
        [300, 3400, 4000],
      ],
    ]);
    expect(convTranspose2d(x, weight, { stride: [3, 2], outputPadding: 1, bias: [5] }).toArray()).toEqual([
      [
        [6, 15, 7, 25, 5],
        [105, 1005, 205, 2005, 5],
        [5, 5, 5, 5, 5],
        [8, 35, 9, 45, 5],
        [305, 3005, 405, 4005, 5],
        [5, 5, 5, 5, 5],
      ],
    ]);
  });

  // <conv2d(x), y> = <x, convTranspose2d(y)>: what makes it the transposed one.
  it.each([
    [[2, 6, 11, 12], [9, 6, 3, 3], { stride: 1, padding: 1 }],
    [[2, 6, 11, 12], [9, 6, 3, 4], { stride: [2, 3], padding: [1, 2] }],
    [[1, 16, 10, 10], [16, 16, 3, 3], { padding: 1, dilation: 2 }],
    [[2, 8, 9, 9], [8, 2, 3, 3], { groups: 4, stride: 2 }],
    [[2, 9, 12, 6], [9, 6, 3, 3], { stride: 2, padding: 1, layout: 'NHWC' }],
  ] as const)('%j * %j is the transpose of conv2d', (xShape, weightShape, options) => {
    const [x, weight] = [signed([...xShape], 1), signed([...weightShape], 2)];
    const y = conv2d(x, weight, options);
    const gy = signed([...y.shape], 3);
    const [h, w] = 'layout' in options ? xShape.slice(1, 3) : xShape.slice(2);
    const back = convTranspose2d(gy, weight, {
      ...options,
      ...outputSize(gy.shape, weightShape, options, h, w),
    });
    expect(back.shape).toEqual(x.shape);
    const dot = (a: Tensor, b: Tensor): number =>
      a.data.reduce((sum, value, i) => sum + value * b.at(...index(b, i)), 0);
    expect(dot(y, gy)).toBeCloseTo(dot(x, back), 2);
  });

  it('computes padding from the output’s sides, by ONNX’s rules', () => {
    const x = Tensor.ones([1, 3, 3]);
    const weight = Tensor.ones([1, 2, 3, 3]);
    // ONNX's operator tests convtranspose_output_shape and convtranspose_autopad_same.
    const y = convTranspose2d(x, weight, { stride: [3, 2], outputShape: [10, 8] });
    expect(y.shape).toEqual([2, 10, 8]);
    expect(y.slice([0, 1]).toArray()).toEqual([
      [...[0, 1, 2, 3, 4, 5, 6, 7, 8].map(() => [1, 1, 2, 1, 2, 1, 1, 0]), [0, 0, 0, 0, 0, 0, 0, 0]],
    ]);
    const same = convTranspose2d(x, weight, { stride: 2, padding: 'same-upper' });
    expect(same.shape).toEqual([2, 6, 6]);
    expect(same.slice([0, 1], [0, 1]).toArray()).toEqual([[[1, 1, 2, 1, 2, 1]]]);
    const lower = convTranspose2d(x, weight, { stride: 2, padding: 'same' });
    expect(lower.slice([0, 1], [0, 1]).toArray()).toEqual([[[1, 2, 1, 2, 1, 1]]]);
    expect(
      convTranspose2d(x, weight, { stride: 2, outputShape: [5, 6], padding: 'same-upper' }).shape,
    ).toEqual([2, 5, 6]);
  });

  it('channels last gives the same numbers in another order', () => {
    const x = signed([2, 5, 6, 7], 1);
    const weight = signed([5, 3, 3, 2], 2);
    for (const stride of [1, 2, 3]) {
      const y = convTranspose2d(x, weight, { stride, padding: 1 });
      const last = convTranspose2d(x.transpose(0, 2, 3, 1), weight, { stride, padding: 1, layout: 'NHWC' });
      expectClose(last.transpose(0, 3, 1, 2), y, 1e-6);
    }
  });

  it('tells its shape', () => {
    const options = { stride: 2, padding: 1, outputPadding: 1, groups: 2 };
    expect(convTranspose2dOutputShape([2, 4, 5, 6], [4, 3, 3, 3], options)).toEqual([2, 6, 10, 12]);
    expect(convTranspose2dOutputShape([5, 6, 4], [4, 3, 3, 3], { layout: 'NHWC' })).toEqual([7, 8, 3]);
    expect(convTranspose2d(Tensor.zeros([0, 4, 5, 6]), Tensor.ones([4, 3, 3, 3]), options).shape).toEqual([
      0, 6, 10, 12,
    ]);
  });

  it('refuses what doesn’t fit', () => {
    const [x, weight] = [Tensor.ones([2, 3, 3]), Tensor.ones([2, 4, 3, 3])];
    const call = (options: object) => () => convTranspose2d(x, weight, options);
    expectError(() => convTranspose2d(Tensor.ones([3, 3, 3]), weight), shapeMismatch('weight'));
    expectError(call({ groups: 3 }), shapeMismatch('groups'));
    expectError(call({ bias: [1, 2] }), shapeMismatch('bias'));
    expectError(call({ outputPadding: 1 }), outOfRange('outputPadding'));
    expectError(call({ stride: 2, outputPadding: [0, 2] }), outOfRange('outputPadding'));
    expectError(call({ padding: 3 }), outOfRange('padding'));
    expectError(call({ outputShape: 6 }), outOfRange('outputShape'));
    expectError(call({ outputShape: 5, padding: 1 }), invalidValue('padding'));
    expectError(call({ algorithm: 'filter2d' }), invalidValue('algorithm'));
  });
});

/** What makes the result exactly [h, w]: of the sizes that one stride allows, the asked one. */
function outputSize(
  gy: readonly number[],
  weight: readonly number[],
  options: object,
  h = 0,
  w = 0,
): { outputPadding: [number, number] } {
  const plain = convTranspose2dOutputShape(gy, weight, options);
  const [height = 0, width = 0] = 'layout' in options ? plain.slice(1, 3) : plain.slice(2);
  return { outputPadding: [h - height, w - width] };
}

function index({ shape }: Tensor, i: number): number[] {
  const place: number[] = [];
  for (const length of [...shape].reverse()) {
    place.unshift(i % length);
    i = Math.floor(i / length);
  }
  return place;
}

describe('ConvTranspose2D', () => {
  const options = {
    inChannels: 6,
    outChannels: 4,
    kernelSize: [3, 2],
    stride: 2,
    padding: [1, 0],
    outputPadding: 1,
    groups: 2,
    activation: 'relu',
    seed: 3,
  } as const;
  const layer = new ConvTranspose2D(options);
  const x = signed([2, 6, 9, 10], 4);

  it('equals its function, in plans and off the event loop too', async () => {
    const { stride, padding, outputPadding, groups, activation } = options;
    const y = convTranspose2d(x, layer.weight, {
      ...{ stride, padding, outputPadding, groups, activation },
      bias: layer.bias ?? [],
    });
    expectSameBits(bits(layer.forward(x)), bits(y));
    expectSameBits(bits(await layer.forwardAsync(x)), bits(y));
    const plan = layer.plan(x.shape);
    expectSameBits(bits(plan.run(x)), bits(y));
    expectSameBits(bits(await plan.runAsync(x, { out: new Float32Array(y.size) })), bits(y));
    expect(layer.outputShape(x.shape)).toEqual(y.shape);
    expect([plan.outputShape, plan.flops]).toEqual([y.shape, 2 * x.size * 2 * 6]);
    expect(plan.algorithm).toMatch(/^[a-z0-9-]+$/);
  });

  it('gives the same bits on any number of threads and of images at a time', () => {
    const threads = getThreads();
    for (const stride of [1, 2]) {
      const wide = new ConvTranspose2D({ inChannels: 24, outChannels: 20, kernelSize: 3, stride, seed: 1 });
      const images = signed([3, 24, 30, 31], 5);
      setThreads(1);
      const y = bits(wide.forward(images));
      setThreads(3);
      expectSameBits(bits(wide.forward(images)), y);
      const parts = [0, 1, 2].flatMap((i) => [...bits(wide.forward(images.slice([i, i + 1])))]);
      expectSameBits(Uint32Array.from(parts), y);
    }
    setThreads(threads);
  });

  it('has a weight of PyTorch’s shape, and its initial numbers', () => {
    expect(layer.weight.shape).toEqual([6, 2, 3, 2]);
    expect([layer.bias?.shape, layer.parameters]).toEqual([[4], 6 * 2 * 6 + 4]);
    const bound = 1 / Math.sqrt(2 * 6);
    expect(Math.max(...layer.weight.data.map(Math.abs))).toBeLessThanOrEqual(bound);
    expect(Math.max(...layer.weight.data.map(Math.abs))).toBeGreaterThan(0.9 * bound);
    const single = new ConvTranspose2D({ kernelSize: [1, 2], bias: false });
    single.weight = [[1, -1]];
    expect(single.forward([[1, 2]]).toArray()).toEqual([[1, 1, -2]]);
  });

  it('travels as JSON and safetensors, in a Sequential too', () => {
    const net = new Sequential([
      layer,
      new ConvTranspose2D({ inChannels: 4, kernelSize: 2, outputShape: [18, 21] }),
    ]);
    const copy = layerFromJSON(JSON.parse(JSON.stringify(net)));
    expect(JSON.stringify(copy)).toBe(JSON.stringify(net));
    expectSameBits(bits(copy.forward(x)), bits(net.forward(x)));
    expect([...stateDict(net).keys()]).toEqual(['0.weight', '0.bias', '1.weight', '1.bias']);
    const other = new ConvTranspose2D({ ...options, seed: 9 });
    loadSafetensors(other, saveSafetensors(layer));
    expectSameBits(bits(other.forward(x)), bits(layer.forward(x)));
    expectError(
      () => ConvTranspose2D.fromJSON({ ...layer.toJSON(), type: 'Conv2D' } as never),
      invalidValue('type'),
    );
    expectError(() => ConvTranspose2D.fromJSON({ ...layer.toJSON(), weight: [1] }), shapeMismatch('weight'));
  });
});
