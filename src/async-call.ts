/**
 * What every asynchronous call shares: its options, the input that becomes its own, and the native job. A new operator
 * reads its options with `readAsyncOptions`, takes its input with `takeInput`, allocates its result, and awaits `runJob`
 * around a native function that starts a job; a layer whose forward pass is one plan only calls `plan.runTensorAsync`.
 * A composition such as `Sequential` awaits its parts one after the other, hands `signal` to each, `transfer: true` to
 * all but the first (their inputs are nobody else's) and `out` to the last.
 */
import { checkBoolean, checkOptions } from './check.ts';
import { invalidType, nativeFailure, overlapping } from './errors.ts';
import { allocateResult, section } from './memory.ts';
import { native } from './native.ts';
import { withDenseRows } from './operand.ts';
import { type OutOption, readOut } from './output.ts';
import { OWN_PIXELS } from './pixel-memory.ts';
import { copyStrided } from './strided-copy.ts';
import { isRowMajor } from './strides.ts';
import { fromChecked, fromTrusted, type Tensor } from './tensor.ts';

/** What a call needs of an `AbortSignal`; structural, since not every program has the type of that name. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** What every asynchronous call takes besides its operands. */
export interface AsyncControl {
  /** Stops the work within one tile; the promise is rejected with the signal's reason, and `out` is untouched. */
  signal?: AbortSignalLike | undefined;
  /**
   * Moves the input instead of copying it: the whole buffer that it lies in becomes the call's, so this and every other
   * view of that buffer are detached. What can't be moved (a SharedArrayBuffer, a WebAssembly memory, the pool that small
   * Node buffers share) is copied all the same. Default `false`.
   */
  transfer?: boolean | undefined;
}

/** The options of an asynchronous call. */
export interface AsyncOptions extends OutOption, AsyncControl {}

/** `AsyncControl` read once. */
export interface CallControl {
  readonly signal: AbortSignalLike | undefined;
  readonly transfer: boolean;
  /** Of a call from inside the package: its pixels are read where they are, and may be overwritten. */
  readonly ownPixels?: boolean;
}

/** `AsyncOptions` read once. */
export interface AsyncCall extends CallControl {
  readonly out: Tensor | undefined;
}

/** The names of `AsyncControl`. */
export const ASYNC_CONTROL_NAMES: readonly string[] = ['signal', 'transfer'];
const ASYNC_OPTION_NAMES: readonly string[] = ['out', ...ASYNC_CONTROL_NAMES];

/** Something that works as an `AbortSignal`. */
export function checkSignal(value: unknown): AbortSignalLike {
  if (
    typeof value !== 'object' ||
    value === null ||
    typeof (value as AbortSignalLike).aborted !== 'boolean' ||
    typeof (value as AbortSignalLike).addEventListener !== 'function' ||
    typeof (value as AbortSignalLike).removeEventListener !== 'function'
  ) {
    throw invalidType('an AbortSignal', 'signal', value);
  }
  return value as AbortSignalLike;
}

/** Reads `signal` and `transfer` of options; throws the signal's reason where it is aborted already. */
export function readAsyncControl({
  signal,
  transfer,
  [OWN_PIXELS]: ownPixels,
}: Record<string, unknown> & { [OWN_PIXELS]?: unknown }): CallControl {
  const control = {
    signal: signal === undefined ? undefined : checkSignal(signal),
    transfer: transfer !== undefined && checkBoolean(transfer, 'transfer'),
    ownPixels: ownPixels === true,
  };
  if (control.signal?.aborted) throw control.signal.reason;
  return control;
}

/** Reads each option once; throws the signal's reason where it is aborted already. */
export function readAsyncOptions(options: unknown): AsyncCall {
  const { out, ...control } = checkOptions(options, 'options', ASYNC_OPTION_NAMES) ?? {};
  return { out: readOut(out), ...readAsyncControl(control) };
}

/** Throws where moving the input would take `out` away with it. */
export function checkTransfer(x: Tensor, { out, transfer }: AsyncCall): void {
  if (transfer && out !== undefined && out.data.buffer === x.data.buffer) throw overlapping('out', 'x');
}

/** The memory of a buffer in another one, the buffer itself being detached; undefined for what can't be moved. */
export function move(buffer: ArrayBufferLike): ArrayBufferLike | undefined {
  try {
    return structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
  } catch {
    return undefined;
  }
}

/**
 * Whether the native side can copy a readable input: its rows have no gaps, no axis goes backwards, and no other thread can
 * write into it meanwhile.
 */
export function canCopyNatively(x: Tensor): boolean {
  return withDenseRows(x) === x && x.data.buffer instanceof ArrayBuffer;
}

/** The elements of a readable input in memory that nobody else has, as the native side can read them. */
export function takeInput(x: Tensor, transfer: boolean): Tensor {
  if (transfer) {
    const { byteOffset, length } = x.data;
    const buffer = move(x.data.buffer);
    if (buffer !== undefined) {
      const data = new Float32Array(buffer, byteOffset, length);
      return withDenseRows(fromTrusted(data, x.shape, x.strides, x.offset, x.size));
    }
  }
  const copy = allocateResult(x.size, 'x');
  if (isRowMajor(x.shape, x.strides)) copy.set(section(x.data, x.offset, x.offset + x.size));
  else if (x.size > 0) copyStrided(x.data, x.shape, x.strides, x.offset, copy, 0);
  return fromChecked(copy, x.shape);
}

/** What a native job calls at its end. */
export type JobEnd = (code: string | null, message: string | null) => void;

/**
 * Runs a native job. Aborted, the promise is rejected at once, and the threads stop within one tile.
 *
 * @param start starts the job with the callback for its end, and returns its number
 */
export function runJob(start: (done: JobEnd) => number, signal: AbortSignalLike | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    let job = 0;
    const abort = (): void => {
      native.cancelJob(job);
      reject(signal?.reason);
    };
    job = start((code, message) => {
      signal?.removeEventListener('abort', abort);
      if (message === null) resolve();
      else reject(nativeFailure(code, message));
    });
    signal?.addEventListener('abort', abort, { once: true });
  });
}
