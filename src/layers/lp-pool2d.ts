import { checkOptions, type Pair } from '../check.ts';
import { readLpSettings } from '../lp-pool2d.ts';
import { MAX_POOL_OPTION_NAMES, type PoolOptions, poolOptions } from '../pool-settings.ts';
import type { LayerJSON } from './layer.ts';
import { readLayerJSON } from './layer-json.ts';
import { WindowPool2D } from './window-pool2d.ts';

/** An `LPPool2D` as plain data: its options. */
export interface LPPool2DJSON extends LayerJSON, PoolOptions {
  type: 'LPPool2D';
  normType: number;
  kernelSize: Pair;
}

/** Norm of each window: see `lpPool2d`. The stride defaults to the window. Source: PyTorch `LPPool2d`. */
export class LPPool2D extends WindowPool2D {
  /** The power, as float32 holds it. */
  readonly normType: number;

  /**
   * @param normType a positive number
   * @param kernelSize the window, and the stride unless `stride` is given
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` (unknown option); RangeError
   *   `ERR_INVALID_ARG_VALUE` (unknown word), `ERR_OUT_OF_RANGE`
   */
  constructor(normType: number, kernelSize: Pair, options?: PoolOptions) {
    const given = checkOptions(options, 'options', MAX_POOL_OPTION_NAMES);
    const settings = readLpSettings(normType, kernelSize, given);
    super(settings);
    this.normType = settings.norm;
  }

  /** The layer as plain data for `JSON.stringify`. */
  toJSON(): LPPool2DJSON {
    const { normType, kernelSize } = this;
    return { type: 'LPPool2D', normType, kernelSize, ...poolOptions(this.settings) };
  }

  /** A layer from what `toJSON` gave. @throws as the constructor */
  static fromJSON(json: LPPool2DJSON): LPPool2D {
    const { normType, kernelSize, ...options } = readLayerJSON(json, 'LPPool2D', [
      'normType',
      'kernelSize',
      ...MAX_POOL_OPTION_NAMES,
    ]);
    return new LPPool2D(normType as number, kernelSize as Pair, options);
  }
}
