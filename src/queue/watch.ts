/** What happens in a queue, on whichever machine. */
import { checkOptions } from '../check.ts';
import { invalidType } from '../errors.ts';
import type { ImageJobProgress, ImageJobResult } from './job.ts';
import {
  connectionOf,
  loadBullMQ,
  QUEUE_OPTION_NAMES,
  type QueueOptions,
  readAddress,
  withQueue,
} from './open.ts';

/** The options of `watchImages`. */
export interface WatchOptions extends QueueOptions {
  onEvent: (event: ImageQueueEvent) => void;
}

/** What is told. */
export type ImageQueueEvent =
  | ({ readonly type: 'progress'; readonly id: string } & ImageJobProgress)
  | ({ readonly type: 'completed'; readonly id: string } & ImageJobResult)
  | { readonly type: 'dead'; readonly id: string; readonly reason: string }
  | { readonly type: 'connection'; readonly reason: string };

/**
 * Tells what all workers of a queue do from now on. The server keeps the last 10,000 events: a watcher that is cut off for a while
 * is told what it missed, as far as that.
 *
 * @returns a function that ends it
 * @throws as `imageQueueCounts`
 */
export async function watchImages(options: WatchOptions): Promise<() => Promise<void>> {
  const given = checkOptions(options, 'options', [...QUEUE_OPTION_NAMES, 'onEvent']) ?? {};
  const address = readAddress(given);
  if (typeof given.onEvent !== 'function') throw invalidType('a function', 'onEvent', given.onEvent);
  const tell = given.onEvent as WatchOptions['onEvent'];
  const { QueueEvents } = loadBullMQ(address);
  await withQueue(address, async () => {});
  const events = new QueueEvents(address.queue, { connection: connectionOf(address, 'lasting') });
  events.on('progress', ({ jobId: id, data }) =>
    tell({ type: 'progress', id, ...(data as unknown as ImageJobProgress) }),
  );
  events.on('completed', ({ jobId: id, returnvalue }) =>
    tell({ type: 'completed', id, ...(returnvalue as unknown as ImageJobResult) }),
  );
  events.on('failed', ({ jobId: id, failedReason: reason }) => tell({ type: 'dead', id, reason }));
  events.on('error', ({ message: reason }) => tell({ type: 'connection', reason }));
  await events.waitUntilReady();
  return () => events.close();
}
