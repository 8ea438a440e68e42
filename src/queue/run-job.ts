/** What a worker does for one job. */
import path from 'node:path';
import { withName } from '../batch/image-errors.ts';
import { hashOf } from '../batch/manifest.ts';
import { type CompiledStep, compilePipeline, type Pipeline } from '../batch/pipeline.ts';
import { transformImage } from '../batch/process-images.ts';
import { removeAbandoned } from '../batch/write-atomic.ts';
import { type Corr2dError, invalidType } from '../errors.ts';
import { release } from '../pixel-memory.ts';
import { type ImageJobProgress, type ImageJobResult, isImageJob } from './job.ts';
import { fileStore, type ImageStore } from './store.ts';

/** What a job is done with besides its data. */
export interface JobContext {
  /** Whether it was begun before, perhaps by a worker that died of it. */
  readonly isRepeated: boolean;
  progress(progress: ImageJobProgress): Promise<void>;
}

/** Errors that another attempt may not meet; all the others are the fault of the image or of the job. */
const PASSING: readonly string[] = ['ERR_FILE_READ', 'ERR_FILE_WRITE'];

/** Whether the same job can't but fail again: an error of ours, but not about a file that may come back. */
export function isPermanent(error: unknown): boolean {
  const { code } = error as { code?: string };
  const isOurs = (error instanceof RangeError || error instanceof TypeError) && code !== undefined;
  return isOurs && !PASSING.includes(code);
}

/** A function that does jobs, with what it keeps from one to the next. */
export function makeRunner(
  store: ImageStore,
): (data: unknown, context: JobContext) => Promise<ImageJobResult> {
  const compiled = new CompiledPipelines();
  return async (data, { isRepeated, progress }) => {
    const start = performance.now();
    if (!isImageJob(data)) throw invalidType('a job of this version', 'data', data);
    const { input, output, format, quality, maxPixels } = data;
    try {
      await progress({ stage: 'begun', input, output });
      const { image, encoded } = await transformImage(
        { name: input, read: () => store.read(input) },
        {
          steps: compiled.of(data.pipeline),
          format,
          quality: quality ?? undefined,
          maxPixels,
          signal: undefined,
        },
      );
      release(image.data);
      const file = encoded as Uint8Array;
      await progress({ stage: 'encoded', input, output });
      if (isRepeated && store === fileStore) await removeAbandoned(path.dirname(output)).catch(() => {});
      await store.write(output, file);
      const hash = hashOf(file);
      // Another store may keep it.
      if (store === fileStore) release(file);
      return { input, output, hash, ms: performance.now() - start };
    } catch (error) {
      throw withName(error as Corr2dError, input);
    }
  };
}

/** Pipelines that were compiled, by their text: jobs that follow each other mostly have the same one. */
class CompiledPipelines {
  readonly #kept = new Map<string, CompiledStep[]>();

  of(pipeline: Pipeline): CompiledStep[] {
    const text = JSON.stringify(pipeline);
    let steps = this.#kept.get(text);
    if (steps === undefined) {
      steps = compilePipeline(pipeline);
      if (this.#kept.size === 16) this.#kept.clear();
      this.#kept.set(text, steps);
    }
    return steps;
  }
}
