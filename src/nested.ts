import { invalidType, outOfRange, shapeMismatch } from './errors.ts';
import { allocate } from './memory.ts';
import { rowMajorStrides, sizeOf } from './strides.ts';

/** Numbers in arrays of arrays, all rows of an axis of the same length. */
export type NestedArray = readonly number[] | readonly NestedArray[];

/** What `Tensor.toArray` gives: nested arrays, or a bare number for a tensor without axes. */
export type NestedNumbers = number | NestedNumbers[];

/** The largest number of axes; it also ends the descent into an array that contains itself. */
export const MAX_RANK = 32;

function shapeOfFirst(value: readonly unknown[], parameter: string): number[] {
  const shape: number[] = [];
  let level: unknown = value;
  while (Array.isArray(level)) {
    if (shape.length === MAX_RANK) throw outOfRange(`at most ${MAX_RANK} nested axes`, parameter, value);
    shape.push(level.length);
    level = level[0];
  }
  return shape;
}

function path(parameter: string, shape: readonly number[], axes: number, position: number): string {
  const strides = rowMajorStrides(shape);
  let rest = position;
  let text = parameter;
  for (let axis = 0; axis < axes; axis++) {
    const stride = strides[axis] as number;
    text += `[${Math.floor(rest / stride)}]`;
    rest %= stride;
  }
  return text;
}

function ragged(length: number, parameter: string, received: string): Error {
  return shapeMismatch(`rows of equal length, here an array of ${length},`, parameter, received);
}

// One row of numbers; the loop that takes the time.
function readRow(
  row: readonly unknown[],
  data: Float32Array,
  start: number,
  shape: readonly number[],
  parameter: string,
): number {
  const length = row.length;
  for (let i = 0; i < length; i++) {
    const value = row[i];
    if (typeof value !== 'number') {
      const place = path(parameter, shape, shape.length, start + i);
      if (Array.isArray(value)) throw shapeMismatch('a number', place, `an array of ${value.length}`);
      throw invalidType('a number', place, value);
    }
    data[start + i] = value;
  }
  return start + length;
}

function readAxis(
  value: unknown,
  axis: number,
  data: Float32Array,
  start: number,
  shape: readonly number[],
  parameter: string,
): number {
  const length = shape[axis] as number;
  if (!Array.isArray(value)) {
    const place = path(parameter, shape, axis, start);
    if (typeof value === 'number') throw ragged(length, place, 'a number');
    throw invalidType('an array of numbers', place, value);
  }
  if (value.length !== length) {
    throw ragged(length, path(parameter, shape, axis, start), `one of ${value.length}`);
  }
  if (axis === shape.length - 1) return readRow(value, data, start, shape, parameter);
  let next = start;
  for (let i = 0; i < length; i++) next = readAxis(value[i], axis + 1, data, next, shape, parameter);
  return next;
}

/** Copies nested arrays into fresh row-major memory. */
export function readNested(
  value: readonly unknown[],
  parameter: string,
): { data: Float32Array; shape: number[] } {
  const shape = shapeOfFirst(value, parameter);
  const data = allocate(sizeOf(shape), parameter);
  readAxis(value, 0, data, 0, shape, parameter);
  return { data, shape };
}

/** The elements of a strided view as nested arrays. */
export function writeNested(
  data: Float32Array,
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
  axis = 0,
): NestedNumbers {
  if (axis === shape.length) return data[offset] as number;
  const length = shape[axis] as number;
  const stride = strides[axis] as number;
  const result = new Array<NestedNumbers>(length);
  for (let i = 0; i < length; i++) {
    result[i] = writeNested(data, shape, strides, offset + i * stride, axis + 1);
  }
  return result;
}
