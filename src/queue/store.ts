/** Where a worker reads images from and writes results to. */
import path from 'node:path';
import { unwritableFile } from '../batch/image-errors.ts';
import { writeAtomic } from '../batch/write-atomic.ts';
import { invalidType } from '../errors.ts';

/**
 * A place for images. The default is the file system. For object storage, hand in two functions around its client; most stores
 * replace an object whole or not at all, as `write` must.
 */
export interface ImageStore {
  /** The bytes of an image, or the path of a file that has them. What it throws is tried again later. */
  read(input: string): Promise<Uint8Array | string>;
  /** Makes a result appear, whole or not at all; another worker may be writing the same bytes. */
  write(output: string, data: Uint8Array): Promise<void>;
}

/** Files, by paths that mean the same on every machine. */
export const fileStore: ImageStore = {
  read: async (input) => input,
  write: (output, data) =>
    writeAtomic(path.resolve(output), data).catch((error: unknown) => {
      throw unwritableFile(output, error);
    }),
};

/** Checks a store. */
export function readStore(value: unknown): ImageStore {
  if (value === undefined) return fileStore;
  const store = value as Partial<ImageStore> | null;
  if (typeof store?.read !== 'function' || typeof store.write !== 'function') {
    throw invalidType('{ read, write }', 'store', value);
  }
  return store as ImageStore;
}
