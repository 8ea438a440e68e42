/** What anyone would write first: loops over typed arrays. */
import { type BackendSource, defineBackend, type Prepared } from '../backend.ts';
import type { Weights } from '../data.ts';
import { type ConvProblem, flopsOf, outputSides, type PoolProblem } from '../problem.ts';

function convolve(problem: ConvProblem, { x, weight }: Weights, out: Float32Array): void {
  const { n, c, h, w, o, kernel, stride, padding, dilation, groups } = problem;
  const [oh, ow] = outputSides(problem);
  const [kh, kw] = kernel;
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
              const y = oy * stride[0] - padding[0] + a * dilation[0];
              if (y < 0 || y >= h) continue;
              for (let b = 0; b < kw; b++) {
                const column = ox * stride[1] - padding[1] + b * dilation[1];
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
  let index = 0;
  for (let image = 0; image < n * c; image++) {
    for (let oy = 0; oy < oh; oy++) {
      for (let ox = 0; ox < ow; ox++) {
        let [sum, most] = [0, Number.NEGATIVE_INFINITY];
        for (let a = 0; a < kh; a++) {
          const y = oy * stride[0] - padding[0] + a;
          if (y < 0 || y >= h) continue;
          for (let b = 0; b < kw; b++) {
            const column = ox * stride[1] - padding[1] + b;
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

const KINDS: readonly string[] = ['conv', 'maxpool', 'avgpool'];

// Beyond this a run takes seconds, which nobody waits for.
const MOST_FLOPS = 3e8;

/** A plain TypeScript loop. */
export const plain: BackendSource = {
  name: 'plain',
  install: '',
  load: async () =>
    defineBackend({
      name: 'plain',
      version: process.version,
      supports: (problem) => KINDS.includes(problem.kind) && flopsOf(problem) <= MOST_FLOPS,
      prepare(problem, weights): Prepared {
        const shape = problem as ConvProblem | PoolProblem;
        const [oh, ow] = outputSides(problem);
        const out = new Float32Array(shape.n * (shape.kind === 'conv' ? shape.o : shape.c) * oh * ow);
        return {
          run: () =>
            shape.kind === 'conv' ? convolve(shape, weights, out) : pool(shape as PoolProblem, weights, out),
          output: () => out,
          dispose: () => {},
        };
      },
    }),
};
