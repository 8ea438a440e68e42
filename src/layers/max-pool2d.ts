import { checkOptions, type Pair } from '../check.ts';
import { MAX_POOL_OPTION_NAMES, type PoolOptions, readPoolSettings } from '../pool-settings.ts';
import { Pool2D } from './pool2d.ts';

/**
 * Maximum of each window, each channel by itself; NaN wins over every number. The stride defaults to the window.
 * Source: seed 4.2; PyTorch `MaxPool2d`.
 */
export class MaxPool2D extends Pool2D {
  /**
   * @param kernelSize the window, and the stride unless `stride` is given
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` (unknown option); RangeError
   *   `ERR_INVALID_ARG_VALUE` (unknown word), `ERR_OUT_OF_RANGE`
   */
  constructor(kernelSize: Pair, options?: PoolOptions) {
    const given = checkOptions(options, 'options', MAX_POOL_OPTION_NAMES);
    super(readPoolSettings('max', kernelSize, 'kernelSize', given, 'kernel'));
  }
}
