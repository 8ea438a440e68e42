/** What is measured: one operator on one shape. */

/** Height and width. */
export type Sides = readonly [height: number, width: number];

/** A convolution without bias ([n, c, h, w] by [o, c / groups, kh, kw], zero padding), or its backward pass. */
export interface ConvProblem {
  readonly kind: 'conv' | 'convgrad';
  readonly n: number;
  readonly c: number;
  readonly h: number;
  readonly w: number;
  /** Output channels. */
  readonly o: number;
  readonly kernel: Sides;
  readonly stride: Sides;
  readonly padding: Sides;
  readonly dilation: Sides;
  readonly groups: number;
}

/** A pooling of [n, c, h, w] (average: the padding counts), or its backward pass. */
export interface PoolProblem {
  readonly kind: 'maxpool' | 'avgpool' | 'maxpoolgrad' | 'avgpoolgrad';
  readonly n: number;
  readonly c: number;
  readonly h: number;
  readonly w: number;
  readonly kernel: Sides;
  readonly stride: Sides;
  readonly padding: Sides;
}

/**
 * A filter of an image with interleaved channels; the border is replicated, the result has the image's size. `filter` has a
 * kernel of positive numbers that sum to 1, `sharpen` one of whole numbers (-1 around the centre, which makes the sum 1), `gauss`
 * one that is a Gaussian, of OpenCV's sigma for that size, `box` the mean; `dilate` is the largest sample of the window.
 */
export interface FilterProblem {
  readonly kind: 'filter' | 'sharpen' | 'gauss' | 'box' | 'dilate';
  readonly h: number;
  readonly w: number;
  readonly c: number;
  readonly kernel: Sides;
  readonly pixels: 'u8' | 'f32';
}

/** One operator on one shape. */
export type Problem = ConvProblem | PoolProblem | FilterProblem;

/** Every kind of problem. */
export type ProblemKind = Problem['kind'];

/** Whether it is a convolution or the backward pass of one. */
export function isConv(problem: Problem): problem is ConvProblem {
  return problem.kind === 'conv' || problem.kind === 'convgrad';
}

const FILTERS: readonly ProblemKind[] = ['filter', 'sharpen', 'gauss', 'box', 'dilate'];

/** Whether problems of a kind are filters of an image. */
export function isFilterKind(kind: ProblemKind): kind is FilterProblem['kind'] {
  return FILTERS.includes(kind);
}

/** Whether it is a filter of an image. */
export function isFilter(problem: Problem): problem is FilterProblem {
  return isFilterKind(problem.kind);
}

/** Whether its work is multiply-adds, and not comparisons or additions. */
export function multiplies(problem: Problem): boolean {
  return isConv(problem) || ['filter', 'sharpen', 'gauss'].includes(problem.kind);
}

/** Whether it is a forward pass on tensors. */
export function hasPlan(problem: Problem): boolean {
  return !isFilter(problem) && !problem.kind.endsWith('grad');
}

/** Height and width of what the forward operator gives. */
export function outputSides(problem: Problem): Sides {
  const { h, w, kernel } = problem;
  if (isFilter(problem)) return [h, w];
  const { stride, padding } = problem;
  const dilation = isConv(problem) ? problem.dilation : [1, 1];
  const side = (i: 0 | 1): number =>
    Math.floor(
      ((i === 0 ? h : w) + 2 * padding[i] - (dilation[i] as number) * (kernel[i] - 1) - 1) / stride[i],
    ) + 1;
  return [side(0), side(1)];
}

/** Elements of each array that goes in and comes out; an operator that lacks one has 0 there. */
export interface Sizes {
  readonly x: number;
  readonly weight: number;
  /** What the forward operator gives, and what a backward pass takes. */
  readonly forward: number;
  /** Each result in order: of `convgrad` the gradient of the input and of the weight. */
  readonly outputs: readonly number[];
}

/** Elements of each array. */
export function sizesOf(problem: Problem): Sizes {
  const { c, h, w, kernel } = problem;
  const [oh, ow] = outputSides(problem);
  if (isFilter(problem)) {
    const size = h * w * c;
    return { x: size, weight: kernel[0] * kernel[1], forward: size, outputs: [size] };
  }
  const x = problem.n * c * h * w;
  const channels = isConv(problem) ? problem.o : c;
  const weight = isConv(problem) ? (problem.o * c * kernel[0] * kernel[1]) / problem.groups : 0;
  const forward = problem.n * channels * oh * ow;
  switch (problem.kind) {
    case 'convgrad':
      return { x, weight, forward, outputs: [x, weight] };
    case 'maxpoolgrad':
    case 'avgpoolgrad':
      return { x, weight, forward, outputs: [x] };
    default:
      return { x, weight, forward, outputs: [forward] };
  }
}

/** Operations of the direct method, a multiply-add counting as two; comparisons or additions of a pooling, a mean or a dilation. */
export function flopsOf(problem: Problem): number {
  const { forward } = sizesOf(problem);
  const taps = problem.kernel[0] * problem.kernel[1];
  switch (problem.kind) {
    case 'conv':
      return (2 * forward * taps * problem.c) / problem.groups;
    case 'convgrad':
      return (4 * forward * taps * problem.c) / problem.groups;
    case 'filter':
    case 'sharpen':
      return 2 * forward * taps;
    case 'gauss':
      // Of the two passes of a separable kernel.
      return 2 * forward * (problem.kernel[0] + problem.kernel[1]);
    default:
      return forward * taps;
  }
}

/** Whether even a slow backend takes less than some seconds for it. */
export function isQuick(problem: Problem): boolean {
  return flopsOf(problem) <= 3e8;
}

/** Bytes that have to be read and written at least: every array once. */
export function bytesOf(problem: Problem): number {
  const { x, weight, forward, outputs } = sizesOf(problem);
  const results = outputs.reduce((sum, size) => sum + size, 0);
  if (isFilter(problem)) return (problem.pixels === 'u8' ? 1 : 4) * (x + results);
  const given = problem.kind.endsWith('grad') ? forward : 0;
  return 4 * (x + weight + given + results);
}

const FILTER_CLASSES: Readonly<Record<FilterProblem['kind'], string>> = {
  filter: 'image filter',
  sharpen: 'sharpening',
  gauss: 'Gaussian blur',
  box: 'box blur',
  dilate: 'dilation',
};

/** The class in whose mean a problem counts when its suite names none. */
export function classOf(problem: Problem): string {
  const { c, kernel } = problem;
  if (isFilter(problem)) return `${FILTER_CLASSES[problem.kind]} ${problem.pixels}`;
  if (problem.kind === 'convgrad') return 'backward convolution';
  if (!isConv(problem)) return problem.kind.endsWith('grad') ? 'backward pooling' : 'pooling';
  const { o, groups, stride, dilation } = problem;
  const step = stride[0] > 1 || stride[1] > 1 ? ' strided' : '';
  if (groups === c && o === c) return c <= 4 ? `image filter f32${step}` : `depthwise${step}`;
  if (groups > 1) return 'grouped';
  if (Math.max(...kernel) === 1) return '1×1';
  if (c <= 4) return c === 1 && problem.n > 1 ? 'LeNet' : 'stem';
  if (Math.max(...dilation) > 1) return 'dilated';
  return `${kernel[0]}×${kernel[1]}${step}`;
}
