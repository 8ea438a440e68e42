/** Backward passes of this package; functions, since there are no plans of them, with results in new memory. */
import { avgPool2dBackward, conv2dBackward, maxPool2dBackward, Tensor } from '../index.ts';
import type { Prepared } from './backend.ts';
import type { Data, Weights } from './data.ts';
import { type ConvProblem, isConv, outputSides, type PoolProblem } from './problem.ts';

/** Makes a backward pass ready. */
export function prepareBackward(problem: ConvProblem | PoolProblem, weights: Weights): Prepared {
  const { n, c, h, w, kernel, stride, padding, kind } = problem;
  const x = new Tensor(weights.x as Float32Array, [n, c, h, w]);
  const channels = isConv(problem) ? problem.o : c;
  const gradOutput = new Tensor(weights.gradOutput, [n, channels, ...outputSides(problem)]);
  let compute: () => Data[];
  if (isConv(problem)) {
    const { o, dilation, groups } = problem;
    const weight = new Tensor(weights.weight, [o, c / groups, ...kernel]);
    const options = { stride, padding, dilation, groups };
    compute = () => {
      const gradients = conv2dBackward(x, weight, gradOutput, options);
      return [gradients.input.data, gradients.weight.data];
    };
  } else {
    const backward = kind === 'maxpoolgrad' ? maxPool2dBackward : avgPool2dBackward;
    compute = () => [backward(x, gradOutput, kernel, { stride, padding }).data];
  }
  let last: Data[] = [];
  return {
    run: () => {
      last = compute();
    },
    output: () => last,
    dispose: () => {},
  };
}
