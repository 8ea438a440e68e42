import { emptyAxis, formatShape, shapeMismatch } from './errors.ts';
import { section } from './memory.ts';

import { firstIndex, isRowMajor, lastIndex } from './strides.ts';
import { checkShape, fromTrusted, isDense, type Tensor, toTensor } from './tensor.ts';

function checkLengths(
  shape: readonly number[],
  parameter: string,
  min: number,
  max: number,
  firstFilled: number,
): void {
  const rank = shape.length;
  if (rank < min || rank > max) {
    const axes = min === max ? `${min}` : `${min} to ${max}`;
    throw shapeMismatch(`${axes} dimensions`, parameter, `shape ${formatShape(shape)}`);
  }
  for (let axis = Math.max(firstFilled, 0); axis < rank; axis++) {
    if (!((shape[axis] as number) > 0)) throw emptyAxis(parameter, formatShape(shape));
  }
}

/** An image or a batch of them: `min` to `max` axes, of which only the batch may be empty. */
export function toImages(value: unknown, parameter: string, min: number, max: number): Tensor {
  const tensor = toTensor(value, parameter);
  checkLengths(tensor.shape, parameter, min, max, tensor.shape.length - 3);
  return tensor;
}

/** A kernel, weight or bias: `rank` axes, none of them empty. */
export function toWeight(value: unknown, parameter: string, rank: number): Tensor {
  const tensor = toTensor(value, parameter);
  checkLengths(tensor.shape, parameter, rank, rank, 0);
  return tensor;
}

/** A copy of a shape that is given in place of an image or a batch of them. */
export function checkImagesShape(value: unknown, parameter: string, min: number): number[] {
  const shape = checkShape(value, parameter);
  checkLengths(shape, parameter, min, 4, shape.length - 3);
  return shape;
}

/** A copy of a shape that is given in place of a weight. */
export function checkWeightShape(value: unknown, parameter: string): number[] {
  const shape = checkShape(value, parameter);
  checkLengths(shape, parameter, 4, 4, 0);
  return shape;
}

/** The elements as an array of exactly the tensor's size: its own memory where that is possible. */
export function denseData(tensor: Tensor): Float32Array {
  if (isDense(tensor)) return tensor.data;
  if (isRowMajor(tensor.shape, tensor.strides)) {
    return section(tensor.data, tensor.offset, tensor.offset + tensor.size);
  }
  return tensor.contiguous().data;
}

/** The tensor itself where the native side can read it in place: rows without gaps, no axis backwards; else a copy. */
export function withDenseRows(tensor: Tensor): Tensor {
  const { shape, strides } = tensor;
  const last = shape.length - 1;
  let readable = strides[last] === 1 || shape[last] === 1;
  for (let axis = 0; axis < last; axis++) readable &&= (strides[axis] as number) >= 0;
  return readable ? tensor : tensor.contiguous();
}

/** The same view of no more memory than it touches, so that `data` shares nothing with what lies around it. */
export function narrowed(tensor: Tensor): Tensor {
  const { data, shape, strides, offset, size } = tensor;
  const first = firstIndex(shape, strides, offset);
  const end = lastIndex(shape, strides, offset) + 1;
  return fromTrusted(section(data, first, end), shape, strides, offset - first, size);
}

const view = new Float64Array(4);

/**
 * Offset and strides of batch, channel and row as the native side takes them, or null where the elements fill the data;
 * filled anew by the next call.
 */
export function nativeView(tensor: Tensor): Float64Array | null {
  if (isDense(tensor)) return null;
  const { shape, strides, offset } = tensor;
  const rank = shape.length;
  view[0] = offset;
  view[1] = rank < 4 ? 0 : (strides[rank - 4] as number);
  view[2] = rank < 3 ? 0 : (strides[rank - 3] as number);
  view[3] = strides[rank - 2] as number;
  return view;
}
