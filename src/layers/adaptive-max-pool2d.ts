import { type OutputSize, readAdaptiveSettings } from '../adaptive-pool2d.ts';
import type { LayerJSON } from './layer.ts';
import { readLayerJSON } from './layer-json.ts';
import { Pool2D } from './pool2d.ts';

/** An `AdaptiveMaxPool2D` as plain data. */
export interface AdaptiveMaxPool2DJSON extends LayerJSON {
  type: 'AdaptiveMaxPool2D';
  outputSize: OutputSize;
}

/** Maximum of each of as many windows as the result has elements. Source: PyTorch `AdaptiveMaxPool2d`. */
export class AdaptiveMaxPool2D extends Pool2D {
  /** [height, width], where `null` is the input's side. */
  readonly outputSize: readonly [height: number | null, width: number | null];

  /**
   * @param outputSize the sides of the result
   * @throws TypeError `ERR_INVALID_ARG_TYPE`; RangeError `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`
   */
  constructor(outputSize: OutputSize) {
    const settings = readAdaptiveSettings('max', outputSize);
    super(settings);
    this.outputSize = Object.freeze([settings.kernelH || null, settings.kernelW || null] as const);
  }

  /** The layer as plain data for `JSON.stringify`. */
  toJSON(): AdaptiveMaxPool2DJSON {
    return { type: 'AdaptiveMaxPool2D', outputSize: this.outputSize };
  }

  /** A layer from what `toJSON` gave. @throws as the constructor */
  static fromJSON(json: AdaptiveMaxPool2DJSON): AdaptiveMaxPool2D {
    const { outputSize } = readLayerJSON(json, 'AdaptiveMaxPool2D', ['outputSize']);
    return new AdaptiveMaxPool2D(outputSize as OutputSize);
  }
}
