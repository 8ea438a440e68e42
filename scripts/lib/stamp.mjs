// Remembers by content hash what a set-up step was last made from. Not by file times: a checkout and a cache change those.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './command.mjs';

// In node_modules, so that a reinstall starts the steps anew.
const folder = path.join(root, 'node_modules/.cache/corr2d');

function filesUnder(name) {
  const absolute = path.join(root, name);
  if (!existsSync(absolute)) return [];
  if (!statSync(absolute).isDirectory()) return [name];
  return readdirSync(absolute)
    .filter((entry) => entry !== 'target' && entry !== 'node_modules')
    .flatMap((entry) => filesUnder(`${name}/${entry}`));
}

/**
 * A hash over the names and contents of files, and over any other values.
 * @param {string[]} inputs files and folders, relative to the root; missing ones are skipped
 * @param {unknown} [also] what else the result depends on (a compiler's version, an environment variable)
 */
export function hashOf(inputs, also = null) {
  const hash = createHash('sha256').update(JSON.stringify(also));
  for (const file of inputs.flatMap(filesUnder).sort()) {
    const content = readFileSync(path.join(root, file));
    hash.update(`\0${file}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

/** The hash that was recorded for a step, or an empty string. */
export function readStamp(step) {
  const file = path.join(folder, step);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/** Records the hash of a step that has succeeded. */
export function writeStamp(step, hash) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, step), hash);
}

/** Forgets a step, so that a failure half-way is not taken for a result. */
export function clearStamp(step) {
  rmSync(path.join(folder, step), { force: true });
}
