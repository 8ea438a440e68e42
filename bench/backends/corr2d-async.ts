/** This package off the event loop: the input is copied, the result is new, a promise is awaited. */
import { filterImageAsync, info, poolImageAsync, Tensor } from '../../index.ts';
import { type BackendSource, defineBackend, type Prepared } from '../backend.ts';
import type { Data, Weights } from '../data.ts';
import { type ConvProblem, type FilterProblem, isFilter, type PoolProblem } from '../problem.ts';
import { dilationOptions, filterArguments, makePlan, pinThreads, planDetails } from './corr2d.ts';

function preparePlan(problem: ConvProblem | PoolProblem, weights: Weights, threads: number): Prepared {
  const plan = makePlan(problem, weights, threads);
  const x = new Tensor(weights.x as Float32Array, plan.inputShape);
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

function prepareFilter(problem: FilterProblem, weights: Weights): Prepared {
  const { image, taps, options } = filterArguments(problem, weights);
  let last: Data | undefined;
  return {
    run: async () => {
      const filtered =
        problem.kind === 'dilate'
          ? poolImageAsync<Data>(image, problem.kernel, 'max', dilationOptions(problem))
          : filterImageAsync<Data>(image, taps, options);
      last = (await filtered).data;
    },
    output: () => last as Data,
    dispose: () => {},
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
      supports: ({ kind }) => !kind.endsWith('grad'),
      prepare: (problem, weights) =>
        isFilter(problem)
          ? prepareFilter(problem, weights)
          : preparePlan(problem as ConvProblem | PoolProblem, weights, threads),
      close: pinThreads(threads),
    }),
};
