import { detachedBuffer, invalidType, limitExceeded, outOfBounds, typedArrayName } from './errors.ts';
import { checkElements } from './limits.ts';

/** Zeroed memory of V8's own, after the limits were checked. */
export function allocate(elements: number, parameter: string): Float32Array {
  checkElements(elements, parameter);
  try {
    return new Float32Array(elements);
  } catch {
    throw limitExceeded('a size that can be allocated', parameter, elements);
  }
}

/** Results of fewer elements are zeroed sooner than memory that is not is asked for. */
const LEAST_UNZEROED = 1 << 14;

/**
 * Memory for a result, after the limits were checked. Its content is anything: whoever asks for it writes every element before
 * it gets out of their hands. Zeroing a large result can take longer than computing it.
 */
export function allocateResult(elements: number, parameter: string): Float32Array {
  // Only Node and those like it have a Buffer.
  if (elements < LEAST_UNZEROED || globalThis.Buffer === undefined) return allocate(elements, parameter);
  checkElements(elements, parameter);
  try {
    const { buffer, byteOffset } = Buffer.allocUnsafeSlow(elements * Float32Array.BYTES_PER_ELEMENT);
    return new Float32Array(buffer, byteOffset, elements);
  } catch {
    // A typed array may be larger than a Buffer.
    return allocate(elements, parameter);
  }
}

/** A `Float32Array` of this or another realm; any other typed array is named in the error. */
export function checkFloat32(value: unknown, parameter: string): Float32Array {
  if (typedArrayName(value) !== 'Float32Array') throw invalidType('a Float32Array', parameter, value);
  return value as Float32Array;
}

/** Whether the buffer was transferred away. (`ArrayBuffer.prototype.detached` is newer than Node 20.) */
export function isDetached(data: ArrayBufferView): boolean {
  if (data.byteLength !== 0) return false;
  try {
    new Uint8Array(data.buffer);
    return false;
  } catch {
    return true;
  }
}

/**
 * Elements `[from, to)` of the same memory. Unlike `subarray` it runs no code of a subclass, which could start another
 * call in the middle of this one.
 */
export function section(data: Float32Array, from: number, to: number): Float32Array {
  return new Float32Array(data.buffer, data.byteOffset + from * data.BYTES_PER_ELEMENT, to - from);
}

/** The error for memory that is shorter than what is read from it. */
export function unreadable(data: Float32Array, parameter: string): Error {
  return isDetached(data) ? detachedBuffer(parameter) : outOfBounds(parameter, data.length);
}

/** Whether two views, both of buffers that are still attached, share a byte. */
export function overlaps(a: ArrayBufferView, b: ArrayBufferView): boolean {
  return (
    a.buffer === b.buffer &&
    a.byteOffset < b.byteOffset + b.byteLength &&
    b.byteOffset < a.byteOffset + a.byteLength &&
    a.byteLength > 0 &&
    b.byteLength > 0
  );
}
