/**
 * What a folder of results remembers: one JSON line for each file that was written or has failed. An interrupted job reads it
 * and takes up where it was. The line of a result stands before the result does, so that every result has one; a result counts as
 * there when it is what its line says.
 */
import { createHash } from 'node:crypto';
import { open, readFile, stat } from 'node:fs/promises';
import path from 'node:path';

/** The manifest's name in the folder of results. */
export const MANIFEST = 'corr2d-manifest.jsonl';

/** One line. */
export interface ManifestEntry {
  /** Path of the image as it was given or found. */
  readonly input: string;
  /** Path of the result, relative to the folder. */
  readonly output: string;
  /** What was asked for: equal jobs make equal results of equal inputs. */
  readonly job: string;
  /** The input's size and time of change, by which a changed input is known. */
  readonly source: string;
  /** SHA-256 of the result; null when it failed. */
  readonly hash: string | null;
  /** Milliseconds from reading to writing. */
  readonly ms: number;
  /** Why it failed. */
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** A short name for anything that JSON can hold. */
export function fingerprint(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
}

/** SHA-256 of some bytes. */
export function hashOf(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Size and time of change of a file; undefined when there is none. */
export async function stampOf(file: string): Promise<string | undefined> {
  return stat(file).then(
    ({ size, mtimeMs }) => `${size}-${mtimeMs}`,
    () => undefined,
  );
}

/** The manifest of one folder. */
export class Manifest {
  readonly #folder: string;
  readonly #done: Map<string, ManifestEntry>;

  private constructor(folder: string, done: Map<string, ManifestEntry>) {
    this.#folder = folder;
    this.#done = done;
  }

  /** Reads the manifest of a folder, which may have none. Of several lines about one result the last one counts. */
  static async read(folder: string): Promise<Manifest> {
    const text = await readFile(path.join(folder, MANIFEST), 'utf8').catch(() => '');
    const done = new Map<string, ManifestEntry>();
    for (const line of text.split('\n')) {
      const entry = parse(line);
      if (entry?.hash != null) done.set(keyOf(entry), entry);
    }
    return new Manifest(folder, done);
  }

  /** Whether a result is there as this job makes it of this input. */
  async isDone(entry: Pick<ManifestEntry, 'job' | 'output' | 'source'>): Promise<boolean> {
    const done = this.#done.get(keyOf(entry));
    if (done?.source !== entry.source) return false;
    const data = await readFile(path.join(this.#folder, entry.output)).catch(() => undefined);
    return data !== undefined && hashOf(data) === done.hash;
  }

  /** Opens it to add lines. */
  async append(): Promise<ManifestWriter> {
    return ManifestWriter.open(path.join(this.#folder, MANIFEST));
  }
}

/** A manifest that grows by whole lines. */
export class ManifestWriter {
  readonly #handle: Awaited<ReturnType<typeof open>>;

  private constructor(handle: Awaited<ReturnType<typeof open>>) {
    this.#handle = handle;
  }

  /** Opens a file to add to it; a line that a killed process left unfinished is ended first. */
  static async open(file: string): Promise<ManifestWriter> {
    const handle = await open(file, 'a+');
    const { size } = await handle.stat();
    const last = Buffer.alloc(1);
    if (size > 0) await handle.read(last, 0, 1, size - 1);
    if (size > 0 && last.toString() !== '\n') await handle.appendFile('\n');
    return new ManifestWriter(handle);
  }

  /** Adds a line in one write. */
  async add(entry: ManifestEntry): Promise<void> {
    await this.#handle.appendFile(`${JSON.stringify(entry)}\n`);
  }

  /** Flushes and closes it. */
  async close(): Promise<void> {
    await this.#handle.sync();
    await this.#handle.close();
  }
}

const keyOf = ({ job, output }: Pick<ManifestEntry, 'job' | 'output'>): string => `${job} ${output}`;

function parse(line: string): ManifestEntry | undefined {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === 'object' && entry !== null && 'output' in entry
      ? (entry as ManifestEntry)
      : undefined;
  } catch {
    // A line that a killed process left unfinished.
    return undefined;
  }
}
