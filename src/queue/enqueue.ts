/** Adds images to a queue. */
import path from 'node:path';
import { FORMATS, formatOf, type ImageFormat } from '../batch/codec.ts';
import { stampOf } from '../batch/manifest.ts';
import { planOutputs } from '../batch/outputs.ts';
import { compilePipeline, type Pipeline } from '../batch/pipeline.ts';
import { MAX_PIXELS, readEncoding } from '../batch/process-images.ts';
import { exists } from '../batch/sources.ts';
import { checkBoolean, checkInteger, checkOptions, checkWord, isPlainObject } from '../check.ts';
import { type Corr2dError, invalidType, invalidValue } from '../errors.ts';
import { type ImageJob, jobId, plainPipeline } from './job.ts';
import { QUEUE_OPTION_NAMES, type QueueOptions, readAddress, withQueue } from './open.ts';

/**
 * A file, a folder or a pattern, whose results go to the folder `out`; or names of any other store's objects, which are handed to
 * the worker's `store` as they are.
 */
export type ImageToEnqueue = string | { readonly input: string; readonly output: string };

/** The options of `enqueueImages`. */
export interface EnqueueOptions extends QueueOptions {
  /** The folder of results of files; every worker must see it by this path. */
  out?: string | undefined;
  /** Format of all results. Default: that of each input, or of the `output` that is given. */
  format?: ImageFormat | undefined;
  quality?: number | undefined;
  maxPixels?: number | undefined;
  /** Whether a folder stands for the images in its subfolders, too. */
  recursive?: boolean | undefined;
  /** `'skip'` leaves out files whose result is there already. Default `'overwrite'`. */
  existing?: 'overwrite' | 'skip' | undefined;
  /** How often an image is tried before it is dead. Default 5. */
  attempts?: number | undefined;
  /** Milliseconds before the second attempt; twice as many before each further one. Default 1000. */
  backoff?: number | undefined;
}

/** What became of the images that were to be added. */
export interface EnqueuedImages {
  /** In the queue now; those that were in it before among them. */
  readonly queued: number;
  /** Left out, since the result is there. */
  readonly skipped: number;
  /** Left out, since there is no such file, or another image has the same result. */
  readonly refused: readonly { readonly input: string; readonly error: Corr2dError }[];
}

const NAMES = [
  ...QUEUE_OPTION_NAMES,
  'out',
  'format',
  'quality',
  'maxPixels',
  'recursive',
  'existing',
  'attempts',
  'backoff',
];

/** Jobs that are sent to the server at once. */
const BATCH = 500;

/**
 * Adds images to a queue, for workers anywhere to take through a pipeline. An image that is in the queue already, with the same
 * pipeline and result, is not added twice; once it is done, it may be added again, and the same result is written again.
 *
 * @param images one, or any sequence
 * @param pipeline as for `processImages`
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_MISSING_DEPENDENCY`; RangeError `ERR_INVALID_ARG_VALUE`,
 *   `ERR_OUT_OF_RANGE`, `ERR_SHAPE_MISMATCH`, `ERR_QUEUE_CONNECTION`. What was added before the server went away stays.
 */
export async function enqueueImages(
  images: ImageToEnqueue | Iterable<ImageToEnqueue> | AsyncIterable<ImageToEnqueue>,
  pipeline: Pipeline,
  options: EnqueueOptions,
): Promise<EnqueuedImages> {
  const given = checkOptions(options, 'options', NAMES) ?? {};
  const address = readAddress(given);
  const { out } = given;
  if (out !== undefined && typeof out !== 'string') throw invalidType('a path', 'out', out);
  const { format, quality } = readEncoding(given.format, given.quality);
  const recursive = checkBoolean(given.recursive ?? false, 'recursive');
  const existing = checkWord(given.existing ?? 'overwrite', 'existing', ['overwrite', 'skip']);
  compilePipeline(pipeline);
  const common = {
    quality: quality ?? null,
    maxPixels: checkInteger(given.maxPixels ?? MAX_PIXELS, 'maxPixels', 1),
    pipeline: plainPipeline(pipeline),
  };
  const jobOptions = {
    attempts: checkInteger(given.attempts ?? 5, 'attempts', 1, 1000),
    backoff: { type: 'exponential', delay: checkInteger(given.backoff ?? 1000, 'backoff', 0) },
    removeOnComplete: true,
    removeOnFail: false,
  };

  return withQueue(address, async (queue) => {
    const refused: { input: string; error: Corr2dError }[] = [];
    let queued = 0;
    let skipped = 0;
    let batch: { name: string; data: ImageJob; opts: object }[] = [];
    const send = async (): Promise<void> => {
      await queue.addBulk(batch);
      queued += batch.length;
      batch = [];
    };
    for await (const { input, output, error, stamp, ...own } of plan(images, { out, format, recursive })) {
      if (error !== undefined) refused.push({ input: own.given, error });
      else if (existing === 'skip' && stamp !== '' && (await exists(output))) skipped += 1;
      else {
        const data: ImageJob = { input, output, format: own.format, ...common };
        batch.push({ name: 'image', data, opts: { ...jobOptions, jobId: jobId(data, stamp) } });
        if (batch.length === BATCH) await send();
      }
    }
    if (batch.length > 0) await send();
    return { queued, skipped, refused };
  });
}

interface PlannedJob {
  /** The input as the caller wrote it. */
  readonly given: string;
  readonly input: string;
  readonly output: string;
  readonly format: ImageFormat;
  readonly error: Corr2dError | undefined;
  /** Of the input file; `''` for objects. */
  readonly stamp: string;
}

async function* plan(
  images: Parameters<typeof enqueueImages>[0],
  {
    out,
    format,
    recursive,
  }: { out: string | undefined; format: ImageFormat | undefined; recursive: boolean },
): AsyncGenerator<PlannedJob, void, undefined> {
  const files: string[] = [];
  for await (const image of asSequence(images)) {
    if (typeof image === 'string') files.push(image);
    else yield planObject(image, format);
  }
  if (files.length === 0) return;
  if (out === undefined) throw invalidType('a folder for the results of files', 'out', out);
  for (const { input, output, error, ...own } of await planOutputs(files, { format, recursive, out })) {
    // Absolute, as workers may run anywhere.
    yield {
      given: input,
      input: path.resolve(input),
      output: path.resolve(out, output),
      format: own.format,
      error,
      stamp: (await stampOf(input)) ?? '',
    };
  }
}

function planObject(image: unknown, format: ImageFormat | undefined): PlannedJob {
  if (!isPlainObject(image) || typeof image.input !== 'string' || typeof image.output !== 'string') {
    throw invalidType('a path or { input, output }', 'images', image);
  }
  const { input, output } = image;
  const meant = format ?? formatOf(output);
  if (meant !== undefined) return { given: input, input, output, format: meant, error: undefined, stamp: '' };
  const endings = Object.values(FORMATS).flat().join(', ');
  return {
    given: input,
    input,
    output,
    format: 'png',
    error: invalidValue(`a name that ends with one of ${endings}`, 'output', output),
    stamp: '',
  };
}

function asSequence(images: unknown): Iterable<unknown> | AsyncIterable<unknown> {
  const isSequence =
    typeof images === 'object' &&
    images !== null &&
    (Symbol.iterator in images || Symbol.asyncIterator in images);
  return isSequence ? (images as Iterable<unknown>) : [images];
}
