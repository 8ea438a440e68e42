/** Which files a job reads, and where each result goes. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { Corr2dError } from '../errors.ts';
import { FORMATS, formatOf, type ImageFormat } from './codec.ts';
import { duplicateOutput, unreadableFile } from './image-errors.ts';
import { filesBelow, matchesOf } from './patterns.ts';
import { exists } from './sources.ts';

/** A file to be made, or the reason why it can't. */
export interface Planned {
  readonly input: string;
  /** Relative to the folder of results. */
  readonly output: string;
  readonly format: ImageFormat;
  readonly error?: Corr2dError | undefined;
}

/**
 * Files, folders (the images in them, with `recursive` in their subfolders too) and patterns as a list of results. What lies below
 * a folder keeps its path there; others keep their name. The ending follows the format.
 */
export async function planOutputs(
  inputs: Iterable<string> | AsyncIterable<string>,
  { format, recursive, out }: { format: ImageFormat | undefined; recursive: boolean; out: string },
): Promise<Planned[]> {
  const planned: Planned[] = [];
  const owners = new Map<string, string>();
  const add = (input: string, relative: string, error?: Corr2dError): void => {
    const target = format ?? formatOf(input) ?? 'png';
    const { dir, name, ext } = path.parse(relative);
    const kept = FORMATS[target].includes(ext.toLowerCase());
    const output = path.join(dir, kept ? `${name}${ext}` : `${name}${FORMATS[target][0]}`);
    // Some systems do not tell names apart by case.
    const owner = owners.get(output.toLowerCase());
    if (owner === undefined) owners.set(output.toLowerCase(), input);
    else if (path.resolve(owner) === path.resolve(input)) return;
    planned.push({
      input,
      output,
      format: target,
      error: error ?? (owner === undefined ? undefined : duplicateOutput(input, owner, output)),
    });
  };

  for await (const input of inputs) {
    if (await isFolder(input)) {
      for (const file of await filesBelow(input, recursive)) {
        // What an earlier job has written into the folder is no input of this one.
        const isResult = !path.relative(out, file).startsWith('..');
        if (formatOf(file) !== undefined && !isResult) add(file, path.relative(input, file));
      }
    } else if (await exists(input)) add(input, path.basename(input));
    else {
      const found = await matchesOf(input);
      for (const file of found) add(file, path.basename(file));
      if (found.length === 0) {
        add(input, path.basename(input), unreadableFile(input, 'no file of that name'));
      }
    }
  }
  return planned;
}

async function isFolder(name: string): Promise<boolean> {
  return stat(name).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
