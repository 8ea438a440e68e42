import type { ConvSettings, TransposedSettings } from '../conv-settings.ts';
import {
  CONV_TRANSPOSE_OPTION_NAMES,
  type ConvTransposeOptions,
  readConvTransposeSettings,
} from '../conv-transpose2d.ts';
import type { WeightOptions } from './conv2d.ts';
import { Convolution, readLayerOptions, WEIGHT_OPTION_NAMES } from './convolution.ts';
import { type ConvolutionJSON, fromConvolutionJSON } from './convolution-json.ts';
import type { LayerJSON } from './layer.ts';

/** The options of the layer `ConvTranspose2D`. */
export interface ConvTranspose2DOptions extends ConvTransposeOptions, WeightOptions {}

/** A `ConvTranspose2D` as plain data. */
export interface ConvTranspose2DJSON extends LayerJSON, ConvolutionJSON {
  type: 'ConvTranspose2D';
  outputPadding: readonly [height: number, width: number];
  /** Absent where the padding is given. */
  outputShape?: readonly [height: number, width: number] | undefined;
}

const OPTION_NAMES: readonly string[] = [...WEIGHT_OPTION_NAMES, ...CONV_TRANSPOSE_OPTION_NAMES];

/**
 * A transposed convolution with a weight [c, o / groups, kh, kw] and a bias; `init` is that of a weight of this shape, as
 * in PyTorch. Source: PyTorch `ConvTranspose2d`; ONNX `ConvTranspose`.
 */
export class ConvTranspose2D extends Convolution {
  readonly #transposed: TransposedSettings;

  /**
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` (unknown option); RangeError
   *   `ERR_INVALID_ARG_VALUE` (unknown word), `ERR_OUT_OF_RANGE`, `ERR_SHAPE_MISMATCH` (groups don't divide the
   *   channels), `ERR_LIMIT_EXCEEDED`
   */
  constructor(options: ConvTranspose2DOptions) {
    const given = readLayerOptions(options, OPTION_NAMES);
    const settings = readConvTransposeSettings(given) as Required<ConvSettings>;
    super(given, settings);
    this.#transposed = settings.transposed;
  }

  /** The layer as plain data for `JSON.stringify`. */
  toJSON(): ConvTranspose2DJSON {
    const { outputPaddingH, outputPaddingW, outputH, outputW } = this.#transposed;
    const json = this.commonJSON();
    return {
      type: 'ConvTranspose2D',
      ...json,
      outputPadding: [outputPaddingH, outputPaddingW],
      // JSON leaves out what is undefined.
      outputShape: outputH === 0 ? undefined : [outputH, outputW],
    };
  }

  /** A layer from what `toJSON` gave, the same to the bit. @throws as the constructor and the setters */
  static fromJSON(json: ConvTranspose2DJSON): ConvTranspose2D {
    const { options, weight, bias } = fromConvolutionJSON(
      json,
      'ConvTranspose2D',
      CONV_TRANSPOSE_OPTION_NAMES,
    );
    return new ConvTranspose2D(options as unknown as ConvTranspose2DOptions).setNumbers(weight, bias);
  }
}
