/**
 * The definitions, element by element in float64: what every backend is checked against. They share nothing with the kernels, and
 * each element is computed by itself, so that a sample of a large result costs little.
 */
import type { Weights } from './data.ts';
import {
  type ConvProblem,
  type FilterProblem,
  outputSides,
  type PoolProblem,
  type Problem,
} from './problem.ts';

/** One result of a problem. */
export interface Reference {
  /** The element at a flat index. */
  at(index: number): number;
  /** Multiply-adds, roughly, of one element. */
  readonly cost: number;
  /** Sides of the planes that the flat index runs through, row by row. */
  readonly plane: readonly [height: number, width: number];
}

/** The results of a problem, in the order of `sizesOf(problem).outputs`. */
export function references(problem: Problem, weights: Weights): Reference[] {
  switch (problem.kind) {
    case 'filter':
    case 'sharpen':
    case 'gauss':
    case 'box':
      return [filter(problem, weights)];
    case 'dilate':
      return [dilation(problem, weights)];
    case 'conv':
      return [convolution(problem, weights)];
    case 'convgrad':
      return [inputGradient(problem, weights), weightGradient(problem, weights)];
    case 'maxpool':
    case 'avgpool':
      return [pooling(problem, weights)];
    case 'maxpoolgrad':
      return [maxPoolGradient(problem, weights)];
    default:
      return [avgPoolGradient(problem, weights)];
  }
}

/** Splits a flat index of planes into plane, row and column. */
function place(index: number, [h, w]: readonly [number, number]): [plane: number, y: number, x: number] {
  const plane = Math.floor(index / (h * w));
  const inside = index - plane * h * w;
  const y = Math.floor(inside / w);
  return [plane, y, inside - y * w];
}

function convolution(problem: ConvProblem, { x, weight }: Weights): Reference {
  const { c, h, w, o, kernel, stride, padding, dilation, groups } = problem;
  const plane = outputSides(problem);
  const [kh, kw] = kernel;
  const [perGroup, outPerGroup] = [c / groups, o / groups];
  return {
    plane,
    cost: perGroup * kh * kw,
    at(index) {
      const [image, oy, ox] = place(index, plane);
      const [n, k] = [Math.floor(image / o), image % o];
      const firstChannel = n * c + Math.floor(k / outPerGroup) * perGroup;
      let sum = 0;
      for (let i = 0; i < perGroup; i++) {
        for (let a = 0; a < kh; a++) {
          const y = oy * stride[0] - padding[0] + a * dilation[0];
          if (y < 0 || y >= h) continue;
          const row = ((firstChannel + i) * h + y) * w;
          const taps = ((k * perGroup + i) * kh + a) * kw;
          for (let b = 0; b < kw; b++) {
            const column = ox * stride[1] - padding[1] + b * dilation[1];
            if (column >= 0 && column < w) sum += (x[row + column] as number) * (weight[taps + b] as number);
          }
        }
      }
      return sum;
    },
  };
}

function inputGradient(problem: ConvProblem, { weight, gradOutput }: Weights): Reference {
  const { c, h, w, o, kernel, stride, padding, dilation, groups } = problem;
  const [oh, ow] = outputSides(problem);
  const [kh, kw] = kernel;
  const [perGroup, outPerGroup] = [c / groups, o / groups];
  return {
    plane: [h, w],
    cost: outPerGroup * kh * kw,
    at(index) {
      const [image, y, x] = place(index, [h, w]);
      const [n, channel] = [Math.floor(image / c), image % c];
      const group = Math.floor(channel / perGroup);
      let sum = 0;
      for (let k = group * outPerGroup; k < (group + 1) * outPerGroup; k++) {
        for (let a = 0; a < kh; a++) {
          const oy = (y + padding[0] - a * dilation[0]) / stride[0];
          if (!Number.isInteger(oy) || oy < 0 || oy >= oh) continue;
          const taps = ((k * perGroup + (channel % perGroup)) * kh + a) * kw;
          for (let b = 0; b < kw; b++) {
            const ox = (x + padding[1] - b * dilation[1]) / stride[1];
            if (!Number.isInteger(ox) || ox < 0 || ox >= ow) continue;
            sum += (gradOutput[((n * o + k) * oh + oy) * ow + ox] as number) * (weight[taps + b] as number);
          }
        }
      }
      return sum;
    },
  };
}

function weightGradient(problem: ConvProblem, { x, gradOutput }: Weights): Reference {
  const { n: batch, c, h, w, o, kernel, stride, padding, dilation, groups } = problem;
  const [oh, ow] = outputSides(problem);
  const [perGroup, outPerGroup] = [c / groups, o / groups];
  return {
    plane: kernel,
    cost: batch * oh * ow,
    at(index) {
      const [pair, a, b] = place(index, kernel);
      const [k, i] = [Math.floor(pair / perGroup), pair % perGroup];
      const channel = Math.floor(k / outPerGroup) * perGroup + i;
      let sum = 0;
      for (let n = 0; n < batch; n++) {
        for (let oy = 0; oy < oh; oy++) {
          const y = oy * stride[0] - padding[0] + a * dilation[0];
          if (y < 0 || y >= h) continue;
          const [row, gradRow] = [((n * c + channel) * h + y) * w, ((n * o + k) * oh + oy) * ow];
          for (let ox = 0; ox < ow; ox++) {
            const column = ox * stride[1] - padding[1] + b * dilation[1];
            if (column >= 0 && column < w)
              sum += (x[row + column] as number) * (gradOutput[gradRow + ox] as number);
          }
        }
      }
      return sum;
    },
  };
}

function pooling(problem: PoolProblem, { x }: Weights): Reference {
  const { kind, h, w, kernel, stride, padding } = problem;
  const plane = outputSides(problem);
  return {
    plane,
    cost: kernel[0] * kernel[1],
    at(index) {
      const [image, oy, ox] = place(index, plane);
      let [sum, most] = [0, Number.NEGATIVE_INFINITY];
      for (let a = 0; a < kernel[0]; a++) {
        for (let b = 0; b < kernel[1]; b++) {
          const [y, column] = [oy * stride[0] - padding[0] + a, ox * stride[1] - padding[1] + b];
          if (y < 0 || y >= h || column < 0 || column >= w) continue;
          const value = x[(image * h + y) * w + column] as number;
          sum += value;
          most = Math.max(most, value);
        }
      }
      return kind === 'maxpool' ? most : sum / (kernel[0] * kernel[1]);
    },
  };
}

/** Sums over the windows that cover an element what `share` says that the window gives to it. */
function poolGradient(
  { h, w, kernel, stride, padding, ...rest }: PoolProblem,
  cost: number,
  share: (image: number, oy: number, ox: number, y: number, x: number) => number,
): Reference {
  const [oh, ow] = outputSides({ h, w, kernel, stride, padding, ...rest });
  return {
    plane: [h, w],
    cost,
    at(index) {
      const [image, y, x] = place(index, [h, w]);
      let sum = 0;
      for (let a = 0; a < kernel[0]; a++) {
        for (let b = 0; b < kernel[1]; b++) {
          const [oy, ox] = [(y + padding[0] - a) / stride[0], (x + padding[1] - b) / stride[1]];
          const inside =
            Number.isInteger(oy) && Number.isInteger(ox) && oy >= 0 && ox >= 0 && oy < oh && ox < ow;
          if (inside) sum += share(image, oy, ox, y, x);
        }
      }
      return sum;
    },
  };
}

function avgPoolGradient(problem: PoolProblem, { gradOutput }: Weights): Reference {
  const [oh, ow] = outputSides(problem);
  const taps = problem.kernel[0] * problem.kernel[1];
  return poolGradient(problem, taps, (image, oy, ox) => {
    return (gradOutput[(image * oh + oy) * ow + ox] as number) / taps;
  });
}

function maxPoolGradient(problem: PoolProblem, { x, gradOutput }: Weights): Reference {
  const { h, w, kernel, stride, padding } = problem;
  const [oh, ow] = outputSides(problem);
  const taps = kernel[0] * kernel[1];
  // The first of equal maxima in reading order has the whole gradient.
  const argmax = (image: number, oy: number, ox: number): number => {
    let [most, where] = [Number.NEGATIVE_INFINITY, -1];
    for (let a = 0; a < kernel[0]; a++) {
      for (let b = 0; b < kernel[1]; b++) {
        const [y, column] = [oy * stride[0] - padding[0] + a, ox * stride[1] - padding[1] + b];
        if (y < 0 || y >= h || column < 0 || column >= w) continue;
        const value = x[(image * h + y) * w + column] as number;
        if (value > most) [most, where] = [value, y * w + column];
      }
    }
    return where;
  };
  return poolGradient(problem, taps * taps, (image, oy, ox, y, column) => {
    const takes = argmax(image, oy, ox) === y * w + column;
    return takes ? (gradOutput[(image * oh + oy) * ow + ox] as number) : 0;
  });
}

function filter(problem: FilterProblem, { x, weight }: Weights): Reference {
  return windows(problem, (samples) => {
    let sum = 0;
    for (const [tap, index] of samples.entries()) sum += (x[index] as number) * (weight[tap] as number);
    return problem.pixels === 'u8' ? Math.min(Math.max(sum, 0), 255) : sum;
  });
}

function dilation(problem: FilterProblem, { x }: Weights): Reference {
  return windows(problem, (samples) => Math.max(...samples.map((index) => x[index] as number)));
}

/** What becomes of the samples around each one, given by their places; the border is replicated. */
function windows({ h, w, c, kernel }: FilterProblem, reduce: (samples: number[]) => number): Reference {
  const [kh, kw] = kernel;
  const clamp = (value: number, most: number): number => Math.min(Math.max(value, 0), most);
  return {
    // Interleaved channels: a row of samples.
    plane: [h, w * c],
    cost: kh * kw,
    at(index) {
      const [channel, pixel] = [index % c, Math.floor(index / c)];
      const [, py, px] = place(pixel, [h, w]);
      const samples: number[] = [];
      for (let a = 0; a < kh; a++) {
        const row = clamp(py + a - Math.floor(kh / 2), h - 1) * w;
        for (let b = 0; b < kw; b++) {
          samples.push((row + clamp(px + b - Math.floor(kw / 2), w - 1)) * c + channel);
        }
      }
      return reduce(samples);
    },
  };
}
