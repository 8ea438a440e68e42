/** How memory is used in a program that is ours: a library must not set it, since it holds for the whole process. */
import v8 from 'node:v8';
import vm from 'node:vm';
import { loadSharp } from '../batch/codec.ts';
import { native } from '../native.ts';
import { collectDropped } from '../pixel-memory.ts';

/** One thread for each image, since several are in flight, and no memory for images that never come again. */
export function useSharpSparingly(): void {
  native.giveMemoryBack();
  collectDropped(garbageCollector());
  const sharp = loadSharp();
  sharp.cache(false);
  sharp.concurrency(1);
}

/** V8's; undefined in engines that give none. */
function garbageCollector(): (() => void) | undefined {
  try {
    v8.setFlagsFromString('--expose-gc');
    return vm.runInNewContext('gc') as () => void;
  } catch {
    return undefined;
  }
}
