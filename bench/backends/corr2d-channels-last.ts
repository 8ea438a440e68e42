/** This package with tensors in [n, h, w, c]. */
import { info, Tensor } from '../../index.ts';
import { type BackendSource, defineBackend, type Prepared } from '../backend.ts';
import type { Weights } from '../data.ts';
import { toChannelsFirst, toChannelsLast } from '../planes.ts';
import { type ConvProblem, hasPlan, type PoolProblem } from '../problem.ts';
import { makePlan, pinThreads, planDetails } from './corr2d.ts';

function prepare(problem: ConvProblem | PoolProblem, weights: Weights, threads: number): Prepared {
  const plan = makePlan(problem, weights, threads, 'NHWC');
  const { n, c, h, w } = problem;
  const x = new Tensor(toChannelsLast(weights.x as Float32Array, n, c, h * w), plan.inputShape);
  const out = Tensor.zeros(plan.outputShape);
  const [, oh, ow, channels] = plan.outputShape as [number, number, number, number];
  const options = { out };
  return {
    run: () => {
      plan.run(x, options);
    },
    output: () => toChannelsFirst(out.data, n, channels, oh * ow),
    dispose: () => {},
    details: () => planDetails(plan, threads),
  };
}

/** Synchronous calls with `layout: 'NHWC'`. */
export const corr2dChannelsLast: BackendSource = {
  name: 'corr2d-channels-last',
  install: 'npm install corr2d',
  load: async ({ threads }) =>
    defineBackend({
      name: 'corr2d-channels-last',
      version: info().version,
      family: 'corr2d',
      layout: 'NHWC',
      supports: hasPlan,
      prepare: (problem, weights) => prepare(problem as ConvProblem | PoolProblem, weights, threads),
      close: pinThreads(threads),
    }),
};
