/** This package: a plan, run on the calling thread with the memory for its result reused; or the same off the event loop. */
import { filterImage, gaussian, getThreads, info, type Plan, setThreads, Tensor } from '../../index.ts';
import { AvgPool2D } from '../../src/layers/avg-pool2d.ts';
import { Conv2D } from '../../src/layers/conv2d.ts';
import { MaxPool2D } from '../../src/layers/max-pool2d.ts';
import { type BackendSource, defineBackend, type Prepared } from '../backend.ts';
import { type Data, sigmaOf, type Weights } from '../data.ts';
import {
  type ConvProblem,
  type FilterProblem,
  isFilter,
  type PoolProblem,
  type Problem,
} from '../problem.ts';

function makePlan(problem: ConvProblem | PoolProblem, weights: Weights, threads: number): Plan {
  const { n, c, h, w, kernel, stride, padding } = problem;
  const shape = [n, c, h, w];
  if (problem.kind === 'conv') {
    const { o, dilation, groups } = problem;
    const settings = { kernelSize: kernel, stride, padding, dilation, groups, bias: false };
    const layer = new Conv2D({ inChannels: c, outChannels: o, init: 'zeros', ...settings });
    layer.weight = new Tensor(weights.weight, [o, c / groups, ...kernel]);
    return layer.plan(shape, { threads });
  }
  const Layer = problem.kind === 'maxpool' ? MaxPool2D : AvgPool2D;
  return new Layer(kernel, { stride, padding }).plan(shape, { threads });
}

function preparePlan(problem: ConvProblem | PoolProblem, weights: Weights, threads: number): Prepared {
  const plan = makePlan(problem, weights, threads);
  const x = new Tensor(weights.x as Float32Array, plan.inputShape);
  const out = Tensor.zeros(plan.outputShape);
  const options = { out };
  return {
    run: () => {
      plan.run(x, options);
    },
    output: () => out.data,
    dispose: () => {},
    details: () => ({ algorithm: plan.algorithm, isa: plan.isa }),
  };
}

function prepareFilter({ kind, w, h, c, kernel, pixels }: FilterProblem, weights: Weights): Prepared {
  const image = { data: weights.x, width: w, height: h, channels: c };
  const out: Data = pixels === 'u8' ? new Uint8Array(w * h * c) : new Float32Array(w * h * c);
  const taps =
    kind === 'gauss' ? gaussian(sigmaOf(kernel[0]), kernel[0]) : new Tensor(weights.weight, kernel);
  const options = { border: 'replicate', alpha: 'filter', out } as const;
  return {
    run: () => {
      filterImage<Data>(image, taps, options);
    },
    output: () => out,
    dispose: () => {},
  };
}

const supported = (problem: Problem): boolean => !problem.kind.endsWith('grad');

/** Synchronous calls. */
export const corr2d: BackendSource = {
  name: 'corr2d',
  install: 'npm install corr2d',
  async load({ threads }) {
    const before = getThreads();
    setThreads(threads);
    return defineBackend({
      name: 'corr2d',
      version: info().version,
      supports: supported,
      prepare: (problem, weights) =>
        isFilter(problem)
          ? prepareFilter(problem, weights)
          : preparePlan(problem as ConvProblem | PoolProblem, weights, threads),
      close: () => setThreads(before),
    });
  },
};
