import { checkInteger, checkPair, type Pair } from './check.ts';
import {
  type Activation,
  type ActivationSettings,
  type Algorithm,
  type Layout,
  NHWC,
  NO_ACTIVATION,
  NO_PADDING,
  type Padding,
  type PaddingMode,
  type PaddingSettings,
  readActivation,
  readAlgorithm,
  readLayout,
  readPadding,
  readPaddingMode,
} from './options.ts';
import { CONV, PARAMS_LENGTH } from './params.ts';
import { lengthAt } from './strides.ts';

/** What a convolution does besides its weight and bias. PyTorch's meanings and defaults. */
export interface ConvOptions {
  /** Step of the window. Default 1. */
  stride?: Pair | undefined;
  /** Default 0. */
  padding?: Padding | undefined;
  /** Default `'zeros'`. */
  paddingMode?: PaddingMode | undefined;
  /** Distance between the kernel's taps. Default 1. */
  dilation?: Pair | undefined;
  /** Divides the input and the output channels; group i of one sees group i of the other only. Default 1. */
  groups?: number | undefined;
  /** Order of the axes of the input and the result; the weight is [o, c / groups, kh, kw] in both. Default `'NCHW'`. */
  layout?: Layout | undefined;
  /** Default `'none'`. */
  activation?: Activation | undefined;
  /** Default `'auto'`. */
  algorithm?: Algorithm | undefined;
}

/** The names of `ConvOptions`. */
export const CONV_OPTION_NAMES: readonly string[] = [
  'stride',
  'padding',
  'paddingMode',
  'dilation',
  'groups',
  'layout',
  'activation',
  'algorithm',
];

/** `ConvOptions` in their normal form: checked, without defaults left open, read once. */
export interface ConvSettings {
  readonly strideH: number;
  readonly strideW: number;
  readonly padding: PaddingSettings;
  readonly paddingMode: number;
  readonly dilationH: number;
  readonly dilationW: number;
  readonly groups: number;
  readonly layout: number;
  readonly activation: ActivationSettings;
  readonly algorithm: number;
  /** What a transposed convolution has besides; absent for an ordinary one. */
  readonly transposed?: TransposedSettings;
}

/** The options that only a transposed convolution has, in their normal form. */
export interface TransposedSettings {
  readonly outputPaddingH: number;
  readonly outputPaddingW: number;
  /** The sides asked for, or 0. */
  readonly outputH: number;
  readonly outputW: number;
}

export const DEFAULT_CONV_SETTINGS: ConvSettings = {
  strideH: 1,
  strideW: 1,
  padding: NO_PADDING,
  paddingMode: 0,
  dilationH: 1,
  dilationW: 1,
  groups: 1,
  layout: 0,
  activation: NO_ACTIVATION,
  algorithm: -1,
};

/** Reads each option once; the object was checked for unknown names. */
export function readConvSettings(options: Record<string, unknown> | undefined): ConvSettings {
  if (options === undefined) return DEFAULT_CONV_SETTINGS;
  const { stride, padding, paddingMode, dilation, groups, layout, activation, algorithm } = options;
  const [strideH, strideW] = stride === undefined ? [1, 1] : checkPair(stride, 'stride', 1);
  const [dilationH, dilationW] = dilation === undefined ? [1, 1] : checkPair(dilation, 'dilation', 1);
  return {
    strideH,
    strideW,
    padding: padding === undefined ? NO_PADDING : readPadding(padding),
    paddingMode: paddingMode === undefined ? 0 : readPaddingMode(paddingMode),
    dilationH,
    dilationW,
    groups: groups === undefined ? 1 : checkInteger(groups, 'groups', 1),
    layout: layout === undefined ? 0 : readLayout(layout),
    activation: activation === undefined ? NO_ACTIVATION : readActivation(activation),
    algorithm: algorithm === undefined ? -1 : readAlgorithm(algorithm),
  };
}

/**
 * The params of the call under way, used again by every call. Between filling it and the native call no foreign code may
 * run (getters, proxies), since that could start another call.
 */
export const convParams: Float64Array = new Float64Array(PARAMS_LENGTH);

/**
 * Fills `convParams`; axes that a shape lacks in front count as 1, so that `[h, w]` is one image of one channel.
 *
 * @param bias its length, or −1 for none
 * @param threads 0 for all of the pool's
 */
export function fillConvParams(
  settings: ConvSettings,
  input: readonly number[],
  weight: readonly number[],
  bias: number,
  threads: number,
): void {
  const params = convParams;
  const rank = input.length;
  const weightRank = weight.length;
  const { padding, activation } = settings;
  // [h, w] has no axis of channels, so both orders mean the same.
  const layout = rank === 2 ? 0 : settings.layout;
  const channels = layout === NHWC ? rank - 1 : rank - 3;
  const rows = layout === NHWC ? rank - 3 : rank - 2;
  params[CONV.N] = lengthAt(input, rank - 4);
  params[CONV.C_IN] = lengthAt(input, channels);
  params[CONV.H] = lengthAt(input, rows);
  params[CONV.W] = lengthAt(input, rows + 1);
  params[CONV.C_OUT] = lengthAt(weight, weightRank - 4);
  params[CONV.WEIGHT_C] = lengthAt(weight, weightRank - 3);
  params[CONV.KH] = lengthAt(weight, weightRank - 2);
  params[CONV.KW] = lengthAt(weight, weightRank - 1);
  params[CONV.STRIDE_H] = settings.strideH;
  params[CONV.STRIDE_W] = settings.strideW;
  params[CONV.PAD_KIND] = padding.kind;
  params[CONV.PAD_TOP] = padding.top;
  params[CONV.PAD_BOTTOM] = padding.bottom;
  params[CONV.PAD_LEFT] = padding.left;
  params[CONV.PAD_RIGHT] = padding.right;
  params[CONV.PADDING_MODE] = settings.paddingMode;
  params[CONV.DILATION_H] = settings.dilationH;
  params[CONV.DILATION_W] = settings.dilationW;
  params[CONV.GROUPS] = settings.groups;
  params[CONV.ALGORITHM] = settings.algorithm;
  params[CONV.ACTIVATION] = activation.kind;
  params[CONV.ACT_A] = activation.a;
  params[CONV.ACT_B] = activation.b;
  params[CONV.THREADS] = threads;
  params[CONV.LAYOUT] = layout;
  params[CONV.BIAS_LEN] = bias;
  const { transposed } = settings;
  if (transposed === undefined) return;
  params[CONV.WEIGHT_C] = lengthAt(weight, weightRank - 4);
  params[CONV.C_OUT] = lengthAt(weight, weightRank - 3);
  params[CONV.OUTPUT_SHAPE_H] = transposed.outputH;
  params[CONV.OUTPUT_SHAPE_W] = transposed.outputW;
  params[CONV.OUTPUT_PADDING_H] = transposed.outputPaddingH;
  params[CONV.OUTPUT_PADDING_W] = transposed.outputPaddingW;
}
