/** What a problem is computed on: the same numbers for every backend and every run. */
import { seededRandom } from '../src/random.ts';
import { type FilterProblem, isFilter, type Problem, sizesOf } from './problem.ts';

/** An array that goes in or comes out. */
export type Data = Float32Array | Uint8Array;

/** The arrays of a problem. Those that an operator does not take are empty. */
export interface Weights {
  /** The input: [n, c, h, w], or [h, w, c] of an image. */
  readonly x: Data;
  /** [o, c / groups, kh, kw], or [kh, kw] of a filter. */
  readonly weight: Float32Array;
  /** What a backward pass takes: a gradient for each output, [n, o, oh, ow]. */
  readonly gradOutput: Float32Array;
}

/** Numbers for a problem: uniform in [-0.5, 0.5), pixels uniform over their range. */
export function makeWeights(problem: Problem): Weights {
  const { x, weight, forward } = sizesOf(problem);
  const random = seededRandom(1);
  const centred = (size: number): Float32Array => Float32Array.from({ length: size }, () => random() - 0.5);
  if (isFilter(problem)) {
    const pixels =
      problem.pixels === 'u8'
        ? Uint8Array.from({ length: x }, () => random() * 256)
        : Float32Array.from({ length: x }, random);
    return { x: pixels, weight: filterKernel(problem, random), gradOutput: new Float32Array() };
  }
  const gradOutput = centred(problem.kind.endsWith('grad') ? forward : 0);
  return { x: centred(x), weight: centred(weight), gradOutput };
}

/** OpenCV's sigma of a Gaussian kernel of a given size. */
export function sigmaOf(size: number): number {
  return 0.3 * ((size - 1) * 0.5 - 1) + 0.8;
}

/** The factors of a Gaussian kernel along one axis; they sum to 1. */
function gaussian(size: number): number[] {
  const at = (i: number): number => Math.exp(-((i - (size - 1) / 2) ** 2) / (2 * sigmaOf(size) ** 2));
  const values = Array.from({ length: size }, (_, i) => at(i));
  const sum = values.reduce((a, b) => a + b, 0);
  return values.map((value) => value / sum);
}

function filterKernel({ kind, kernel: [kh, kw] }: FilterProblem, random: () => number): Float32Array {
  if (kind === 'gauss') {
    const [rows, columns] = [gaussian(kh), gaussian(kw)];
    return Float32Array.from(rows.flatMap((row) => columns.map((column) => row * column)));
  }
  if (kind === 'box' || kind === 'dilate') return new Float32Array(kh * kw).fill(1 / (kh * kw));
  if (kind === 'sharpen') {
    const weights = new Float32Array(kh * kw).fill(-1);
    weights[Math.floor(kh / 2) * kw + Math.floor(kw / 2)] = kh * kw;
    return weights;
  }
  const values = Array.from({ length: kh * kw }, () => random() + 0.01);
  const sum = values.reduce((a, b) => a + b, 0);
  return Float32Array.from(values, (value) => value / sum);
}
