import { checkOptions, type Pair } from '../check.ts';
import { AVG_POOL_OPTION_NAMES, type AvgPoolOptions, readPoolSettings } from '../pool-settings.ts';
import { Pool2D } from './pool2d.ts';

/** Mean of each window, each channel by itself. The stride defaults to the window. Source: seed 4.1; PyTorch `AvgPool2d`. */
export class AvgPool2D extends Pool2D {
  /**
   * @param kernelSize the window, and the stride unless `stride` is given
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` (unknown option); RangeError
   *   `ERR_INVALID_ARG_VALUE` (unknown word), `ERR_OUT_OF_RANGE`
   */
  constructor(kernelSize: Pair, options?: AvgPoolOptions) {
    const given = checkOptions(options, 'options', AVG_POOL_OPTION_NAMES);
    super(readPoolSettings('avg', kernelSize, 'kernelSize', given, 'kernel'));
  }
}
