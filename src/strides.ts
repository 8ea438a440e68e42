/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (let axis = 0; axis < shape.length; axis++) size *= shape[axis] as number;
  return size;
}

/** Length of an axis; 1 for an axis (a negative index) that the shape lacks in front. */
export function lengthAt(shape: readonly number[], axis: number): number {
  return axis < 0 ? 1 : (shape[axis] as number);
}

/** Strides, in elements, of row-major memory without gaps. */
export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis] as number;
  }
  return strides;
}

/**
 * Number of elements where they lie in row-major order without gaps, else −1. The stride of an axis of length 1 is of no
 * account.
 */
export function rowMajorSize(shape: readonly number[], strides: readonly number[]): number {
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis] as number;
    if (length !== 1) {
      if (strides[axis] !== step) return -1;
      step *= length;
    }
  }
  return step;
}

/** Whether the elements lie in row-major order without gaps. */
export function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  return rowMajorSize(shape, strides) >= 0;
}

/** Position of the first element in memory that the view touches (the view must not be empty). */
export function firstIndex(shape: readonly number[], strides: readonly number[], offset: number): number {
  let index = offset;
  for (let axis = 0; axis < shape.length; axis++) {
    const stride = strides[axis] as number;
    if (stride < 0) index += ((shape[axis] as number) - 1) * stride;
  }
  return index;
}

/** Position of the last element in memory that the view touches (the view must not be empty). */
export function lastIndex(shape: readonly number[], strides: readonly number[], offset: number): number {
  let index = offset;
  for (let axis = 0; axis < shape.length; axis++) {
    const stride = strides[axis] as number;
    if (stride > 0) index += ((shape[axis] as number) - 1) * stride;
  }
  return index;
}

interface Run {
  length: number;
  stride: number;
}

// Axes of length 1 dropped, and neighbours that one stride walks through merged.
function mergedRuns(shape: readonly number[], strides: readonly number[]): Run[] {
  const runs: Run[] = [];
  for (let axis = 0; axis < shape.length; axis++) {
    const length = shape[axis] as number;
    const stride = strides[axis] as number;
    if (length === 1) continue;
    const previous = runs.at(-1);
    if (previous !== undefined && previous.stride === stride * length) {
      previous.length *= length;
      previous.stride = stride;
    } else {
      runs.push({ length, stride });
    }
  }
  return runs;
}

/**
 * Strides that give the same elements another (non-empty) shape of the same size, or undefined where no strides can.
 */
export function reshapedStrides(
  shape: readonly number[],
  strides: readonly number[],
  target: readonly number[],
): number[] | undefined {
  const runs = mergedRuns(shape, strides);
  const result = rowMajorStrides(target);
  let run = runs.pop();
  let left = run?.length ?? 1;
  let step = run?.stride ?? 1;
  for (let axis = target.length - 1; axis >= 0; axis--) {
    const length = target[axis] as number;
    if (length === 1) continue;
    if (left === 1) {
      run = runs.pop();
      left = run?.length ?? 1;
      step = run?.stride ?? 1;
    }
    if (left % length !== 0) return undefined;
    result[axis] = step;
    left /= length;
    step *= length;
  }
  return result;
}
