/** Files that are there whole or not at all, whatever happens to the process or the machine. */
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { fingerprint } from './manifest.ts';

/** How temporary names begin on this machine: a folder may be shared with others. */
export const TEMPORARY_PREFIX: string = `.corr2d-${fingerprint(hostname()).slice(0, 8)}-`;
// The process's number tells whether the one that began it is still at it.
const TEMPORARY = new RegExp(`^\\${TEMPORARY_PREFIX}(\\d+)-\\d+\\.tmp$`);

let count = 0;

/**
 * Writes a file under a temporary name in its folder (made where it is missing), flushes it to the disk and renames it.
 *
 * @param announce called when nothing but the renaming is left
 */
export async function writeAtomic(
  file: string,
  data: Uint8Array,
  announce?: () => Promise<void>,
): Promise<void> {
  const folder = path.dirname(file);
  await mkdir(folder, { recursive: true });
  const temporary = path.join(folder, `${TEMPORARY_PREFIX}${process.pid}-${count++}.tmp`);
  try {
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(data);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await announce?.();
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await flushFolder(folder);
}

/** Makes the folder's list of names outlive a power cut, where the system can. */
async function flushFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch {
    // Windows opens no folders.
  }
}

/** Removes what processes that were killed have left in a folder and below. */
export async function removeAbandoned(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  for (const entry of entries) {
    const owner = TEMPORARY.exec(entry.name)?.[1];
    if (owner !== undefined && entry.isFile() && !isAlive(Number(owner))) {
      await rm(path.join(entry.parentPath, entry.name), { force: true });
    }
  }
}

function isAlive(pid: number): boolean {
  if (pid === process.pid) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
