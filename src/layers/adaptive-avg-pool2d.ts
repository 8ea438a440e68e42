import {
  ADAPTIVE_POOL_OPTION_NAMES,
  type AdaptivePoolOptions,
  type OutputSize,
  readAdaptiveSettings,
} from '../adaptive-pool2d.ts';
import { checkOptions } from '../check.ts';
import { layoutName } from '../options.ts';
import type { LayerJSON } from './layer.ts';
import { readLayerJSON } from './layer-json.ts';
import { Pool2D } from './pool2d.ts';

/** An `AdaptiveAvgPool2D` as plain data. */
export interface AdaptiveAvgPool2DJSON extends LayerJSON, AdaptivePoolOptions {
  type: 'AdaptiveAvgPool2D';
  outputSize: OutputSize;
}

/** Mean of each of as many windows as the result has elements. Source: PyTorch `AdaptiveAvgPool2d`. */
export class AdaptiveAvgPool2D extends Pool2D {
  /** [height, width], where `null` is the input's side. */
  readonly outputSize: readonly [height: number | null, width: number | null];

  /**
   * @param outputSize the sides of the result
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` (unknown option); RangeError
   *   `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`
   */
  constructor(outputSize: OutputSize, options?: AdaptivePoolOptions) {
    const given = checkOptions(options, 'options', ADAPTIVE_POOL_OPTION_NAMES);
    const settings = readAdaptiveSettings('avg', outputSize, given);
    super(settings);
    this.outputSize = Object.freeze([settings.kernelH || null, settings.kernelW || null] as const);
  }

  /** The layer as plain data for `JSON.stringify`. */
  toJSON(): AdaptiveAvgPool2DJSON {
    const { outputSize } = this;
    return { type: 'AdaptiveAvgPool2D', outputSize, layout: layoutName(this.settings.layout) };
  }

  /** A layer from what `toJSON` gave. @throws as the constructor */
  static fromJSON(json: AdaptiveAvgPool2DJSON): AdaptiveAvgPool2D {
    const { outputSize, ...options } = readLayerJSON(json, 'AdaptiveAvgPool2D', [
      'outputSize',
      ...ADAPTIVE_POOL_OPTION_NAMES,
    ]);
    return new AdaptiveAvgPool2D(outputSize as OutputSize, options);
  }
}
