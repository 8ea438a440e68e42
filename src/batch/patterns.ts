/** Files by patterns such as `photos/**` + `/*.jpg`, and the files below a folder; all sorted by name. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { Minimatch } from 'minimatch';

const hasMagic = (text: string): boolean => new Minimatch(text).hasMagic();

/** Whether a text is meant as a pattern. */
export function isPattern(text: string): boolean {
  return hasMagic(slashed(text));
}

/** The files that a pattern matches; none for a text that is no pattern. */
export async function matchesOf(pattern: string): Promise<string[]> {
  const parts = slashed(pattern).split('/');
  const magic = parts.findIndex(hasMagic);
  if (magic < 0) return [];
  // What needs no matching is where the search begins. A leading slash gives an empty first part.
  const base = parts.slice(0, magic).join('/') || (parts[0] === '' ? '/' : '.');
  const matcher = new Minimatch(parts.slice(magic).join('/'));
  const found = await filesBelow(base, magic < parts.length - 1);
  return found.filter((file) => matcher.match(slashed(path.relative(base, file))));
}

/** The files in a folder, with `recursive` in its subfolders, too; none where it can't be read. */
export async function filesBelow(folder: string, recursive: boolean): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}

const slashed = (text: string): string => (path.sep === '/' ? text : text.replaceAll(path.sep, '/'));
