/** The harness's own definitions against worked examples, the kernels, and the rule that a gradient is a derivative. */
import { describe, expect, test } from 'vitest';
import { makeWeights, type Weights } from '../../bench/data.ts';
import { type Problem, sizesOf } from '../../bench/problem.ts';
import { parseProblem } from '../../bench/problem-text.ts';
import { references } from '../../bench/reference.ts';
import { conv2d, filterImage, maxPool2d, poolImage, Tensor } from '../../index.ts';

function all(problem: Problem, weights: Weights): number[][] {
  const sizes = sizesOf(problem).outputs;
  return references(problem, weights).map(({ at }, i) =>
    Array.from({ length: sizes[i] as number }, (_, j) => at(j)),
  );
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

test('the worked example of the seed', () => {
  const x = Float32Array.of(3, 3, 2, 1, 0, 0, 0, 1, 3, 1, 3, 1, 2, 2, 3, 2, 0, 0, 2, 2, 2, 0, 0, 0, 1);
  const weights = { x, weight: Float32Array.of(0, 1, 2, 2, 2, 0, 0, 1, 2), gradOutput: new Float32Array() };
  const [result] = all(parseProblem('conv:h5w5-o1k3'), weights);
  expect(result).toEqual([12, 12, 17, 10, 17, 19, 9, 6, 14]);
});

test('the average counts the padding', () => {
  const weights = {
    x: Float32Array.of(1, 2, 3, 4),
    weight: new Float32Array(),
    gradOutput: new Float32Array(),
  };
  expect(all(parseProblem('avgpool:h2w2-k2s2p1'), weights)[0]).toEqual([0.25, 0.5, 0.75, 1]);
  expect(all(parseProblem('maxpool:h2w2-k2s2p1'), weights)[0]).toEqual([1, 2, 3, 4]);
});

test.each(['conv:n2c4h7w9-o6k3x2s2x1p1d2x3g2', 'conv:c3h6w6-o3k3p1g3', 'maxpool:n2c3h9w8-k3s2p1'])(
  '%s gives what the kernels give',
  (text) => {
    const problem = parseProblem(text);
    const weights = makeWeights(problem);
    if (!('n' in problem)) throw new Error('expected a tensor');
    const { n, c, h, w, kernel, stride, padding } = problem;
    const x = new Tensor(weights.x as Float32Array, [n, c, h, w]);
    const result =
      'o' in problem
        ? conv2d(x, new Tensor(weights.weight, [problem.o, c / problem.groups, ...kernel]), {
            stride,
            padding,
            dilation: problem.dilation,
            groups: problem.groups,
          })
        : maxPool2d(x, kernel, { stride, padding });
    const [expected] = all(problem, weights);
    expect(result.data).toHaveLength(expected?.length ?? 0);
    for (const [i, value] of result.data.entries()) expect(value).toBeCloseTo(expected?.[i] as number, 5);
  },
);

const filters = ['filter:c3h6w7-k3x5f32', 'gauss:h8w9-k5f32', 'filter:h5w4-k4f32', 'box:c3h6w5-k3f32'];
test.each(filters)('%s likewise', (text) => {
  const problem = parseProblem(text);
  const { x, weight, gradOutput } = makeWeights(problem);
  const { h: height, w: width, c: channels, kernel } = problem;
  const result = filterImage({ data: x, width, height, channels }, new Tensor(weight, kernel), {
    border: 'replicate',
    alpha: 'filter',
  });
  const [expected] = all(problem, { x, weight, gradOutput });
  for (const [i, value] of result.data.entries()) expect(value).toBeCloseTo(expected?.[i] as number, 5);
});

test('a dilation likewise', () => {
  const problem = parseProblem('dilate:c3h6w7-k3x5u8');
  const weights = makeWeights(problem);
  const { h: height, w: width, c: channels, kernel } = problem;
  const options = { stride: 1, padding: [1, 2] as const };
  const result = poolImage({ data: weights.x, width, height, channels }, kernel, 'max', options);
  expect([...result.data]).toEqual(all(problem, weights)[0]);
});

describe('a gradient is the derivative of the sum of the results, each times what is given for it', () => {
  const gradients: [string, string][] = [
    ['convgrad:n2c4h6w5-o2k3x2s2x1p1d1x2g2', 'conv'],
    ['avgpoolgrad:n2c2h7w7-k3s2p1', 'avgpool'],
    ['maxpoolgrad:n1c2h7w7-k3s2p1', 'maxpool'],
  ];
  test.each(gradients)('%s', (text, kind) => {
    const problem = parseProblem(text);
    const forward = { ...problem, kind } as Problem;
    const weights = makeWeights(problem);
    const total = (changed: Partial<Weights>): number => {
      const [results] = all(forward, { ...weights, ...changed });
      return sum((results as number[]).map((value, i) => value * (weights.gradOutput[i] as number)));
    };
    const [byInput, byWeight] = all(problem, weights);
    // Small enough for the same maxima, large enough for float32.
    const step = 2 ** -12;
    for (const name of ['x', 'weight'] as const) {
      const array = weights[name] as Float32Array;
      const gradient = name === 'x' ? byInput : byWeight;
      for (const [i, value] of array.entries()) {
        const changed = { [name]: array.with(i, value + step) };
        const difference = (changed[name]?.[i] as number) - value;
        expect((total(changed) - total({})) / difference).toBeCloseTo(gradient?.[i] as number, 4);
      }
    }
  });
});
