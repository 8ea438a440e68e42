/** Takes jobs from a queue and does them. */

import { loadSharp } from '../batch/codec.ts';
import { checkInteger, checkOptions, isPlainObject } from '../check.ts';
import { invalidType } from '../errors.ts';
import { getThreads } from '../runtime.ts';
import type { ImageJobProgress, ImageJobResult } from './job.ts';
import {
  connectionOf,
  loadBullMQ,
  QUEUE_OPTION_NAMES,
  type QueueOptions,
  readAddress,
  withQueue,
} from './open.ts';
import { isPermanent, makeRunner } from './run-job.ts';
import { type ImageStore, readStore } from './store.ts';

/** The options of `createImageWorker`. */
export interface ImageWorkerOptions extends QueueOptions {
  /** Images at once. Default: the number of threads. */
  concurrency?: number | undefined;
  /** At most `max` images in `perMs` milliseconds, by all workers of the queue together. */
  rateLimit?: { readonly max: number; readonly perMs: number } | undefined;
  /** A worker that gives no sign of life for so many milliseconds is taken for dead, and its images go to others. Default 30000. */
  lockMs?: number | undefined;
  /** Default: files. */
  store?: ImageStore | undefined;
  /** Told what this worker does. */
  onEvent?: ((event: ImageWorkerEvent) => void) | undefined;
}

/** What a worker tells. */
export type ImageWorkerEvent =
  | ({ readonly type: 'progress'; readonly id: string } & ImageJobProgress)
  | ({ readonly type: 'completed'; readonly id: string } & ImageJobResult)
  /** An attempt failed; there will be another one. */
  | { readonly type: 'retried'; readonly id: string; readonly input: string; readonly reason: string }
  /** Failed for good: see `deadImages`. */
  | { readonly type: 'dead'; readonly id: string; readonly input: string; readonly reason: string }
  /** The worker that had the image has died or lost its connection; another one gets it. */
  | { readonly type: 'stalled'; readonly id: string }
  /** The server can't be reached for now; the worker goes on trying. */
  | { readonly type: 'connection'; readonly reason: string };

/** A worker at work. */
export interface ImageWorker {
  /** Takes no more images, finishes those that it has, and closes its connections. */
  close(): Promise<void>;
}

const NAMES = [...QUEUE_OPTION_NAMES, 'concurrency', 'rateLimit', 'lockMs', 'store', 'onEvent'];

/** An image whose worker died more often than this is suspected of killing them. */
const MOST_DEATHS = 3;

/**
 * Starts a worker in this process. Each image is done at least once: when a worker dies, its images go to others. Results are
 * written atomically and depend on the job alone, so that doing one twice changes nothing. An image that can't be decoded is dead
 * at once, any other failure is tried again as the job says.
 *
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_MISSING_DEPENDENCY`; RangeError `ERR_INVALID_ARG_VALUE`,
 *   `ERR_OUT_OF_RANGE`, `ERR_QUEUE_CONNECTION` when the server can't be reached at the start
 */
export async function createImageWorker(options: ImageWorkerOptions): Promise<ImageWorker> {
  const given = checkOptions(options, 'options', NAMES) ?? {};
  const address = readAddress(given);
  const concurrency = checkInteger(given.concurrency ?? getThreads(), 'concurrency', 1, 1024);
  const lockDuration = checkInteger(given.lockMs ?? 30_000, 'lockMs', 100);
  const limiter = given.rateLimit === undefined ? undefined : readRateLimit(given.rateLimit);
  const store = readStore(given.store);
  const { onEvent = () => {} } = given;
  if (typeof onEvent !== 'function') throw invalidType('a function', 'onEvent', onEvent);
  const tell = onEvent as (event: ImageWorkerEvent) => void;
  await loadSharp();
  const { Worker, UnrecoverableError } = loadBullMQ(address);
  // A wrong address should fail here and now, not be tried for ever.
  await withQueue(address, async () => {});

  const run = makeRunner(store);
  const worker = new Worker<unknown, ImageJobResult>(
    address.queue,
    async (job) => {
      try {
        return await run(job.data, {
          isRepeated: job.attemptsStarted > 1,
          progress: (progress) => job.updateProgress(progress),
        });
      } catch (error) {
        throw isPermanent(error)
          ? new UnrecoverableError(reasonOf(error))
          : new Error(reasonOf(error), { cause: error });
      }
    },
    {
      connection: connectionOf(address, 'lasting'),
      concurrency,
      lockDuration,
      stalledInterval: lockDuration,
      maxStalledCount: MOST_DEATHS,
      ...(limiter === undefined ? {} : { limiter }),
    },
  );
  worker.on('error', (error) => tell({ type: 'connection', reason: reasonOf(error) }));
  worker.on('stalled', (id) => tell({ type: 'stalled', id }));
  worker.on('progress', ({ id = '' }, progress) =>
    tell({ type: 'progress', id, ...(progress as unknown as ImageJobProgress) }),
  );
  worker.on('completed', ({ id = '' }, result) => tell({ type: 'completed', id, ...result }));
  worker.on('failed', (job, { message: reason }) => {
    const input = isPlainObject(job?.data) ? String(job.data.input) : '';
    tell({ type: job?.finishedOn === undefined ? 'retried' : 'dead', id: job?.id ?? '', input, reason });
  });
  await worker.waitUntilReady();
  return { close: () => worker.close() };
}

function readRateLimit(value: unknown): { max: number; duration: number } {
  const { max, perMs } = checkOptions(value, 'rateLimit', ['max', 'perMs']) ?? {};
  return { max: checkInteger(max, 'rateLimit.max', 1), duration: checkInteger(perMs, 'rateLimit.perMs', 1) };
}

/** The sentence, and its code in brackets where it has one: BullMQ keeps nothing else of an error. */
function reasonOf(error: unknown): string {
  const { message, code } = error as { message?: string; code?: string };
  return code === undefined ? (message ?? String(error)) : `${message} [${code}]`;
}
