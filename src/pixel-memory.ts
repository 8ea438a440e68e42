/**
 * Memory of pixels and files that no other program sees, in a run over many images: filters overwrite it, and it is freed as soon as it
 * has been encoded or written. What JavaScript only drops stays with the process until the next garbage collection.
 */
import { native } from './native.ts';
import type { PixelData } from './pixels.ts';

/** The key of an internal option: the pixels of such a call are nobody else's, and its result may take their place. */
export const OWN_PIXELS: unique symbol = Symbol('own pixels');

let released: (() => void) | undefined;

/** Has a function called each time that memory was freed: for a program of our own. */
export function onRelease(listener: (() => void) | undefined): void {
  released = listener;
}

/** Frees memory that nobody will touch any more: its array is detached. */
export function release(data: PixelData): void {
  // Small buffers share Node's pool, and cost nothing.
  if (data.byteOffset !== 0 || data.byteLength < LEAST) return;
  // The addon's only: WebAssembly can't.
  native.release?.(data.buffer as ArrayBuffer);
  released?.();
}

/** Bytes from which memory is worth freeing at once. */
const LEAST = 2 ** 16;
