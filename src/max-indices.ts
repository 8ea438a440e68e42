/** Max pooling that also tells where each maximum was. */
import { type AsyncCall, checkTransfer, runJob, takeInput } from './async-call.ts';
import { limitExceeded } from './errors.ts';
import { allocateResult } from './memory.ts';
import { native } from './native.ts';
import { nativeView, withDenseRows } from './operand.ts';
import { checkOut, outMemory, resultMemory, toResult } from './output.ts';
import { POOL } from './params.ts';
import { type PoolSettings, poolParams } from './pool-settings.ts';
import { checkPooling } from './pooling.ts';
import type { Tensor } from './tensor.ts';

/** What max pooling with `returnIndices: true` gives. */
export interface IndexedMax {
  /** The maxima. */
  output: Tensor;
  /**
   * For each element of `output`, in its order, where its maximum is in the plane of its channel: row · width + column of
   * the input without padding. Of equal elements it is the first, of NaNs the last, as in PyTorch. A window that holds
   * padding only has −1.
   */
  indices: Int32Array;
}

const MOST_INDEX = 2 ** 31 - 1;

function allocateIndices(size: number): Int32Array {
  const plane = (poolParams[POOL.H] as number) * (poolParams[POOL.W] as number);
  if (plane > MOST_INDEX) throw limitExceeded(`a plane of at most ${MOST_INDEX} elements`, 'x', plane);
  const { buffer } = allocateResult(size, 'indices');
  return new Int32Array(buffer);
}

/** One max pooling of a tensor of 2 to 4 axes. */
export function poolWithIndices(x: Tensor, settings: PoolSettings, out: Tensor | undefined): IndexedMax {
  const { input, shape, size } = checkPooling(x, settings, out);
  const indices = allocateIndices(size);
  const source = withDenseRows(input);
  const memory = resultMemory(size, out);
  if (size > 0) native.maxPool2dIndices(poolParams, source.data, nativeView(source), memory, indices);
  return { output: toResult(memory, shape, out), indices };
}

/** The same on the pool's threads: see `Plan.runAsync`. */
export async function poolWithIndicesAsync(
  x: Tensor,
  settings: PoolSettings,
  call: AsyncCall,
): Promise<IndexedMax> {
  const { out, signal, transfer } = call;
  const { shape, size } = checkPooling(x, settings, out);
  checkTransfer(x, call);
  const indices = allocateIndices(size);
  const memory = allocateResult(size, 'the output');
  const source = takeInput(x, transfer);
  if (size > 0) {
    const view = nativeView(source);
    await runJob(
      (done) => native.startMaxPool2dIndices(poolParams, source.data, view, memory, indices, done),
      signal,
    );
  }
  if (out === undefined) return { output: toResult(memory, shape, undefined), indices };
  // The caller may have moved or shrunk it meanwhile.
  checkOut(out, shape, size);
  const target = outMemory(out);
  target.set(memory);
  return { output: toResult(target, shape, out), indices };
}
