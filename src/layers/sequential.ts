import { type AsyncCall, type AsyncOptions, checkTransfer, readAsyncOptions } from '../async-call.ts';
import { checkOptions, isPlainObject } from '../check.ts';
import { type Corr2dError, invalidType, invalidValue } from '../errors.ts';
import { apartFrom, checkOut, OUT_OPTION_NAMES, type OutOption, readOut } from '../output.ts';
import { sizeOf } from '../strides.ts';
import { assertReadable, checkShape, type Tensor, type TensorInput, toTensor } from '../tensor.ts';
import { AdaptiveAvgPool2D } from './adaptive-avg-pool2d.ts';
import { AdaptiveMaxPool2D, type AdaptiveMaxPool2DJSON } from './adaptive-max-pool2d.ts';
import { AvgPool2D } from './avg-pool2d.ts';
import { ConvTranspose2D } from './conv-transpose2d.ts';
import { Conv2D } from './conv2d.ts';
import type { Layer, LayerJSON } from './layer.ts';
import { readLayerJSON } from './layer-json.ts';
import { LPPool2D } from './lp-pool2d.ts';
import { MaxPool2D, type MaxPool2DJSON } from './max-pool2d.ts';

/** A `Sequential` as plain data. */
export interface SequentialJSON extends LayerJSON {
  type: 'Sequential';
  layers: readonly LayerJSON[];
}

// Which of the layers an error is about, at the end of its sentence.
function locate(error: unknown, index: number): unknown {
  if (error instanceof Error && 'code' in error) {
    (error as Corr2dError).message += ` (layers[${index}])`;
  }
  return error;
}

function checkLayers(layers: unknown): Layer[] {
  if (!Array.isArray(layers)) throw invalidType('an array of layers', 'layers', layers);
  if (layers.length === 0) throw invalidValue('at least one layer', 'layers', layers);
  return Array.from(layers, (layer: unknown, i) => {
    const { forward, outputShape } = (layer ?? {}) as Partial<Layer>;
    if (typeof forward !== 'function' || typeof outputShape !== 'function') {
      throw invalidType('a layer', `layers[${i}]`, layer);
    }
    return layer as Layer;
  });
}

function runLayer(layer: Layer, x: Tensor, { out, signal, transfer }: AsyncCall): Tensor | Promise<Tensor> {
  if (layer.forwardAsync !== undefined) return layer.forwardAsync(x, { out, signal, transfer });
  return out === undefined ? layer.forward(x) : layer.forward(x, { out });
}

/**
 * Layers one after the other, each taking the result of the one before it. Source: PyTorch `Sequential`.
 *
 * An error of one of them ends with its position, as in `(layers[2])`.
 */
export class Sequential implements Layer {
  readonly layers: readonly Layer[];

  /**
   * @param layers at least one; anything that implements `Layer`
   * @throws TypeError `ERR_INVALID_ARG_TYPE`; RangeError `ERR_INVALID_ARG_VALUE` for an empty list
   */
  constructor(layers: readonly Layer[]) {
    this.layers = Object.freeze(checkLayers(layers));
  }

  /** Number of parameters: the sum over the layers. */
  get parameters(): number {
    return this.layers.reduce((sum, layer) => sum + layer.parameters, 0);
  }

  /**
   * Runs the layers; the last one writes into `out` where it is given.
   *
   * @param x what the first layer takes
   * @returns what the last layer gives
   * @throws as the layers do; for a bad `out` before any of them runs
   */
  forward(x: TensorInput, options?: OutOption): Tensor {
    const out = readOut(checkOptions(options, 'options', OUT_OPTION_NAMES)?.out);
    const input = toTensor(x, 'x');
    this.#check(input, out);
    const last = this.layers.length - 1;
    return this.layers.reduce((y, layer, i) => {
      try {
        return i === last && out !== undefined ? layer.forward(y, { out }) : layer.forward(y);
      } catch (error) {
        throw locate(error, i);
      }
    }, input);
  }

  /**
   * `forward` on the pool's threads, while the event loop goes on: see `Plan.runAsync`. Layers of others that have no
   * `forwardAsync` run where they are, on the calling thread.
   *
   * @returns a promise, rejected with what `forward` throws or with the signal's reason
   */
  async forwardAsync(x: TensorInput, options?: AsyncOptions): Promise<Tensor> {
    const call = readAsyncOptions(options);
    const input = toTensor(x, 'x');
    this.#check(input, call.out);
    checkTransfer(input, call);
    const last = this.layers.length - 1;
    let y = input;
    let { transfer } = call;
    for (const [i, layer] of this.layers.entries()) {
      if (call.signal?.aborted) throw call.signal.reason;
      const out = i === last ? call.out : undefined;
      try {
        y = await runLayer(layer, y, { ...call, out, transfer });
      } catch (error) {
        throw locate(error, i);
      }
      // What a layer without `forwardAsync` gives may be somebody's, even the input.
      transfer = layer.forwardAsync !== undefined;
    }
    return y;
  }

  // Throws for what no layer should have to find out.
  #check(input: Tensor, out: Tensor | undefined): void {
    if (out === undefined) return;
    assertReadable(input, 'x');
    const shape = this.outputShape(input.shape);
    checkOut(out, shape, sizeOf(shape));
    apartFrom(out, input, 'x');
  }

  /** The shape of `forward`'s result for an input of this shape. @throws as the layers' own */
  outputShape(inputShape: readonly number[]): number[] {
    return this.layers.reduce(
      (shape, layer, i) => {
        try {
          return layer.outputShape(shape);
        } catch (error) {
          throw locate(error, i);
        }
      },
      checkShape(inputShape, 'inputShape'),
    );
  }

  /** The layers as plain data for `JSON.stringify`. */
  toJSON(): SequentialJSON {
    return { type: 'Sequential', layers: this.layers.map((layer) => layer.toJSON()) };
  }

  /** A `Sequential` from what `toJSON` gave. @throws as `layerFromJSON` and the constructor */
  static fromJSON(json: SequentialJSON): Sequential {
    const { layers } = readLayerJSON(json, 'Sequential', ['layers']);
    if (!Array.isArray(layers)) throw invalidType('an array of layers', 'json.layers', layers);
    return new Sequential(
      layers.map((layer, i) => {
        try {
          return layerFromJSON(layer);
        } catch (error) {
          throw locate(error, i);
        }
      }),
    );
  }
}

// Every layer that can be read back. Each class reads its own fields.
const LAYERS: Record<string, (json: never) => Layer> = {
  AdaptiveAvgPool2D: AdaptiveAvgPool2D.fromJSON,
  AdaptiveMaxPool2D: (json: AdaptiveMaxPool2DJSON<false>) => AdaptiveMaxPool2D.fromJSON(json),
  AvgPool2D: AvgPool2D.fromJSON,
  Conv2D: Conv2D.fromJSON,
  ConvTranspose2D: ConvTranspose2D.fromJSON,
  LPPool2D: LPPool2D.fromJSON,
  MaxPool2D: (json: MaxPool2DJSON<false>) => MaxPool2D.fromJSON(json),
  Sequential: Sequential.fromJSON,
};

/**
 * The layer that gave this plain data with `toJSON`, of whatever type it is.
 *
 * @throws TypeError `ERR_INVALID_ARG_TYPE`; RangeError `ERR_INVALID_ARG_VALUE` for an unknown type; and as the layer's
 *   own `fromJSON`
 */
export function layerFromJSON(json: LayerJSON): Layer {
  if (!isPlainObject(json)) throw invalidType('a plain object', 'json', json);
  const { type } = json;
  if (typeof type !== 'string') throw invalidType("a layer's name", 'json.type', type);
  const read = Object.hasOwn(LAYERS, type) ? LAYERS[type] : undefined;
  if (read === undefined) throw invalidValue(`one of ${Object.keys(LAYERS).join(', ')}`, 'json.type', type);
  return read(json as never);
}
