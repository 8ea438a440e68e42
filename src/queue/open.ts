/** Where the jobs are: the Redis server, the queue's name, and BullMQ, which is loaded when it is needed. */
// Not by its name: programs that are bundled may have one of their own.
import nodeModule from 'node:module';
import { checkOptions, isPlainObject } from '../check.ts';
import { invalidType, invalidValue, missingDependency, unreachableServer } from '../errors.ts';

type BullMQ = typeof import('bullmq');
type Queue = import('bullmq').Queue;

/** What every function of the queue takes. */
export interface QueueOptions {
  /**
   * The server: `'redis://user:password@host:6379/0'`, `'rediss://…'` for TLS (`valkey://` and `valkeys://` mean the same), or what
   * BullMQ takes as its `connection` (options of ioredis, or an instance of it, which stays the caller's to close).
   */
  redis: string | object;
  /** The queue's name. Default `'corr2d-images'`. */
  queue?: string | undefined;
}

/** The names of `QueueOptions`. */
export const QUEUE_OPTION_NAMES: readonly string[] = ['redis', 'queue'];

/** `QueueOptions` read once. */
export interface Address {
  readonly redis: string | object;
  readonly queue: string;
}

/** Reads `redis` and `queue` of options. */
export function readAddress({ redis, queue = 'corr2d-images' }: Record<string, unknown>): Address {
  // BullMQ builds its keys with colons.
  if (typeof queue !== 'string') throw invalidType('a name', 'queue', queue);
  if (!/^[^:\s]+$/.test(queue)) throw invalidValue('a name without colons and spaces', 'queue', queue);
  if (typeof redis === 'object' && redis !== null) return { redis, queue };
  if (typeof redis !== 'string') throw invalidType('an URL or connection options', 'redis', redis);
  if (!/^(redis|valkey)s?:\/\/./.test(redis))
    throw invalidValue('an URL such as redis://localhost', 'redis', redis);
  return { redis: redis.replace(/^valkey/, 'redis'), queue };
}

// Bundlers do not follow it: programs without a queue are bundled without BullMQ.
const load = nodeModule.createRequire(import.meta.url);

/**
 * BullMQ, which the caller has installed.
 *
 * @throws TypeError `ERR_MISSING_DEPENDENCY`
 */
export function loadBullMQ({ redis }: Address): BullMQ {
  // BullMQ takes several drivers, and asks for this one by itself only when it connects.
  if (typeof redis === 'string' || isPlainObject(redis)) loadPackage('ioredis');
  return loadPackage('bullmq') as BullMQ;
}

function loadPackage(name: string): unknown {
  try {
    return load(name);
  } catch (cause) {
    throw missingDependency(name, 'a queue of images', cause);
  }
}

/** How often a server that does not answer is tried before the call fails, and the milliseconds between. */
const TRIES = 5;
const PAUSE = 200;

/**
 * The connection for a call that must come to an end, or one that lasts and outlives the server's restarts.
 */
export function connectionOf({ redis }: Address, kind: 'once' | 'lasting'): object {
  if (typeof redis !== 'string' && !isPlainObject(redis)) return redis;
  const retryStrategy =
    kind === 'once'
      ? (tries: number) => (tries < TRIES ? PAUSE : null)
      : (tries: number) => Math.min(tries * PAUSE, 5000);
  const given = typeof redis === 'string' ? { url: redis } : redis;
  return { retryStrategy, maxRetriesPerRequest: kind === 'once' ? TRIES : null, ...given };
}

/**
 * Opens the queue for the time of a call.
 *
 * @throws RangeError `ERR_QUEUE_CONNECTION` when the server does not answer; TypeError `ERR_MISSING_DEPENDENCY`
 */
export async function withQueue<R>(address: Address, work: (queue: Queue) => Promise<R>): Promise<R> {
  const { Queue } = loadBullMQ(address);
  const queue = new Queue(address.queue, { connection: connectionOf(address, 'once') });
  // The last one tells more than "connection is closed", which calls are rejected with.
  let last: unknown;
  queue.on('error', (error) => {
    last = error;
  });
  try {
    await queue.waitUntilReady().catch((error: unknown) => {
      throw unreachableServer(last ?? error);
    });
    return await work(queue);
  } finally {
    await queue.close().catch(() => {});
  }
}

/** How many jobs there are of each state. */
export interface ImageQueueCounts {
  /** Not begun, or to be tried again. */
  readonly waiting: number;
  /** Being worked on. */
  readonly active: number;
  /** Failed for good: see `deadImages`. */
  readonly dead: number;
}

/**
 * Counts the jobs of a queue; those that are done are not kept, so all of it is 0 once everything is.
 *
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_MISSING_DEPENDENCY`; RangeError `ERR_INVALID_ARG_VALUE`, `ERR_QUEUE_CONNECTION`
 */
export async function imageQueueCounts(options: QueueOptions): Promise<ImageQueueCounts> {
  return withQueue(readAddress(checkOptions(options, 'options', QUEUE_OPTION_NAMES) ?? {}), async (queue) => {
    const { waiting = 0, delayed = 0, active = 0, failed: dead = 0 } = await queue.getJobCounts();
    return { waiting: waiting + delayed, active, dead };
  });
}
