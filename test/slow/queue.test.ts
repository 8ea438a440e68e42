/** Retries, dead images, events, shutdown and the rate limit of a queue, with a worker in this process. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Pipeline } from '../../index.ts';
import {
  createImageWorker,
  deadImages,
  enqueueImages,
  type ImageStore,
  type ImageWorker,
  type ImageWorkerEvent,
  type ImageWorkerOptions,
  imageQueueCounts,
  retryDeadImages,
} from '../../src/queue/index.ts';
import { noRedis, RedisServer } from '../support/redis.ts';

const photograph = fileURLToPath(new URL('../../examples/images/rocket.jpg', import.meta.url));
const PIPELINE: Pipeline = [{ op: 'pool', size: 8, mode: 'avg' }];

/** A store in memory, whose inputs may fail for a while. */
class Memory implements ImageStore {
  readonly written = new Map<string, Uint8Array>();
  readonly failures = new Map<string, number>();
  readonly bytes = new Map<string, Uint8Array>();
  hold: Promise<void> = Promise.resolve();

  async read(input: string): Promise<Uint8Array> {
    const left = this.failures.get(input) ?? 0;
    this.failures.set(input, left - 1);
    if (left > 0) throw new Error('the network is down');
    return this.bytes.get(input) ?? readFileSync(photograph);
  }

  async write(output: string, data: Uint8Array): Promise<void> {
    await this.hold;
    this.written.set(output, data);
  }
}

describe.skipIf(noRedis !== undefined)(`a queue${noRedis === undefined ? '' : ` (${noRedis})`}`, () => {
  let server: RedisServer;
  let queues = 0;
  let at = { redis: '', queue: '' };
  const workers: ImageWorker[] = [];
  const events: ImageWorkerEvent[] = [];

  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server.stop());
  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.close()));
    events.length = 0;
  });

  const freshQueue = () => {
    at = { redis: server.url, queue: `test-${queues++}` };
  };
  const work = async (store: ImageStore, options?: Partial<ImageWorkerOptions>) => {
    const onEvent = (event: ImageWorkerEvent) => events.push(event);
    workers.push(await createImageWorker({ ...at, store, onEvent, ...options }));
  };
  const objects = (...names: string[]) =>
    names.map((name) => ({ input: `${name}.jpg`, output: `${name}.png` }));
  const enqueue = (names: string[], options: { attempts?: number; backoff?: number } = {}) =>
    enqueueImages(objects(...names), PIPELINE, { ...at, backoff: 10, ...options });
  const seen = (type: ImageWorkerEvent['type']) => events.filter((event) => event.type === type);
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
  };

  test('objects of a store go through the pipeline, with events on the way', async () => {
    freshQueue();
    const store = new Memory();
    await work(store);
    expect(await enqueue(['a'])).toEqual({ queued: 1, skipped: 0, refused: [] });
    await until(() => seen('completed').length === 1);
    const stages = events.flatMap((event) => (event.type === 'progress' ? [event.stage] : []));
    expect(stages).toEqual(['begun', 'encoded']);
    expect(seen('completed')[0]).toMatchObject({
      input: 'a.jpg',
      output: 'a.png',
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const { width = 0, height = 0 } = await sharp(photograph).metadata();
    const result = await sharp(store.written.get('a.png')).metadata();
    expect(result).toMatchObject({ format: 'png', width: width >> 3, height: height >> 3 });
  });

  test('what is in the queue is not added again', async () => {
    freshQueue();
    await enqueue(['a', 'b']);
    await enqueue(['b', 'c']);
    expect(await imageQueueCounts(at)).toEqual({ waiting: 3, active: 0, dead: 0 });
  });

  test('a failure that passes is tried again', async () => {
    freshQueue();
    const store = new Memory();
    store.failures.set('a.jpg', 2);
    await work(store);
    await enqueue(['a', 'b']);
    await until(() => seen('completed').length === 2);
    expect(seen('retried')).toMatchObject(
      [1, 2].map(() => ({ input: 'a.jpg', reason: 'the network is down (in a.jpg)' })),
    );
    expect([...store.written.keys()].sort()).toEqual(['a.png', 'b.png']);
    expect(await deadImages(at)).toEqual([]);
  });

  test('images that fail for good are kept apart, and can be given another chance', async () => {
    freshQueue();
    const store = new Memory();
    store.failures.set('down.jpg', 3);
    store.bytes.set('broken.jpg', readFileSync(photograph).subarray(0, 5000));
    await work(store);
    await enqueue(['down', 'broken', 'good'], { attempts: 2 });
    await until(() => seen('dead').length === 2 && seen('completed').length === 1);
    const dead = (await deadImages(at)).sort((a, b) => (a.input < b.input ? -1 : 1));
    expect(dead).toMatchObject([
      {
        input: 'broken.jpg',
        output: 'broken.png',
        attempts: 1,
        reason: expect.stringMatching(/broken\.jpg.* \[ERR_IMAGE_DECODE\]$/),
      },
      { input: 'down.jpg', attempts: 2, reason: expect.stringContaining('the network is down') },
    ]);
    expect([...store.written.keys()]).toEqual(['good.png']);

    store.bytes.delete('broken.jpg');
    expect(await retryDeadImages(at)).toBe(2);
    await until(() => seen('completed').length === 3);
    expect([...store.written.keys()].sort()).toEqual(['broken.png', 'down.png', 'good.png']);
    expect(await imageQueueCounts(at)).toEqual({ waiting: 0, active: 0, dead: 0 });
  });

  test('a worker that is closed finishes what it has and leaves the rest', async () => {
    freshQueue();
    const store = new Memory();
    let release = (): void => {};
    store.hold = new Promise((resolve) => {
      release = resolve;
    });
    await enqueue(['a', 'b', 'c', 'd', 'e']);
    await work(store, { concurrency: 2 });
    await until(() => events.filter((event) => event.type === 'progress').length === 4);
    const closed = workers.pop()?.close();
    release();
    await closed;
    expect([...store.written.keys()].sort()).toEqual(['a.png', 'b.png']);
    expect(await imageQueueCounts(at)).toEqual({ waiting: 3, active: 0, dead: 0 });
  });

  test('a rate limit holds for all workers together', async () => {
    freshQueue();
    const store = new Memory();
    const rateLimit = { max: 2, perMs: 300 };
    await enqueue(['a', 'b', 'c', 'd', 'e', 'f']);
    const start = performance.now();
    for (let i = 0; i < 2; i++) await work(store, { rateLimit });
    await until(() => seen('completed').length === 6);
    // Not how fast it was, which no test asks: how slow it must be.
    expect(performance.now() - start).toBeGreaterThan(2 * rateLimit.perMs - 50);
  });

  test('files: refused ones are named, the others done', async () => {
    freshQueue();
    const out = mkdtempSync(path.join(os.tmpdir(), 'corr2d-queue-'));
    const added = await enqueueImages([photograph, 'no-such-file.jpg'], PIPELINE, { ...at, out });
    expect(added).toMatchObject({
      queued: 1,
      refused: [{ input: 'no-such-file.jpg', error: { code: 'ERR_FILE_READ' } }],
    });
    workers.push(await createImageWorker({ ...at, onEvent: (event) => events.push(event) }));
    await until(() => seen('completed').length === 1);
    expect((await sharp(path.join(out, 'rocket.jpg')).metadata()).format).toBe('jpeg');
    const again = await enqueueImages(photograph, PIPELINE, { ...at, out, existing: 'skip' });
    expect(again).toEqual({ queued: 0, skipped: 1, refused: [] });
    rmSync(out, { recursive: true });
  });
});
