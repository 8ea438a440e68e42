import { describe, expect, it } from 'vitest';
import {
  AdaptiveAvgPool2D,
  AdaptiveMaxPool2D,
  AvgPool2D,
  adaptiveAvgPool2d,
  adaptiveMaxPool2d,
  avgPool2d,
  Conv2D,
  conv2d,
  corr2d,
  globalAvgPool2d,
  globalMaxPool2d,
  type Init,
  LPPool2D,
  lpPool2d,
  MaxPool2D,
  maxPool2d,
  Tensor,
} from '../index.ts';
import { bits, expectSameBits } from './support/close.ts';
import {
  expectError,
  invalidType,
  invalidValue,
  outOfRange,
  shapeMismatch,
  unknownOption,
} from './support/error.ts';

describe('Conv2D: the seed’s form', () => {
  it('takes a side or two, and gives as many axes as it gets', () => {
    const layer = new Conv2D([1, 2]);
    layer.weight = [[1, -1]];
    expect(layer.kernelSize).toEqual([1, 2]);
    expect(layer.weight.shape).toEqual([1, 1, 1, 2]);
    const x = Tensor.from([[1, 1, 0, 0]]);
    expect(layer.forward(x).toArray()).toEqual([[0, 1, 0]]);
    expect(layer.forward(x.reshape(1, 1, 4)).toArray()).toEqual([[[0, 1, 0]]]);
    expect(layer.forward(x.reshape(1, 1, 1, 4)).toArray()).toEqual([[[[0, 1, 0]]]]);
    expect(new Conv2D(3).kernelSize).toEqual([3, 3]);
  });
});

describe('Conv2D: initial numbers', () => {
  const options = { inChannels: 6, outChannels: 20, kernelSize: [3, 5], groups: 2, seed: 7 } as const;
  const fanIn = 3 * 3 * 5;
  const fanOut = 20 * 3 * 5;

  it.each<[Init, number, number, number]>([
    ['kaimingUniform', -1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn)],
    ['uniform', 0, 1, 0],
    ['xavierUniform', -Math.sqrt(6 / (fanIn + fanOut)), Math.sqrt(6 / (fanIn + fanOut)), 0],
    ['zeros', 0, 0, 0],
  ])('%s: weight within [%d, %d], bias within ±%d', (init, low, high, biasBound) => {
    const layer = new Conv2D({ ...options, init });
    const { data } = layer.weight;
    // One rounding to float32 may step over the bound.
    const slack = 1e-7;
    expect(Math.min(...data)).toBeGreaterThanOrEqual(low - slack);
    expect(Math.max(...data)).toBeLessThanOrEqual(high + slack);
    // 900 numbers fill the range nearly.
    expect(Math.max(...data) - Math.min(...data)).toBeGreaterThanOrEqual(0.97 * (high - low));
    const bias = layer.bias?.data ?? [];
    expect(bias).toHaveLength(20);
    expect(Math.max(...bias.map(Math.abs))).toBeLessThanOrEqual(biasBound + slack);
    expect(Math.max(...bias.map(Math.abs))).toBeGreaterThanOrEqual(0.5 * biasBound);
  });

  it('is kaimingUniform unless told otherwise', () => {
    expect(new Conv2D(options).weight).toEqual(new Conv2D({ ...options, init: 'kaimingUniform' }).weight);
  });

  it('is fixed by the seed, and only by it', () => {
    expect(new Conv2D(options).toJSON()).toEqual(new Conv2D(options).toJSON());
    expect(new Conv2D({ ...options, seed: 8 }).weight.toArray()).not.toEqual(
      new Conv2D(options).weight.toArray(),
    );
    const { seed: _, ...unseeded } = options;
    expect(new Conv2D(unseeded).weight.toArray()).not.toEqual(new Conv2D(unseeded).weight.toArray());
    const first = new Conv2D({ kernelSize: 1, seed: 42, init: 'uniform' }).weight.data[0];
    expect(first).toBe(Tensor.rand([1], { seed: 42 }).data[0]);
  });
});

describe('the numbers of a seed', () => {
  // Computed in Python from the definitions of SplitMix32, xoshiro128++ and `Init`, for the seed 2⁴⁰ + 7.
  const options = { inChannels: 2, kernelSize: [1, 2], seed: 2 ** 40 + 7 } as const;
  const uniform = [0.40779078006744385, 0.6149626970291138, 0.5434342622756958, 0.3112090826034546];
  it.each<[Init, number[], number]>([
    [
      'kaimingUniform',
      [-0.09220921993255615, 0.11496269702911377, 0.0434342622756958, -0.1887909173965454],
      -0.06420272588729858,
    ],
    ['uniform', uniform, 0],
    ['xavierUniform', [-0.1844184398651123, 0.22992539405822754, 0.0868685245513916, -0.3775818347930908], 0],
  ])('are the same on every machine: %s', (init, weight, bias) => {
    const layer = new Conv2D({ ...options, init });
    expect([...layer.weight.data]).toEqual(weight);
    expect(layer.bias?.at(0)).toBe(bias);
  });

  it('are the same on every machine: Tensor.rand', () => {
    expect([...Tensor.rand([4], { seed: options.seed }).data]).toEqual(uniform);
  });
});

describe('Conv2D: weight and bias', () => {
  const x = Tensor.rand([2, 5, 6], { seed: 1 });

  it('come out as snapshots and go in as copies', () => {
    const layer = new Conv2D({ inChannels: 2, outChannels: 3, kernelSize: 2, seed: 1 });
    const before = layer.forward(x);
    layer.weight.data.fill(0);
    layer.bias?.data.fill(0);
    expectSameBits(bits(layer.forward(x)), bits(before));
    const weight = Tensor.ones([3, 2, 2, 2]);
    layer.weight = weight;
    const after = layer.forward(x);
    weight.data.fill(9);
    expectSameBits(bits(layer.forward(x)), bits(after));
    expectSameBits(bits(after), bits(conv2d(x, Tensor.ones([3, 2, 2, 2]), { bias: layer.bias ?? [] })));
  });

  it('are packed anew when they change, but not in a plan made before', () => {
    const layer = new Conv2D({ inChannels: 2, outChannels: 1, kernelSize: 1, init: 'zeros' });
    const plan = layer.plan([2, 5, 6]);
    layer.forward(x);
    layer.bias = [2];
    expect(layer.forward(x).at(0, 0, 0)).toBe(2);
    layer.weight = [[[[1]], [[0]]]];
    expect(layer.forward(x).at(0, 1, 2)).toBe(Math.fround(x.at(0, 1, 2) + 2));
    expect(plan.run(x).at(0, 1, 2)).toBe(0);
  });

  it('may be views', () => {
    const layer = new Conv2D({ inChannels: 2, outChannels: 3, kernelSize: 1 });
    layer.weight = Tensor.from([
      [
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
      ],
    ]).transpose();
    expect(layer.weight.toArray()).toEqual([
      [[[1]], [[4]]],
      [[[2]], [[5]]],
      [[[3]], [[6]]],
    ]);
  });

  it('bias: false, and null, take the bias away', () => {
    const layer = new Conv2D({ inChannels: 2, outChannels: 3, kernelSize: 2, bias: false });
    expect(layer.bias).toBeNull();
    expect(layer.parameters).toBe(24);
    layer.bias = [1, 2, 3];
    expect(layer.parameters).toBe(27);
    layer.bias = null;
    expectSameBits(bits(layer.forward(x)), bits(conv2d(x, layer.weight)));
  });

  it('must have the layer’s shape', () => {
    const layer = new Conv2D({ inChannels: 2, outChannels: 3, kernelSize: 2 });
    const before = layer.toJSON();
    expectError(() => {
      layer.weight = Tensor.ones([3, 2, 2, 1]);
    }, shapeMismatch('weight'));
    expectError(() => {
      layer.weight = [
        [1, 2],
        [3, 4],
      ];
    }, shapeMismatch('weight'));
    expectError(() => {
      layer.weight = 3 as never;
    }, invalidType('weight'));
    expectError(() => {
      layer.bias = [1, 2];
    }, shapeMismatch('bias'));
    expectError(() => {
      layer.bias = undefined as never;
    }, invalidType('bias'));
    expect(layer.toJSON()).toEqual(before);
  });
});

describe('Conv2D: many input shapes', () => {
  it('gives each the result of the function, back and forth', () => {
    const layer = new Conv2D({ kernelSize: 3, padding: 1, seed: 3 });
    const inputs = Array.from({ length: 12 }, (_, i) => Tensor.rand([4 + i, 5 + (i % 3)], { seed: i }));
    const bias = layer.bias ?? [];
    for (const x of [...inputs, ...inputs.reverse(), ...inputs.slice(3, 6), ...inputs.slice(3, 6)]) {
      const y = layer.forward(x);
      const expected = conv2d(x.reshape(1, ...x.shape), layer.weight, { padding: 1, bias });
      expect(y.shape).toEqual(x.shape);
      expectSameBits(bits(y), bits(expected));
    }
  });
});

describe('Conv2D: activation', () => {
  const x = Tensor.from([[[-4, -1, -0.5, 0, 0.5, 2, 5, 9]]]);
  const apply = (f: (v: number) => number): number[] => [...x.data].map(f);
  it.each([
    ['none', 'none', (v: number) => v],
    ['relu', 'relu', (v: number) => Math.max(v, 0)],
    ['relu6', 'relu6', (v: number) => Math.min(Math.max(v, 0), 6)],
    ['leakyRelu', { leakyRelu: 0.25 }, (v: number) => (v < 0 ? v / 4 : v)],
    ['clamp', { clamp: [-1, 3] }, (v: number) => Math.min(Math.max(v, -1), 3)],
    ['clamp to infinity', { clamp: [1, Number.POSITIVE_INFINITY] }, (v: number) => Math.max(v, 1)],
    ['silu', 'silu', (v: number) => v / (1 + Math.exp(-v))],
    ['hardswish', 'hardswish', (v: number) => (v * Math.min(Math.max(v + 3, 0), 6)) / 6],
  ] as const)('%s', (_, activation, f) => {
    const layer = new Conv2D({ kernelSize: 1, bias: false, activation });
    layer.weight = [[1]];
    const y = layer.forward(x);
    expect([...y.data].map((v) => v.toFixed(5))).toEqual(apply(f).map((v) => v.toFixed(5)));
    expectSameBits(bits(conv2d(x, layer.weight, { activation })), bits(y));
  });
});

describe('Conv2D: JSON', () => {
  const x = Tensor.rand([2, 4, 9, 9], { seed: 5 });

  it.each([
    {},
    {
      stride: [2, 1],
      padding: [
        [1, 0],
        [2, 1],
      ],
      dilation: 2,
      paddingMode: 'replicate',
    },
    { padding: 'valid', bias: false, activation: 'relu6' },
    { padding: 'same', groups: 2, activation: { leakyRelu: 0.1 } },
    { padding: 'same-upper', activation: { clamp: [-1, 1] }, algorithm: 'direct' },
  ] as const)('%o comes back the same to the bit', (options) => {
    const layer = new Conv2D({ inChannels: 4, outChannels: 6, kernelSize: [3, 2], seed: 2, ...options });
    const copy = Conv2D.fromJSON(JSON.parse(JSON.stringify(layer)));
    expect(copy.toJSON()).toEqual(layer.toJSON());
    expectSameBits(bits(copy.forward(x)), bits(layer.forward(x)));
  });

  it('keeps NaN, infinities and −0', () => {
    const layer = new Conv2D([1, 5]);
    const odd = Tensor.from([[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0.1, -0]]);
    layer.weight = odd;
    const copy = Conv2D.fromJSON(JSON.parse(JSON.stringify(layer)));
    expect([...copy.weight.data]).toEqual([...odd.data]);
  });

  it('throws for what isn’t a layer', () => {
    const json = new Conv2D(2).toJSON();
    const from = (value: unknown) => () => Conv2D.fromJSON(value as never);
    expectError(from(undefined), invalidType('json'));
    expectError(from('{}'), invalidType('json'));
    expectError(from({}), invalidValue('type'));
    expectError(from({ ...json, type: 'Dense' }), invalidValue('type'));
    expectError(from({ ...json, extra: 1 }), unknownOption('extra'));
    expectError(from({ ...json, weight: [1, 2] }), shapeMismatch('weight'));
    expectError(from({ ...json, weight: [1, 2, 3, '4'] }), invalidType('json.weight[3]'));
    expectError(from({ ...json, weight: undefined }), invalidType('json.weight'));
    expectError(from({ ...json, bias: [] }), shapeMismatch('bias'));
    expectError(from({ ...json, kernelSize: [2, 0] }), outOfRange('kernelSize[1]'));
  });
});

describe('plans', () => {
  it('tell what they do', () => {
    const plan = new Conv2D({ inChannels: 3, outChannels: 8, kernelSize: 3, padding: 1 }).plan([
      2, 3, 10, 12,
    ]);
    expect(plan.inputShape).toEqual([2, 3, 10, 12]);
    expect(plan.outputShape).toEqual([2, 8, 10, 12]);
    expect(plan.flops).toBe(2 * 2 * 8 * 10 * 12 * 3 * 3 * 3);
    expect(plan.bytes).toBeGreaterThan(0);
    expect(plan.algorithm).toMatch(/^[a-z0-9]+$/);
    expect(Object.isFrozen(plan.outputShape)).toBe(true);
  });

  it('take every form of input, views and `out`', () => {
    const layer = new Conv2D({ kernelSize: 2, seed: 1 });
    const plan = layer.plan([3, 4], { threads: 1 });
    const x = Tensor.rand([6, 8], { seed: 2 });
    const crop = x.slice([1, 4], [3, 7]);
    const expected = bits(layer.forward(crop));
    const out = new Float32Array(6);
    expectSameBits(bits(plan.run(crop)), expected);
    expectSameBits(bits(plan.run(crop.toArray() as number[][])), expected);
    expectSameBits(bits(plan.run(crop.transpose().contiguous().transpose(), { out })), expected);
    expectSameBits(bits(new Tensor(out, [6])), expected);
  });

  it('of an empty batch give an empty result', () => {
    const layer = new Conv2D({ inChannels: 3, outChannels: 4, kernelSize: 2 });
    expect(layer.plan([0, 3, 5, 5]).run(Tensor.zeros([0, 3, 5, 5])).shape).toEqual([0, 4, 4, 4]);
    expect(layer.forward(Tensor.zeros([0, 3, 5, 5])).size).toBe(0);
    expect(new MaxPool2D(2).forward(Tensor.zeros([0, 3, 5, 5])).shape).toEqual([0, 3, 2, 2]);
    expect(conv2d(Tensor.zeros([0, 3, 5, 5]), layer.weight, { out: new Float32Array(0) }).size).toBe(0);
  });
});

describe('adaptive and global pooling', () => {
  const x = Tensor.from([
    [1, 2, 3],
    [4, Number.NaN, 6],
  ]);

  it('takes windows that overlap, and repeats where the result is larger', () => {
    expect(adaptiveMaxPool2d(x, [2, 2]).toArray()).toEqual([
      [2, 3],
      [Number.NaN, Number.NaN],
    ]);
    expect(adaptiveAvgPool2d(Tensor.from([[1, 5]]), [2, 3]).toArray()).toEqual([
      [1, 3, 5],
      [1, 3, 5],
    ]);
  });

  it('keeps a side that is null', () => {
    // Not by bits: a NaN's sign is the engine's choice in WebAssembly.
    expect(adaptiveMaxPool2d(x, null).toArray()).toEqual(x.toArray());
    expect(adaptiveAvgPool2d(Tensor.ones([2, 4, 5]), [null, 2]).shape).toEqual([2, 4, 2]);
  });

  it('of a whole plane keeps sides of 1', () => {
    const planes = new Tensor(
      Float32Array.from({ length: 24 }, (_, i) => i),
      [2, 3, 4],
    );
    expect(globalMaxPool2d(planes).toArray()).toEqual([[[11]], [[23]]]);
    expect(globalAvgPool2d(planes.transpose(0, 2, 1)).toArray()).toEqual([[[5.5]], [[17.5]]]);
    expect(globalAvgPool2d(Tensor.zeros([0, 3, 5, 5])).shape).toEqual([0, 3, 1, 1]);
    const out = new Float32Array(2);
    expect(globalAvgPool2d(planes, { out }).data).toBe(out);
  });

  it('layers give the same as the functions, run off the event loop, and tell their shapes', async () => {
    const image = Tensor.rand([2, 3, 9, 10], { seed: 4 });
    for (const [layer, pool] of [
      [new AdaptiveMaxPool2D([4, null]), adaptiveMaxPool2d],
      [new AdaptiveAvgPool2D([4, null]), adaptiveAvgPool2d],
    ] as const) {
      const y = pool(image, [4, null]);
      expectSameBits(bits(layer.forward(image)), bits(y));
      expectSameBits(bits(await layer.forwardAsync(image)), bits(y));
      expectSameBits(bits(layer.plan(image.shape).run(image)), bits(y));
      expect(layer.outputShape(image.shape)).toEqual(y.shape);
      expect(layer.outputSize).toEqual([4, null]);
    }
  });
});

describe('lpPool2d', () => {
  const x = Tensor.from([
    [3, -4, Number.NaN],
    [0, 12, 1],
  ]);

  it('is the norm of the absolute values', () => {
    expect(lpPool2d(x, 2, 2).toArray()).toEqual([[13]]);
    expect(lpPool2d(x, 1, [1, 2], { stride: 1 }).toArray()).toEqual([
      [7, Number.NaN],
      [12, 13],
    ]);
    expect(lpPool2d(x, 3, [2, 1], { stride: [1, 3] }).data[0]).toBeCloseTo(3, 6);
    expect(lpPool2d(Tensor.from([[4, -9]]), 0.5, [1, 2]).data[0]).toBeCloseTo(25, 5);
  });

  it('adds nothing for padding, and scales an incomplete last window', () => {
    expect(lpPool2d(Tensor.ones([2, 2]), 1, 2, { padding: 1 }).toArray()).toEqual([
      [1, 1],
      [1, 1],
    ]);
    expect(lpPool2d(Tensor.ones([1, 3]), 1, [1, 2], { ceilMode: true }).toArray()).toEqual([[2, 2]]);
  });

  it('the layer gives the same, off the event loop too', async () => {
    const image = Tensor.rand([2, 3, 9, 10], { seed: 4 });
    const options = { stride: 2, padding: 1, dilation: 2, ceilMode: true } as const;
    const layer = new LPPool2D(3, 3, options);
    const y = lpPool2d(image, 3, 3, options);
    expectSameBits(bits(layer.forward(image)), bits(y));
    expectSameBits(bits(await layer.forwardAsync(image)), bits(y));
    expect(layer.outputShape(image.shape)).toEqual(y.shape);
    expect(layer.normType).toBe(3);
  });
});

describe('MaxPool2D and AvgPool2D', () => {
  const x = Tensor.rand([2, 3, 9, 11], { seed: 6 });

  it('equal their functions', () => {
    const options = { stride: [2, 3], padding: 1, ceilMode: true } as const;
    expectSameBits(bits(new MaxPool2D([3, 2], options).forward(x)), bits(maxPool2d(x, [3, 2], options)));
    const more = { ...options, countIncludePad: false, divisorOverride: 5 };
    expectSameBits(bits(new AvgPool2D([3, 2], more).forward(x)), bits(avgPool2d(x, [3, 2], more)));
    expect(new MaxPool2D([3, 2], options).outputShape(x.shape)).toEqual(maxPool2d(x, [3, 2], options).shape);
  });

  it('have plans, shapes and no parameters', () => {
    const layer = new AvgPool2D(2, { stride: 1 });
    expect([layer.kernelSize, layer.stride, layer.parameters]).toEqual([[2, 2], [1, 1], 0]);
    const plan = layer.plan(x.shape, { threads: 2 });
    expect(plan.outputShape).toEqual([2, 3, 8, 10]);
    expectSameBits(bits(plan.run(x)), bits(layer.forward(x)));
  });

  it('propagate NaN and pad with −∞', () => {
    const image = Tensor.from([
      [-5, -6, -7],
      [-8, Number.NaN, -9],
      [-1, -2, -3],
    ]);
    expect(maxPool2d(image, 2, { padding: 1 }).toArray()).toEqual([
      [-5, -6],
      [-1, Number.NaN],
    ]);
    expect(maxPool2d(image, [1, 3], { stride: 1 }).toArray()).toEqual([[-5], [Number.NaN], [-1]]);
  });

  it('ceilMode drops a window that starts in the padding, by PyTorch’s rule', () => {
    expect(maxPool2d(Tensor.ones([5, 5]), 2, { ceilMode: true }).shape).toEqual([3, 3]);
    expect(maxPool2d(Tensor.ones([3, 3]), 2, { padding: 1, ceilMode: true }).shape).toEqual([2, 2]);
    expect(maxPool2d(Tensor.ones([5, 5]), 2).shape).toEqual([2, 2]);
  });

  it('average with dilation, and by ONNX’s ceilMode', () => {
    const image = Tensor.from({ data: Float32Array.from({ length: 16 }, (_, i) => i), shape: [4, 4] });
    expect(avgPool2d(image, 2, { dilation: 2, stride: 1 }).toArray()).toEqual([
      [5, 6],
      [9, 10],
    ]);
    // ONNX's operator test averagepool_2d_ceil.
    const one = Tensor.from({
      data: Float32Array.from({ length: 16 }, (_, i) => i + 1),
      shape: [1, 1, 4, 4],
    });
    expect(avgPool2d(one, 3, { stride: 2, ceilMode: 'onnx' }).toArray()).toEqual([
      [
        [
          [6, 7.5],
          [12, 13.5],
        ],
      ],
    ]);
  });
});

describe('algorithms', () => {
  it('agree where they can be chosen', () => {
    const x = Tensor.rand([4, 9, 9], { seed: 1 });
    const k = Tensor.rand([3, 4, 3, 3], { seed: 2 });
    const direct = conv2d(x, k, { algorithm: 'direct' });
    expect(
      new Conv2D({ inChannels: 4, outChannels: 3, kernelSize: 3, algorithm: 'direct' }).plan([4, 9, 9])
        .algorithm,
    ).toBe('direct');
    const auto = conv2d(x, k, { algorithm: 'auto' });
    for (let i = 0; i < direct.size; i++) expect(auto.data[i]).toBeCloseTo(direct.data[i] ?? Number.NaN, 4);
    expect(corr2d([[2]], [[3]]).toArray()).toEqual([[6]]);
  });
});
