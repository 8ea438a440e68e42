import {
  formatShape,
  invalidType,
  invalidValue,
  overlapping,
  shapeMismatch,
  typedArrayName,
} from './errors.ts';
import { allocateResult, overlaps, section } from './memory.ts';
import { narrowed } from './operand.ts';
import { isRowMajor } from './strides.ts';
import { assertReadable, bufferOf, fromChecked, isDense, sameShape, Tensor, toTensor } from './tensor.ts';

/** Where a result goes. */
export interface OutOption {
  /**
   * Memory for the result, in place of fresh memory: a contiguous Tensor or a Float32Array with as many elements as the
   * result has, none of them shared with an input. Untouched when the call throws.
   */
  out?: Tensor | Float32Array | undefined;
}

/** The options of a call that takes `out` only. */
export const OUT_OPTION_NAMES: readonly string[] = ['out'];

/** `out` as a tensor of its memory; undefined where none was given. Its size is checked when the result's is known. */
export function readOut(value: unknown): Tensor | undefined {
  if (value === undefined || Tensor.isTensor(value)) return value;
  if (typedArrayName(value) === 'Float32Array') {
    const data = value as Float32Array;
    return fromChecked(data, [data.length]);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidType('a Tensor or a Float32Array', 'out', value);
  }
  return toTensor(value, 'out');
}

/** Throws unless `out` can take a result of this shape. */
export function checkOut(out: Tensor, shape: readonly number[], size: number): void {
  if (size > 0 && out.size === size && isDense(out)) return;
  assertReadable(out, 'out');
  if (out.size !== size) {
    throw shapeMismatch(
      `${size} elements, for a result of shape ${formatShape(shape)},`,
      'out',
      `${out.size}`,
    );
  }
  if (!isRowMajor(out.shape, out.strides)) {
    throw invalidValue('contiguous memory', 'out', out);
  }
}

/** The memory of `out`, without what lies around it. */
export function outMemory(out: Tensor): Float32Array {
  if (out.offset === 0 && out.data.length === out.size) return out.data;
  return section(out.data, out.offset, out.offset + out.size);
}

/**
 * V8 has the elements of so small an array in its own heap until native code asks for their address. To move them out then takes as
 * long as a small convolution, so results of that size are computed elsewhere and copied.
 */
const MOST_IN_HEAP = 16;

const elsewhere: Float32Array[] = [];

/** Where a result of `size` elements, which the limits allow, is computed; `toResult` makes the result of it. */
export function resultMemory(size: number, out: Tensor | undefined): Float32Array {
  if (out !== undefined) return outMemory(out);
  if (size > MOST_IN_HEAP) return allocateResult(size, 'the output');
  elsewhere[size] ??= new Float32Array(size);
  return elsewhere[size];
}

/**
 * The input, known to share no element with `out`; where both lie in one buffer, as a view of only the memory that it
 * touches.
 */
export function apartFrom(out: Tensor, input: Tensor, parameter: string): Tensor {
  if (bufferOf(out) !== bufferOf(input) || input.size === 0) return input;
  const touched = narrowed(input);
  if (overlaps(outMemory(out), touched.data)) throw overlapping('out', parameter);
  return touched;
}

/** The shape of a result; a rank below 4 leaves out the batch first and then the channels. */
export function resultShape(
  rank: number,
  n: number,
  c: number,
  h: number,
  w: number,
  isChannelsLast = false,
): number[] {
  if (rank === 2) return [h, w];
  if (isChannelsLast) return rank === 3 ? [h, w, c] : [n, h, w, c];
  return rank === 3 ? [c, h, w] : [n, c, h, w];
}

/** A result as a tensor: `out` itself where it is one of that shape. */
export function toResult(memory: Float32Array, shape: readonly number[], out: Tensor | undefined): Tensor {
  if (out !== undefined && sameShape(out.shape, shape)) return out;
  return fromChecked(memory === elsewhere[memory.length] ? new Float32Array(memory) : memory, shape);
}
