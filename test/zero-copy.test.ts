/** A synchronous call reads the caller's memory and writes into `out`: no copy in between. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Conv2D, conv2d, corr2d, MaxPool2D, maxPool2d, pool2d, Tensor } from '../index.ts';
import { loadNative } from '../loader/native.cjs';
import { onWasm } from './support/backend.ts';
import { bits, expectClose } from './support/close.ts';
import { naiveCorr2d } from './support/naive.ts';

const native = loadNative();

describe.skipIf(onWasm)('addresses as the native side sees them', () => {
  it('are the same for every view of one buffer, byteOffset added', () => {
    const data = new Float32Array(1000);
    const address = native.addressOf(data);
    expect(address).toBeGreaterThan(0);
    expect(native.addressOf(data)).toBe(address);
    expect(native.addressOf(new Float32Array(data.buffer, 40, 8))).toBe(address + 40);
    expect(native.addressOf(Tensor.from({ data, shape: [10, 100] }).data)).toBe(address);
  });

  it('are those of `out` in the result', () => {
    const out = new Float32Array(98 * 98);
    const address = native.addressOf(out);
    const y = corr2d(Tensor.ones([100, 100]), Tensor.ones([3, 3]), { out });
    expect(native.addressOf(y.data)).toBe(address);
    expect(y.data.buffer).toBe(out.buffer);
  });
});

describe.skipIf(onWasm)('what the native side is handed', () => {
  afterEach(() => vi.restoreAllMocks());

  const data = Float32Array.from({ length: 400 }, (_, i) => i % 7);
  const out = new Float32Array(410);
  const whole = new Tensor(data, [20, 20]);
  const crop = whole.slice([3, 18], [2, 19]);
  const bytes = Float32Array.BYTES_PER_ELEMENT;

  it.each<
    [string, Tensor, (x: Tensor, target: Float32Array) => Tensor, object, 'conv2d' | 'pool2d' | 'runPlan']
  >([
    ['corr2d', whole, (x, o) => corr2d(x, [[1]], { out: o }), native, 'conv2d'],
    ['corr2d of a crop', crop, (x, o) => corr2d(x, [[1]], { out: o }), native, 'conv2d'],
    ['pool2d', whole, (x, o) => pool2d(x, 1, 'max', { out: o }), native, 'pool2d'],
    ['maxPool2d of a crop', crop, (x, o) => maxPool2d(x, 1, { out: o }), native, 'pool2d'],
    ['a layer', whole, (x, o) => new Conv2D(1).forward(x, { out: o }), native, 'runPlan'],
    [
      'a plan on a crop',
      crop,
      (x, o) => new MaxPool2D(1).plan(x.shape).run(x, { out: o }),
      native,
      'runPlan',
    ],
  ])('%s: the addresses of the caller’s memory', (_, x, call, owner, name) => {
    const target = out.subarray(5, 5 + x.size);
    const spy = vi.spyOn(owner as Record<string, (...args: unknown[]) => void>, name);
    const y = call(x, target);
    expect(spy).toHaveBeenCalledTimes(1);
    const arrays = (spy.mock.calls[0] ?? []).filter((value) => value instanceof Float32Array);
    const addresses = arrays.map(native.addressOf);
    expect(addresses[0]).toBe(native.addressOf(data));
    expect(addresses.at(-1)).toBe(native.addressOf(out) + 5 * bytes);
    expect(native.addressOf(y.data)).toBe(native.addressOf(out) + 5 * bytes);
  });
});

// Each input element is changed between two runs of one plan, and each result must follow: a plan keeps no copy.
describe('memory that is watched', () => {
  it('is read at the time of the call', () => {
    const data = Float32Array.from({ length: 25 }, (_, i) => i);
    const x = new Tensor(data, [5, 5]);
    const out = new Float32Array(25);
    const layer = new Conv2D(1);
    layer.weight = [[1]];
    const plan = layer.plan([5, 5]);
    for (let i = 0; i < 25; i++) {
      data[i] = 100 + i;
      plan.run(x, { out });
      expect([...out]).toEqual([...data]);
    }
  });

  it('is written in `out` only, within its bounds', () => {
    const memory = new Float32Array(40).fill(-1);
    const out = memory.subarray(8, 24);
    corr2d(Tensor.ones([5, 5]), Tensor.ones([2, 2]), { out });
    expect([...memory]).toEqual([...Array(8).fill(-1), ...Array(16).fill(4), ...Array(16).fill(-1)]);
  });

  it('is not written as an input', () => {
    const data = Float32Array.from({ length: 64 }, (_, i) => i);
    const before = data.slice();
    conv2d({ data, shape: [1, 8, 8] }, Tensor.ones([2, 1, 3, 3]), { padding: 1, paddingMode: 'reflect' });
    pool2d({ data, shape: [8, 8] }, 3, 'avg', { padding: 1 });
    expect(data).toEqual(before);
  });

  it('may be shared by the input and `out` where they don’t touch', () => {
    const memory = new Float32Array(64 + 49);
    const x = new Tensor(memory, [8, 8], { offset: 0 });
    memory.fill(1, 0, 64);
    const y = corr2d(x, Tensor.ones([2, 2]), { out: memory.subarray(64) });
    expect(y.data.buffer).toBe(memory.buffer);
    expect([...memory]).toEqual([...Array(64).fill(1), ...Array(49).fill(4)]);
  });
});

describe('`out`', () => {
  it('is the result itself where it is a Tensor of that shape', () => {
    const out = Tensor.zeros([4, 4]);
    expect(
      corr2d(
        Tensor.ones([5, 5]),
        [
          [1, 1],
          [1, 1],
        ],
        { out },
      ),
    ).toBe(out);
    expect(out.toArray()).toEqual(Array(4).fill([4, 4, 4, 4]));
  });

  it('may have another shape of the same size, and lie within a larger memory', () => {
    const memory = new Float32Array(20);
    const out = new Tensor(memory, [16], { offset: 2 });
    const y = maxPool2d(Tensor.ones([4, 4]), 1, { out });
    expect(y.shape).toEqual([4, 4]);
    expect([...memory]).toEqual([0, 0, ...Array(16).fill(1), 0, 0]);
  });
});

describe('strided views', () => {
  const image = Tensor.rand([50, 70], { seed: 9 });
  const kernel = Tensor.rand([3, 5], { seed: 10 });

  it.each<[string, Tensor]>([
    ['a cropped region', image.slice([7, 30], [11, 52])],
    ['a crop of full rows', image.slice([3, 20])],
    ['every third row', new Tensor(image.data, [16, 70], { strides: [210, 1] })],
    ['one row again and again', new Tensor(image.data, [9, 70], { strides: [0, 1] })],
    ['a transposed image', image.transpose()],
    ['a transposed crop', image.slice([7, 30], [11, 52]).transpose()],
    ['every second column', new Tensor(image.data, [50, 35], { strides: [70, 2] })],
    ['an image upside down', new Tensor(image.data, [50, 70], { strides: [-70, 1], offset: 49 * 70 })],
    ['a mirrored image', new Tensor(image.data, [50, 70], { strides: [70, -1], offset: 69 })],
    ['a byteOffset', new Tensor(image.data.subarray(5, 5 + 40 * 40), [40, 40])],
  ])('%s', (_, view) => {
    const copy = Tensor.from(view.toArray() as number[][]);
    const y = corr2d(view, kernel);
    expectClose(y, naiveCorr2d(copy, kernel), 1e-5);
    expect(bits(y)).toEqual(bits(corr2d(copy, kernel)));
    expect(pool2d(view, [2, 3]).toArray()).toEqual(pool2d(copy, [2, 3]).toArray());
    const layer = new Conv2D([3, 5]);
    layer.weight = kernel;
    expect(bits(layer.forward(view))).toEqual(bits(y));
  });

  it('batches and channels cut out of a larger tensor', () => {
    const all = Tensor.rand([4, 6, 12, 14], { seed: 11 });
    const part = all.slice([1, 3], [2, 5], [1, 10], [3, 13]);
    const weight = Tensor.rand([5, 3, 3, 3], { seed: 12 });
    const copy = part.contiguous();
    expect(bits(conv2d(part, weight))).toEqual(bits(conv2d(copy, weight)));
    expect(bits(maxPool2d(part, 2))).toEqual(bits(maxPool2d(copy, 2)));
    const swapped = all.transpose(1, 0, 2, 3);
    const wide = Tensor.rand([2, 4, 3, 3], { seed: 13 });
    expect(bits(conv2d(swapped, wide))).toEqual(bits(conv2d(swapped.contiguous(), wide)));
  });

  it('a weight and a bias that are views', () => {
    const weight = Tensor.rand([3, 3, 4, 5], { seed: 14 }).transpose();
    const bias = new Tensor(new Float32Array([1, 0, 2, 0, 3, 0, 4, 0, 5]), [5], { strides: [2] });
    const x = Tensor.rand([4, 9, 9], { seed: 15 });
    const y = conv2d(x, weight, { bias });
    expect(bits(y)).toEqual(bits(conv2d(x, weight.contiguous(), { bias: [1, 2, 3, 4, 5] })));
  });
});

describe.skipIf(onWasm)('asynchronous calls', () => {
  afterEach(() => vi.restoreAllMocks());

  it('read a moved input where it lies, and compute the result in its own memory', async () => {
    const data = Float32Array.from({ length: 400 }, (_, i) => i);
    const address = native.addressOf(data);
    const spy = vi.spyOn(native, 'startPlan');
    const promise = new Conv2D(1).forwardAsync(new Tensor(data, [20, 20]), { transfer: true });
    const [, source, , target] = spy.mock.calls[0] as Parameters<typeof native.startPlan>;
    expect(native.addressOf(source)).toBe(address);
    expect((await promise).data.buffer).toBe(target.buffer);
  });

  it('hand neither the caller’s input nor `out` to another thread', async () => {
    const data = new Float32Array(400).fill(1);
    const out = new Float32Array(400);
    const spy = vi.spyOn(native, 'startPlanOnCopy');
    const layer = new Conv2D(1);
    layer.weight = [[2]];
    const promise = layer.forwardAsync(new Tensor(data, [20, 20]), { out });
    // What the caller does with its own memory from now on is nobody else's business.
    data.fill(9);
    out.fill(9);
    await promise;
    const [, , , target] = spy.mock.calls[0] as Parameters<typeof native.startPlanOnCopy>;
    expect(target.buffer).not.toBe(out.buffer);
    expect(new Set(out)).toEqual(new Set([2]));
  });
});

it('plan.run with `out` allocates no memory for elements', () => {
  const x = Tensor.ones([8, 40, 40]);
  const plan = new Conv2D({ inChannels: 8, outChannels: 8, kernelSize: 3, seed: 1 }).plan(x.shape);
  const out = plan.run(x);
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 50; i++) plan.run(x, { out });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(out.size * 4 * 10);
});
