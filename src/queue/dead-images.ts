/** The dead-letter list: images that failed for good. BullMQ moves them there in the same step in which it takes them from a worker. */
import { checkInteger, checkOptions } from '../check.ts';
import { isImageJob } from './job.ts';
import { QUEUE_OPTION_NAMES, type QueueOptions, readAddress, withQueue } from './open.ts';

/** An image that failed for good. */
export interface DeadImage {
  readonly id: string;
  readonly input: string;
  readonly output: string;
  /** The last attempt's error: one sentence, with its code in brackets. */
  readonly reason: string;
  /** How often it was tried. */
  readonly attempts: number;
}

/**
 * The images that failed for good, the latest ones first. They stay until `retryDeadImages`.
 *
 * @param options.limit at most so many; default 1000
 * @throws as `imageQueueCounts`
 */
export async function deadImages(
  options: QueueOptions & { limit?: number | undefined },
): Promise<DeadImage[]> {
  const given = checkOptions(options, 'options', [...QUEUE_OPTION_NAMES, 'limit']) ?? {};
  const limit = checkInteger(given.limit ?? 1000, 'limit', 1);
  return withQueue(readAddress(given), async (queue) => {
    const jobs = await queue.getFailed(0, limit - 1);
    return jobs.map(({ id = '', data, failedReason, attemptsMade }) => {
      const { input, output } = isImageJob(data) ? data : { input: '', output: '' };
      return { id, input, output, reason: failedReason, attempts: attemptsMade };
    });
  });
}

/**
 * Puts all dead images back into the queue, with all their attempts: for when the cause was mended.
 *
 * @returns how many there were
 * @throws as `imageQueueCounts`
 */
export async function retryDeadImages(options: QueueOptions): Promise<number> {
  const address = readAddress(checkOptions(options, 'options', QUEUE_OPTION_NAMES) ?? {});
  return withQueue(address, async (queue) => {
    const start = Date.now();
    let count = 0;
    for (;;) {
      // Those that died once more in the meantime have had their chance.
      const dead = (await queue.getFailed(0, PAGE - 1)).filter(({ finishedOn = 0 }) => finishedOn <= start);
      if (dead.length === 0) return count;
      await Promise.all(dead.map((job) => job.retry('failed', { resetAttemptsMade: true })));
      count += dead.length;
    }
  });
}

/** Jobs that are put back at once. */
const PAGE = 100;
