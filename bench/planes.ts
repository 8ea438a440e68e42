/** Channels first and channels last. */

/** [n, c, h, w] to [n, h, w, c]. */
export function toChannelsLast(data: Float32Array, n: number, c: number, size: number): Float32Array {
  return transpose(data, n, c, size);
}

/** [n, h, w, c] to [n, c, h, w]. */
export function toChannelsFirst(data: Float32Array, n: number, c: number, size: number): Float32Array {
  return transpose(data, n, size, c);
}

function transpose(data: Float32Array, n: number, rows: number, columns: number): Float32Array {
  const result = new Float32Array(data.length);
  for (let image = 0; image < n; image++) {
    const base = image * rows * columns;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        result[base + column * rows + row] = data[base + row * columns + column] as number;
      }
    }
  }
  return result;
}
