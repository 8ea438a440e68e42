import { type AsyncOptions, readAsyncOptions } from '../async-call.ts';
import { checkOptions } from '../check.ts';
import { type IndexedMax, poolWithIndices, poolWithIndicesAsync } from '../max-indices.ts';
import { checkImagesShape, toImages } from '../operand.ts';
import { OUT_OPTION_NAMES, type OutOption, readOut } from '../output.ts';
import type { Plan } from '../plan.ts';
import { PlanCache } from '../plan-cache.ts';
import type { PoolSettings } from '../pool-settings.ts';
import { planPooling, poolingShape } from '../pooling.ts';
import { assertReadable, type Tensor, type TensorInput } from '../tensor.ts';
import type { LayerJSON } from './layer.ts';
import { type PlanOptions, readPlanOptions } from './plan-options.ts';

/**
 * What all pooling layers share; they differ in their settings only. Those that give a tensor are `Layer`s, those of
 * `returnIndices: true` give `{output, indices}`.
 */
export abstract class Pool2D<Result extends Tensor | IndexedMax = Tensor> {
  readonly #settings: PoolSettings;
  readonly #withIndices: boolean;
  readonly #plans = new PlanCache();

  /** @internal */
  constructor(settings: PoolSettings, withIndices = false) {
    this.#settings = settings;
    this.#withIndices = withIndices;
  }

  /** @internal */
  protected get settings(): PoolSettings {
    return this.#settings;
  }

  /** Number of parameters: pooling has none. */
  get parameters(): number {
    return 0;
  }

  /**
   * Pools `x`, reading it where it lies.
   *
   * @param x [h, w], [c, h, w] or [n, c, h, w] (`layout: 'NHWC'`: [h, w, c] or [n, h, w, c])
   * @returns as many axes as `x` has
   * @throws as `maxPool2d`
   */
  forward(x: TensorInput, options?: OutOption): Result {
    const out = readOut(checkOptions(options, 'options', OUT_OPTION_NAMES)?.out);
    const input = toImages(x, 'x', 2, 4);
    assertReadable(input, 'x');
    if (this.#withIndices) return poolWithIndices(input, this.#settings, out) as Result;
    const plan = this.#plans.get(input.shape, () => planPooling(this.#settings, input.shape, 0));
    return plan.runTensor(input, out) as Result;
  }

  /**
   * `forward` on the pool's threads, while the event loop goes on: see `Plan.runAsync`.
   *
   * @returns a promise, rejected with what `forward` throws or with the signal's reason
   */
  async forwardAsync(x: TensorInput, options?: AsyncOptions): Promise<Result> {
    const call = readAsyncOptions(options);
    const input = toImages(x, 'x', 2, 4);
    assertReadable(input, 'x');
    if (this.#withIndices) return (await poolWithIndicesAsync(input, this.#settings, call)) as Result;
    const plan = this.#plans.get(input.shape, () => planPooling(this.#settings, input.shape, 0));
    return (await plan.runTensorAsync(input, call)) as Result;
  }

  /** The shape of `forward`'s result for an input of this shape. @throws as `pool2dOutputShape` */
  outputShape(inputShape: readonly number[]): number[] {
    return poolingShape(this.#settings, checkImagesShape(inputShape, 'inputShape', 2));
  }

  /**
   * The layer made ready for inputs of one shape; its result has no indices.
   *
   * @param options.threads an integer from 1 to 1024; without it, those that `setThreads` allows at the time of a run
   * @throws as `forward`
   */
  plan(inputShape: readonly number[], options?: PlanOptions): Plan {
    const { threads } = readPlanOptions(options);
    return planPooling(this.#settings, checkImagesShape(inputShape, 'inputShape', 2), threads);
  }

  /** The layer as plain data for `JSON.stringify`. */
  abstract toJSON(): LayerJSON;
}
