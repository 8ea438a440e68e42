import { type OutputSize, readAdaptiveSettings } from '../adaptive-pool2d.ts';
import type { LayerJSON } from './layer.ts';
import { readLayerJSON } from './layer-json.ts';
import { Pool2D } from './pool2d.ts';

/** An `AdaptiveAvgPool2D` as plain data. */
export interface AdaptiveAvgPool2DJSON extends LayerJSON {
  type: 'AdaptiveAvgPool2D';
  outputSize: OutputSize;
}

/** Mean of each of as many windows as the result has elements. Source: PyTorch `AdaptiveAvgPool2d`. */
export class AdaptiveAvgPool2D extends Pool2D {
  /** [height, width], where `null` is the input's side. */
  readonly outputSize: readonly [height: number | null, width: number | null];

  /**
   * @param outputSize the sides of the result
   * @throws TypeError `ERR_INVALID_ARG_TYPE`; RangeError `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`
   */
  constructor(outputSize: OutputSize) {
    const settings = readAdaptiveSettings('avg', outputSize);
    super(settings);
    this.outputSize = Object.freeze([settings.kernelH || null, settings.kernelW || null] as const);
  }

  /** The layer as plain data for `JSON.stringify`. */
  toJSON(): AdaptiveAvgPool2DJSON {
    return { type: 'AdaptiveAvgPool2D', outputSize: this.outputSize };
  }

  /** A layer from what `toJSON` gave. @throws as the constructor */
  static fromJSON(json: AdaptiveAvgPool2DJSON): AdaptiveAvgPool2D {
    const { outputSize } = readLayerJSON(json, 'AdaptiveAvgPool2D', ['outputSize']);
    return new AdaptiveAvgPool2D(outputSize as OutputSize);
  }
}
