/** What `corr2d/queue` refuses before it connects, and what it says when it can't. */
import { describe, expect, test } from 'vitest';
import { loadSharp } from '../src/batch/codec.ts';
import {
  createImageWorker,
  deadImages,
  enqueueImages,
  imageQueueCounts,
  watchImages,
} from '../src/queue/index.ts';
import { freePort } from './support/redis.ts';

const redis = 'redis://127.0.0.1:1';
const onEvent = (): void => {};
/** The worker asks for it first; it has no binary for every engine that runs these tests. */
const hasSharp = (() => {
  try {
    loadSharp();
    return true;
  } catch {
    return false;
  }
})();
// biome-ignore lint/suspicious/noExplicitAny: wrong on purpose
const wrong = (value: unknown): any => value;

describe.each<[string, () => Promise<unknown>, { name: string; code: string; message: string }]>([
  [
    'no server',
    () => enqueueImages([], [], wrong({})),
    { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message: 'redis' },
  ],
  [
    'another protocol',
    () => imageQueueCounts({ redis: 'http://localhost' }),
    { name: 'RangeError', code: 'ERR_INVALID_ARG_VALUE', message: 'redis' },
  ],
  [
    'a colon in the name',
    () => imageQueueCounts({ redis, queue: 'a:b' }),
    { name: 'RangeError', code: 'ERR_INVALID_ARG_VALUE', message: 'queue' },
  ],
  [
    'an unknown option',
    () => imageQueueCounts(wrong({ redis, host: 'a' })),
    { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE', message: 'host' },
  ],
  [
    'an unknown step',
    () => enqueueImages([], wrong([{ op: 'blur' }]), { redis }),
    { name: 'RangeError', code: 'ERR_INVALID_ARG_VALUE', message: 'pipeline[0]' },
  ],
  [
    'no attempts',
    () => enqueueImages([], [], { redis, attempts: 0 }),
    { name: 'RangeError', code: 'ERR_OUT_OF_RANGE', message: 'attempts' },
  ],
  [
    'an unknown format',
    () => enqueueImages([], [], wrong({ redis, format: 'bmp' })),
    { name: 'RangeError', code: 'ERR_INVALID_ARG_VALUE', message: 'format' },
  ],
  [
    'a rate without a time',
    () => createImageWorker(wrong({ redis, rateLimit: { max: 1 } })),
    { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message: 'rateLimit.perMs' },
  ],
  [
    'a store that only reads',
    () => createImageWorker(wrong({ redis, store: { read: async () => '' } })),
    { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message: 'store' },
  ],
  [
    'no listener',
    () => watchImages(wrong({ redis })),
    { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message: 'onEvent' },
  ],
])('%s', (_, call, { name, code, message }) => {
  test(`is a ${name} ${code}`, async () => {
    await expect(call()).rejects.toMatchObject({ name, code, message: expect.stringContaining(message) });
  });
});

describe('a server that can not be reached', () => {
  test.each<[string, (to: { redis: string }) => Promise<unknown>]>([
    ['enqueueImages', (to) => enqueueImages([], [], to)],
    ['createImageWorker', (to) => createImageWorker(to)],
    ['deadImages', (to) => deadImages(to)],
    ['watchImages', (to) => watchImages({ ...to, onEvent })],
  ])('%s says so and ends', async (name, call) => {
    if (name === 'createImageWorker' && !hasSharp) {
      await expect(call({ redis })).rejects.toMatchObject({ message: expect.stringContaining('sharp') });
      return;
    }
    const to = { redis: `redis://127.0.0.1:${await freePort()}` };
    await expect(call(to)).rejects.toMatchObject({
      name: 'RangeError',
      code: 'ERR_QUEUE_CONNECTION',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });
});
