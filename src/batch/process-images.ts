/** Many images through one pipeline, a few at a time. */
import { type AbortSignalLike, checkSignal } from '../async-call.ts';
import { checkInteger, checkOptions, checkWord } from '../check.ts';
import { type Corr2dError, invalidType } from '../errors.ts';
import { release } from '../pixel-memory.ts';
import type { Image } from '../pixels.ts';
import { getThreads } from '../runtime.ts';
import { decodeImage, encodeImage, FORMATS, type ImageFormat, loadSharp } from './codec.ts';
import { withName } from './image-errors.ts';
import { inFlight } from './in-flight.ts';
import { type CompiledStep, compilePipeline, type Pipeline } from './pipeline.ts';
import { type ImageSources, type ReadableImage, readSources } from './sources.ts';

/** The options of `processImages`. */
export interface ProcessImagesOptions {
  /** Images that are decoded, filtered or waiting to be taken at once; bounds the memory. Default: the number of threads. */
  concurrency?: number | undefined;
  /** `'input'` (the default) yields results in the order of the sources, `'completion'` as they are ready. */
  order?: 'input' | 'completion' | undefined;
  /** Encodes each result, too. Default: pixels only. */
  format?: ImageFormat | undefined;
  /** Quality of a lossy `format`, 1 to 100. Default: sharp's for that format. */
  quality?: number | undefined;
  /** An image of more pixels is refused by its header. Default 100 million. */
  maxPixels?: number | undefined;
  /** Ends the iteration with the signal's reason; what has begun is stopped within a tile or a call of sharp. */
  signal?: AbortSignalLike | undefined;
  /** Called after each image. */
  onProgress?: ((progress: ImageProgress) => void) | undefined;
}

/** How far `processImages` is. */
export interface ImageProgress {
  /** Images that are through, failed ones among them. */
  readonly done: number;
  readonly failed: number;
  /** The one that has just been. */
  readonly name: string;
}

/** An image that went through. */
export interface ProcessedImage {
  readonly status: 'done';
  /** Its place among the images, from 0. */
  readonly index: number;
  /** Its path, or the name it was given. */
  readonly name: string;
  readonly image: Image;
  /** The file, where a `format` was asked for. */
  readonly encoded: Uint8Array | undefined;
  /** Milliseconds of each part. */
  readonly ms: { readonly decode: number; readonly process: number; readonly encode: number };
}

/** An image that did not. */
export interface FailedImage {
  readonly status: 'failed';
  readonly index: number;
  readonly name: string;
  /**
   * One sentence with the image's name, and a `code`: `ERR_FILE_READ`, `ERR_IMAGE_DECODE`, `ERR_LIMIT_EXCEEDED`, or one of the
   * functions that its pipeline calls.
   */
  readonly error: Corr2dError;
}

/** What became of one image. */
export type ImageResult = ProcessedImage | FailedImage;

const NAMES = ['concurrency', 'order', 'format', 'quality', 'maxPixels', 'signal', 'onProgress'];

/** More images at once than this are taken for a mistake. */
const MOST_AT_ONCE = 1024;

/** The default of `maxPixels`. */
export const MAX_PIXELS = 100_000_000;

/** What is done to each image, checked. */
export interface Transformation {
  readonly steps: readonly CompiledStep[];
  readonly format: ImageFormat | undefined;
  readonly quality: number | undefined;
  readonly maxPixels: number;
  readonly signal: AbortSignalLike | undefined;
}

/** Decodes an image, takes the steps, and encodes it where that is asked for. */
export async function transformImage(
  source: ReadableImage,
  { steps, format, quality, maxPixels, signal }: Transformation,
): Promise<Omit<ProcessedImage, 'status' | 'index' | 'name'>> {
  const start = performance.now();
  let image = await decodeImage(await source.read(), source.name, maxPixels);
  const decoded = performance.now();
  for (const step of steps) {
    if (signal?.aborted) throw signal.reason;
    const { data } = image;
    image = await step(image, signal);
    if (image.data.buffer !== data.buffer) release(data);
  }
  const processed = performance.now();
  const encoded = format === undefined ? undefined : await encodeImage(image, format, quality);
  const ms = {
    decode: decoded - start,
    process: processed - decoded,
    encode: performance.now() - processed,
  };
  return { image, encoded, ms };
}

/**
 * Takes images through a pipeline, at most `concurrency` at once, and yields what became of each. An image that fails yields a
 * record of its error, and the others go on. Memory stays bounded whatever the count: a source is read when there is room for it.
 * Needs the package `sharp` beside this one, for decoding and encoding.
 *
 * @param source paths, patterns, bytes or streams: see `ImageSource`
 * @param pipeline the steps; plain data
 * @throws (before anything is read) TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_MISSING_DEPENDENCY`; RangeError
 *   `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`, `ERR_SHAPE_MISMATCH`; the signal's reason
 */
export async function* processImages(
  source: ImageSources,
  pipeline: Pipeline,
  options?: ProcessImagesOptions,
): AsyncGenerator<ImageResult, void, undefined> {
  const given = checkOptions(options, 'options', NAMES) ?? {};
  const { format, quality, maxPixels = MAX_PIXELS, signal, onProgress } = given;
  const concurrency = checkInteger(given.concurrency ?? getThreads(), 'concurrency', 1, MOST_AT_ONCE);
  const transformation: Transformation = {
    steps: compilePipeline(pipeline),
    ...readEncoding(format, quality),
    maxPixels: checkInteger(maxPixels, 'maxPixels', 1),
    signal: signal === undefined ? undefined : checkSignal(signal),
  };
  const order = checkWord(given.order ?? 'input', 'order', ['input', 'completion']);
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw invalidType('a function', 'onProgress', onProgress);
  }
  loadSharp();

  const { signal: stop } = transformation;
  const progress = { done: 0, failed: 0 };
  const results = inFlight(numbered(readSources(source)), concurrency, order, async ([index, image]) => {
    if (stop?.aborted) throw stop.reason;
    const { name } = image;
    try {
      return { status: 'done' as const, index, name, ...(await transformImage(image, transformation)) };
    } catch (error) {
      if (stop?.aborted) throw stop.reason;
      return { status: 'failed' as const, index, name, error: withName(error as Corr2dError, name) };
    }
  });
  for await (const result of results) {
    if (stop?.aborted) throw stop.reason;
    progress.done += 1;
    if (result.status === 'failed') progress.failed += 1;
    (onProgress as ProcessImagesOptions['onProgress'])?.({ ...progress, name: result.name });
    yield result;
  }
}

/** Checks a format and a quality. */
export function readEncoding(
  format: unknown,
  quality: unknown,
): { format: ImageFormat | undefined; quality: number | undefined } {
  const words = Object.keys(FORMATS) as ImageFormat[];
  return {
    format: format === undefined ? undefined : checkWord(format, 'format', words),
    quality: quality === undefined ? undefined : checkInteger(quality, 'quality', 1, 100),
  };
}

async function* numbered<T>(items: AsyncIterable<T>): AsyncGenerator<[number, T], void, undefined> {
  let index = 0;
  for await (const item of items) yield [index++, item];
}
