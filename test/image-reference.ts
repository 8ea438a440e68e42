/** filterImage as anyone would first write it, in float64: what test/image.test.ts compares with. */
import type { FilterImageOptions, Image, ImageBorder, PixelData } from '../index.ts';

export type ReferenceOptions = Omit<FilterImageOptions, 'out'>;

/** The sample that stands for position `i` of an axis of `n` samples, or -1 for a zero. */
export function borderIndex(i: number, n: number, border: ImageBorder): number {
  switch (border) {
    case 'replicate':
      return Math.min(Math.max(i, 0), n - 1);
    case 'constant':
      return i < 0 || i >= n ? -1 : i;
    case 'wrap':
      return ((i % n) + n) % n;
    default: {
      if (n === 1) return 0;
      const twice = border === 'reflect' ? 1 : 0;
      let at = i;
      while (at < 0 || at >= n) at = at < 0 ? -at - twice : 2 * (n - 1) - at + twice;
      return at;
    }
  }
}

/** The exact results, neither rounded nor saturated. */
export function exactFilter(image: Image, kernel: number[][], options: ReferenceOptions = {}): Float64Array {
  const { border = 'reflect101', scale = 1, offset = 0, alpha = 'pass' } = options;
  const { data, width, height, channels } = image;
  const centreY = Math.floor(kernel.length / 2);
  const centreX = Math.floor((kernel[0] ?? []).length / 2);
  const result = new Float64Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        const at = (y * width + x) * channels + c;
        if (alpha === 'pass' && channels % 2 === 0 && c === channels - 1) {
          result[at] = data[at] as number;
          continue;
        }
        let sum = 0;
        for (const [i, weights] of kernel.entries()) {
          const row = borderIndex(y + i - centreY, height, border);
          for (const [j, weight] of weights.entries()) {
            const column = borderIndex(x + j - centreX, width, border);
            if (row >= 0 && column >= 0)
              sum += weight * (data[(row * width + column) * channels + c] as number);
          }
        }
        result[at] = scale * sum + offset;
      }
    }
  }
  return result;
}

/** A value as a sample of `data`'s type: rounded half to even and saturated, or a float as it is. */
export function toSample(value: number, data: PixelData): number {
  if (data instanceof Float32Array) return Math.fround(value);
  const full = data instanceof Uint16Array ? 65535 : 255;
  const below = Math.floor(value);
  const fraction = value - below;
  const up = fraction > 0.5 || (fraction === 0.5 && below % 2 !== 0);
  return Math.min(Math.max(up ? below + 1 : below, 0), full);
}
