/** How memory is used in a program that is ours: a library must not set it, since it holds for the whole process. */
import { loadSharp } from '../batch/codec.ts';
import { native } from '../native.ts';
import { onRelease } from '../pixel-memory.ts';

/** Resident bytes from which what lies unused in the C library's arenas is given back after each image. */
const MOST_BYTES = 240 * 2 ** 20;

/** One thread for each image, since several are in flight, and no memory for images that never come again. */
export function useSharpSparingly(): void {
  native.giveMemoryBack();
  // What Node lets go, it frees on the next turn.
  onRelease(() => setImmediate(giveBack));
  const sharp = loadSharp();
  sharp.cache(false);
  sharp.concurrency(1);
}

function giveBack(): void {
  if (process.memoryUsage.rss() > MOST_BYTES) native.giveMemoryBack();
}
