/** What anyone would write first: loops over typed arrays. */
import { type BackendSource, defineBackend, type Prepared } from '../backend.ts';
import type { Data, Weights } from '../data.ts';
import {
  type ConvProblem,
  type FilterProblem,
  isConv,
  isFilter,
  isQuick,
  outputSides,
  type PoolProblem,
  type Problem,
  sizesOf,
} from '../problem.ts';

function convolve(problem: ConvProblem, { x, weight }: Weights, out: Float32Array): void {
  const { n, c, h, w, o, kernel, stride, padding, dilation, groups } = problem;
  const [oh, ow] = outputSides(problem);
  const [kh, kw] = kernel;
  const [sh, sw] = stride;
  const [ph, pw] = padding;
  const [dh, dw] = dilation;
  const [perGroup, outPerGroup] = [c / groups, o / groups];
  let index = 0;
  for (let image = 0; image < n; image++) {
    for (let k = 0; k < o; k++) {
      const first = image * c + Math.floor(k / outPerGroup) * perGroup;
      for (let oy = 0; oy < oh; oy++) {
        for (let ox = 0; ox < ow; ox++) {
          let sum = 0;
          for (let i = 0; i < perGroup; i++) {
            for (let a = 0; a < kh; a++) {
              const y = oy * sh - ph + a * dh;
              if (y < 0 || y >= h) continue;
              for (let b = 0; b < kw; b++) {
                const column = ox * sw - pw + b * dw;
                if (column < 0 || column >= w) continue;
                const value = x[((first + i) * h + y) * w + column] as number;
                sum += value * (weight[((k * perGroup + i) * kh + a) * kw + b] as number);
              }
            }
          }
          out[index++] = sum;
        }
      }
    }
  }
}

function pool(problem: PoolProblem, { x }: Weights, out: Float32Array): void {
  const { n, c, h, w, kernel, stride, padding, kind } = problem;
  const [oh, ow] = outputSides(problem);
  const [kh, kw] = kernel;
  const [sh, sw] = stride;
  const [ph, pw] = padding;
  let index = 0;
  for (let image = 0; image < n * c; image++) {
    for (let oy = 0; oy < oh; oy++) {
      for (let ox = 0; ox < ow; ox++) {
        let [sum, most] = [0, Number.NEGATIVE_INFINITY];
        for (let a = 0; a < kh; a++) {
          const y = oy * sh - ph + a;
          if (y < 0 || y >= h) continue;
          for (let b = 0; b < kw; b++) {
            const column = ox * sw - pw + b;
            if (column < 0 || column >= w) continue;
            const value = x[(image * h + y) * w + column] as number;
            sum += value;
            if (value > most) most = value;
          }
        }
        out[index++] = kind === 'maxpool' ? most : sum / (kh * kw);
      }
    }
  }
}

/** A filter; the border is replicated. */
function filter({ h, w, c, kernel: [kh, kw] }: FilterProblem, { x, weight }: Weights, out: Data): void {
  const isBytes = out instanceof Uint8Array;
  for (let y = 0; y < h; y++) {
    for (let column = 0; column < w; column++) {
      for (let channel = 0; channel < c; channel++) {
        let sum = 0;
        for (let a = 0; a < kh; a++) {
          const row = Math.min(Math.max(y + a - (kh >> 1), 0), h - 1) * w;
          for (let b = 0; b < kw; b++) {
            const from = row + Math.min(Math.max(column + b - (kw >> 1), 0), w - 1);
            sum += (x[from * c + channel] as number) * (weight[a * kw + b] as number);
          }
        }
        // The sum of weights is 1, so that a byte can't be too large.
        out[(y * w + column) * c + channel] = isBytes ? sum + 0.5 : sum;
      }
    }
  }
}

function compute(problem: Problem, weights: Weights, out: Data): void {
  if (isFilter(problem)) filter(problem, weights, out);
  else if (isConv(problem)) convolve(problem, weights, out as Float32Array);
  else pool(problem, weights, out as Float32Array);
}

/** A plain TypeScript loop, for problems for which nobody has to wait long. */
export const plain: BackendSource = {
  name: 'plain',
  install: '',
  load: async () =>
    defineBackend({
      name: 'plain',
      version: process.version,
      supports: (problem) => isQuick(problem) && problem.kind !== 'dilate' && !problem.kind.endsWith('grad'),
      prepare(problem, weights): Prepared {
        const size = sizesOf(problem).forward;
        const isBytes = isFilter(problem) && problem.pixels === 'u8';
        const out = isBytes ? new Uint8Array(size) : new Float32Array(size);
        return {
          run: () => compute(problem, weights, out),
          output: () => out,
          dispose: () => {},
        };
      },
    }),
};
