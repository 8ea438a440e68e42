import { checkOptions, type Pair } from '../check.ts';
import {
  AVG_POOL_OPTION_NAMES,
  type AvgPoolOptions,
  avgPoolOptions,
  readPoolSettings,
} from '../pool-settings.ts';
import type { LayerJSON } from './layer.ts';
import { readLayerJSON } from './layer-json.ts';
import { WindowPool2D } from './window-pool2d.ts';

/** An `AvgPool2D` as plain data: its options. */
export interface AvgPool2DJSON extends LayerJSON, AvgPoolOptions {
  type: 'AvgPool2D';
  kernelSize: Pair;
}

/** Mean of each window, each channel by itself. The stride defaults to the window. Source: seed 4.1; PyTorch `AvgPool2d`. */
export class AvgPool2D extends WindowPool2D {
  /**
   * @param kernelSize the window, and the stride unless `stride` is given
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` (unknown option); RangeError
   *   `ERR_INVALID_ARG_VALUE` (unknown word), `ERR_OUT_OF_RANGE`
   */
  constructor(kernelSize: Pair, options?: AvgPoolOptions) {
    const given = checkOptions(options, 'options', AVG_POOL_OPTION_NAMES);
    super(readPoolSettings('avg', kernelSize, 'kernelSize', given, 'kernel'));
  }

  /** The layer as plain data for `JSON.stringify`. */
  toJSON(): AvgPool2DJSON {
    return { type: 'AvgPool2D', kernelSize: this.kernelSize, ...avgPoolOptions(this.settings) };
  }

  /** A layer from what `toJSON` gave. @throws as the constructor */
  static fromJSON(json: AvgPool2DJSON): AvgPool2D {
    const { kernelSize, ...options } = readLayerJSON(json, 'AvgPool2D', [
      'kernelSize',
      ...AVG_POOL_OPTION_NAMES,
    ]);
    return new AvgPool2D(kernelSize as Pair, options);
  }
}
