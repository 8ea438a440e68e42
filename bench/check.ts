/** Correctness first: whether the results of a backend are those of the definition. */
import { seededRandom } from '../src/random.ts';
import type { Data, Weights } from './data.ts';
import { isFilter, type Problem, sizesOf } from './problem.ts';
import { type Reference, references } from './reference.ts';

/** Which elements are compared: a sample with borders and corners (all of a small result), or all. */
export type CheckMode = 'sample' | 'full';

/** How far results were off. */
export interface CheckResult {
  /** Largest difference from the reference, in units of `bound`'s. */
  readonly error: number;
  /** What it may be. */
  readonly bound: number;
  /** What `error` and `bound` count. */
  readonly unit: 'root mean square of the result' | 'levels';
  /** Elements that were compared. */
  readonly compared: number;
  /** What is wrong, in a sentence; undefined where nothing is. */
  readonly problem?: string | undefined;
}

/**
 * How far a result may be from the float64 reference. 8-bit pixels: one level from the exact value, whether rounded or cut;
 * two of a Gaussian, whose factors libraries round to 8 bits. Max pooling and dilation only select. Float sums: relative to the root mean square of the result, generous for Fourier and Winograd methods in
 * float32, a thousandth of what a missing or doubled term of a sum of hundreds would make.
 */
export function boundOf(problem: Problem): Pick<CheckResult, 'bound' | 'unit'> {
  if (problem.kind === 'dilate') return { bound: 0, unit: 'levels' };
  if (isFilter(problem) && problem.pixels === 'u8')
    return { bound: problem.kind === 'gauss' ? 2.01 : 1.01, unit: 'levels' };
  const unit = 'root mean square of the result';
  if (problem.kind === 'maxpool') return { bound: 0, unit };
  return { bound: isFilter(problem) || problem.kind === 'avgpool' ? 2e-5 : 1e-4, unit };
}

/** Multiply-adds that a check of one result may cost: about 0.1 s. */
const BUDGET = 2e7;
const FEWEST_ELEMENTS = 500;

/** Flat indices to compare: corners and borders of planes, and others at random. */
function sampleOf(size: number, { cost, plane: [h, w] }: Reference, mode: CheckMode): Iterable<number> {
  const most = Math.max(FEWEST_ELEMENTS, Math.floor(BUDGET / cost));
  if (mode === 'full' || size <= most) return { [Symbol.iterator]: () => Array(size).keys() };
  const random = seededRandom(2);
  const below = (n: number): number => Math.floor(random() * n);
  const planes = size / (h * w);
  const at = (plane: number, y: number, x: number): number => (plane * h + y) * w + x;
  const indices = new Set<number>();
  for (const plane of [0, planes - 1]) {
    for (const y of [0, h - 1]) for (const x of [0, w - 1]) indices.add(at(plane, y, x));
  }
  // Half of them where mistakes are made.
  const near = Math.min(16, h, w);
  for (let i = indices.size; i < most; i += 4) {
    const plane = below(planes);
    indices.add(at(plane, below(2) * (h - 1), below(w)));
    indices.add(at(plane, below(h), below(2) * (w - 1)));
    indices.add(at(plane, h - 1 - below(near), w - 1 - below(near)));
    indices.add(below(size));
  }
  return indices;
}

interface Expected {
  readonly indices: readonly number[];
  readonly values: Float64Array;
}

/** The reference values of one problem, computed once for all backends. */
export class Checker {
  readonly #problem: Problem;
  readonly #expected: Expected[];

  constructor(problem: Problem, weights: Weights, mode: CheckMode) {
    this.#problem = problem;
    const sizes = sizesOf(problem).outputs;
    this.#expected = references(problem, weights).map((reference, i) => {
      const indices = [...sampleOf(sizes[i] as number, reference, mode)];
      return { indices, values: Float64Array.from(indices, (index) => reference.at(index)) };
    });
  }

  /** Compares the results of a backend. */
  check(output: Data | readonly Data[]): CheckResult {
    const results = ArrayBuffer.isView(output) ? [output as Data] : (output as readonly Data[]);
    const { bound, unit } = boundOf(this.#problem);
    const sizes = sizesOf(this.#problem).outputs;
    let [error, compared] = [0, 0];
    const failed = (problem: string): CheckResult => ({ error, bound, unit, compared, problem });
    if (results.length !== sizes.length)
      return failed(`gave ${results.length} results, expected ${sizes.length}`);
    for (const [part, { indices, values }] of this.#expected.entries()) {
      const result = results[part] as Data;
      if (result.length !== sizes[part])
        return failed(`gave ${result.length} elements, expected ${sizes[part]}`);
      const scale = unit === 'levels' ? 1 : rootMeanSquare(values);
      for (const [i, index] of indices.entries()) {
        const [received, expected] = [result[index] as number, values[i] as number];
        const off = Math.abs(received - expected) / scale;
        // Written so that NaN is an error.
        if (!(off <= error)) error = off;
        compared += 1;
        if (!(off <= bound)) {
          const where = sizes.length > 1 ? ` of result ${part}` : '';
          return failed(`element ${index}${where} is ${received}, expected ${expected.toPrecision(8)}`);
        }
      }
    }
    return { error, bound, unit, compared };
  }
}

function rootMeanSquare(values: Float64Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length) || 1;
}
