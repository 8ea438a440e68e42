/** The one way from checked operands to the native pooling; every function and layer comes through here. */
import { checkElements, checkFlops } from './limits.ts';
import { native } from './native.ts';
import { nativeView, withDenseRows } from './operand.ts';
import { NHWC } from './options.ts';
import { apartFrom, checkOut, resultMemory, resultShape, toResult } from './output.ts';
import { OPERATOR, POOL } from './params.ts';
import { Plan } from './plan.ts';
import { fillPoolParams, type PoolSettings, poolParams } from './pool-settings.ts';
import { sizeOf } from './strides.ts';
import { assertReadable, type Tensor } from './tensor.ts';

// Fills poolParams; the native side checks the geometry, throws the final errors and writes the output's sides back.
function resolve(settings: PoolSettings, input: readonly number[], threads: number): number[] {
  const p = poolParams;
  fillPoolParams(settings, input, threads);
  native.pool2dShape(p);
  return resultShape(
    input.length,
    p[POOL.N] as number,
    p[POOL.C] as number,
    p[POOL.OUT_H] as number,
    p[POOL.OUT_W] as number,
    settings.layout === NHWC,
  );
}

/** Shape of a pooling's result. */
export function poolingShape(settings: PoolSettings, input: readonly number[]): number[] {
  return resolve(settings, input, 0);
}

/** Throws unless `x` can be pooled into `out`; fills poolParams, and gives back the input as `apartFrom` does. */
export function checkPooling(
  x: Tensor,
  settings: PoolSettings,
  out: Tensor | undefined,
): { input: Tensor; shape: number[]; size: number } {
  assertReadable(x, 'x');
  const shape = resolve(settings, x.shape, 0);
  const size = sizeOf(shape);
  checkElements(size, 'the output');
  checkFlops(poolParams[POOL.FLOPS] as number);
  if (out === undefined) return { input: x, shape, size };
  checkOut(out, shape, size);
  return { input: apartFrom(out, x, 'x'), shape, size };
}

/** One pooling of a tensor of 2 to 4 axes; the result has as many. */
export function pool(x: Tensor, settings: PoolSettings, out: Tensor | undefined): Tensor {
  const { input, shape, size } = checkPooling(x, settings, out);
  const source = withDenseRows(input);
  const memory = resultMemory(size, out);
  if (size > 0) native.pool2d(poolParams, source.data, nativeView(source), memory);
  return toResult(memory, shape, out);
}

/** A plan for inputs of one shape. */
export function planPooling(settings: PoolSettings, input: readonly number[], threads: number): Plan {
  const shape = resolve(settings, input, threads);
  checkElements(sizeOf(shape), 'the output');
  checkFlops(poolParams[POOL.FLOPS] as number);
  return new Plan(new native.NativePlan(OPERATOR.POOL, poolParams, null, null), input, shape);
}
