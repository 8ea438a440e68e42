import { section } from './memory.ts';

// A square of this side touches few enough cache lines on both sides of a transposition.
const BLOCK = 32;

// Both axes in blocks, so that neither side walks through memory with a large stride for long.
function copyPlane(
  from: Float32Array,
  start: number,
  rows: number,
  columns: number,
  rowStride: number,
  columnStride: number,
  to: Float32Array,
  target: number,
): void {
  for (let top = 0; top < rows; top += BLOCK) {
    const bottom = Math.min(top + BLOCK, rows);
    for (let left = 0; left < columns; left += BLOCK) {
      const right = Math.min(left + BLOCK, columns);
      for (let row = top; row < bottom; row++) {
        let source = start + row * rowStride + left * columnStride;
        const line = target + row * columns;
        for (let column = left; column < right; column++) {
          to[line + column] = from[source] as number;
          source += columnStride;
        }
      }
    }
  }
}

function copyAxis(
  from: Float32Array,
  shape: readonly number[],
  strides: readonly number[],
  start: number,
  axis: number,
  to: Float32Array,
  target: number,
): number {
  const left = shape.length - axis;
  if (left <= 2) {
    const rows = left === 2 ? (shape[axis] as number) : 1;
    const columns = left === 0 ? 1 : (shape[shape.length - 1] as number);
    const rowStride = left === 2 ? (strides[axis] as number) : 0;
    const columnStride = left === 0 ? 0 : (strides[shape.length - 1] as number);
    if (columnStride === 1) {
      for (let row = 0; row < rows; row++) {
        const source = start + row * rowStride;
        to.set(section(from, source, source + columns), target + row * columns);
      }
    } else {
      copyPlane(from, start, rows, columns, rowStride, columnStride, to, target);
    }
    return target + rows * columns;
  }
  const stride = strides[axis] as number;
  let next = target;
  for (let i = 0; i < (shape[axis] as number); i++) {
    next = copyAxis(from, shape, strides, start + i * stride, axis + 1, to, next);
  }
  return next;
}

/** Copies a view's elements in row-major order to `to`, from position `target` on. The view lies inside `from`. */
export function copyStrided(
  from: Float32Array,
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
  to: Float32Array,
  target: number,
): void {
  copyAxis(from, shape, strides, offset, 0, to, target);
}
