import { checkOptions, isPlainObject } from '../check.ts';
import { type Corr2dError, invalidType, invalidValue } from '../errors.ts';
import { apartFrom, checkOut, OUT_OPTION_NAMES, type OutOption, readOut } from '../output.ts';
import { sizeOf } from '../strides.ts';
import { assertReadable, checkShape, type Tensor, type TensorInput, toTensor } from '../tensor.ts';
import { AdaptiveAvgPool2D } from './adaptive-avg-pool2d.ts';
import { AdaptiveMaxPool2D } from './adaptive-max-pool2d.ts';
import { AvgPool2D } from './avg-pool2d.ts';
import { Conv2D } from './conv2d.ts';
import type { Layer, LayerJSON } from './layer.ts';
import { readLayerJSON } from './layer-json.ts';
import { LPPool2D } from './lp-pool2d.ts';
import { MaxPool2D } from './max-pool2d.ts';

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
    if (out !== undefined) {
      assertReadable(input, 'x');
      const shape = this.outputShape(input.shape);
      checkOut(out, shape, sizeOf(shape));
      apartFrom(out, input, 'x');
    }
    const last = this.layers.length - 1;
    return this.layers.reduce((y, layer, i) => {
      try {
        return i === last && out !== undefined ? layer.forward(y, { out }) : layer.forward(y);
      } catch (error) {
        throw locate(error, i);
      }
    }, input);
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
  AdaptiveMaxPool2D: AdaptiveMaxPool2D.fromJSON,
  AvgPool2D: AvgPool2D.fromJSON,
  Conv2D: Conv2D.fromJSON,
  LPPool2D: LPPool2D.fromJSON,
  MaxPool2D: MaxPool2D.fromJSON,
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
