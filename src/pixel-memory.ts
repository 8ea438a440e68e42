/**
 * Memory that goes from image to image. Fresh memory costs as much time as a 5×5 filter (the system clears each page when it is
 * first touched), and what JavaScript has dropped stays with the process until the next garbage collection.
 */
import { allocateLike, type PixelData } from './pixels.ts';

/** The key of an internal option: the pixels of such a call are nobody else's, and its result may lie in used memory. */
export const MEMORY: unique symbol = Symbol('memory');

let collectGarbage: (() => void) | undefined;

/** Has garbage collected each time that buffers of {@link DROPPED} bytes have been let go: for a program of our own. */
export function collectDropped(collect: (() => void) | undefined): void {
  collectGarbage = collect;
}

/** Buffers of one run over many images, whose pixels no other program sees. */
export class PixelMemory {
  readonly #spare: ArrayBufferLike[] = [];
  readonly #most: number;
  #dropped = 0;

  /** @param concurrency images that are in flight at once */
  constructor(concurrency: number) {
    // While one is being decoded the other ones have what they need: a spare buffer for each would lie idle.
    this.#most = Math.ceil(concurrency / 2);
  }

  /** An array of the type of `like`, with anything in it. What decoders give, buffers and 16-bit arrays, may come from the spare ones. */
  take<D extends PixelData>(like: D, samples: number): D {
    const bytes = samples * like.BYTES_PER_ELEMENT;
    if (bytes < LEAST || !(like instanceof Uint16Array || Buffer.isBuffer(like))) {
      return allocateLike(like, samples);
    }
    const fitting = this.#spare.findIndex(({ byteLength }) => byteLength >= bytes);
    const spare = fitting === -1 ? undefined : this.#spare.splice(fitting, 1)[0];
    const buffer = (spare ?? allocateLike(Buffer.alloc(0), roomy(bytes)).buffer) as ArrayBuffer;
    const data = Buffer.isBuffer(like)
      ? Buffer.from(buffer, 0, samples)
      : new Uint16Array(buffer, 0, samples);
    return data as PixelData as D;
  }

  /** Takes back memory that nobody will touch any more. */
  giveBack(data: PixelData): void {
    // Small buffers share Node's pool, and cost nothing.
    if (data.byteOffset !== 0 || data.byteLength < LEAST || this.#spare.includes(data.buffer)) return;
    this.#spare.push(data.buffer);
    if (this.#spare.length > this.#most) {
      const smallest = this.#spare.reduce((a, b) => (b.byteLength < a.byteLength ? b : a));
      this.#spare.splice(this.#spare.indexOf(smallest), 1);
      this.#dropped += smallest.byteLength;
      if (this.#dropped < DROPPED) return;
      this.#dropped = 0;
      // Not before those who call have let go, too.
      if (collectGarbage !== undefined) setImmediate(collectGarbage);
    }
  }
}

/** Less garbage than the engine lets pile up outside its own heap. */
const DROPPED = 2 ** 26;

/** Bytes from which memory is worth keeping. */
const LEAST = 2 ** 16;

/** Room for images that are somewhat larger, up to the next quarter power of two: what is never touched takes no memory. */
const roomy = (bytes: number): number => Math.ceil(2 ** (Math.ceil(Math.log2(bytes) * 4) / 4));
