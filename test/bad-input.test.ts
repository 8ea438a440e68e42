/**
 * Each parameter of each public function with each kind of bad value: the class, the code, the parameter's name in the
 * message, and an `out` that nothing was written to.
 */
import { afterEach, describe, expect, it } from 'vitest';
import {
  AdaptiveAvgPool2D,
  AdaptiveMaxPool2D,
  AvgPool2D,
  adaptiveAvgPool2d,
  adaptiveMaxPool2d,
  avgPool2d,
  avgPool2dBackward,
  Conv2D,
  ConvTranspose2D,
  conv2d,
  conv2dBackward,
  conv2dOutputShape,
  convTranspose2d,
  convTranspose2dBackward,
  convTranspose2dOutputShape,
  corr2d,
  corr2dMultiIn,
  corr2dMultiInOut,
  corr2dMultiInOut1x1,
  globalAvgPool2d,
  globalMaxPool2d,
  type Layer,
  LPPool2D,
  lpPool2d,
  MaxPool2D,
  maxPool2d,
  maxPool2dBackward,
  pool2d,
  pool2dOutputShape,
  Sequential,
  setLimits,
  setThreads,
  Tensor,
} from '../index.ts';
import { onWasm } from './support/backend.ts';
import {
  detached,
  type Expected,
  expectError,
  expectRejection,
  invalidType,
  invalidValue,
  limitExceeded,
  outOfRange,
  overlap,
  shapeMismatch,
  unknownOption,
} from './support/error.ts';

/** What a bad value is called, the value, and what must be thrown for it. */
type Bad = [label: string, value: unknown, expected: Expected];
type Kind = (parameter: string) => Bad[];

const throwing = {
  toString: () => {
    throw new Error('toString must not run');
  },
};

const notOf =
  (allowed: string[], expected: (parameter: string) => Expected): Kind =>
  (parameter) =>
    (
      [
        ['null', 'object', null],
        ['a string', 'string', 'abc'],
        ['a number', 'number', 3],
        ['a boolean', 'boolean', true],
        ['a bigint', 'bigint', 3n],
        ['a symbol', 'symbol', Symbol('s')],
        ['a function', 'function', () => 1],
        ['an object', 'object', throwing],
        ['a typed array', 'object', new Uint8Array(2)],
        ['a Date', 'object', new Date(0)],
      ] as const
    )
      .filter(([, type]) => !allowed.includes(type))
      .map(([label, , value]) => [label, value, expected(parameter)]);

/** An integer of at least `min`. */
const integer =
  (min: number): Kind =>
  (parameter) => [
    ...notOf(['number'], invalidType)(parameter),
    ...[Number.NaN, 1.5, -1, min - 1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 53].map(
      (value): Bad => [String(value), value, outOfRange(parameter)],
    ),
  ];

/** `number | [height, width]` of integers of at least `min`. */
const pair =
  (min: number): Kind =>
  (parameter) => [
    ...integer(min)(parameter),
    ['no element', [], invalidValue(parameter)],
    ['one element', [2], invalidValue(parameter)],
    ['three elements', [2, 2, 2], invalidValue(parameter)],
    ['NaN in a pair', [2, Number.NaN], outOfRange(`${parameter}[1]`)],
    ['a fraction in a pair', [0.5, 2], outOfRange(`${parameter}[0]`)],
    ['a number too small in a pair', [2, min - 1], outOfRange(`${parameter}[1]`)],
    ['a string in a pair', [2, '2'], invalidType(`${parameter}[1]`)],
    ['a hole in a pair', new Array(2), invalidType(`${parameter}[0]`)],
  ];

const power: Kind = (parameter) => [
  ...notOf(['number'], invalidType)(parameter),
  ...[0, -1, Number.NaN, Infinity, 1e300, 1e-300].map(
    (value): Bad => [String(value), value, outOfRange(parameter)],
  ),
];

// `null` stands for the input's side.
const outputSize: Kind = (parameter) => pair(1)(parameter).filter(([, value]) => value !== null);

const shapedData = (parameter: string): Bad[] => {
  const gone = new Float32Array(4);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  const later = new Tensor(new Float32Array(36), [6, 6]);
  structuredClone(later.data.buffer, { transfer: [later.data.buffer as ArrayBuffer] });
  return [
    ['doubles', { data: new Float64Array(4), shape: [2, 2] }, invalidType(`${parameter}.data`)],
    ['too little data', { data: new Float32Array(3), shape: [2, 2] }, shapeMismatch(`${parameter}.data`)],
    [
      'a fractional shape',
      { data: new Float32Array(3), shape: [2, 1.5] },
      outOfRange(`${parameter}.shape[1]`),
    ],
    [
      'a NaN shape',
      { data: new Float32Array(3), dims: [2, Number.NaN] },
      outOfRange(`${parameter}.shape[1]`),
    ],
    ['a negative shape', { data: new Float32Array(3), shape: [-2, 2] }, outOfRange(`${parameter}.shape[0]`)],
    [
      'a view that leaves its data',
      { data: new Float32Array(4), shape: [2, 2], offset: 1 },
      outOfRange(parameter),
    ],
    ['a detached buffer', { data: gone, shape: [2, 2] }, detached(parameter)],
  ];
};

/** A tensor of one of some ranks. */
const tensor =
  (ranks: number[]): Kind =>
  (parameter) => [
    ...notOf([], invalidType)(parameter),
    ['a bare Float32Array', new Float32Array(4), invalidType(parameter)],
    ['ragged rows', [[1, 2], [3]], shapeMismatch(parameter)],
    ['a string in a row', [[1, '2']], invalidType(parameter)],
    ...shapedData(parameter),
    ...[0, 1, 2, 3, 4, 5]
      .filter((rank) => !ranks.includes(rank))
      .map((rank): Bad => [`${rank} axes`, Tensor.ones(new Array(rank).fill(2)), shapeMismatch(parameter)]),
    ...ranks
      .flatMap((rank) =>
        [rank - 1, rank - 2, rank - 3].filter((axis) => axis >= 0).map((axis) => ({ rank, axis })),
      )
      .map(({ rank, axis }): Bad => {
        const shape = new Array<number>(rank).fill(2);
        shape[axis] = 0;
        return [`an empty axis ${axis} of ${rank}`, Tensor.zeros(shape), outOfRange(parameter)];
      }),
  ];

/** A gradient: every wrong shape is a mismatch. */
const gradient =
  (ranks: number[]): Kind =>
  (parameter) =>
    tensor(ranks)(parameter).map(([label, value, expected]) => [
      label,
      value,
      label.includes('empty') ? shapeMismatch(parameter) : expected,
    ]);

const shape =
  (ranks: number[]): Kind =>
  (parameter) => [
    ...notOf([], invalidType)(parameter),
    ...[0, 1, 2, 3, 4, 5]
      .filter((rank) => !ranks.includes(rank))
      .map((rank): Bad => [`${rank} lengths`, new Array(rank).fill(2), shapeMismatch(parameter)]),
    ...[Number.NaN, 1.5, -1, Number.POSITIVE_INFINITY].map(
      (value): Bad => [`a length of ${value}`, [2, 2, 2, value], outOfRange(parameter)],
    ),
    ['an empty side', [2, 2, 2, 0], outOfRange(parameter)],
    ['an empty channel', [2, 0, 2, 2], outOfRange(parameter)],
    ['a string as a length', [2, 2, 2, '2'], invalidType(parameter)],
    ['a product that overflows', [2 ** 30, 2 ** 30, 2 ** 30, 2 ** 30], outOfRange(parameter)],
  ];

const boolean: Kind = notOf(['boolean'], invalidType);

const word: Kind = (parameter) => [
  ...notOf(['string'], invalidType)(parameter),
  ['an unknown word', 'nonsense', invalidValue(parameter)],
  ['an empty string', '', invalidValue(parameter)],
  ['an inherited name', 'toString', invalidValue(parameter)],
];

const padding: Kind = (parameter) => [
  ...pair(0)(parameter).filter(([label]) => label !== 'a string'),
  ['an unknown word', 'full', invalidValue(parameter)],
  ['one side missing', [[1, 1], [1]], invalidValue(`${parameter}[1]`)],
  ['a number beside a pair', [1, [1, 1]], invalidType(`${parameter}[0]`)],
  [
    'a negative side',
    [
      [1, 1],
      [1, -1],
    ],
    outOfRange(`${parameter}[1][1]`),
  ],
  [
    'a NaN side',
    [
      [Number.NaN, 1],
      [1, 1],
    ],
    outOfRange(`${parameter}[0][0]`),
  ],
];

const activation: Kind = (parameter) => [
  ...notOf(['string', 'object'], invalidType)(parameter),
  ['null', null, invalidType(parameter)],
  ['an unknown word', 'tanh', invalidValue(parameter)],
  ['a word that wants a number', 'leakyRelu', invalidValue(parameter)],
  ['an empty object', {}, invalidValue(parameter)],
  ['two activations', { leakyRelu: 0.1, clamp: [0, 1] }, invalidValue(parameter)],
  ['a slope of NaN', { leakyRelu: Number.NaN }, outOfRange('activation.leakyRelu')],
  ['a slope as a string', { leakyRelu: '0.1' }, invalidType('activation.leakyRelu')],
  ['one bound', { clamp: [0] }, invalidValue('activation.clamp')],
  ['a number as bounds', { clamp: 6 }, invalidType('activation.clamp')],
  ['bounds the wrong way round', { clamp: [1, 0] }, outOfRange('activation.clamp[1]')],
];

const ceilMode: Kind = (parameter) => [
  ...notOf(['boolean', 'string'], invalidType)(parameter),
  ['an unknown word', 'floor', invalidValue(parameter)],
];

/** `out` for a result of `size` elements. */
const out =
  (size: number): Kind =>
  (parameter) => [
    ...notOf([], invalidType)(parameter),
    ['nested arrays', [[1]], invalidType(parameter)],
    ...shapedData(parameter),
    ['one element too few', new Float32Array(size - 1), shapeMismatch(parameter)],
    ['one element too many', new Float32Array(size + 1), shapeMismatch(parameter)],
    ['a Tensor of another size', Tensor.zeros([size + 1]), shapeMismatch(parameter)],
    ['a Tensor with gaps', Tensor.zeros([size, 2]).slice(undefined, [0, 1]), invalidValue(parameter)],
  ];

interface Target {
  name: string;
  /** Good values; `out` and the options stand beside the others. */
  good: Record<string, unknown>;
  /** Each parameter with its kind. */
  kinds: Record<string, Kind>;
  /** Option names that another function has, or a later version will have. */
  unknown: string[];
  options: string[];
  call: (values: Record<string, unknown>, options: unknown) => unknown;
  /** Whether errors are rejections. */
  isAsync?: true;
}

// biome-ignore lint/suspicious/noExplicitAny: the functions are called with what their types forbid.
type Loose = (...args: any[]) => any;
const loose = (f: unknown): Loose => f as Loose;

const image = Tensor.ones([6, 6]);
const volume = Tensor.ones([2, 6, 6]);
const kernel4 = Tensor.ones([4, 2, 3, 3]);
const transposed4 = Tensor.ones([2, 4, 3, 3]);

const CONV_KINDS: Record<string, Kind> = {
  stride: pair(1),
  padding,
  paddingMode: word,
  dilation: pair(1),
  groups: integer(1),
  layout: word,
  activation,
  algorithm: word,
};
const CONV_TRANSPOSE_KINDS: Record<string, Kind> = {
  stride: pair(1),
  padding,
  outputPadding: pair(0),
  outputShape: pair(1),
  dilation: pair(1),
  groups: integer(1),
  layout: word,
  activation,
  algorithm: word,
};
const WEIGHT_KINDS: Record<string, Kind> = {
  kernelSize: pair(1),
  inChannels: integer(1),
  outChannels: integer(1),
  bias: boolean,
  init: word,
  seed: integer(0),
};
const MAX_KINDS: Record<string, Kind> = {
  stride: pair(1),
  padding,
  paddingLimit: word,
  dilation: pair(1),
  ceilMode,
  layout: word,
};
const AVG_KINDS: Record<string, Kind> = {
  ...MAX_KINDS,
  countIncludePad: boolean,
  divisorOverride: integer(1),
};
const CONV_OPTIONS = Object.keys(CONV_KINDS);
const CONV_TRANSPOSE_OPTIONS = Object.keys(CONV_TRANSPOSE_KINDS);
const WEIGHT_OPTIONS = Object.keys(WEIGHT_KINDS);
const MAX_OPTIONS = Object.keys(MAX_KINDS);
const AVG_OPTIONS = Object.keys(AVG_KINDS);

function correlation(f: unknown, x: Tensor, k: Tensor, size: number): Target {
  const call = loose(f);
  return {
    name: call.name,
    good: { x, k },
    kinds: { x: tensor([x.shape.length]), k: tensor([k.shape.length]), out: out(size) },
    unknown: ['stride', 'bias', 'signal'],
    options: ['out'],
    call: (v, options) => call(v.x, v.k, options),
  };
}

// What isn't an object goes in as it is, to be refused.
const withIndices = (options: unknown): unknown =>
  Object.getPrototypeOf(options ?? 0) === Object.prototype
    ? { ...(options as object), returnIndices: true }
    : options;

const layer = new Conv2D({ inChannels: 2, outChannels: 4, kernelSize: 3, seed: 1 });
const up = new ConvTranspose2D({ inChannels: 2, outChannels: 4, kernelSize: 3, seed: 1 });
const max = new MaxPool2D(2);
const avg = new AvgPool2D(2);
const net = new Sequential([layer, max]);

function method(name: string, f: Loose, x: Tensor, ranks: number[], size: number): Target {
  return {
    name,
    good: { x },
    kinds: { x: tensor(ranks), out: out(size) },
    unknown: ['signal', 'transfer'],
    options: ['out'],
    call: (v, options) => f(v.x, options),
  };
}

const signal: Kind = (parameter) => [
  ...notOf([], invalidType)(parameter),
  ['an AbortController', new AbortController(), invalidType(parameter)],
  ['an EventTarget', new EventTarget(), invalidType(parameter)],
];

function asynchronous(target: Target): Target {
  const kinds = { ...target.kinds, signal, transfer: boolean };
  return { ...target, kinds, options: ['out', 'signal', 'transfer'], unknown: ['timeout'], isAsync: true };
}

const plan = layer.plan([2, 6, 6]);

// A plan knows its shape, so an empty axis is just another shape.
function running(name: string, f: Loose): Target {
  const target = method(name, f, volume, [3], 64);
  const x: Kind = (p) =>
    tensor([3])(p).map(([label, value, e]) => [label, value, label.includes('empty') ? shapeMismatch(p) : e]);
  return { ...target, kinds: { ...target.kinds, x } };
}

function planning(
  name: string,
  owner: Conv2D | ConvTranspose2D | MaxPool2D | AvgPool2D,
  ranks: number[],
): Target[] {
  return [
    {
      name: `${name}.plan`,
      good: { inputShape: [2, 6, 6] },
      kinds: { inputShape: shape(ranks), threads: (p) => [...integer(1)(p), ['1025', 1025, outOfRange(p)]] },
      unknown: ['out'],
      options: ['threads'],
      call: (v, options) => loose(owner.plan).call(owner, v.inputShape, options),
    },
    shaping(name, owner, ranks),
  ];
}

function shaping(name: string, owner: Layer, ranks: number[]): Target {
  return {
    name: `${name}.outputShape`,
    good: { inputShape: [2, 6, 6] },
    kinds: { inputShape: shape(ranks) },
    unknown: [],
    options: [],
    call: (v) => loose(owner.outputShape).call(owner, v.inputShape),
  };
}

const targets: Target[] = [
  correlation(corr2d, image, Tensor.ones([3, 3]), 16),
  correlation(corr2dMultiIn, volume, Tensor.ones([2, 3, 3]), 16),
  correlation(corr2dMultiInOut, volume, kernel4, 64),
  correlation(corr2dMultiInOut1x1, volume, Tensor.ones([4, 2, 1, 1]), 144),
  {
    name: 'conv2d',
    good: { x: volume, weight: kernel4, bias: [1, 2, 3, 4] },
    kinds: { x: tensor([3, 4]), weight: tensor([4]), bias: tensor([1]), out: out(64), ...CONV_KINDS },
    unknown: ['outputPadding', 'returnIndices', 'strides'],
    options: [...CONV_OPTIONS, 'bias', 'out'],
    call: (v, options) => loose(conv2d)(v.x, v.weight, options),
  },
  {
    name: 'conv2dOutputShape',
    good: { inputShape: [1, 2, 6, 6], weightShape: [4, 2, 3, 3] },
    kinds: { inputShape: shape([3, 4]), weightShape: shape([4]), ...CONV_KINDS },
    unknown: ['outputPadding'],
    options: CONV_OPTIONS,
    call: (v, options) => loose(conv2dOutputShape)(v.inputShape, v.weightShape, options),
  },
  {
    name: 'convTranspose2d',
    good: { x: volume, weight: transposed4, bias: [1, 2, 3, 4] },
    kinds: {
      x: tensor([3, 4]),
      weight: tensor([4]),
      bias: tensor([1]),
      out: out(256),
      ...CONV_TRANSPOSE_KINDS,
    },
    unknown: ['paddingMode', 'strides'],
    options: [...CONV_TRANSPOSE_OPTIONS, 'bias', 'out'],
    call: (v, options) => loose(convTranspose2d)(v.x, v.weight, options),
  },
  ...[
    { f: conv2dBackward, weight: kernel4, gradOutput: Tensor.ones([4, 4, 4]), of: CONV_KINDS },
    {
      f: convTranspose2dBackward,
      weight: transposed4,
      gradOutput: Tensor.ones([4, 8, 8]),
      of: CONV_TRANSPOSE_KINDS,
    },
  ].map(({ f, weight, gradOutput, of: { algorithm: _, ...kinds } }): Target => {
    const call = loose(f);
    return {
      name: call.name,
      good: { x: volume, weight, gradOutput, bias: [1, 2, 3, 4] },
      kinds: {
        x: tensor([3, 4]),
        weight: tensor([4]),
        gradOutput: gradient([3]),
        bias: tensor([1]),
        ...kinds,
      },
      unknown: ['algorithm', 'out'],
      options: [...Object.keys(kinds), 'bias'],
      call: (v, options) => call(v.x, v.weight, v.gradOutput, options),
    };
  }),
  ...[
    { f: maxPool2dBackward, kinds: MAX_KINDS },
    { f: avgPool2dBackward, kinds: AVG_KINDS },
  ].map(({ f, kinds }): Target => {
    const call = loose(f);
    return {
      name: call.name,
      good: { x: image, gradOutput: Tensor.ones([2, 2]), kernelSize: 3 },
      kinds: { x: tensor([2, 3, 4]), gradOutput: gradient([2]), kernelSize: pair(1), ...kinds },
      unknown: ['returnIndices', 'out'],
      options: Object.keys(kinds),
      call: (v, options) => call(v.x, v.gradOutput, v.kernelSize, options),
    };
  }),
  {
    name: 'Conv2D.backward',
    good: { x: volume, gradOutput: Tensor.ones([4, 4, 4]) },
    kinds: { x: tensor([3, 4]), gradOutput: gradient([3]) },
    unknown: [],
    options: [],
    call: (v) => loose(layer.backward).call(layer, v.x, v.gradOutput),
  },
  {
    name: 'Conv2D.step',
    good: { weight: Tensor.zeros([4, 2, 3, 3]), bias: Tensor.zeros([4]), lr: 0.1 },
    kinds: {
      'gradients.weight': (p) => [...notOf([], invalidType)(p), ['two axes', [[1]], shapeMismatch(p)]],
      'gradients.bias': (p) => [...notOf([], invalidType)(p), ['one element', [1], shapeMismatch(p)]],
      lr: (p) => [
        ...notOf(['number'], invalidType)(p),
        ...[Number.NaN, -1, Infinity].map((value): Bad => [String(value), value, outOfRange(p)]),
      ],
    },
    unknown: ['momentum'],
    options: ['lr'],
    call: (v, options) => {
      const { weight, bias } = v;
      const gradients = { weight: v['gradients.weight'] ?? weight, bias: v['gradients.bias'] ?? bias };
      if (v['gradients.weight'] === null) gradients.weight = null;
      if (v['gradients.bias'] === null) gradients.bias = null;
      return loose(layer.step).call(layer, gradients, options);
    },
  },
  {
    name: 'convTranspose2dOutputShape',
    good: { inputShape: [1, 2, 6, 6], weightShape: [2, 4, 3, 3] },
    kinds: { inputShape: shape([3, 4]), weightShape: shape([4]), ...CONV_TRANSPOSE_KINDS },
    unknown: ['paddingMode'],
    options: CONV_TRANSPOSE_OPTIONS,
    call: (v, options) => loose(convTranspose2dOutputShape)(v.inputShape, v.weightShape, options),
  },
  {
    name: 'new ConvTranspose2D',
    good: { kernelSize: 3 },
    kinds: { ...WEIGHT_KINDS, ...CONV_TRANSPOSE_KINDS },
    unknown: ['out', 'paddingMode'],
    options: [...WEIGHT_OPTIONS, ...CONV_TRANSPOSE_OPTIONS],
    call: (_, options) => new ConvTranspose2D(options as never),
  },
  ...(['max', 'avg'] as const).map(
    (mode): Target => ({
      name: `pool2d '${mode}'`,
      good: { x: image, poolSize: 3 },
      kinds: {
        x: tensor([2, 3, 4]),
        poolSize: pair(1),
        out: out(16),
        ...(mode === 'max' ? MAX_KINDS : AVG_KINDS),
      },
      unknown: mode === 'max' ? ['countIncludePad', 'returnIndices'] : ['returnIndices'],
      options: [...(mode === 'max' ? MAX_OPTIONS : AVG_OPTIONS), 'out'],
      call: (v, options) => loose(pool2d)(v.x, v.poolSize, mode, options),
    }),
  ),
  {
    name: 'pool2d, its mode',
    good: { mode: 'max' },
    kinds: { mode: word },
    unknown: [],
    options: [],
    call: (v) => loose(pool2d)(image, 2, v.mode),
  },
  {
    name: 'maxPool2d',
    good: { x: image, kernelSize: 3 },
    kinds: { x: tensor([2, 3, 4]), kernelSize: pair(1), out: out(4), returnIndices: boolean, ...MAX_KINDS },
    unknown: ['countIncludePad', 'indices'],
    options: [...MAX_OPTIONS, 'out', 'returnIndices'],
    call: (v, options) => loose(maxPool2d)(v.x, v.kernelSize, options),
  },
  {
    name: 'maxPool2d with indices',
    good: { x: image, kernelSize: 3, returnIndices: true },
    kinds: { x: tensor([2, 3, 4]), kernelSize: pair(1), out: out(4), ...MAX_KINDS },
    unknown: ['countIncludePad'],
    options: [...MAX_OPTIONS, 'out'],
    call: (v, options) =>
      loose(maxPool2d)(v.x, v.kernelSize, options === undefined ? options : withIndices(options)),
  },
  {
    name: 'avgPool2d',
    good: { x: image, kernelSize: 3 },
    kinds: { x: tensor([2, 3, 4]), kernelSize: pair(1), out: out(4), ...AVG_KINDS },
    unknown: ['returnIndices'],
    options: [...AVG_OPTIONS, 'out'],
    call: (v, options) => loose(avgPool2d)(v.x, v.kernelSize, options),
  },
  ...[adaptiveMaxPool2d, adaptiveAvgPool2d].map(
    (f): Target => ({
      name: f.name,
      good: { x: image, outputSize: 4 },
      kinds: { x: tensor([2, 3, 4]), outputSize, out: out(16), layout: word },
      unknown: ['stride'],
      options: ['out', 'layout'],
      call: (v, options) => loose(f)(v.x, v.outputSize, options),
    }),
  ),
  ...[globalMaxPool2d, globalAvgPool2d].map((f): Target => {
    const target = method(f.name, loose(f), volume, [2, 3, 4], 2);
    return { ...target, kinds: { ...target.kinds, layout: word }, options: ['out', 'layout'] };
  }),
  ...[AdaptiveMaxPool2D, AdaptiveAvgPool2D].map(
    (Adaptive): Target => ({
      name: `new ${Adaptive.name}`,
      good: { outputSize: 4 },
      kinds: { outputSize, layout: word },
      unknown: ['stride', 'out'],
      options: ['layout'],
      call: (v, options) => new Adaptive(v.outputSize as never, options as never),
    }),
  ),
  {
    name: 'lpPool2d',
    good: { x: image, normType: 2, kernelSize: 3 },
    kinds: { x: tensor([2, 3, 4]), normType: power, kernelSize: pair(1), out: out(4), ...MAX_KINDS },
    unknown: ['countIncludePad'],
    options: [...MAX_OPTIONS, 'out'],
    call: (v, options) => loose(lpPool2d)(v.x, v.normType, v.kernelSize, options),
  },
  {
    name: 'new LPPool2D',
    good: { normType: 2, kernelSize: 3 },
    kinds: { normType: power, kernelSize: pair(1), ...MAX_KINDS },
    unknown: ['out'],
    options: MAX_OPTIONS,
    call: (v, options) => new LPPool2D(v.normType as never, v.kernelSize as never, options as never),
  },
  {
    name: 'pool2dOutputShape',
    good: { inputShape: [1, 2, 6, 6], kernelSize: 2 },
    kinds: { inputShape: shape([2, 3, 4]), kernelSize: pair(1), ...AVG_KINDS },
    unknown: ['returnIndices'],
    options: AVG_OPTIONS,
    call: (v, options) => loose(pool2dOutputShape)(v.inputShape, v.kernelSize, options),
  },
  {
    name: 'new Conv2D',
    good: { kernelSize: 3 },
    kinds: { ...WEIGHT_KINDS, ...CONV_KINDS },
    unknown: ['out', 'kernel'],
    options: [...WEIGHT_OPTIONS, ...CONV_OPTIONS],
    call: (_, options) => new Conv2D(options as never),
  },
  {
    name: 'new MaxPool2D',
    good: { kernelSize: 3 },
    kinds: { kernelSize: pair(1), returnIndices: boolean, ...MAX_KINDS },
    unknown: ['countIncludePad', 'out'],
    options: [...MAX_OPTIONS, 'returnIndices'],
    call: (v, options) => new MaxPool2D(v.kernelSize as never, options as never),
  },
  {
    name: 'new AvgPool2D',
    good: { kernelSize: 3 },
    kinds: { kernelSize: pair(1), ...AVG_KINDS },
    unknown: ['returnIndices', 'out'],
    options: AVG_OPTIONS,
    call: (v, options) => new AvgPool2D(v.kernelSize as never, options as never),
  },
  method('Conv2D.forward', (x, o) => layer.forward(x, o), volume, [3, 4], 64),
  method('ConvTranspose2D.forward', (x, o) => up.forward(x, o), volume, [3, 4], 256),
  method('MaxPool2D.forward', (x, o) => max.forward(x, o), image, [2, 3, 4], 9),
  method('AvgPool2D.forward', (x, o) => avg.forward(x, o), image, [2, 3, 4], 9),
  method('Sequential.forward', (x, o) => net.forward(x, o), volume, [3, 4], 16),
  shaping('Sequential', net, [3, 4]),
  running('Plan.run', (x, o) => plan.run(x, o)),
  asynchronous(running('Plan.runAsync', (x, o) => plan.runAsync(x, o))),
  asynchronous(method('Conv2D.forwardAsync', (x, o) => layer.forwardAsync(x, o), volume, [3, 4], 64)),
  asynchronous(method('Sequential.forwardAsync', (x, o) => net.forwardAsync(x, o), volume, [3, 4], 16)),
  asynchronous(method('MaxPool2D.forwardAsync', (x, o) => max.forwardAsync(x, o), image, [2, 3, 4], 9)),
  ...planning('Conv2D', layer, [3, 4]),
  ...planning('ConvTranspose2D', up, [3, 4]),
  ...planning('MaxPool2D', max, [2, 3, 4]),
  ...planning('AvgPool2D', avg, [2, 3, 4]),
  {
    name: 'setThreads',
    good: { n: 1 },
    kinds: { n: (p) => [...integer(1)(p), ['1025', 1025, outOfRange(p)]] },
    unknown: [],
    options: [],
    call: (v) => loose(setThreads)(v.n),
  },
  {
    name: 'setLimits',
    good: {},
    kinds: Object.fromEntries(
      ['maxElements', 'maxFlops'].map((name) => [
        name,
        (p: string): Bad[] => [
          ...notOf(['number'], invalidType)(p),
          ['NaN', Number.NaN, outOfRange(p)],
          ['-1', -1, outOfRange(p)],
        ],
      ]),
    ),
    unknown: ['maxBytes'],
    options: ['maxElements', 'maxFlops'],
    call: (_, options) => loose(setLimits)(options),
  },
];

/** Calls with `values` and, where the function takes it, an `out` that must stay as it is. */
function attempt(
  target: Target,
  values: Record<string, unknown>,
  extra: Record<string, unknown> = {},
): unknown {
  const options: Record<string, unknown> = { ...extra };
  for (const name of target.options) if (name in values) options[name] = values[name];
  return target.call(values, options);
}

async function expectFailure(target: Target, call: () => unknown, expected: Expected): Promise<void> {
  if (target.isAsync) await expectRejection(call() as Promise<unknown>, expected);
  else expectError(call, expected);
}

describe.each(targets.map((target) => [target.name, target] as const))('%s', (_, target) => {
  const { kinds, options, unknown, good } = target;
  const fill = 7.25;

  it('takes the good values', async () => {
    await attempt(target, good);
  });

  for (const [parameter, kind] of Object.entries(kinds)) {
    it.each(kind(parameter))(`${parameter}: %s`, async (_label, value, expected) => {
      const values: Record<string, unknown> = { ...good, [parameter]: value };
      const guard = new Float32Array(64).fill(fill);
      if (options.includes('out') && parameter !== 'out') values.out = guard;
      await expectFailure(target, () => attempt(target, values), expected);
      expect(guard.every((element) => element === fill)).toBe(true);
    });
  }

  if (options.length > 0) {
    it.each(unknown)('option %s is unknown', async (name) => {
      await expectFailure(target, () => attempt(target, good, { [name]: 1 }), unknownOption(name));
    });

    it.each<[string, unknown]>([
      ['null', null],
      ['a number', 3n],
      ['a string', 'abc'],
      ['a function', () => 1],
      ['a typed array', new Float32Array(64)],
      ['a Tensor', image],
      ['a Map', new Map()],
    ])('options: %s', async (_label, value) => {
      await expectFailure(target, () => target.call(good, value), invalidType(''));
    });
  }
});

describe('combinations', () => {
  afterEach(() => {
    setLimits({ maxElements: 2 ** 31 - 1, maxFlops: Number.POSITIVE_INFINITY });
  });

  const memory = new Float32Array(200).fill(1);
  const within = (from: number, size: number[]): Tensor => new Tensor(memory, size, { offset: from });

  const cases: [string, (target: Float32Array) => unknown, Expected][] = [
    [
      'corr2d: a kernel taller than the image',
      (o) => corr2d(image, Tensor.ones([7, 1]), { out: o }),
      outOfRange('kernelSize'),
    ],
    [
      'corr2d: a kernel wider than the image',
      (o) => corr2d(image, Tensor.ones([1, 7]), { out: o }),
      outOfRange('kernelSize'),
    ],
    [
      'corr2dMultiIn: other channels',
      (o) => corr2dMultiIn(volume, Tensor.ones([3, 3, 3]), { out: o }),
      shapeMismatch('channels'),
    ],
    [
      'corr2dMultiInOut: other channels',
      (o) => corr2dMultiInOut(volume, Tensor.ones([4, 3, 3, 3]), { out: o }),
      shapeMismatch('channels'),
    ],
    [
      'corr2dMultiInOut1x1: a 3×3 kernel',
      (o) => corr2dMultiInOut1x1(volume, kernel4, { out: o }),
      shapeMismatch('k'),
    ],
    [
      'conv2d: other channels',
      (o) => conv2d(volume, Tensor.ones([4, 3, 3, 3]), { out: o }),
      shapeMismatch('weight'),
    ],
    [
      'conv2d: groups that don’t divide the input',
      (o) => conv2d(Tensor.ones([4, 6, 6]), Tensor.ones([3, 1, 3, 3]), { groups: 3, out: o }),
      shapeMismatch('groups'),
    ],
    [
      'conv2d: groups that don’t divide the output',
      (o) => conv2d(volume, Tensor.ones([3, 1, 3, 3]), { groups: 2, out: o }),
      shapeMismatch('groups'),
    ],
    [
      'conv2d: more groups than channels',
      (o) => conv2d(volume, kernel4, { groups: 1000, out: o }),
      shapeMismatch('groups'),
    ],
    [
      'conv2d: a bias of another length',
      (o) => conv2d(volume, kernel4, { bias: [1, 2, 3], out: o }),
      shapeMismatch('bias'),
    ],
    ['conv2d: an empty bias', (o) => conv2d(volume, kernel4, { bias: [], out: o }), outOfRange('bias')],
    [
      'conv2d: no output with this dilation',
      (o) => conv2d(volume, kernel4, { dilation: 3, out: o }),
      outOfRange('dilation'),
    ],
    [
      'conv2d: a reflection of more than there is',
      (o) => conv2d(volume, kernel4, { padding: 6, paddingMode: 'reflect', out: o }),
      outOfRange('padding'),
    ],
    [
      'conv2d: a wrap of more than there is',
      (o) => conv2d(volume, kernel4, { padding: 7, paddingMode: 'circular', out: o }),
      outOfRange('padding'),
    ],
    [
      'conv2d: a padding that overflows',
      (o) => conv2d(volume, kernel4, { padding: 2 ** 53 - 1, out: o }),
      outOfRange('padding'),
    ],
    [
      'conv2d: a dilation that overflows',
      (o) => conv2d(volume, kernel4, { dilation: 2 ** 53 - 1, out: o }),
      outOfRange('dilation'),
    ],
    [
      'conv2d: a padding that overflows',
      (o) => conv2d(volume, kernel4, { padding: 2 ** 31, out: o }),
      outOfRange('padding'),
    ],
    [
      'conv2d: an output over the default limit',
      () => conv2d(volume, kernel4, { padding: 2 ** 15 }),
      // WebAssembly can't address as much as the default limit lets through.
      onWasm ? outOfRange('output') : limitExceeded('output'),
    ],
    [
      'conv2d: a batch with a wrong kernel',
      (o) => conv2d(Tensor.zeros([0, 2, 6, 6]), Tensor.ones([4, 3, 3, 3]), { out: o }),
      shapeMismatch('weight'),
    ],
    [
      'maxPool2d: a window larger than the image',
      (o) => maxPool2d(image, 7, { out: o }),
      outOfRange('kernelSize'),
    ],
    [
      'maxPool2d: padding over half of the window',
      (o) => maxPool2d(image, 3, { padding: 2, out: o }),
      outOfRange('padding'),
    ],
    [
      'maxPool2d: one side over half of the window',
      (o) =>
        maxPool2d(image, 3, {
          padding: [
            [1, 1],
            [1, 2],
          ],
          out: o,
        }),
      outOfRange('padding'),
    ],
    [
      'avgPool2d: padding over half of the window',
      (o) => avgPool2d(image, 2, { padding: [0, 2], out: o }),
      outOfRange('padding'),
    ],
    [
      'maxPool2d: padding as wide as the window',
      (o) => maxPool2d(image, 3, { padding: [0, 3], paddingLimit: 'window', out: o }),
      outOfRange('padding'),
    ],
    [
      'pool2d: padding over half of the window',
      (o) => pool2d(image, 3, 'avg', { padding: 2, out: o }),
      outOfRange('padding'),
    ],
    [
      'pool2d: a window that overflows',
      (o) => pool2d(image, 2 ** 53 - 1, 'max', { out: o }),
      outOfRange('kernelSize'),
    ],
    [
      'new Conv2D: groups that don’t divide the input',
      () => new Conv2D({ inChannels: 3, outChannels: 2, kernelSize: 1, groups: 2 }),
      shapeMismatch('inChannels'),
    ],
    [
      'new Conv2D: groups that don’t divide the output',
      () => new Conv2D({ inChannels: 2, outChannels: 3, kernelSize: 1, groups: 2 }),
      shapeMismatch('outChannels'),
    ],
    [
      'new Conv2D: a weight over the limit',
      () => new Conv2D({ inChannels: 2 ** 20, outChannels: 2 ** 20, kernelSize: 1 }),
      limitExceeded('weight'),
    ],
    ['new Conv2D: no options', () => loose(Reflect.construct)(Conv2D, []), invalidType('options')],
    [
      'Conv2D.forward: other channels',
      (o) => layer.forward(Tensor.ones([3, 6, 6]), { out: o }),
      shapeMismatch('weight'),
    ],
    [
      'Conv2D.forward: too small',
      (o) => layer.forward(Tensor.ones([2, 2, 2]), { out: o }),
      outOfRange('kernelSize'),
    ],
    [
      'Conv2D.forward: two axes with several channels',
      (o) => layer.forward(image, { out: o }),
      shapeMismatch('x'),
    ],
    [
      'Plan.run: another shape',
      (o) => layer.plan([2, 6, 6]).run(Tensor.ones([2, 6, 7]), { out: o }),
      shapeMismatch('x'),
    ],
    [
      'overlap: x is out',
      () => conv2d(within(0, [2, 6, 6]), Tensor.ones([2, 2, 1, 1]), { out: within(0, [2, 6, 6]) }),
      overlap('x'),
    ],
    [
      'overlap: the last element of x',
      () => corr2d(within(0, [6, 6]), [[1]], { out: within(35, [6, 6]) }),
      overlap('x'),
    ],
    [
      'overlap: the first element of x',
      () => pool2d(within(35, [6, 6]), 1, 'max', { out: within(0, [6, 6]) }),
      overlap('x'),
    ],
    [
      'overlap: the kernel',
      () => corr2d(image, within(50, [3, 3]), { out: within(40, [4, 4]) }),
      overlap('k'),
    ],
    [
      'overlap: the bias',
      () => conv2d(volume, kernel4, { bias: within(70, [4]), out: within(20, [64]) }),
      overlap('bias'),
    ],
    [
      'overlap: a layer',
      () => max.forward(within(0, [6, 6]), { out: memory.subarray(30, 39) }),
      overlap('x'),
    ],
    [
      'overlap: a plan',
      () => layer.plan([2, 6, 6]).run(within(0, [2, 6, 6]), { out: memory.subarray(71, 135) }),
      overlap('x'),
    ],
    [
      'limits: too many elements',
      (o) => {
        setLimits({ maxElements: 15 });
        corr2d(image, Tensor.ones([3, 3]), { out: o });
      },
      limitExceeded('output'),
    ],
    [
      'limits: too many operations',
      (o) => {
        setLimits({ maxFlops: 287 });
        corr2d(image, Tensor.ones([3, 3]), { out: o });
      },
      limitExceeded('call'),
    ],
    [
      'limits: a pooling',
      (o) => {
        setLimits({ maxElements: 8 });
        max.forward(image, { out: o });
      },
      limitExceeded('output'),
    ],
    [
      'limits: nested arrays',
      () => {
        setLimits({ maxElements: 3 });
        corr2d(
          [
            [1, 2],
            [3, 4],
          ],
          [[1]],
        );
      },
      limitExceeded('x'),
    ],
    [
      'limits: a copy of a view',
      () => {
        setLimits({ maxElements: 35 });
        image.transpose().contiguous();
      },
      limitExceeded('tensor'),
    ],
  ];

  it.each(cases)('%s', (_, call, expected) => {
    const guard = new Float32Array(16).fill(7.25);
    const before = memory.slice();
    expectError(() => call(guard), expected);
    expect(guard.every((element) => element === 7.25)).toBe(true);
    expect(memory).toEqual(before);
  });

  it('an input that an option’s getter detaches is found before it is read', () => {
    const x = Tensor.ones([1, 6, 6]);
    const options = {
      get padding(): number {
        structuredClone(x.data.buffer, { transfer: [x.data.buffer as ArrayBuffer] });
        return 1;
      },
    };
    expectError(() => conv2d(x, Tensor.ones([1, 1, 3, 3]), options), detached('x'));
  });

  it('a call inside of an option’s getter doesn’t disturb the outer one', () => {
    const options = {
      get padding(): number {
        conv2d(Tensor.ones([3, 9, 9]), Tensor.ones([2, 3, 5, 5]), { stride: 2 });
        return 0;
      },
    };
    expect(conv2d(volume, kernel4, options).shape).toEqual([4, 4, 4]);
  });

  it('setLimits changes nothing when it throws', () => {
    expectError(() => setLimits({ maxElements: 5, maxFlops: Number.NaN }), outOfRange('maxFlops'));
    expect(setLimits({})).toEqual({ maxElements: 2 ** 31 - 1, maxFlops: Number.POSITIVE_INFINITY });
  });
});
