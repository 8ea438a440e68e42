import {
  ADAPTIVE_POOL_OPTION_NAMES,
  type AdaptivePoolOptions,
  type OutputSize,
  readAdaptiveSettings,
} from '../adaptive-pool2d.ts';
import { checkBoolean, checkOptions } from '../check.ts';
import type { IndexedMax } from '../max-indices.ts';
import { layoutName } from '../options.ts';
import type { Tensor } from '../tensor.ts';
import type { LayerJSON } from './layer.ts';
import { readLayerJSON } from './layer-json.ts';
import { Pool2D } from './pool2d.ts';

/** The options of the layer `AdaptiveMaxPool2D`. */
export interface AdaptiveMaxPool2DOptions<Indices extends boolean = boolean> extends AdaptivePoolOptions {
  /** Whether `forward` gives `{output, indices}`. Default `false`. */
  returnIndices?: Indices | undefined;
}

/** An `AdaptiveMaxPool2D` as plain data. */
export interface AdaptiveMaxPool2DJSON<Indices extends boolean = boolean>
  extends LayerJSON,
    AdaptiveMaxPool2DOptions<Indices> {
  type: 'AdaptiveMaxPool2D';
  outputSize: OutputSize;
}

const OPTION_NAMES: readonly string[] = [...ADAPTIVE_POOL_OPTION_NAMES, 'returnIndices'];

/** Maximum of each of as many windows as the result has elements. Source: PyTorch `AdaptiveMaxPool2d`. */
export class AdaptiveMaxPool2D<Indices extends boolean = false> extends Pool2D<
  Indices extends true ? IndexedMax : Tensor
> {
  /** [height, width], where `null` is the input's side. */
  readonly outputSize: readonly [height: number | null, width: number | null];
  /** Whether `forward` gives `{output, indices}`, as `adaptiveMaxPool2d` does. */
  readonly returnIndices: Indices;

  /**
   * @param outputSize the sides of the result
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` (unknown option); RangeError
   *   `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`
   */
  constructor(outputSize: OutputSize, options?: AdaptiveMaxPool2DOptions<Indices>) {
    const given = checkOptions(options, 'options', OPTION_NAMES);
    const settings = readAdaptiveSettings('max', outputSize, given);
    const returnIndices = given?.returnIndices;
    const withIndices = returnIndices !== undefined && checkBoolean(returnIndices, 'returnIndices');
    super(settings, withIndices);
    this.outputSize = Object.freeze([settings.kernelH || null, settings.kernelW || null] as const);
    this.returnIndices = withIndices as Indices;
  }

  /** The layer as plain data for `JSON.stringify`. */
  toJSON(): AdaptiveMaxPool2DJSON<Indices> {
    const { outputSize, returnIndices } = this;
    return { type: 'AdaptiveMaxPool2D', outputSize, layout: layoutName(this.settings.layout), returnIndices };
  }

  /** A layer from what `toJSON` gave. @throws as the constructor */
  static fromJSON<Indices extends boolean = false>(
    json: AdaptiveMaxPool2DJSON<Indices>,
  ): AdaptiveMaxPool2D<Indices> {
    const { outputSize, ...options } = readLayerJSON(json, 'AdaptiveMaxPool2D', [
      'outputSize',
      ...OPTION_NAMES,
    ]);
    return new AdaptiveMaxPool2D(outputSize as OutputSize, options as AdaptiveMaxPool2DOptions<Indices>);
  }
}
