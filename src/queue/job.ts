/** One image as a job: plain data that goes through Redis, and what comes back. */

import { formatOf, type ImageFormat } from '../batch/codec.ts';
import { fingerprint } from '../batch/manifest.ts';
import type { Pipeline, PipelineStep } from '../batch/pipeline.ts';
import { isPlainObject } from '../check.ts';
import { type TensorInput, toTensor } from '../tensor.ts';

/** What a worker needs to know; equal jobs make equal outputs. */
export interface ImageJob {
  readonly input: string;
  readonly output: string;
  readonly format: ImageFormat;
  readonly quality: number | null;
  readonly maxPixels: number;
  readonly pipeline: Pipeline;
}

/** What a worker answers. */
export interface ImageJobResult {
  readonly input: string;
  readonly output: string;
  /** SHA-256 of the output. */
  readonly hash: string;
  /** Milliseconds from reading to writing. */
  readonly ms: number;
}

/** Where a job is. */
export interface ImageJobProgress {
  readonly stage: 'begun' | 'encoded';
  readonly input: string;
  readonly output: string;
}

/**
 * The job's name in the queue: while a job is in it, the same one is not added again. A word, since BullMQ takes no number.
 *
 * @param stamp what tells a changed input from the one before; `''` where it can't be known
 */
export function jobId(job: ImageJob, stamp: string): string {
  return `image-${fingerprint([job, stamp])}`;
}

/** A pipeline that JSON can hold: kernels that are tensors become nested arrays. */
export function plainPipeline(pipeline: Pipeline): Pipeline {
  return pipeline.map((step): PipelineStep => {
    if (step.op !== 'filter' || typeof step.kernel === 'string') return step;
    const kernel = toTensor(step.kernel as TensorInput, 'kernel').toArray() as number[][];
    return { ...step, kernel };
  });
}

/** Whether something that was in Redis is a job; another version of this package, or anyone, may have put it there. */
export function isImageJob(value: unknown): value is ImageJob {
  return (
    isPlainObject(value) &&
    typeof value.input === 'string' &&
    typeof value.output === 'string' &&
    typeof value.format === 'string' &&
    formatOf(`.${value.format}`) !== undefined &&
    (value.quality === null || typeof value.quality === 'number') &&
    typeof value.maxPixels === 'number' &&
    Array.isArray(value.pipeline)
  );
}
