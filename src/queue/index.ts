/**
 * `corr2d/queue`: image jobs for many machines, on BullMQ and a Redis or Valkey server. `enqueueImages` adds them,
 * `createImageWorker` does them; every other name is for those who watch. Needs the packages `bullmq`, `ioredis` and `sharp`.
 */
export { type DeadImage, deadImages, retryDeadImages } from './dead-images.ts';
export { type EnqueuedImages, type EnqueueOptions, enqueueImages, type ImageToEnqueue } from './enqueue.ts';
export type { ImageJobResult } from './job.ts';
export { type ImageQueueCounts, imageQueueCounts, type QueueOptions } from './open.ts';
export type { ImageStore } from './store.ts';
export { type ImageQueueEvent, type WatchOptions, watchImages } from './watch.ts';
export {
  createImageWorker,
  type ImageWorker,
  type ImageWorkerEvent,
  type ImageWorkerOptions,
} from './worker.ts';
