import { checkBoolean, checkOptions, type Pair } from '../check.ts';
import type { IndexedMax } from '../max-indices.ts';
import { MAX_POOL_OPTION_NAMES, type PoolOptions, poolOptions, readPoolSettings } from '../pool-settings.ts';
import type { Tensor } from '../tensor.ts';
import type { LayerJSON } from './layer.ts';
import { readLayerJSON } from './layer-json.ts';
import { WindowPool2D } from './window-pool2d.ts';

/** The options of the layer `MaxPool2D`. */
export interface MaxPool2DOptions<Indices extends boolean = boolean> extends PoolOptions {
  /** Whether `forward` gives `{output, indices}`. Default `false`. */
  returnIndices?: Indices | undefined;
}

/** A `MaxPool2D` as plain data: its options. */
export interface MaxPool2DJSON<Indices extends boolean = boolean>
  extends LayerJSON,
    MaxPool2DOptions<Indices> {
  type: 'MaxPool2D';
  kernelSize: Pair;
}

const OPTION_NAMES: readonly string[] = [...MAX_POOL_OPTION_NAMES, 'returnIndices'];

/**
 * Maximum of each window, each channel by itself; NaN wins over every number. The stride defaults to the window.
 * Source: seed 4.2; PyTorch `MaxPool2d`.
 */
export class MaxPool2D<Indices extends boolean = false> extends WindowPool2D<
  Indices extends true ? IndexedMax : Tensor
> {
  /** Whether `forward` gives `{output, indices}`, as `maxPool2d` does. */
  readonly returnIndices: Indices;

  /**
   * @param kernelSize the window, and the stride unless `stride` is given
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` (unknown option); RangeError
   *   `ERR_INVALID_ARG_VALUE` (unknown word), `ERR_OUT_OF_RANGE`
   */
  constructor(kernelSize: Pair, options?: MaxPool2DOptions<Indices>) {
    const given = checkOptions(options, 'options', OPTION_NAMES);
    const returnIndices = given?.returnIndices;
    const withIndices = returnIndices !== undefined && checkBoolean(returnIndices, 'returnIndices');
    super(readPoolSettings('max', kernelSize, 'kernelSize', given, 'kernel'), withIndices);
    this.returnIndices = withIndices as Indices;
  }

  /** The layer as plain data for `JSON.stringify`. */
  toJSON(): MaxPool2DJSON<Indices> {
    const { kernelSize, returnIndices } = this;
    return { type: 'MaxPool2D', kernelSize, ...poolOptions(this.settings), returnIndices };
  }

  /** A layer from what `toJSON` gave. @throws as the constructor */
  static fromJSON<Indices extends boolean = false>(json: MaxPool2DJSON<Indices>): MaxPool2D<Indices> {
    const { kernelSize, ...options } = readLayerJSON(json, 'MaxPool2D', ['kernelSize', ...OPTION_NAMES]);
    return new MaxPool2D(kernelSize as Pair, options as MaxPool2DOptions<Indices>);
  }
}
