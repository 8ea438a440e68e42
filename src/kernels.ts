/**
 * The named kernels: plain two-dimensional tensors for `filterImage` and `corr2d` alike.
 *
 * They are written for correlation, which is what both functions compute: the kernel is laid over the image as it is
 * printed here, without being flipped. A gradient kernel therefore answers positively where the image gets brighter
 * to the right (`…X`) or downwards (`…Y`).
 *
 * The constants are shared by everyone who imports them: copy one (`Tensor.from(sobelX.toArray())`) before changing it.
 */
import { checkInteger, checkNumber, checkOptions } from './check.ts';
import { invalidType, outOfRange } from './errors.ts';
import { checkElements } from './limits.ts';
import { allocate } from './memory.ts';
import { Tensor } from './tensor.ts';

/**
 * Horizontal gradient, `[[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]`: a difference across, smoothed by `[1, 2, 1]` down.
 * Source: Sobel and Feldman 1968; OpenCV `Sobel(dx=1, dy=0, ksize=3)`.
 */
export const sobelX: Tensor = /* @__PURE__ */ Tensor.from([
  [-1, 0, 1],
  [-2, 0, 2],
  [-1, 0, 1],
]);

/** Vertical gradient: the transpose of `sobelX`. Source: OpenCV `Sobel(dx=0, dy=1, ksize=3)`. */
export const sobelY: Tensor = /* @__PURE__ */ Tensor.from([
  [-1, -2, -1],
  [0, 0, 0],
  [1, 2, 1],
]);

/**
 * Horizontal gradient whose direction is nearly independent of the edge's angle,
 * `[[-3, 0, 3], [-10, 0, 10], [-3, 0, 3]]`. Source: Scharr 2000; OpenCV `Scharr(dx=1, dy=0)`.
 */
export const scharrX: Tensor = /* @__PURE__ */ Tensor.from([
  [-3, 0, 3],
  [-10, 0, 10],
  [-3, 0, 3],
]);

/** Vertical gradient: the transpose of `scharrX`. Source: OpenCV `Scharr(dx=0, dy=1)`. */
export const scharrY: Tensor = /* @__PURE__ */ Tensor.from([
  [-3, -10, -3],
  [0, 0, 0],
  [3, 10, 3],
]);

/** Horizontal gradient with an unweighted smoothing, `[[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]]`. Source: Prewitt 1970. */
export const prewittX: Tensor = /* @__PURE__ */ Tensor.from([
  [-1, 0, 1],
  [-1, 0, 1],
  [-1, 0, 1],
]);

/** Vertical gradient: the transpose of `prewittX`. Source: Prewitt 1970. */
export const prewittY: Tensor = /* @__PURE__ */ Tensor.from([
  [-1, -1, -1],
  [0, 0, 0],
  [1, 1, 1],
]);

/**
 * Sum of the two second differences, `[[0, 1, 0], [1, -4, 1], [0, 1, 0]]`: zero on any plane, negative at a bright dot.
 * Source: the five-point stencil; OpenCV `Laplacian(ksize=1)`.
 */
export const laplacian: Tensor = /* @__PURE__ */ Tensor.from([
  [0, 1, 0],
  [1, -4, 1],
  [0, 1, 0],
]);

/** The image minus its Laplacian, `[[0, -1, 0], [-1, 5, -1], [0, -1, 0]]`; the weights sum to 1, so flat areas stay. */
export const sharpen: Tensor = /* @__PURE__ */ Tensor.from([
  [0, -1, 0],
  [-1, 5, -1],
  [0, -1, 0],
]);

/**
 * Relief lit from the upper left, `[[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]`: the image plus its slope along the
 * diagonal; the weights sum to 1, so flat areas stay.
 */
export const emboss: Tensor = /* @__PURE__ */ Tensor.from([
  [-2, -1, 0],
  [-1, 1, 1],
  [0, 1, 2],
]);

/**
 * The mean over a square: `n`×`n` weights of `1 / n²`. Source: OpenCV `blur`.
 *
 * @param n side in pixels, an integer of at least 1
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, RangeError `ERR_OUT_OF_RANGE` for anything else
 */
export function box(n: number): Tensor {
  checkInteger(n, 'n', 1);
  checkElements(n * n, 'the kernel');
  return Tensor.full([n, n], 1 / (n * n));
}

/**
 * A Gaussian, `exp(-(x² + y²) / 2σ²)` sampled at the pixels and divided by its sum, so that flat areas stay.
 * An even size is sampled half a pixel off the centre. Source: OpenCV `getGaussianKernel` (as an outer product).
 *
 * @param sigma standard deviation σ in pixels, above 0
 * @param size side in pixels, an integer of at least 1; by default `2⌈3σ⌉ + 1`, which holds 99.7 % of each axis
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, RangeError `ERR_OUT_OF_RANGE` for anything else
 */
export function gaussian(sigma: number, size?: number): Tensor {
  checkNumber(sigma, 'sigma', { above: 0 });
  if (size !== undefined) checkInteger(size, 'size', 1);
  const side = size ?? oddSide(3 * sigma);
  return build(side, blur(side, sigma));
}

/**
 * Unsharp mask in one kernel, `(1 + amount)·δ - amount·gaussian(sigma)`: the image plus `amount` times what a Gaussian
 * blur takes away; the weights sum to 1, so flat areas stay. Source: PIL `UnsharpMask` with a threshold of 0.
 *
 * @param sigma standard deviation of the blur in pixels, above 0; the side is `2⌈3σ⌉ + 1`
 * @param amount strength, at least 0; 0 leaves the image as it is, 1 is a usual value
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, RangeError `ERR_OUT_OF_RANGE` for anything else
 */
export function unsharp(sigma: number, amount: number): Tensor {
  checkNumber(sigma, 'sigma', { above: 0 });
  checkNumber(amount, 'amount', { least: 0 });
  const side = oddSide(3 * sigma);
  const weight = blur(side, sigma);
  return build(side, (y, x) => (y === 0 && x === 0 ? 1 + amount : 0) - amount * weight(y, x));
}

/**
 * Laplacian of a Gaussian, `(x² + y² - 2σ²) / σ⁴ · g(x, y)` with `g` the normalised Gaussian, minus its mean, so that
 * the weights sum to 0 and flat areas give 0. Its sign is that of `laplacian`: negative at a bright blob.
 * Source: Marr and Hildreth 1980; MATLAB `fspecial('log')`.
 *
 * @param sigma standard deviation σ in pixels, above 0; the side is `2⌈4σ⌉ + 1`, since its rim decays more slowly than
 * a Gaussian's
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, RangeError `ERR_OUT_OF_RANGE` for anything else
 */
export function log(sigma: number): Tensor {
  checkNumber(sigma, 'sigma', { above: 0 });
  const side = oddSide(4 * sigma);
  const weight = blur(side, sigma);
  const curvature = (y: number, x: number) => ((y / sigma) ** 2 + (x / sigma) ** 2 - 2) / (sigma * sigma);
  const raw = (y: number, x: number) => curvature(y, x) * weight(y, x);
  const mean = sum(side, raw) / (side * side);
  return build(side, (y, x) => raw(y, x) - mean);
}

/** The parameters of `gabor`; the names are those of OpenCV's `getGaborKernel`. */
export interface GaborOptions {
  /** Standard deviation σ of the envelope along the wave, in pixels, above 0. */
  sigma: number;
  /** Wavelength λ of the cosine in pixels, above 0. */
  lambda: number;
  /** Direction θ in which the wave runs, in radians, clockwise from the x axis; 0 (the default) finds upright lines. */
  theta?: number | undefined;
  /** Aspect ratio γ, above 0: the envelope's deviation across the wave is σ / γ. Default 1. */
  gamma?: number | undefined;
  /** Phase ψ of the cosine in radians: 0 (the default) for lines, π/2 for edges. */
  psi?: number | undefined;
  /** Side in pixels, an integer of at least 1; by default `2⌈3σ / min(1, γ)⌉ + 1`, which holds the whole envelope. */
  size?: number | undefined;
}

const gaborOptions = ['sigma', 'lambda', 'theta', 'gamma', 'psi', 'size'];

/**
 * A Gabor filter, a cosine wave under a Gaussian envelope:
 * `exp(-(u² + γ²v²) / 2σ²) · cos(2πu/λ + ψ)` with `u = x·cosθ + y·sinθ` and `v = -x·sinθ + y·cosθ`, y pointing down.
 * Not normalised. Source: Daugman 1985; OpenCV `getGaborKernel`, which prints the kernel turned by 180° (the same for
 * ψ = 0).
 *
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, RangeError `ERR_OUT_OF_RANGE` for a bad parameter; TypeError
 * `ERR_INVALID_ARG_VALUE` for an unknown one
 */
export function gabor(options: GaborOptions): Tensor {
  if (checkOptions(options, 'options', gaborOptions) === undefined) {
    throw invalidType('an object with sigma and lambda', 'options', options);
  }
  const { sigma, lambda, theta = 0, gamma = 1, psi = 0, size } = options;
  checkNumber(sigma, 'sigma', { above: 0 });
  checkNumber(lambda, 'lambda', { above: 0 });
  checkNumber(theta, 'theta');
  checkNumber(gamma, 'gamma', { above: 0 });
  checkNumber(psi, 'psi');
  if (size !== undefined) checkInteger(size, 'size', 1);
  const side = size ?? oddSide((3 * sigma) / Math.min(1, gamma));
  const cos = Math.cos(theta);
  const sin = Math.sin(theta);
  return build(side, (y, x) => {
    const u = x * cos + y * sin;
    const v = y * cos - x * sin;
    return bell(u, sigma) * bell(v * gamma, sigma) * Math.cos((2 * Math.PI * u) / lambda + psi);
  });
}

/** The side of a kernel that reaches `radius` pixels from its centre pixel. */
function oddSide(radius: number): number {
  return 2 * Math.ceil(radius) + 1;
}

// Divided before it is squared, so that a tiny sigma gives 0 and not 0 / 0.
function bell(distance: number, sigma: number): number {
  return Math.exp(-((distance / sigma) ** 2) / 2);
}

/** A weight by its place, measured from the middle of the kernel. */
type Weight = (y: number, x: number) => number;

/** The weights of a Gaussian of `side`×`side` samples, which sum to 1. */
function blur(side: number, sigma: number): Weight {
  // Relative to the sample nearest the middle (half a pixel off for an even side): a small sigma leaves only that one.
  const nearest = side % 2 === 0 ? 0.5 : 0;
  const fall = (distance: number) =>
    Math.exp(-(((Math.abs(distance) - nearest) / sigma) * ((Math.abs(distance) + nearest) / sigma)) / 2);
  // Before the loop: a mistaken sigma would keep it going for ever.
  checkElements(side * side, 'the kernel');
  let total = 0;
  for (let i = 0; i < side; i++) total += fall(i - (side - 1) / 2);
  return (y, x) => (fall(y) / total) * (fall(x) / total);
}

function sum(side: number, weight: Weight): number {
  const middle = (side - 1) / 2;
  let total = 0;
  for (let i = 0; i < side; i++) {
    for (let j = 0; j < side; j++) total += weight(i - middle, j - middle);
  }
  return total;
}

function build(side: number, weight: Weight): Tensor {
  const data = allocate(side * side, 'the kernel');
  const middle = (side - 1) / 2;
  for (let i = 0, at = 0; i < side; i++) {
    for (let j = 0; j < side; j++, at++) {
      const value = Math.fround(weight(i - middle, j - middle));
      if (!Number.isFinite(value))
        throw outOfRange('parameters that give finite weights', 'the kernel', value);
      data[at] = value;
    }
  }
  return new Tensor(data, [side, side]);
}
