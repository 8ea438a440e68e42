/** What `corr2d/queue` says where the packages that it needs are not installed. */
import Module from 'node:module';
import { afterEach, describe, expect, test } from 'vitest';
import { createImageWorker, enqueueImages, imageQueueCounts } from '../src/queue/index.ts';

const redis = 'redis://127.0.0.1:1';
const resolver = Module as unknown as { _resolveFilename: (request: string, ...rest: unknown[]) => string };
const resolve = resolver._resolveFilename;

afterEach(() => {
  resolver._resolveFilename = resolve;
});

/** The worker looks for sharp first, which another platform that is tested on this machine does not have. */
const hasSharp = (() => {
  try {
    Module.createRequire(import.meta.url)('sharp');
    return true;
  } catch {
    return false;
  }
})();
const calls: [string, () => Promise<unknown>][] = [
  ['imageQueueCounts', () => imageQueueCounts({ redis })],
  ['enqueueImages', () => enqueueImages(['a.png'], [], { redis })],
];
if (hasSharp) calls.push(['createImageWorker', () => createImageWorker({ redis, onEvent: () => {} })]);

/** As if a package were not there. */
function hide(name: string): void {
  resolver._resolveFilename = (request, ...rest) => {
    if (request !== name) return resolve.call(Module, request, ...rest);
    throw Object.assign(new Error(`Cannot find module '${request}'`), { code: 'MODULE_NOT_FOUND' });
  };
}

describe.each(['ioredis', 'bullmq'])('without %s', (name) => {
  test.each(calls)('%s names it, and how it is installed', async (_, call) => {
    hide(name);
    await expect(call()).rejects.toMatchObject({
      name: 'TypeError',
      code: 'ERR_MISSING_DEPENDENCY',
      message: expect.stringMatching(new RegExp(`^[^\\n]*${name}[^\\n]*$`)),
      cause: { code: 'MODULE_NOT_FOUND' },
    });
  });
});
