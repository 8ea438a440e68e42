/** This package: a plan, run on the calling thread with the memory for its result reused. */
import {
  type FilterImageOptions,
  filterImage,
  gaussian,
  getThreads,
  type Image,
  info,
  type Plan,
  poolImage,
  setThreads,
  Tensor,
} from '../../index.ts';
import { AvgPool2D } from '../../src/layers/avg-pool2d.ts';
import { Conv2D } from '../../src/layers/conv2d.ts';
import { MaxPool2D } from '../../src/layers/max-pool2d.ts';
import { type BackendSource, defineBackend, type Prepared } from '../backend.ts';
import { prepareBackward } from '../corr2d-backward.ts';
import { type Data, sigmaOf, type Weights } from '../data.ts';
import { type ConvProblem, type FilterProblem, isFilter, type PoolProblem } from '../problem.ts';

/** A plan of a convolution or a pooling. */
export function makePlan(
  problem: ConvProblem | PoolProblem,
  weights: Weights,
  threads: number,
  layout: 'NCHW' | 'NHWC' = 'NCHW',
): Plan {
  const { n, c, h, w, kernel, stride, padding } = problem;
  const shape = layout === 'NCHW' ? [n, c, h, w] : [n, h, w, c];
  if (problem.kind === 'conv') {
    const { o, dilation, groups } = problem;
    const settings = { kernelSize: kernel, stride, padding, dilation, groups, bias: false, layout };
    const layer = new Conv2D({ inChannels: c, outChannels: o, init: 'zeros', ...settings });
    layer.weight = new Tensor(weights.weight, [o, c / groups, ...kernel]);
    return layer.plan(shape, { threads });
  }
  const Layer = problem.kind === 'maxpool' ? MaxPool2D : AvgPool2D;
  return new Layer(kernel, { stride, padding, layout }).plan(shape, { threads });
}

/** What is worth to know of a plan. */
export function planDetails(plan: Plan, threads: number): Readonly<Record<string, string | number>> {
  const { algorithm, isa } = plan;
  return { algorithm, isa, scratchBytes: threads * plan.explain().scratchBytes };
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
    details: () => planDetails(plan, threads),
  };
}

/** The arguments of a filter, and memory for its result. */
export interface FilterArguments {
  readonly image: Image<Data>;
  readonly taps: Tensor;
  readonly options: FilterImageOptions<Data>;
  readonly out: Data;
}

/** What a filter is called with. */
export function filterArguments(
  { kind, w: width, h: height, c: channels, kernel, pixels }: FilterProblem,
  weights: Weights,
): FilterArguments {
  const size = width * height * channels;
  return {
    image: { data: weights.x, width, height, channels },
    taps: kind === 'gauss' ? gaussian(sigmaOf(kernel[0]), kernel[0]) : new Tensor(weights.weight, kernel),
    options: { border: 'replicate', alpha: 'filter' },
    out: pixels === 'u8' ? new Uint8Array(size) : new Float32Array(size),
  };
}

/** Window by window, the result as large as the image. */
export function dilationOptions({ kernel }: FilterProblem): { stride: number; padding: [number, number] } {
  return { stride: 1, padding: [(kernel[0] - 1) / 2, (kernel[1] - 1) / 2] };
}

function prepareFilter(problem: FilterProblem, weights: Weights): Prepared {
  const { image, taps, options, out } = filterArguments(problem, weights);
  const all = { ...options, out };
  const { kernel } = problem;
  const pooling = { ...dilationOptions(problem), out };
  return {
    run:
      problem.kind === 'dilate'
        ? () => {
            poolImage<Data>(image, kernel, 'max', pooling);
          }
        : () => {
            filterImage<Data>(image, taps, all);
          },
    output: () => out,
    dispose: () => {},
  };
}

/** Sets the number of threads of the process; gives a function that takes it back. */
export function pinThreads(threads: number): () => void {
  const before = getThreads();
  setThreads(threads);
  return () => setThreads(before);
}

/** Synchronous calls. */
export const corr2d: BackendSource = {
  name: 'corr2d',
  install: 'npm install corr2d',
  load: async ({ threads }) =>
    defineBackend({
      name: 'corr2d',
      version: info().version,
      supports: () => true,
      prepare(problem, weights) {
        if (isFilter(problem)) return prepareFilter(problem, weights);
        if (problem.kind.endsWith('grad'))
          return prepareBackward(problem as ConvProblem | PoolProblem, weights);
        return preparePlan(problem as ConvProblem | PoolProblem, weights, threads);
      },
      close: pinThreads(threads),
    }),
};
