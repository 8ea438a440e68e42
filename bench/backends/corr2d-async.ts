/** This package off the event loop: the input is copied, the result is new, a promise is awaited. */
import { info, type Plan, Tensor } from '../../index.ts';
import { type BackendSource, defineBackend, type Prepared } from '../backend.ts';
import { type ConvProblem, isFilter, type PoolProblem } from '../problem.ts';
import { makePlan, pinThreads, planDetails, supports } from './corr2d.ts';

function prepare(plan: Plan, data: Float32Array, threads: number): Prepared {
  const x = new Tensor(data, plan.inputShape);
  let last: Tensor | undefined;
  return {
    run: async () => {
      last = await plan.runAsync(x);
    },
    output: () => (last as Tensor).data,
    dispose: () => {},
    details: () => planDetails(plan, threads),
  };
}

/** One call at a time, as its latency is measured; calls in flight together would share the threads. */
export const corr2dAsync: BackendSource = {
  name: 'corr2d-async',
  install: 'npm install corr2d',
  load: async ({ threads }) =>
    defineBackend({
      name: 'corr2d-async',
      version: info().version,
      family: 'corr2d',
      supports: (problem) => supports(problem) && !isFilter(problem),
      prepare: (problem, weights) =>
        prepare(
          makePlan(problem as ConvProblem | PoolProblem, weights, threads),
          weights.x as Float32Array,
          threads,
        ),
      close: pinThreads(threads),
    }),
};
