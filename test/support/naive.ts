/** Plain double loops in float64: what every result is compared with. */
import { Tensor } from '../../index.ts';

export interface Geometry {
  stride: readonly [number, number];
  /** [[top, bottom], [left, right]] */
  padding: readonly [readonly [number, number], readonly [number, number]];
  dilation: readonly [number, number];
  groups: number;
}

export const PLAIN: Geometry = {
  stride: [1, 1],
  padding: [
    [0, 0],
    [0, 0],
  ],
  dilation: [1, 1],
  groups: 1,
};

/** The floor formula of the seed, with dilation. */
export function outputSide(
  input: number,
  kernel: number,
  padding: number,
  stride: number,
  dilation: number,
): number {
  return Math.floor((input + padding - dilation * (kernel - 1) - 1 + stride) / stride);
}

/** [n, c, h, w] * [o, c / groups, kh, kw] -> [n, o, h', w'] */
export function naiveConv2d(x: Tensor, weight: Tensor, bias: readonly number[] | null, g: Geometry): Tensor {
  const [n = 0, , h = 0, w = 0] = x.shape;
  const [o = 0, c = 0, kh = 0, kw = 0] = weight.shape;
  const [[top, bottom], [left, right]] = g.padding;
  const oh = outputSide(h, kh, top + bottom, g.stride[0], g.dilation[0]);
  const ow = outputSide(w, kw, left + right, g.stride[1], g.dilation[1]);
  const y = Tensor.zeros([n, o, oh, ow]);
  let position = 0;
  for (let image = 0; image < n; image++) {
    for (let out = 0; out < o; out++) {
      const first = Math.floor(out / (o / g.groups)) * c;
      for (let i = 0; i < oh; i++) {
        for (let j = 0; j < ow; j++) {
          let sum = bias?.[out] ?? 0;
          for (let channel = 0; channel < c; channel++) {
            for (let u = 0; u < kh; u++) {
              for (let v = 0; v < kw; v++) {
                const row = i * g.stride[0] - top + u * g.dilation[0];
                const column = j * g.stride[1] - left + v * g.dilation[1];
                if (row < 0 || row >= h || column < 0 || column >= w) continue;
                sum += x.at(image, first + channel, row, column) * weight.at(out, channel, u, v);
              }
            }
          }
          y.data[position++] = sum;
        }
      }
    }
  }
  return y;
}

/** [h, w] * [kh, kw] -> [h - kh + 1, w - kw + 1] */
export function naiveCorr2d(x: Tensor, k: Tensor): Tensor {
  const image = x.contiguous().reshape([1, 1, ...x.shape]);
  const y = naiveConv2d(image, k.contiguous().reshape([1, 1, ...k.shape]), null, PLAIN);
  return y.reshape(y.shape.slice(2));
}

/** [n, c, h, w] -> [n, c, h', w']; padding isn't counted in the mean's divisor. */
export function naivePool2d(
  x: Tensor,
  mode: 'max' | 'avg',
  kernel: readonly [number, number],
  g: Geometry,
): Tensor {
  const [n = 0, c = 0, h = 0, w = 0] = x.shape;
  const [[top, bottom], [left, right]] = g.padding;
  const oh = outputSide(h, kernel[0], top + bottom, g.stride[0], g.dilation[0]);
  const ow = outputSide(w, kernel[1], left + right, g.stride[1], g.dilation[1]);
  const y = Tensor.zeros([n, c, oh, ow]);
  let position = 0;
  for (let image = 0; image < n; image++) {
    for (let channel = 0; channel < c; channel++) {
      for (let i = 0; i < oh; i++) {
        for (let j = 0; j < ow; j++) {
          const window: number[] = [];
          for (let u = 0; u < kernel[0]; u++) {
            for (let v = 0; v < kernel[1]; v++) {
              const row = i * g.stride[0] - top + u * g.dilation[0];
              const column = j * g.stride[1] - left + v * g.dilation[1];
              if (row >= 0 && row < h && column >= 0 && column < w)
                window.push(x.at(image, channel, row, column));
            }
          }
          const sum = window.reduce((a, b) => a + b, 0);
          y.data[position++] = mode === 'max' ? Math.max(...window) : sum / window.length;
        }
      }
    }
  }
  return y;
}
