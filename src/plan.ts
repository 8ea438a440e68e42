import {
  type AsyncCall,
  type AsyncOptions,
  canCopyNatively,
  checkTransfer,
  type JobEnd,
  readAsyncOptions,
  runJob,
  takeInput,
} from './async-call.ts';
import { checkOptions } from './check.ts';
import { formatShape, shapeMismatch } from './errors.ts';
import { checkElements, checkFlops } from './limits.ts';
import { allocateResult } from './memory.ts';
import { native } from './native.ts';
import { nativeView, withDenseRows } from './operand.ts';
import {
  apartFrom,
  checkOut,
  OUT_OPTION_NAMES,
  type OutOption,
  outMemory,
  readOut,
  resultMemory,
  toResult,
} from './output.ts';
import { type MeasuredTimes, PlanExplanation } from './plan-explanation.ts';
import { sizeOf } from './strides.ts';
import { assertReadable, sameShape, type Tensor, type TensorInput, toTensor } from './tensor.ts';

/** A native plan; `native.runPlan(handle, …)` runs it as long as the object lives. */
export type NativePlan = InstanceType<(typeof native)['NativePlan']>;

/**
 * A layer made ready for inputs of one shape: the algorithm is chosen and the weight packed, so that `run` only computes.
 * It keeps the weight that the layer had when the plan was made. Made by `layer.plan(inputShape)`.
 */
export class Plan {
  /** The shape that `run` takes. */
  readonly inputShape: readonly number[];
  /** The shape that `run` gives. */
  readonly outputShape: readonly number[];
  // The shapes as arrays that are not frozen, whose elements V8 compares faster.
  readonly #input: readonly number[];
  readonly #output: readonly number[];
  readonly #native: NativePlan;
  readonly #handle: number;
  readonly #size: number;
  readonly #flops: number;
  readonly #times: MeasuredTimes | undefined;

  /** @internal */
  constructor(
    plan: NativePlan,
    inputShape: readonly number[],
    outputShape: readonly number[],
    times?: MeasuredTimes,
  ) {
    this.#input = [...inputShape];
    this.#output = [...outputShape];
    this.inputShape = Object.freeze([...inputShape]);
    // Results carry this very array, hence frozen.
    this.outputShape = Object.freeze([...outputShape]);
    this.#native = plan;
    this.#handle = plan.handle;
    this.#size = sizeOf(outputShape);
    this.#flops = plan.flops;
    this.#times = times;
  }

  /** Name of the chosen algorithm, one of `info().algorithms` for a convolution. */
  get algorithm(): string {
    return this.#native.algorithm;
  }

  /** The instruction set that it runs on, one of `info().isas`. */
  get isa(): string {
    return this.#native.isa;
  }

  /** Floating-point operations of one run; a multiply-add counts as two. */
  get flops(): number {
    return this.#flops;
  }

  /** Bytes of input, weight and output that a run goes through at least. */
  get bytes(): number {
    return this.#native.bytes;
  }

  /**
   * Why this algorithm, with which register tile and scratch memory, and what share of the peak is to be expected; for
   * people: `console.log(String(plan.explain()))`. The first of a process measures that peak, for about 20 ms.
   */
  explain(): PlanExplanation {
    return new PlanExplanation(this.#native, this.#times);
  }

  /**
   * Runs the layer. The same bits as `layer.forward` and as the function.
   *
   * @param x of `inputShape`
   * @param options.out memory for the result; without it, the result is all that is allocated
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_DETACHED_BUFFER`;
   *   RangeError `ERR_SHAPE_MISMATCH`, `ERR_OVERLAP`, `ERR_LIMIT_EXCEEDED`
   */
  run(x: TensorInput, options?: OutOption): Tensor {
    const out = readOut(checkOptions(options, 'options', OUT_OPTION_NAMES)?.out);
    return this.runTensor(toTensor(x, 'x'), out);
  }

  /**
   * Runs the layer on the pool's threads, while the event loop goes on. The input is copied before the call returns, or
   * moved; the result is computed in memory of its own and copied to `out` at the end. The same bits as `run`.
   *
   * @param x of `inputShape`
   * @param options.out memory for the result, to be left attached until then
   * @returns a promise, rejected with what `run` throws or with the signal's reason
   */
  async runAsync(x: TensorInput, options?: AsyncOptions): Promise<Tensor> {
    const call = readAsyncOptions(options);
    return this.runTensorAsync(toTensor(x, 'x'), call);
  }

  /** @internal `run` for arguments that were read before. */
  runTensor(x: Tensor, out: Tensor | undefined): Tensor {
    const source = withDenseRows(this.#check(x, out));
    const memory = resultMemory(this.#size, out);
    if (this.#size > 0) native.runPlan(this.#handle, source.data, nativeView(source), memory);
    return this.#result(memory, out);
  }

  /** @internal `runAsync` for arguments that were read before. */
  async runTensorAsync(x: Tensor, call: AsyncCall): Promise<Tensor> {
    const { out, signal, transfer } = call;
    this.#check(x, out);
    checkTransfer(x, call);
    const memory = allocateResult(this.#size, 'the output');
    if (this.#size > 0) await runJob((done) => this.#start(x, transfer, memory, done), signal);
    // Nothing to compute, but the caller gave it away.
    else if (transfer) takeInput(x, transfer);
    if (out === undefined) return this.#result(memory, undefined);
    // The caller may have moved or shrunk it meanwhile.
    checkOut(out, this.outputShape, this.#size);
    const target = outMemory(out);
    target.set(memory);
    return this.#result(target, out);
  }

  // Starts the job on an input of its own: moved, or copied before this returns.
  #start(x: Tensor, transfer: boolean, memory: Float32Array, done: JobEnd): number {
    if (transfer || !canCopyNatively(x)) {
      const source = takeInput(x, transfer);
      return native.startPlan(this.#handle, source.data, nativeView(source), memory, done);
    }
    return native.startPlanOnCopy(this.#handle, x.data, nativeView(x), memory, done);
  }

  #result(memory: Float32Array, out: Tensor | undefined): Tensor {
    if (out !== undefined && sameShape(out.shape, this.#output)) return out;
    return toResult(memory, this.outputShape, undefined);
  }

  // Throws unless the plan can run; gives back the input as `apartFrom` does.
  #check(x: Tensor, out: Tensor | undefined): Tensor {
    if (!sameShape(x.shape, this.#input)) {
      throw shapeMismatch(`shape ${formatShape(this.inputShape)}`, 'x', formatShape(x.shape));
    }
    assertReadable(x, 'x');
    checkElements(this.#size, 'the output');
    checkFlops(this.#flops);
    if (out === undefined) return x;
    checkOut(out, this.outputShape, this.#size);
    return apartFrom(out, x, 'x');
  }
}
