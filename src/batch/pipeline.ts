/** What is done to an image, as plain data that JSON can hold: see `PipelineStep`. */
import type { AbortSignalLike } from '../async-call.ts';
import { checkOptions, checkWord, isPlainObject, type Pair } from '../check.ts';
import { invalidType, shapeMismatch } from '../errors.ts';
import { type GradientOperator, gradientMagnitude, gradientMagnitudeAsync } from '../gradient-magnitude.ts';
import { filterImage, filterImageAsync } from '../image.ts';
import type { ImageFilterOptions } from '../image-call.ts';
import { OWN_PIXELS } from '../pixel-memory.ts';
import type { Image } from '../pixels.ts';
import { type ImagePoolMode, type PoolImageOptions, poolImage, poolImageAsync } from '../pool-image.ts';
import { type KernelSpec, readKernelSpec } from './kernel-spec.ts';

type FilterOptions = Omit<ImageFilterOptions, 'out'>;

/** Correlation with a kernel: `filterImage` and its options. */
export interface FilterStep extends FilterOptions {
  op: 'filter';
  kernel: KernelSpec;
}

/** Length of the gradient: `gradientMagnitude` and its options. */
export interface GradientStep extends FilterOptions {
  op: 'gradient';
  /** Default `'sobel'`. */
  operator?: GradientOperator | undefined;
}

/** Pooling: `poolImage` and its options. */
export interface PoolStep extends Omit<PoolImageOptions, 'out'> {
  op: 'pool';
  size: Pair;
  /** Default `'max'`. */
  mode?: ImagePoolMode | undefined;
}

/** One step of a pipeline. */
export type PipelineStep = FilterStep | GradientStep | PoolStep;

/** Steps that are taken one after the other; none at all only decodes and encodes. */
export type Pipeline = readonly PipelineStep[];

/** A step that was checked: takes an image, which nobody else sees, to the next one, whose pixels may have taken the place of its own. */
export type CompiledStep = (image: Image, signal: AbortSignalLike | undefined) => Promise<Image>;

const OPERATIONS = ['filter', 'gradient', 'pool'] as const;

// No option of a step may be the business of the one who runs it.
const OWN = ['out', 'signal', 'transfer'];

/**
 * Checks a pipeline once, before any image is read.
 *
 * @throws as the functions of its steps; the parameter's name tells which step
 */
export function compilePipeline(pipeline: unknown): CompiledStep[] {
  if (!Array.isArray(pipeline)) throw invalidType('an array of steps', 'pipeline', pipeline);
  return pipeline.map((step: unknown, index) => {
    try {
      return compileStep(step);
    } catch (error) {
      if (error instanceof Error) error.message += ` (in pipeline[${index}])`;
      throw error;
    }
  });
}

function compileStep(step: unknown): CompiledStep {
  if (!isPlainObject(step)) throw invalidType('a step { op, ... }', 'step', step);
  const { op, ...given } = step;
  const word = checkWord(op, 'op', OPERATIONS);
  for (const name of OWN) checkOptions(name in given ? { [name]: given[name] } : {}, 'step', []);
  return { filter: compileFilter, gradient: compileGradient, pool: compilePool }[word](given);
}

// Each step is tried on a tiny image, so that its own function judges its options.
const PIXEL: Image = { data: new Uint8Array(1), width: 1, height: 1, channels: 1 };

const inside = (signal: AbortSignalLike | undefined) => ({ signal, [OWN_PIXELS]: true });

function compileFilter({ kernel, ...options }: Record<string, unknown>): CompiledStep {
  const weights = readKernelSpec(kernel as KernelSpec, 'kernel').contiguous();
  filterImage(PIXEL, weights, options);
  return (image, signal) => filterImageAsync(image, weights, { ...options, ...inside(signal) });
}

function compileGradient({ operator, ...options }: Record<string, unknown>): CompiledStep {
  const word = operator as GradientOperator | undefined;
  gradientMagnitude(PIXEL, word, options);
  return (image, signal) => gradientMagnitudeAsync(image, word, { ...options, ...inside(signal) });
}

/** The largest window of a step: its trial takes an image of the window's size. */
const MOST_POOL_SIDE = 4096;

function compilePool({ size, mode, ...options }: Record<string, unknown>): CompiledStep {
  const [height, width] = (Array.isArray(size) ? size : [size, size]) as [number, number];
  if (Math.max(height, width) > MOST_POOL_SIDE) {
    throw shapeMismatch(`a window of at most ${MOST_POOL_SIDE} pixels a side`, 'size', `${[height, width]}`);
  }
  const trial = { width: Math.max(1, width | 0), height: Math.max(1, height | 0), channels: 1 };
  const blank = { ...trial, data: new Uint8Array(trial.width * trial.height) };
  poolImage(blank, size as Pair, mode as ImagePoolMode | undefined, options);
  return (image, signal) =>
    poolImageAsync(image, size as Pair, mode as ImagePoolMode | undefined, {
      ...options,
      ...inside(signal),
    });
}
