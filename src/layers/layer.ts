import type { AsyncOptions } from '../async-call.ts';
import type { OutOption } from '../output.ts';
import type { Tensor, TensorInput } from '../tensor.ts';

/** A layer as plain data: its type's name and whatever makes one like it. */
export interface LayerJSON {
  readonly type: string;
}

/** What every layer of this package has, and what `Sequential` asks of any other one. */
export interface Layer {
  /** Number of parameters: elements of the weight and the bias. */
  readonly parameters: number;
  /** Computes the layer's result, into `out` where it is given. */
  forward(x: TensorInput, options?: OutOption): Tensor;
  /**
   * `forward` off the event loop, giving memory that nobody else has; it copies the input before it returns, or moves it.
   * A layer without it is run by `forward`.
   */
  forwardAsync?(x: TensorInput, options?: AsyncOptions): Promise<Tensor>;
  /** The shape of `forward`'s result for an input of this shape. */
  outputShape(inputShape: readonly number[]): number[];
  /** The layer as plain data for `JSON.stringify`. */
  toJSON(): LayerJSON;
}
