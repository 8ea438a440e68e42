import type { Pair } from '../check.ts';
import { CONV_OPTION_NAMES, type ConvOptions, readConvSettings } from '../conv-settings.ts';
import { type PaddingMode, paddingModeName } from '../options.ts';
import { Convolution, readLayerOptions, WEIGHT_OPTION_NAMES } from './convolution.ts';
import { type ConvolutionJSON, fromConvolutionJSON } from './convolution-json.ts';
import type { Init } from './initialize.ts';
import type { LayerJSON } from './layer.ts';

/** What every layer with a weight is made of. */
export interface WeightOptions {
  /** Default 1. */
  inChannels?: number | undefined;
  /** Default 1. */
  outChannels?: number | undefined;
  /** Sides of the kernel. */
  kernelSize: Pair;
  /** Whether there is a bias. Default `true`. */
  bias?: boolean | undefined;
  /** Default `'kaimingUniform'`. */
  init?: Init | undefined;
  /** An integer from 0 to 2⁵³ − 1 that fixes the numbers drawn by `init`, on every machine alike. */
  seed?: number | undefined;
}

/** The options of the layer `Conv2D`. */
export interface Conv2DOptions extends ConvOptions, WeightOptions {}

/** A `Conv2D` as plain data. */
export interface Conv2DJSON extends LayerJSON, ConvolutionJSON {
  type: 'Conv2D';
  paddingMode: PaddingMode;
}

const OPTION_NAMES: readonly string[] = [...WEIGHT_OPTION_NAMES, ...CONV_OPTION_NAMES];

/**
 * A convolution with a weight and a bias. Plans are kept for the input shapes seen last, so the weight is packed once
 * for each of them. Source: seed 1.2 (`Conv2D`) and 2; PyTorch `Conv2d`.
 */
export class Conv2D extends Convolution {
  readonly #paddingMode: PaddingMode;

  /**
   * @param options the options, or only a kernel's sides for the layer of the seed: one channel in, one out, weight
   *   uniform in [0, 1), bias 0
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` (unknown option); RangeError
   *   `ERR_INVALID_ARG_VALUE` (unknown word), `ERR_OUT_OF_RANGE`, `ERR_SHAPE_MISMATCH` (groups don't divide the
   *   channels), `ERR_LIMIT_EXCEEDED`
   */
  constructor(options: Conv2DOptions | Pair) {
    const isSeedForm = typeof options === 'number' || Array.isArray(options);
    const given = isSeedForm
      ? { kernelSize: options, init: 'uniform' }
      : readLayerOptions(options, OPTION_NAMES);
    const settings = readConvSettings(given);
    super(given, settings);
    this.#paddingMode = paddingModeName(settings.paddingMode);
  }

  /** The layer as plain data for `JSON.stringify`. */
  toJSON(): Conv2DJSON {
    return { type: 'Conv2D', ...this.commonJSON(), paddingMode: this.#paddingMode };
  }

  /** A layer from what `toJSON` gave, the same to the bit. @throws as the constructor and the setters */
  static fromJSON(json: Conv2DJSON): Conv2D {
    const { options, weight, bias } = fromConvolutionJSON(json, 'Conv2D', CONV_OPTION_NAMES);
    return new Conv2D(options as unknown as Conv2DOptions).setNumbers(weight, bias);
  }
}
