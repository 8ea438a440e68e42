/** Images off the event loop: the same bits, memory of their own, transfer, abortion, errors as rejections. */
import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import {
  filterImage,
  filterImageAsync,
  gaussian,
  gradientMagnitude,
  gradientMagnitudeAsync,
  type Image,
  poolImage,
  poolImageAsync,
  sobelX,
  Tensor,
} from '../index.ts';
import {
  detached,
  expectRejection,
  invalidType,
  overlap,
  shapeMismatch,
  unknownOption,
} from './support/error.ts';

const samples = Tensor.rand([200 * 150 * 3], { seed: 7 }).data;
const size = { width: 200, height: 150, channels: 3 };
const image = { data: Uint8Array.from(samples, (value) => value * 256), ...size };
const images: Image[] = [
  image,
  { ...size, data: Buffer.from(image.data) },
  { ...size, data: Uint8ClampedArray.from(image.data) },
  { ...size, data: Uint16Array.from(samples, (value) => value * 65536) },
  { ...size, data: samples },
];
const blur = gaussian(2);

/** Compared as bytes: element by element takes seconds. */
function expectSame(result: Image, expected: Image): void {
  const bytes = ({ data }: Image) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  expect({ ...result, data: result.data.constructor }).toEqual({
    ...expected,
    data: expected.data.constructor,
  });
  expect(bytes(result).equals(bytes(expected))).toBe(true);
}

test.each(images)('gives what the synchronous call gives', async (picture) => {
  expectSame(await filterImageAsync(picture, blur), filterImage(picture, blur));
  expectSame(await gradientMagnitudeAsync(picture), gradientMagnitude(picture));
  expectSame(await poolImageAsync(picture, 3, 'avg'), poolImage(picture, 3, 'avg'));
});

test('many at once, each its own', async () => {
  const inputs = Array.from({ length: 60 }, (_, i) => ({
    data: image.data.subarray(i, i + 90 * 60),
    width: 90,
    height: 60,
    channels: 1,
  }));
  const results = await Promise.all(
    inputs.map((input, i) => (i % 2 ? filterImageAsync(input, blur) : poolImageAsync(input, 2))),
  );
  for (const [i, input] of inputs.entries()) {
    expectSame(results[i] as Image, i % 2 ? filterImage(input, blur) : poolImage(input, 2));
  }
});

test('the image is copied before the call returns, and the event loop goes on meanwhile', async () => {
  const data = image.data.slice();
  const expected = filterImage(image, blur);
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  const promise = filterImageAsync({ ...image, data }, blur);
  data.fill(0);
  expectSame(await promise, expected);
  const large = { data: new Uint8Array(4000 * 3000), width: 4000, height: 3000, channels: 1 };
  await filterImageAsync(large, Tensor.rand([15, 15], { seed: 1 }));
  clearInterval(timer);
  expect(turns).toBeGreaterThan(0);
});

describe('transfer', () => {
  test('moves the samples', async () => {
    const data = image.data.slice();
    const promise = filterImageAsync({ ...image, data }, blur, { transfer: true });
    expect(data.length).toBe(0);
    expectSame(await promise, filterImage(image, blur));
  });

  test('keeps a view’s place in its buffer', async () => {
    const memory = new Uint16Array(500).map((_, i) => (i * 7919) % 65536);
    const view = { data: memory.subarray(100, 200), width: 10, height: 10, channels: 1 };
    const expected = filterImage(view, sobelX);
    expectSame(await filterImageAsync(view, sobelX, { transfer: true }), expected);
  });

  test('copies what can’t be moved', async () => {
    const data = new Uint8Array(new SharedArrayBuffer(100)).fill(3);
    const shared = { data, width: 10, height: 10, channels: 1 };
    expect((await filterImageAsync(shared, [[2]], { transfer: true })).data[0]).toBe(6);
    expect(data[0]).toBe(3);
    const pooled = { data: Buffer.from('0123456789'), width: 10, height: 1, channels: 1 };
    const isPooled = pooled.data.buffer.byteLength > 10;
    expect(String((await filterImageAsync(pooled, [[1]], { transfer: true })).data)).toBe('0123456789');
    // Node keeps small buffers in one piece of memory; an engine that does not has moved it.
    expect(pooled.data.length).toBe(isPooled ? 10 : 0);
  });
});

describe('out', () => {
  test('receives the result at the end', async () => {
    const out = new Uint8Array(image.data.length);
    const promise = filterImageAsync(image, blur, { out });
    const result = await promise;
    expect(result.data).toBe(out);
    expectSame(result, filterImage(image, blur));
  });

  test('may not be the image, nor be moved with it', async () => {
    await expectRejection(filterImageAsync(image, blur, { out: image.data }), overlap('out'));
    const memory = new Uint8Array(200);
    const part = { data: memory.subarray(0, 100), width: 10, height: 10, channels: 1 };
    const out = memory.subarray(100);
    await expectRejection(filterImageAsync(part, blur, { out, transfer: true }), overlap('out'));
    expect(memory.length).toBe(200);
  });

  test('that is gone at the end is an error', async () => {
    const out = new Uint8Array(image.data.length);
    const promise = filterImageAsync(image, blur, { out });
    structuredClone(out.buffer, { transfer: [out.buffer] });
    await expectRejection(promise, detached('out'));
  });
});

describe('signal', () => {
  test('aborted before, it rejects with the reason and starts nothing', async () => {
    const out = new Uint8Array(image.data.length);
    const reason = new Error('no');
    const promise = filterImageAsync(image, blur, { signal: AbortSignal.abort(reason), out });
    await expect(promise).rejects.toBe(reason);
    expect(out.every((sample) => sample === 0)).toBe(true);
  });

  test('aborted meanwhile, it rejects at once, leaves out alone and no listener behind', async () => {
    const large = { data: new Uint8Array(2000 * 2000).fill(1), width: 2000, height: 2000, channels: 1 };
    const out = new Uint8Array(large.data.length);
    const controller = new AbortController();
    const slow = Tensor.rand([61, 61], { seed: 1 });
    const promise = filterImageAsync(large, slow, { signal: controller.signal, out });
    controller.abort(new Error('enough'));
    await expect(promise).rejects.toThrow('enough');
    expect(out.every((sample) => sample === 0)).toBe(true);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });
});

test('what the synchronous call throws becomes a rejection', async () => {
  const loose = filterImageAsync as unknown as (...args: unknown[]) => Promise<unknown>;
  await expectRejection(loose(), invalidType('image'));
  await expectRejection(loose(image, 'sobel'), invalidType('kernel'));
  await expectRejection(loose(image, blur, { signal: 1 }), invalidType('signal'));
  await expectRejection(loose(image, blur, { transfer: 1 }), invalidType('transfer'));
  await expectRejection(loose(image, blur, { padding: 1 }), unknownOption('options'));
  await expectRejection(loose(image, blur, { out: new Uint8Array(3) }), shapeMismatch('out'));
  await expectRejection(loose({ ...image, width: 7 }, blur), shapeMismatch('image.data'));
});
