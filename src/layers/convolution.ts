import { type AsyncOptions, readAsyncOptions } from '../async-call.ts';
import { checkBoolean, checkInteger, checkNumber, checkOptions, checkPair, checkWord } from '../check.ts';
import type { ConvSettings } from '../conv-settings.ts';
import { convolutionShape, planConvolution } from '../convolve.ts';
import { formatShape, shapeMismatch } from '../errors.ts';
import { type ConvGradients, convolutionGradients } from '../gradients.ts';
import { allocate } from '../memory.ts';
import { checkImagesShape, denseData, toImages } from '../operand.ts';
import { OUT_OPTION_NAMES, type OutOption, readOut } from '../output.ts';
import type { Plan } from '../plan.ts';
import { PlanCache } from '../plan-cache.ts';
import { seededRandom } from '../random.ts';
import { copyStrided } from '../strided-copy.ts';
import { sizeOf } from '../strides.ts';
import {
  assertReadable,
  fromChecked,
  sameShape,
  type Tensor,
  type TensorInput,
  toTensor,
} from '../tensor.ts';
import { type ConvolutionJSON, toConvolutionJSON } from './convolution-json.ts';
import { INITS, initialize } from './initialize.ts';
import type { Layer, LayerJSON } from './layer.ts';
import { type PlanOptions, readPlanOptions } from './plan-options.ts';

/** The names of the options that every layer with a weight has. */
export const WEIGHT_OPTION_NAMES: readonly string[] = [
  'inChannels',
  'outChannels',
  'kernelSize',
  'bias',
  'init',
  'seed',
];

/** What `step` needs of the gradients. */
export interface StepGradients {
  /** Not looked at. */
  input?: TensorInput | undefined;
  /** Of the weight's shape. */
  weight: TensorInput;
  /** [o]; not looked at where the layer has no bias. */
  bias?: TensorInput | undefined;
}

/** The options of `step`. */
export interface StepOptions {
  /** The learning rate. */
  lr: number;
}

const GRADIENT_NAMES: readonly string[] = ['input', 'weight', 'bias'];

function gradientData(value: unknown, parameter: string, shape: readonly number[]): Float32Array {
  const tensor = toTensor(value, parameter);
  if (!sameShape(tensor.shape, shape)) {
    throw shapeMismatch(`shape ${formatShape(shape)}`, parameter, formatShape(tensor.shape));
  }
  assertReadable(tensor, parameter);
  return denseData(tensor);
}

function descend(values: Float32Array, gradient: Float32Array, lr: number): void {
  for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) - lr * (gradient[i] as number);
}

type WeightShape = readonly [first: number, second: number, kh: number, kw: number];

/** A convolution, ordinary or transposed, with a weight and a bias. Plans are kept for the input shapes seen last. */
export abstract class Convolution implements Layer {
  readonly inChannels: number;
  readonly outChannels: number;
  /** [kh, kw] */
  readonly kernelSize: readonly [height: number, width: number];
  readonly #settings: ConvSettings;
  readonly #weightShape: WeightShape;
  readonly #weight: Float32Array;
  #bias: Float32Array | undefined;
  readonly #plans = new PlanCache();

  /** @internal */
  constructor(given: Record<string, unknown>, settings: ConvSettings) {
    const { inChannels, outChannels, kernelSize, bias, init, seed } = given;
    this.#settings = settings;
    this.inChannels = inChannels === undefined ? 1 : checkInteger(inChannels, 'inChannels', 1);
    this.outChannels = outChannels === undefined ? 1 : checkInteger(outChannels, 'outChannels', 1);
    this.kernelSize = Object.freeze(checkPair(kernelSize, 'kernelSize', 1));
    const hasBias = bias === undefined || checkBoolean(bias, 'bias');
    const how = init === undefined ? 'kaimingUniform' : checkWord(init, 'init', INITS);
    const random = seededRandom(seed === undefined ? undefined : checkInteger(seed, 'seed', 0));
    const { groups } = settings;
    for (const [name, channels] of [
      ['inChannels', this.inChannels],
      ['outChannels', this.outChannels],
    ] as const) {
      if (channels % groups !== 0)
        throw shapeMismatch(`a multiple of groups (${groups})`, name, `${channels}`);
    }
    this.#weightShape =
      settings.transposed === undefined
        ? [this.outChannels, this.inChannels / groups, ...this.kernelSize]
        : [this.inChannels, this.outChannels / groups, ...this.kernelSize];
    this.#weight = allocate(sizeOf(this.#weightShape), 'the weight');
    this.#bias = hasBias ? allocate(this.outChannels, 'the bias') : undefined;
    initialize(how, this.#weight, this.#weightShape, this.#bias, random);
  }

  /** A snapshot of the weight: [o, c / groups, kh, kw], or [c, o / groups, kh, kw] of a transposed convolution. */
  get weight(): Tensor {
    return fromChecked(this.#weight.slice(), [...this.#weightShape]);
  }

  /**
   * Copies a weight in; plans made before by `plan` keep the old one. A layer of one channel in and one out takes
   * [kh, kw] too.
   */
  set weight(value: TensorInput) {
    const tensor = toTensor(value, 'weight');
    const isPlane = this.#weight.length === this.kernelSize[0] * this.kernelSize[1];
    if (
      !sameShape(tensor.shape, this.#weightShape) &&
      !(isPlane && sameShape(tensor.shape, this.kernelSize))
    ) {
      throw shapeMismatch(`shape ${formatShape(this.#weightShape)}`, 'weight', formatShape(tensor.shape));
    }
    assertReadable(tensor, 'weight');
    copyStrided(tensor.data, tensor.shape, tensor.strides, tensor.offset, this.#weight, 0);
    this.#plans.clear();
  }

  /** A snapshot of the bias, [o], or null without one. */
  get bias(): Tensor | null {
    return this.#bias === undefined ? null : fromChecked(this.#bias.slice(), [this.outChannels]);
  }

  /** Copies a bias of shape [o] in, or takes it away with null. */
  set bias(value: TensorInput | null) {
    if (value === null) {
      this.#bias = undefined;
    } else {
      const tensor = toTensor(value, 'bias');
      if (!sameShape(tensor.shape, [this.outChannels])) {
        throw shapeMismatch(`shape [${this.outChannels}]`, 'bias', formatShape(tensor.shape));
      }
      assertReadable(tensor, 'bias');
      const copy = allocate(this.outChannels, 'the bias');
      copyStrided(tensor.data, tensor.shape, tensor.strides, tensor.offset, copy, 0);
      this.#bias = copy;
    }
    this.#plans.clear();
  }

  /** Number of parameters: elements of the weight and the bias. */
  get parameters(): number {
    return this.#weight.length + (this.#bias?.length ?? 0);
  }

  // [h, w] stands for one channel, so it goes with layers of one channel in and out.
  get #minRank(): 2 | 3 {
    return this.inChannels === 1 && this.outChannels === 1 ? 2 : 3;
  }

  #plan(inputShape: readonly number[], threads: number, isTuned = false): Plan {
    const bias = this.#bias ?? null;
    const rank = inputShape.length;
    const [weight, settings] = [this.#weight, this.#settings];
    return planConvolution(inputShape, this.#weightShape, weight, bias, settings, rank, threads, isTuned);
  }

  /**
   * Computes the layer's result, reading `x` where it lies.
   *
   * @param x [n, c, h, w], [c, h, w] (`'NHWC'`: [n, h, w, c], [h, w, c]), or [h, w] where the layer has one channel in and
   *   one out
   * @returns as many axes as `x` has
   * @throws as `conv2d`
   */
  forward(x: TensorInput, options?: OutOption): Tensor {
    const out = readOut(checkOptions(options, 'options', OUT_OPTION_NAMES)?.out);
    const input = toImages(x, 'x', this.#minRank, 4);
    assertReadable(input, 'x');
    return this.#plans.get(input.shape, () => this.#plan(input.shape, 0)).runTensor(input, out);
  }

  /**
   * `forward` on the pool's threads, while the event loop goes on: see `Plan.runAsync`. A weight set meanwhile counts for
   * later calls.
   *
   * @returns a promise, rejected with what `forward` throws or with the signal's reason
   */
  async forwardAsync(x: TensorInput, options?: AsyncOptions): Promise<Tensor> {
    const call = readAsyncOptions(options);
    const input = toImages(x, 'x', this.#minRank, 4);
    assertReadable(input, 'x');
    const plan = this.#plans.get(input.shape, () => this.#plan(input.shape, 0));
    return plan.runTensorAsync(input, call);
  }

  /** The shape of `forward`'s result for an input of this shape. @throws as `conv2dOutputShape` */
  outputShape(inputShape: readonly number[]): number[] {
    const input = checkImagesShape(inputShape, 'inputShape', this.#minRank);
    return convolutionShape(input, this.#weightShape, this.#settings);
  }

  /**
   * The layer made ready for inputs of one shape, with the weight and bias of now.
   *
   * @param options.threads an integer from 1 to 1024; without it, those that `setThreads` allows at the time of a run
   * @param options.tune whether to choose the algorithm by measuring it now
   * @throws as `forward`
   */
  plan(inputShape: readonly number[], options?: PlanOptions): Plan {
    const { threads, isTuned } = readPlanOptions(options);
    return this.#plan(checkImagesShape(inputShape, 'inputShape', this.#minRank), threads, isTuned);
  }

  /**
   * The gradients of `forward(x)` with respect to its input, the weight and the bias, for the loss's gradient with
   * respect to its result: see `conv2dBackward`.
   *
   * @param x what `forward` takes
   * @param gradOutput of the shape of `forward`'s result
   * @throws as `conv2dBackward`
   */
  backward(x: TensorInput, gradOutput: TensorInput): ConvGradients {
    const input = toImages(x, 'x', this.#minRank, 4);
    const weight = fromChecked(this.#weight, this.#weightShape);
    const bias = this.#bias === undefined ? undefined : fromChecked(this.#bias, [this.outChannels]);
    return convolutionGradients(input, weight, bias, toTensor(gradOutput, 'gradOutput'), this.#settings);
  }

  /**
   * One step of gradient descent: weight ← weight − lr · gradient, and the bias likewise where there is one.
   *
   * @param gradients what `backward` gave, or a sum of such
   * @param options.lr the learning rate, a number of at least 0
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` (unknown option), `ERR_DETACHED_BUFFER`; RangeError
   *   `ERR_OUT_OF_RANGE`, `ERR_SHAPE_MISMATCH`; the layer is unchanged then
   */
  step(gradients: StepGradients, options: StepOptions): void {
    const { weight, bias } = checkOptions(gradients ?? null, 'gradients', GRADIENT_NAMES) ?? {};
    const lr = checkNumber(checkOptions(options ?? null, 'options', ['lr'])?.lr, 'lr', { least: 0 });
    const ofWeight = gradientData(weight, 'gradients.weight', this.#weightShape);
    const own = this.#bias;
    const ofBias = own === undefined ? undefined : gradientData(bias, 'gradients.bias', [this.outChannels]);
    descend(this.#weight, ofWeight, lr);
    if (own !== undefined && ofBias !== undefined) descend(own, ofBias, lr);
    this.#plans.clear();
  }

  /** The layer as plain data for `JSON.stringify`. */
  abstract toJSON(): LayerJSON;

  /** @internal What both kinds of layer have in their plain data. */
  protected commonJSON(): ConvolutionJSON {
    const { inChannels, outChannels, kernelSize } = this;
    const sizes = { inChannels, outChannels, kernelSize };
    return toConvolutionJSON(sizes, this.#settings, this.#weight, this.#bias);
  }

  /** @internal Sets the numbers that plain data held. */
  protected setNumbers(weight: Float32Array, bias: Float32Array | undefined): this {
    this.weight = { data: weight, shape: this.#weightShape };
    if (bias !== undefined) this.bias = { data: bias, shape: [bias.length] };
    return this;
  }
}

/** The options object of a layer. */
export function readLayerOptions(options: unknown, names: readonly string[]): Record<string, unknown> {
  // A missing object is reported like any other value that is none.
  return checkOptions(options ?? null, 'options', names) ?? {};
}
