/** How memory is used in a program that is ours: a library must not set it, since it holds for the whole process. */
import { loadSharp } from '../batch/codec.ts';
import { native } from '../native.ts';
import { onRelease } from '../pixel-memory.ts';

/**
 * Resident bytes from which what has been freed is given back to the system. Below, it is kept, since fresh memory costs the time of a
 * small filter: the system clears each page when it is first touched. Two images of 12 megapixels may take 100 MiB more than this.
 */
const MOST_BYTES = 280 * 2 ** 20;

/** One thread for each image, since several are in flight, and no memory for images that never come again. */
export function useSharpSparingly(): void {
  native.giveMemoryBack();
  // What Node frees, it frees on the next turn.
  onRelease(() => setImmediate(trim));
  const sharp = loadSharp();
  sharp.cache(false);
  sharp.concurrency(1);
}

function trim(): void {
  if (process.memoryUsage.rss() > MOST_BYTES) native.giveMemoryBack();
}
