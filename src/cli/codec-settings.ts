/** How memory is used in a program that is ours: a library must not set it, since it holds for the whole process. */
import { loadSharp } from '../batch/codec.ts';
import { native } from '../native.ts';

/** One thread for each image, since several are in flight, and no memory for images that never come again. */
export function useSharpSparingly(): void {
  native.giveMemoryBack();
  const sharp = loadSharp();
  sharp.cache(false);
  sharp.concurrency(1);
}
