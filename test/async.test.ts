/** Calls off the event loop: the same bits, memory of their own, transfer, abortion, errors as rejections. */
import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import {
  AvgPool2D,
  Conv2D,
  getThreads,
  type Layer,
  MaxPool2D,
  Sequential,
  setThreads,
  Tensor,
} from '../index.ts';
import { onWasm } from './support/backend.ts';
import { bits, expectSameBits } from './support/close.ts';
import { detached, expectRejection, invalidType, overlap, shapeMismatch } from './support/error.ts';

const threadsBefore = getThreads();
afterEach(() => setThreads(threadsBefore));

const layer = new Conv2D({ inChannels: 3, outChannels: 8, kernelSize: 3, padding: 1, seed: 1 });
const x = Tensor.rand([2, 3, 40, 50], { seed: 2 });
const expected = bits(layer.forward(x));

/** 33 GFLOP: far longer than the tests wait. */
const slow = new Conv2D({ inChannels: 64, outChannels: 64, kernelSize: 9, seed: 1 });
const slowInput = Tensor.rand([16, 64, 64, 64], { seed: 3 });

describe('forwardAsync and runAsync', () => {
  it.each([1, 2, 3])('give the bits of forward, on %d threads', async (threads) => {
    setThreads(threads);
    expectSameBits(bits(await layer.forwardAsync(x)), expected);
    expectSameBits(bits(await layer.plan(x.shape).runAsync(x)), expected);
    expectSameBits(bits(await layer.plan(x.shape, { threads: 1 }).runAsync(x)), expected);
    for (const pool of [new MaxPool2D(3, { stride: 2 }), new AvgPool2D(2)]) {
      expectSameBits(bits(await pool.forwardAsync(x)), bits(pool.forward(x)));
    }
  });

  it('take every form of input', async () => {
    const one = new Conv2D({ kernelSize: 2, seed: 1 });
    const crop = x.slice([0, 1], [0, 1], [3, 17], [5, 21]).reshape(14, 16);
    for (const view of [
      crop,
      crop.transpose(),
      new Tensor(x.data, [9, 9], { strides: [-50, -2], offset: 900 }),
    ]) {
      const result = bits(one.forward(view));
      expectSameBits(bits(await one.forwardAsync(view)), result);
      expectSameBits(bits(await one.forwardAsync(view.toArray() as number[][])), result);
      expectSameBits(bits(await one.forwardAsync(view.contiguous(), { transfer: true })), result);
    }
  });

  it('many at once, each its own', async () => {
    const inputs = Array.from({ length: 100 }, (_, i) => Tensor.full([3, 20 + (i % 7), 30], i));
    const results = await Promise.all(inputs.map((input) => layer.forwardAsync(input)));
    for (const [i, input] of inputs.entries()) {
      expectSameBits(bits(results[i] as Tensor), bits(layer.forward(input)));
    }
  });

  it('copy the input before they return', async () => {
    const input = x.contiguous().data.slice();
    const promise = layer.forwardAsync(new Tensor(input, x.shape));
    input.fill(Number.NaN);
    expectSameBits(bits(await promise), expected);
  });

  it('keep the weight of the time of the call', async () => {
    const own = Conv2D.fromJSON(layer.toJSON());
    const promise = own.forwardAsync(x);
    own.weight = Tensor.zeros([8, 3, 3, 3]);
    expectSameBits(bits(await promise), expected);
  });

  it('give an empty batch an empty result', async () => {
    expect((await layer.forwardAsync(Tensor.zeros([0, 3, 5, 5]))).shape).toEqual([0, 8, 5, 5]);
  });
});

describe('out', () => {
  it('is written at the end, and is the result', async () => {
    const memory = new Float32Array(expected.length + 10).fill(-1);
    const out = new Tensor(memory, [2, 8, 40, 50], { offset: 5 });
    const promise = layer.forwardAsync(x, { out });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await promise).toBe(out);
    expectSameBits(bits(out), expected);
    expect([...memory.subarray(0, 5), ...memory.subarray(-5)]).toEqual(Array(10).fill(-1));
  });

  it('that was detached meanwhile rejects', async () => {
    const out = new Float32Array(expected.length);
    const promise = layer.forwardAsync(x, { out });
    structuredClone(out.buffer, { transfer: [out.buffer] });
    await expectRejection(promise, detached('out'));
  });

  it('must not overlap the input, nor be moved with it', async () => {
    const memory = new Float32Array(12000 + expected.length);
    const input = new Tensor(memory, [2, 3, 40, 50], { offset: 0 });
    await expectRejection(layer.forwardAsync(input, { out: memory.subarray(1, 32001) }), overlap('out'));
    const out = memory.subarray(12000);
    await expectRejection(layer.forwardAsync(input, { out, transfer: true }), overlap('out'));
    await layer.forwardAsync(input, { out });
    expect(memory.length).toBe(44000);
  });
});

describe('transfer', () => {
  it('takes the whole buffer', async () => {
    const memory = new Float32Array(13000);
    memory.set(x.data, 500);
    const promise = layer.forwardAsync(new Tensor(memory, x.shape, { offset: 500 }), { transfer: true });
    expect(memory.length).toBe(0);
    expectSameBits(bits(await promise), expected);
  });

  it('copies shared memory, and what can’t be moved', async () => {
    const { WebAssembly } = globalThis as unknown as {
      WebAssembly: { Memory: new (size: { initial: number }) => { buffer: ArrayBuffer } };
    };
    const { buffer: untransferable } = new WebAssembly.Memory({ initial: 1 });
    for (const buffer of [new SharedArrayBuffer(48000), untransferable]) {
      const data = new Float32Array(buffer, 0, 12000);
      data.set(x.data);
      const promise = layer.forwardAsync({ data, shape: x.shape }, { transfer: true });
      expect(data.length).toBe(12000);
      data.fill(0);
      expectSameBits(bits(await promise), expected);
    }
  });

  it('leaves the input alone when the call is refused', async () => {
    const data = new Float32Array(12);
    const refused = layer.forwardAsync(
      { data, shape: [3, 2, 2] },
      { transfer: true, out: new Float32Array(1) },
    );
    await expectRejection(refused, shapeMismatch('out'));
    expect(data.length).toBe(12);
  });
});

describe('signal', () => {
  it('aborted before: rejects with its reason, and nothing is taken', async () => {
    const data = x.data.slice();
    const reason = { mine: true };
    const promise = layer.forwardAsync(new Tensor(data, x.shape), {
      signal: AbortSignal.abort(reason),
      transfer: true,
    });
    await expect(promise).rejects.toBe(reason);
    expect(data.length).toBe(x.size);
  });

  // A job of WebAssembly begins when the event loop is idle and can't be stopped from it.
  it.skipIf(onWasm)(
    'aborted meanwhile: rejects with its reason, leaves `out`, and the pool goes on',
    async () => {
      const out = new Float32Array(16 * 64 * 56 * 56).fill(7);
      for (const reason of [new Error('mine'), undefined]) {
        const controller = new AbortController();
        const { signal } = controller;
        const first = slow.forwardAsync(slowInput, { signal, out });
        const waiting = slow.forwardAsync(slowInput, { signal });
        expect(getEventListeners(signal, 'abort')).toHaveLength(2);
        setTimeout(() => controller.abort(reason), 30);
        const settled = await Promise.allSettled([first, waiting]);
        expect(settled).toEqual(Array(2).fill({ status: 'rejected', reason: signal.reason }));
        expect(getEventListeners(signal, 'abort')).toHaveLength(0);
        expectSameBits(bits(await layer.forwardAsync(x)), expected);
      }
      expect(out.every((value) => value === 7)).toBe(true);
    },
  );

  it('has no listener left after the end', async () => {
    const { signal } = new AbortController();
    await layer.forwardAsync(x, { signal });
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});

describe('Sequential.forwardAsync', () => {
  const net = new Sequential([layer, new MaxPool2D(2), new Sequential([new AvgPool2D(2)])]);
  const result = bits(net.forward(x));

  it('gives the bits of forward, and writes into out', async () => {
    expectSameBits(bits(await net.forwardAsync(x)), result);
    const out = Tensor.zeros(net.outputShape(x.shape));
    expect(await net.forwardAsync(x, { out })).toBe(out);
    expectSameBits(bits(out), result);
  });

  it('copies the input before it returns, or moves it', async () => {
    const input = x.contiguous().data.slice();
    const copied = net.forwardAsync(new Tensor(input, x.shape));
    input.fill(Number.NaN);
    expectSameBits(bits(await copied), result);
    const moved = x.contiguous().data.slice();
    const promise = net.forwardAsync(new Tensor(moved, x.shape), { transfer: true });
    expect(moved.length).toBe(0);
    expectSameBits(bits(await promise), result);
  });

  it('never takes memory that a layer of others may keep', async () => {
    const input = Tensor.from(x.contiguous());
    const same: Layer = {
      parameters: 0,
      forward: (y) => Tensor.from(y),
      outputShape: (shape) => [...shape],
      toJSON: () => ({ type: 'Same' }),
    };
    expectSameBits(bits(await new Sequential([same, layer]).forwardAsync(input)), expected);
    expect(input.data.length).toBe(12000);
  });

  it('stops at whatever layer it is', async () => {
    const long = new Sequential([slow, new MaxPool2D(2)]);
    const controller = new AbortController();
    const promise = long.forwardAsync(slowInput, { signal: controller.signal });
    setTimeout(() => controller.abort('enough'), 20);
    await expect(promise).rejects.toBe('enough');
  });

  it('names the layer of an error', async () => {
    await expectRejection(new Sequential([layer, layer]).forwardAsync(x), shapeMismatch('(layers[1])'));
  });
});

it('errors in arguments are rejections, not exceptions', async () => {
  const plan = layer.plan(x.shape);
  for (const call of [
    () => layer.forwardAsync(3 as never),
    () => plan.runAsync(3 as never),
    () => new MaxPool2D(2).forwardAsync(3 as never),
  ]) {
    await expectRejection(call(), invalidType('x'));
  }
});

/** Milliseconds that each tick of a 5 ms timer is late while `work` goes on, in ascending order. */
async function lags(work: () => Promise<unknown>): Promise<number[]> {
  const late: number[] = [];
  let due = performance.now() + 5;
  const timer = setInterval(() => {
    const now = performance.now();
    late.push(now - due);
    due = now + 5;
  }, 5);
  await work();
  clearInterval(timer);
  // The time since the last tick, which a synchronous call in disguise would spend without any.
  late.push(performance.now() - due);
  return late.sort((a, b) => a - b);
}

// A synchronous call in disguise lets no timer run before it has ended, after about a second. `npm run bench:lag` measures
// what is asked for, 20 ms.
it.skipIf(onWasm)('the event loop turns while convolutions of seconds run', { timeout: 60_000 }, async () => {
  const before = performance.now();
  slow.forward(slowInput.slice([0, 1]));
  const images = Math.max(1, Math.ceil(1000 / (performance.now() - before)));
  const second = Tensor.zeros([images, 64, 64, 64]);
  const late = await lags(async () => {
    for (let i = 0; i < 2; i++) await slow.forwardAsync(second);
  });
  expect(late.length).toBeGreaterThan(20);
  expect(late[Math.floor(0.99 * late.length)]).toBeLessThan(250);
});
