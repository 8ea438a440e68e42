/** Memory that goes from image to image. */
import { afterEach, expect, test } from 'vitest';
import { collectDropped, PixelMemory } from '../../src/pixel-memory.ts';

const MEGABYTE = 2 ** 20;

afterEach(() => collectDropped(undefined));

test('what was given back is taken again', () => {
  const memory = new PixelMemory(2);
  const first = memory.take(Buffer.alloc(0), MEGABYTE);
  memory.giveBack(first);
  expect(memory.take(Buffer.alloc(0), MEGABYTE - 5).buffer).toBe(first.buffer);
  expect(memory.take(Buffer.alloc(0), MEGABYTE).buffer).not.toBe(first.buffer);
});

test('the smaller of two spare buffers is let go', () => {
  const memory = new PixelMemory(2);
  const large = memory.take(Buffer.alloc(0), 4 * MEGABYTE);
  memory.giveBack(large);
  memory.giveBack(Buffer.alloc(MEGABYTE));
  expect(memory.take(Buffer.alloc(0), 1000 * 1000).buffer).toBe(large.buffer);
});

test('garbage is collected after 64 MiB that were let go, and not before', async () => {
  let collections = 0;
  collectDropped(() => {
    collections += 1;
  });
  const memory = new PixelMemory(2);
  const drop = async (count: number) => {
    for (let i = 0; i < count; i++) memory.giveBack(Buffer.alloc(MEGABYTE));
    await new Promise(setImmediate);
  };
  // The first one stays.
  await drop(64);
  expect(collections).toBe(0);
  await drop(1);
  expect(collections).toBe(1);
  await drop(63);
  expect(collections).toBe(1);
  await drop(1);
  expect(collections).toBe(2);
});
