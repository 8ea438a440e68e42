import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { corr2d, Tensor, type TensorInput } from '../index.ts';
import {
  detached,
  type Expected,
  expectError,
  invalidType,
  invalidValue,
  limitExceeded,
  outOfRange,
  shapeMismatch,
  unknownOption,
} from './support/error.ts';

const count = (size: number): Float32Array => Float32Array.from({ length: size }, (_, i) => i);
const counting = (...shape: number[]): Tensor => new Tensor(count(shape.reduce((a, b) => a * b, 1)), shape);
const detach = (data: Float32Array): Float32Array => {
  structuredClone(data.buffer, { transfer: [data.buffer as ArrayBuffer] });
  return data;
};

describe('making', () => {
  it('wraps without a copy', () => {
    const data = count(6);
    const tensor = new Tensor(data, [2, 3]);
    expect(tensor.data).toBe(data);
    expect([tensor.shape, tensor.strides, tensor.offset, tensor.size]).toEqual([[2, 3], [3, 1], 0, 6]);
  });

  it('copies the shape, so that changing the original has no effect', () => {
    const shape = [2, 3];
    const tensor = new Tensor(count(6), shape);
    shape[0] = 100;
    expect(tensor.shape).toEqual([2, 3]);
  });

  it('honours byteOffset, offset and strides', () => {
    const tensor = new Tensor(count(20).subarray(2), [2, 3], { strides: [5, 2], offset: 1 });
    expect(tensor.toArray()).toEqual([
      [3, 5, 7],
      [8, 10, 12],
    ]);
  });

  it('fills', () => {
    expect(Tensor.zeros([2, 1]).toArray()).toEqual([[0], [0]]);
    expect(Tensor.ones([1, 2]).toArray()).toEqual([[1, 1]]);
    expect(Tensor.full([2], 0.5).toArray()).toEqual([0.5, 0.5]);
    expect(Tensor.full([], 3).toArray()).toBe(3);
    expect(Tensor.zeros([0, 3]).size).toBe(0);
  });

  it('draws the same numbers for a seed on every machine', () => {
    const first = Tensor.rand([4], { seed: 42 }).toArray();
    expect(first).toEqual(Tensor.rand([4], { seed: 42 }).toArray());
    expect(first).toEqual(EXPECTED_RANDOM);
    expect(Tensor.rand([4], { seed: 43 }).toArray()).not.toEqual(first);
    expect(Tensor.rand([4], { seed: 42 + 2 ** 32 }).toArray()).not.toEqual(first);
    expect(Tensor.rand([4]).toArray()).not.toEqual(Tensor.rand([4]).toArray());
  });

  it('draws uniformly from [0, 1)', () => {
    const { data } = Tensor.rand([10_000], { seed: 1 });
    const bins = new Array<number>(10).fill(0);
    for (const value of data) bins[Math.floor(value * 10)] = (bins[Math.floor(value * 10)] ?? 0) + 1;
    expect(bins).toHaveLength(10);
    // Six standard deviations of a bin's count.
    for (const bin of bins) expect(Math.abs(bin - 1000)).toBeLessThan(6 * Math.sqrt(900));
  });

  it('stacks views', () => {
    const a = counting(2, 3);
    expect(
      Tensor.stack([
        a,
        a.transpose().contiguous().reshape(2, 3),
        [
          [9, 8, 7],
          [6, 5, 4],
        ],
      ]).toArray(),
    ).toEqual([
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
      [
        [0, 3, 1],
        [4, 2, 5],
      ],
      [
        [9, 8, 7],
        [6, 5, 4],
      ],
    ]);
    expect(Tensor.stack([a.transpose()]).toArray()).toEqual([
      [
        [0, 3],
        [1, 4],
        [2, 5],
      ],
    ]);
  });
});

// From the generators' definitions, by a program in another language.
const EXPECTED_RANDOM = [2426647, 4257298, 24607, 3663553].map((n) => n / 2 ** 24);

describe('inputs', () => {
  const expected = [
    [0, 1, 2],
    [3, 4, 5],
  ];
  const foreign = runInNewContext(
    '({ data: new Float32Array([0, 1, 2, 3, 4, 5]), shape: [2, 3], strides: [3, 1] })',
  );
  const forms: [string, TensorInput][] = [
    ['a Tensor', counting(2, 3)],
    ['nested arrays', expected],
    ['{data, shape}', { data: count(6), shape: [2, 3] }],
    ['{data, shape, strides}', { data: Float32Array.of(0, 3, 1, 4, 2, 5), shape: [2, 3], strides: [1, 2] }],
    [
      "scijs' {data, shape, stride, offset}",
      { data: count(9).map((v) => v - 2), shape: [2, 3], stride: [3, 1], offset: 2 },
    ],
    ["onnxruntime's {data, dims}", { data: count(6), dims: [2, 3] }],
    ["another realm's object", foreign],
    ['a structured clone of a Tensor', structuredClone(counting(2, 3)) as TensorInput],
    ['a proxy of a Tensor', new Proxy(counting(2, 3), {})],
    [
      'backward strides',
      { data: Float32Array.of(5, 4, 3, 2, 1, 0), shape: [2, 3], strides: [-3, -1], offset: 5 },
    ],
    ['shared memory', { data: new Float32Array(new SharedArrayBuffer(24)).map((_, i) => i), shape: [2, 3] }],
  ];

  it.each(forms)('%s', (_, input) => {
    expect(Tensor.from(input).toArray()).toEqual(expected);
    expect(corr2d(input, [[1]]).toArray()).toEqual(expected);
  });

  it('is wrapped where it isn’t nested arrays', () => {
    const data = count(6);
    expect(Tensor.from({ data, dims: [2, 3] }).data).toBe(data);
    const tensor = counting(2, 3);
    expect(Tensor.from(tensor)).toBe(tensor);
  });

  it('can be read from a buffer that grows', () => {
    const buffer: ArrayBuffer = Reflect.construct(ArrayBuffer, [16, { maxByteLength: 64 }]);
    const tensor = new Tensor(new Float32Array(buffer), [2, 2]);
    Reflect.get(buffer, 'resize').call(buffer, 64);
    expect(corr2d(tensor, [[1]]).toArray()).toEqual([
      [0, 0],
      [0, 0],
    ]);
    Reflect.get(buffer, 'resize').call(buffer, 8);
    expectError(() => corr2d(tensor, [[1]]), outOfRange('x'));
  });

  const cyclic: unknown[] = [];
  cyclic.push(cyclic);
  const big = { data: count(6), shape: [2, 3], strides: [3, 1] };
  const bad: [string, unknown, Expected][] = [
    ['undefined', undefined, invalidType('value')],
    ['null', null, invalidType('value')],
    ['a number', 3, invalidType('value')],
    ['a string', 'abc', invalidType('value')],
    ['a function', () => 1, invalidType('value')],
    ['an empty object', {}, invalidType('value')],
    ['a bare Float32Array', count(4), invalidType('value')],
    ['only the prototype', Object.create(Tensor.prototype), invalidType('value')],
    ['a string in a row', [[1, 'a']], invalidType('value[0][1]')],
    ['a hole in a row', [[1, ...new Array(1), 2]], invalidType('value[0][1]')],
    ['only holes', [new Array(2)], invalidType('value[0][0]')],
    [
      'a longer row',
      [
        [1, 2],
        [1, 2, 3],
      ],
      shapeMismatch('value[1]'),
    ],
    ['a shorter row', [[1, 2], [1]], shapeMismatch('value[1]')],
    ['a number among rows', [[1, 2], 3], shapeMismatch('value[1]')],
    ['a row among numbers', [1, [2]], shapeMismatch('value[1]')],
    ['rows that are typed arrays', [count(2)], invalidType('value[0]')],
    ['an array that contains itself', cyclic, outOfRange('value')],
    ['an array as data', { data: [1, 2], shape: [2] }, invalidType('value.data')],
    ['a fractional length', { data: count(2), shape: [1.5] }, outOfRange('value.shape[0]')],
    ['a NaN length', { data: count(2), shape: [Number.NaN] }, outOfRange('value.shape[0]')],
    ['a negative length', { data: count(2), shape: [-2] }, outOfRange('value.shape[0]')],
    ['a string as a length', { data: count(2), shape: ['2'] }, invalidType('value.shape[0]')],
    ['a number as a shape', { data: count(2), shape: 2 }, invalidType('value.shape')],
    ['too many axes', { data: count(1), shape: new Array(33).fill(1) }, invalidValue('value.shape')],
    [
      'a product that overflows',
      { data: count(1), shape: [2 ** 40, 2 ** 40], strides: [0, 0] },
      outOfRange('value.shape'),
    ],
    ['too few elements', { data: count(5), shape: [2, 3] }, shapeMismatch('value.data')],
    ['too many elements', { data: count(7), dims: [2, 3] }, shapeMismatch('value.data')],
    ['a view beyond the end', { ...big, offset: 1 }, outOfRange('value.data')],
    ['a view before the start', { ...big, strides: [3, -1] }, outOfRange('value.data')],
    ['a negative offset', { ...big, offset: -1 }, outOfRange('value.offset')],
    ['a fractional stride', { ...big, strides: [3, 0.5] }, outOfRange('value.strides[1]')],
    ['another number of strides', { ...big, strides: [1] }, shapeMismatch('value.strides')],
    ['a detached buffer', { data: detach(count(6)), shape: [2, 3] }, detached('value.data')],
  ];

  it.each(bad)('throws for %s', (_, input, expected) => {
    expectError(() => Tensor.from(input as TensorInput), expected);
  });

  it.each([
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
  ])('names the type of a %o', (TypedArray) => {
    const data = new TypedArray(4) as unknown as Float32Array;
    expectError(() => corr2d({ data, shape: [2, 2] }, [[1]]), invalidType('x.data'));
    expect(() => corr2d({ data, shape: [2, 2] }, [[1]])).toThrow(TypedArray.name);
    expect(() => new Tensor(data, [2, 2])).toThrow(TypedArray.name);
  });
});

describe('views', () => {
  it('reads elements, from the end where negative', () => {
    const tensor = counting(2, 3);
    expect([tensor.at(0, 0), tensor.at(1, 2), tensor.at(-1, -3)]).toEqual([0, 5, 3]);
    expect(tensor.transpose().at(2, 1)).toBe(5);
  });

  it('transposes', () => {
    const tensor = counting(2, 3, 4);
    expect(tensor.transpose().shape).toEqual([4, 3, 2]);
    const moved = tensor.transpose(1, 2, 0);
    expect(moved.shape).toEqual([3, 4, 2]);
    for (const [i, j, k] of [
      [0, 0, 0],
      [1, 2, 3],
      [0, 2, 1],
    ] as const) {
      expect(moved.at(j, k, i)).toBe(tensor.at(i, j, k));
    }
    expect(moved.data).toBe(tensor.data);
  });

  it('slices', () => {
    const tensor = counting(4, 5);
    const part = tensor.slice([1, 3], [-2]);
    expect(part.toArray()).toEqual([
      [8, 9],
      [13, 14],
    ]);
    expect(part.data).toBe(tensor.data);
    expect(tensor.slice(undefined, [0, 1]).toArray()).toEqual([[0], [5], [10], [15]]);
    expect(tensor.slice([2, 2]).shape).toEqual([0, 5]);
    expect(tensor.slice().shape).toEqual([4, 5]);
  });

  it('writes through to the memory that it shares', () => {
    const tensor = counting(2, 3);
    tensor.data[4] = 40;
    expect(tensor.transpose().slice([1, 2]).reshape(2).toArray()).toEqual([1, 40]);
  });

  it('reshapes without a copy where strides allow it', () => {
    const tensor = counting(4, 6);
    expect(tensor.reshape([2, 2, 6]).data).toBe(tensor.data);
    expect(tensor.reshape(3, -1).shape).toEqual([3, 8]);
    const crop = tensor.slice([1, 3], [2, 5]);
    const batch = crop.reshape(1, 1, 2, 3);
    expect(batch.data).toBe(tensor.data);
    expect(batch.toArray()).toEqual([
      [
        [
          [8, 9, 10],
          [14, 15, 16],
        ],
      ],
    ]);
    const split = tensor.transpose().reshape(2, 3, 4);
    expect(split.data).toBe(tensor.data);
    expect(split.at(1, 2, 3)).toBe(tensor.at(3, 5));
  });

  it('reshapes with a copy where they don’t', () => {
    const tensor = counting(2, 3);
    const flat = tensor.transpose().reshape(6);
    expect(flat.toArray()).toEqual([0, 3, 1, 4, 2, 5]);
    expect(flat.data).not.toBe(tensor.data);
    expect(counting(4, 6).slice([1, 3], [2, 5]).reshape(-1).toArray()).toEqual([8, 9, 10, 14, 15, 16]);
    expect(Tensor.zeros([0, 3]).reshape(3, 0).shape).toEqual([3, 0]);
  });

  it('makes contiguous copies of any view, only where needed', () => {
    const tensor = counting(3, 40, 50);
    expect(tensor.contiguous()).toBe(tensor);
    const view = tensor.transpose(2, 0, 1);
    const copy = view.contiguous();
    expect(copy.strides).toEqual([120, 40, 1]);
    expect(copy.toArray()).toEqual(view.toArray());
    expect(tensor.slice([1, 2]).contiguous().data).toHaveLength(2000);
  });

  it('survives a change of its own fields', () => {
    const tensor = counting(2, 3);
    (tensor.shape as number[])[0] = 1e6;
    expectError(() => corr2d(tensor, [[1]]), outOfRange('x'));
  });

  const tensor = counting(2, 3);
  const bad: [string, () => unknown, Expected][] = [
    ['at: too few', () => tensor.at(1), shapeMismatch('indices')],
    ['at: outside', () => tensor.at(0, 3), outOfRange('indices[1]')],
    ['at: before the start', () => tensor.at(-3, 0), outOfRange('indices[0]')],
    ['at: fraction', () => tensor.at(0.5, 0), outOfRange('indices[0]')],
    ['at: NaN', () => tensor.at(Number.NaN, 0), outOfRange('indices[0]')],
    ['at: string', () => tensor.at('0' as never, 0), invalidType('indices[0]')],
    ['reshape: other size', () => tensor.reshape(4), shapeMismatch('shape')],
    ['reshape: not divisible', () => tensor.reshape(4, -1), shapeMismatch('shape')],
    ['reshape: two unknown', () => tensor.reshape(-1, -1), invalidValue('shape')],
    ['reshape: -2', () => tensor.reshape(-2, 3), outOfRange('shape[0]')],
    ['reshape: string', () => tensor.reshape('6' as never), invalidType('shape[0]')],
    ['reshape: unknown beside 0', () => Tensor.zeros([0]).reshape(0, -1), invalidValue('shape')],
    ['transpose: twice the same', () => tensor.transpose(0, 0), invalidValue('axes')],
    ['transpose: too few', () => tensor.transpose(1), invalidValue('axes')],
    ['transpose: outside', () => tensor.transpose(0, 2), outOfRange('axes[1]')],
    ['transpose: string', () => tensor.transpose('0' as never, 1), invalidType('axes[0]')],
    ['slice: too many', () => tensor.slice([0], [0], [0]), invalidValue('ranges')],
    ['slice: beyond the end', () => tensor.slice([0, 3]), outOfRange('ranges[0][1]')],
    ['slice: before the start', () => tensor.slice([-3]), outOfRange('ranges[0][0]')],
    ['slice: backwards', () => tensor.slice([1, 0]), outOfRange('ranges[0][1]')],
    ['slice: number', () => tensor.slice(1 as never), invalidType('ranges[0]')],
    ['slice: empty', () => tensor.slice([] as never), invalidValue('ranges[0]')],
    ['zeros: no shape', () => Tensor.zeros(undefined as never), invalidType('shape')],
    ['zeros: negative', () => Tensor.zeros([-1]), outOfRange('shape[0]')],
    ['zeros: too large', () => Tensor.zeros([2 ** 20, 2 ** 20]), limitExceeded('shape')],
    ['ones: fraction', () => Tensor.ones([1.5]), outOfRange('shape[0]')],
    ['full: string', () => Tensor.full([1], '1' as never), invalidType('value')],
    ['rand: negative seed', () => Tensor.rand([1], { seed: -1 }), outOfRange('seed')],
    ['rand: fractional seed', () => Tensor.rand([1], { seed: 0.5 }), outOfRange('seed')],
    ['rand: string seed', () => Tensor.rand([1], { seed: 'a' as never }), invalidType('seed')],
    ['rand: unknown option', () => Tensor.rand([1], { sede: 1 } as never), unknownOption('sede')],
    ['stack: nothing', () => Tensor.stack([]), invalidValue('list')],
    ['stack: no list', () => Tensor.stack(tensor as never), invalidType('list')],
    ['stack: unlike shapes', () => Tensor.stack([tensor, [[1]]]), shapeMismatch('list[1]')],
    ['new: no data', () => new Tensor(undefined as never, [1]), invalidType('data')],
    ['new: other length', () => new Tensor(count(5), [2, 3]), shapeMismatch('data')],
    [
      'new: unknown option',
      () => new Tensor(count(1), [1], { stride: [1] } as never),
      unknownOption('stride'),
    ],
    ['new: beyond the end', () => new Tensor(count(6), [2, 3], { offset: 1 }), outOfRange('data')],
    [
      'toArray: detached',
      () => new Tensor(count(6), [6]).toArray.call(detachedTensor()),
      detached('the tensor'),
    ],
    ['contiguous: detached', () => detachedTensor().contiguous(), detached('the tensor')],
    ['at: detached', () => detachedTensor().at(0), detached('the tensor')],
  ];

  it.each(bad)('throws: %s', (_, call, expected) => {
    expectError(call, expected);
  });
});

function detachedTensor(): Tensor {
  const tensor = counting(6);
  detach(tensor.data);
  return tensor;
}
