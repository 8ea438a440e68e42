import { checkOptions, type Pair } from '../check.ts';
import { MAX_POOL_OPTION_NAMES, type PoolOptions, poolOptions, readPoolSettings } from '../pool-settings.ts';
import type { LayerJSON } from './layer.ts';
import { readLayerJSON } from './layer-json.ts';
import { WindowPool2D } from './window-pool2d.ts';

/** A `MaxPool2D` as plain data: its options. */
export interface MaxPool2DJSON extends LayerJSON, PoolOptions {
  type: 'MaxPool2D';
  kernelSize: Pair;
}

/**
 * Maximum of each window, each channel by itself; NaN wins over every number. The stride defaults to the window.
 * Source: seed 4.2; PyTorch `MaxPool2d`.
 */
export class MaxPool2D extends WindowPool2D {
  /**
   * @param kernelSize the window, and the stride unless `stride` is given
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` (unknown option); RangeError
   *   `ERR_INVALID_ARG_VALUE` (unknown word), `ERR_OUT_OF_RANGE`
   */
  constructor(kernelSize: Pair, options?: PoolOptions) {
    const given = checkOptions(options, 'options', MAX_POOL_OPTION_NAMES);
    super(readPoolSettings('max', kernelSize, 'kernelSize', given, 'kernel'));
  }

  /** The layer as plain data for `JSON.stringify`. */
  toJSON(): MaxPool2DJSON {
    return { type: 'MaxPool2D', kernelSize: this.kernelSize, ...poolOptions(this.settings) };
  }

  /** A layer from what `toJSON` gave. @throws as the constructor */
  static fromJSON(json: MaxPool2DJSON): MaxPool2D {
    const { kernelSize, ...options } = readLayerJSON(json, 'MaxPool2D', [
      'kernelSize',
      ...MAX_POOL_OPTION_NAMES,
    ]);
    return new MaxPool2D(kernelSize as Pair, options);
  }
}
