import { checkNumber, checkOptions, type Pair } from './check.ts';
import { outOfRange } from './errors.ts';
import { toImages } from './operand.ts';
import { type OutOption, readOut } from './output.ts';
import {
  MAX_POOL_OPTION_NAMES,
  type PoolOptions,
  type PoolSettings,
  readPoolSettings,
} from './pool-settings.ts';
import { pool } from './pooling.ts';
import type { Tensor, TensorInput } from './tensor.ts';

/** The options of `lpPool2d`. */
export interface LpPool2dOptions extends PoolOptions, OutOption {}

const NAMES: readonly string[] = [...MAX_POOL_OPTION_NAMES, 'out'];

/** The settings of a pooling to a norm; the options were checked for unknown names. */
export function readLpSettings(
  normType: unknown,
  kernelSize: unknown,
  options: Record<string, unknown> | undefined,
): PoolSettings {
  const norm = Math.fround(checkNumber(normType, 'normType', { above: 0 }));
  if (norm === 0 || norm === Infinity) {
    throw outOfRange('a positive number that float32 holds', 'normType', normType);
  }
  return { ...readPoolSettings('max', kernelSize, 'kernelSize', options, 'kernel'), mode: 2, norm };
}

/**
 * Norm (Σ|x|^p)^(1/p) of each window, p being `normType`. Padding adds nothing. With `ceilMode` the sum over an
 * incomplete last window is scaled up to a whole window's size first, as PyTorch does. Powers are computed in float32:
 * what overflows there is infinite. Source: ONNX `LpPool`; PyTorch `lp_pool2d`, which takes x^p with its sign and so
 * differs for odd p where elements are negative.
 *
 * @param x [h, w], [c, h, w] or [n, c, h, w] (`layout: 'NHWC'`: [h, w, c] or [n, h, w, c])
 * @param normType a positive number
 * @param kernelSize the window, and the stride unless `stride` is given
 * @returns as many axes as `x` has; a batch of 0 gives an empty result
 * @throws as `maxPool2d`
 */
export function lpPool2d(
  x: TensorInput,
  normType: number,
  kernelSize: Pair,
  options?: LpPool2dOptions,
): Tensor {
  const given = checkOptions(options, 'options', NAMES);
  const settings = readLpSettings(normType, kernelSize, given);
  const out = readOut(given?.out);
  return pool(toImages(x, 'x', 2, 4), settings, out);
}
