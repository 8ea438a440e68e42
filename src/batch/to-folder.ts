/** Image files through a pipeline into a folder: atomic results, a manifest, and so a job that can be killed and taken up again. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { checkBoolean, checkInteger, checkOptions, checkWord } from '../check.ts';
import { type Corr2dError, invalidType } from '../errors.ts';
import { release } from '../pixel-memory.ts';
import { getThreads, info } from '../runtime.ts';
import { type ImageFormat, loadSharp } from './codec.ts';
import { existingOutput, unwritableFile, withName } from './image-errors.ts';
import { inFlight } from './in-flight.ts';
import { fingerprint, hashOf, Manifest, type ManifestEntry, stampOf } from './manifest.ts';
import { type Planned, planOutputs } from './outputs.ts';
import { compilePipeline, type Pipeline } from './pipeline.ts';
import { MAX_PIXELS, readEncoding, type Transformation, transformImage } from './process-images.ts';
import { exists } from './sources.ts';
import { removeAbandoned, writeAtomic } from './write-atomic.ts';

/** The options of `processToFolder`. */
export interface FolderOptions {
  /** The folder of the results; made where it is missing. */
  out: string;
  /** Format of all results. Default: that of each input, PNG for those that can't be written. */
  format?: ImageFormat | undefined;
  quality?: number | undefined;
  /** Images at once. Default: the number of threads. */
  concurrency?: number | undefined;
  /** Whether a folder among the inputs stands for the images in its subfolders, too. */
  recursive?: boolean | undefined;
  /** What becomes of a result's name that is taken by a file which this job did not make. Default `'error'`. */
  existing?: 'error' | 'skip' | 'overwrite' | undefined;
  /** Only says what would be done. */
  dryRun?: boolean | undefined;
  maxPixels?: number | undefined;
  /** Once it says so, no image is begun any more; those that are in flight are finished. */
  isStopped?: (() => boolean) | undefined;
}

/** What became of one file. */
export interface FileResult extends Pick<ManifestEntry, 'input' | 'output' | 'hash' | 'ms'> {
  /**
   * `written`; `unchanged`: this job had made it before; `skipped`: another file has its name; `planned`: of a dry run; `failed`.
   */
  readonly status: 'written' | 'unchanged' | 'skipped' | 'planned' | 'failed';
  readonly error: Corr2dError | null;
}

/** A job that was prepared: its size is known, and nothing is done yet. */
export interface FolderJob {
  /** Files that it is about. */
  readonly total: number;
  /** Does the work, and yields what became of each file as it is ready. */
  run(): AsyncGenerator<FileResult, void, undefined>;
}

const NAMES = [
  'out',
  'format',
  'quality',
  'concurrency',
  'recursive',
  'existing',
  'dryRun',
  'maxPixels',
  'isStopped',
];

/**
 * Prepares a job: takes image files through a pipeline into a folder. Each result appears whole or not at all, and then in the
 * folder's manifest (`corr2d-manifest.jsonl`). Running the same job again makes what is missing and leaves the rest alone, so
 * that an interrupted job is taken up by repeating it.
 *
 * @param inputs files, folders and patterns
 * @throws as `processImages`; what goes wrong with a single file is in its result
 */
export async function processToFolder(
  inputs: Iterable<string> | AsyncIterable<string>,
  pipeline: Pipeline,
  options: FolderOptions,
): Promise<FolderJob> {
  const given = checkOptions(options, 'options', NAMES) ?? {};
  if (typeof given.out !== 'string') throw invalidType('a path', 'out', given.out);
  const out = given.out;
  const { format, quality } = readEncoding(given.format, given.quality);
  const concurrency = checkInteger(given.concurrency ?? getThreads(), 'concurrency', 1, 1024);
  const transformation = {
    steps: compilePipeline(pipeline),
    quality,
    maxPixels: checkInteger(given.maxPixels ?? MAX_PIXELS, 'maxPixels', 1),
    signal: undefined,
  };
  const existing = checkWord(given.existing ?? 'error', 'existing', ['error', 'skip', 'overwrite']);
  const dryRun = checkBoolean(given.dryRun ?? false, 'dryRun');
  const recursive = checkBoolean(given.recursive ?? false, 'recursive');
  const isStopped = (given.isStopped ?? (() => false)) as () => boolean;
  loadSharp();

  const planned = await planOutputs(inputs, { format, recursive, out });
  const job = fingerprint([pipeline, quality ?? null, info().version]);
  const folder = new Folder(out, job, existing, transformation);
  return {
    total: planned.length,
    async *run() {
      if (!dryRun) await folder.open();
      try {
        const rest = until(planned, isStopped);
        yield* inFlight(rest, concurrency, 'completion', (file) => folder.make(file, dryRun));
      } finally {
        await folder.close();
      }
    },
  };
}

async function* until<T>(items: Iterable<T>, isStopped: () => boolean): AsyncGenerator<T, void, undefined> {
  for (const item of items) {
    if (isStopped()) return;
    yield item;
  }
}

type Writer = Awaited<ReturnType<Manifest['append']>>;

/** The folder that results go to. */
class Folder {
  readonly #out: string;
  readonly #job: string;
  readonly #existing: 'error' | 'skip' | 'overwrite';
  readonly #transformation: Omit<Transformation, 'format'>;
  #manifest: Manifest | undefined;
  #writer: Writer | undefined;

  constructor(
    out: string,
    job: string,
    existing: 'error' | 'skip' | 'overwrite',
    transformation: Omit<Transformation, 'format'>,
  ) {
    this.#out = out;
    this.#job = job;
    this.#existing = existing;
    this.#transformation = transformation;
  }

  async open(): Promise<void> {
    try {
      await mkdir(this.#out, { recursive: true });
      await removeAbandoned(this.#out);
      this.#manifest = await Manifest.read(this.#out);
      this.#writer = await this.#manifest.append();
    } catch (error) {
      throw unwritableFile(this.#out, error);
    }
  }

  async close(): Promise<void> {
    await this.#writer?.close();
  }

  /** Makes one result; never throws. */
  async make(file: Planned, dryRun: boolean): Promise<FileResult> {
    const { input, output } = file;
    const start = performance.now();
    const result = (
      status: FileResult['status'],
      hash: string | null = null,
      error: Corr2dError | null = null,
    ): FileResult => ({ input, output, status, hash, ms: performance.now() - start, error });
    const source = (await stampOf(input)) ?? '';
    try {
      if (file.error !== undefined) throw file.error;
      this.#manifest ??= await Manifest.read(this.#out);
      if (await this.#manifest.isDone({ output, job: this.#job, source })) return result('unchanged');
      if (this.#existing !== 'overwrite' && (await exists(path.join(this.#out, output)))) {
        if (this.#existing === 'skip') return result('skipped');
        throw existingOutput(input, output);
      }
      if (dryRun) return result('planned');
      return await this.#write(file, source, (hash) => result('written', hash));
    } catch (cause) {
      const failed = result('failed', null, withName(cause as Corr2dError, input));
      await this.#record(failed, source);
      return failed;
    }
  }

  async #write(
    { input, output, format }: Planned,
    source: string,
    written: (hash: string) => FileResult,
  ): Promise<FileResult> {
    const readable = { name: input, read: async () => input };
    const { image, encoded } = await transformImage(readable, { ...this.#transformation, format });
    release(image.data);
    const data = encoded as Uint8Array;
    const file = path.join(this.#out, output);
    const result = written(hashOf(data));
    try {
      await writeAtomic(file, data, () => this.#record(result, source));
    } catch (error) {
      throw unwritableFile(file, error);
    }
    release(data);
    return result;
  }

  async #record({ input, output, hash, ms, error }: FileResult, source: string): Promise<void> {
    const why = error === null ? null : { code: error.code, message: error.message };
    await this.#writer?.add({ input, output, job: this.#job, source, hash, ms, error: why });
  }
}
