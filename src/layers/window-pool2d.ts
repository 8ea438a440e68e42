import type { PoolSettings } from '../pool-settings.ts';
import { Pool2D } from './pool2d.ts';

/** A pooling layer with a window of one size. */
export abstract class WindowPool2D extends Pool2D {
  /** [kh, kw] */
  readonly kernelSize: readonly [height: number, width: number];
  /** [height, width] */
  readonly stride: readonly [height: number, width: number];

  /** @internal */
  constructor(settings: PoolSettings) {
    super(settings);
    this.kernelSize = Object.freeze([settings.kernelH, settings.kernelW] as const);
    this.stride = Object.freeze([settings.strideH, settings.strideW] as const);
  }
}
