import type { IndexedMax } from '../max-indices.ts';
import type { PoolSettings } from '../pool-settings.ts';
import type { Tensor } from '../tensor.ts';
import { Pool2D } from './pool2d.ts';

/** A pooling layer with a window of one size. */
export abstract class WindowPool2D<Result extends Tensor | IndexedMax = Tensor> extends Pool2D<Result> {
  /** [kh, kw] */
  readonly kernelSize: readonly [height: number, width: number];
  /** [height, width] */
  readonly stride: readonly [height: number, width: number];

  /** @internal */
  constructor(settings: PoolSettings, withIndices = false) {
    super(settings, withIndices);
    this.kernelSize = Object.freeze([settings.kernelH, settings.kernelW] as const);
    this.stride = Object.freeze([settings.strideH, settings.strideW] as const);
  }
}
