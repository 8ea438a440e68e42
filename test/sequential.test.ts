import { describe, expect, it } from 'vitest';
import {
  AdaptiveAvgPool2D,
  AdaptiveMaxPool2D,
  AvgPool2D,
  avgPool2d,
  Conv2D,
  type Layer,
  LPPool2D,
  layerFromJSON,
  MaxPool2D,
  Sequential,
  type SequentialJSON,
  Tensor,
} from '../index.ts';
import { bits, expectSameBits } from './support/close.ts';
import {
  expectError,
  invalidType,
  invalidValue,
  outOfRange,
  overlap,
  shapeMismatch,
} from './support/error.ts';

const conv = new Conv2D({ inChannels: 2, outChannels: 3, kernelSize: 3, padding: 1, seed: 1 });
const pool = new AvgPool2D(2);
const inner = new Sequential([
  new Conv2D({ inChannels: 3, outChannels: 1, kernelSize: 1, bias: false, seed: 2 }),
]);
const net = new Sequential([conv, pool, inner]);
const x = Tensor.rand([2, 2, 6, 8], { seed: 3 });

describe('Sequential', () => {
  it('runs its layers in order', () => {
    const expected = inner.forward(avgPool2d(conv.forward(x), 2));
    const y = net.forward(x);
    expect(y.shape).toEqual([2, 1, 3, 4]);
    expectSameBits(bits(y), bits(expected));
    expect(net.outputShape(x.shape)).toEqual(y.shape);
    expect(net.outputShape([2, 9, 9])).toEqual([1, 4, 4]);
    expect(net.layers).toEqual([conv, pool, inner]);
  });

  it('has the parameters of its layers', () => {
    expect(net.parameters).toBe(2 * 3 * 9 + 3 + 3);
  });

  it('writes into out', () => {
    const out = Tensor.zeros([2, 1, 3, 4]);
    expect(net.forward(x, { out })).toBe(out);
    expectSameBits(bits(out), bits(net.forward(x)));
    const flat = new Float32Array(24);
    expect(net.forward(x, { out: flat }).data).toBe(flat);
  });

  it('takes every form of input, and views', () => {
    const view = Tensor.rand([8, 6, 2], { seed: 4 }).transpose();
    expectSameBits(bits(net.forward(view)), bits(net.forward(view.contiguous())));
    expectSameBits(bits(net.forward(view.toArray() as number[][][])), bits(net.forward(view)));
  });

  it('takes any layer, such as a user’s', () => {
    const negate: Layer = {
      parameters: 0,
      forward: (input) => {
        const tensor = Tensor.from(input);
        return new Tensor(
          tensor.contiguous().data.map((v) => -v),
          tensor.shape,
        );
      },
      outputShape: (shape) => [...shape],
      toJSON: () => ({ type: 'Negate' }),
    };
    const y = new Sequential([negate, new MaxPool2D(2)]).forward(Tensor.from([[1, 2, 3, 4]]).reshape(2, 2));
    expect(y.toArray()).toEqual([[-1]]);
    expectError(() => Sequential.fromJSON(new Sequential([negate]).toJSON()), invalidValue('json.type'));
  });

  it('does not follow the array that it was made of', () => {
    const layers: Layer[] = [pool];
    const own = new Sequential(layers);
    layers.pop();
    expect(own.layers).toEqual([pool]);
    expect(Object.isFrozen(own.layers)).toBe(true);
  });
});

describe('errors', () => {
  it('name the layer', () => {
    const wrong = new Sequential([conv, pool, conv]);
    expectError(() => wrong.forward(x), shapeMismatch('(layers[2])'));
    expectError(() => wrong.outputShape(x.shape), shapeMismatch('(layers[2])'));
    const nested = new Sequential([wrong]);
    expectError(() => nested.outputShape(x.shape), shapeMismatch('(layers[2]) (layers[0])'));
    expectError(() => net.outputShape([2, 1, 1]), outOfRange('(layers[1])'));
  });

  it('come before out is written', () => {
    const guard = new Float32Array(23).fill(7.25);
    expectError(() => net.forward(x, { out: guard }), shapeMismatch('out'));
    expect(guard.every((v) => v === 7.25)).toBe(true);
    expectError(() => net.forward(x, { out: x.data.subarray(0, 24) }), overlap('x'));
  });

  it.each<[unknown, ReturnType<typeof invalidType>]>([
    [undefined, invalidType('layers')],
    [conv, invalidType('layers')],
    [[], invalidValue('layers')],
    [[conv, null], invalidType('layers[1]')],
    [new Array(2), invalidType('layers[0]')],
    [[conv, { forward: () => x }], invalidType('layers[1]')],
    [[(input: Tensor) => input], invalidType('layers[0]')],
  ])('new Sequential(%o)', (layers, expected) => {
    expectError(() => new Sequential(layers as Layer[]), expected);
  });
});

describe('JSON of every layer', () => {
  const layers: [Layer, number[]][] = [
    [conv, [2, 5, 6]],
    [new AdaptiveMaxPool2D([null, 4]), [6, 6]],
    [new LPPool2D(1.5, [3, 2], { stride: 2, padding: 1, ceilMode: true }), [6, 6]],
    [new AdaptiveAvgPool2D(1), [2, 5, 7]],
    [new MaxPool2D(2), [6, 6]],
    [
      new MaxPool2D([3, 2], {
        stride: [2, 1],
        padding: [
          [1, 0],
          [1, 1],
        ],
        dilation: 2,
        ceilMode: 'onnx',
      }),
      [2, 9, 9],
    ],
    [new AvgPool2D(3, { padding: 'same', countIncludePad: false, ceilMode: true }), [1, 1, 7, 7]],
    [new AvgPool2D(2, { divisorOverride: 3, stride: 1 }), [5, 5]],
    [net, [2, 6, 6]],
  ];

  it.each(layers)('%o comes back the same', (layer, shape) => {
    const json = JSON.parse(JSON.stringify(layer)) as SequentialJSON;
    const copy = layerFromJSON(json);
    expect(copy).toBeInstanceOf(layer.constructor);
    expect(copy.toJSON()).toEqual(layer.toJSON());
    const input = Tensor.rand(shape, { seed: 9 });
    expectSameBits(bits(copy.forward(input)), bits(layer.forward(input)));
  });

  it('throws for what isn’t a layer', () => {
    const from = (json: unknown) => () => layerFromJSON(json as never);
    for (const json of [undefined, null, 3, 'Conv2D', [], new Map()]) {
      expectError(from(json), invalidType('json'));
    }
    expectError(from({}), invalidType('json.type'));
    expectError(from({ type: 'toString' }), invalidValue('json.type'));
    expectError(from({ type: 'Sequential' }), invalidType('json.layers'));
    expectError(from({ type: 'Sequential', layers: [] }), invalidValue('layers'));
    expectError(from({ type: 'Sequential', layers: [{ type: 'x' }] }), invalidValue('(layers[0])'));
    expectError(from({ type: 'MaxPool2D' }), invalidType('kernelSize'));
    expectError(() => MaxPool2D.fromJSON(pool.toJSON() as never), invalidValue('json.type'));
    expectError(() => AvgPool2D.fromJSON({ ...pool.toJSON(), stride: 0 }), outOfRange('stride'));
  });
});
