import { checkBoolean, checkInteger, checkPair, checkWord, type Pair } from './check.ts';
import { invalidType } from './errors.ts';
import {
  type Layout,
  layoutName,
  NHWC,
  NO_PADDING,
  type Padding,
  type PaddingSettings,
  paddingOption,
  readLayout,
  readPadding,
} from './options.ts';
import { PARAMS_LENGTH, POOL } from './params.ts';
import { lengthAt } from './strides.ts';

/** The kind of pooling. */
export type PoolMode = 'max' | 'avg';

/** What every pooling takes. PyTorch's meanings. */
export interface PoolOptions {
  /** Step of the window. Default: the window itself, but 1 for the seed's function `pool2d`. */
  stride?: Pair | undefined;
  /** As wide as `paddingLimit` allows. Max pooling pads with −∞. Default 0. */
  padding?: Padding | undefined;
  /**
   * How wide the padding may be on each side: `'half'` of the (dilated) window, as in PyTorch, or anything narrower than
   * the `'window'`, as in ONNX's runtimes. Default `'half'`.
   */
  paddingLimit?: 'half' | 'window' | undefined;
  /** Distance between the window's elements. Default 1. */
  dilation?: Pair | undefined;
  /**
   * Whether a last, incomplete window counts: `true` is PyTorch's rule (one that starts in the right or bottom padding is
   * dropped). `'onnx'` is ONNX's, the same since opset 22 but for `padding: 'valid'`, with which none counts. Default
   * `false`.
   */
  ceilMode?: boolean | 'onnx' | undefined;
  /** Order of the axes of the input and the result; [h, w] is the same in both. Default `'NCHW'`. */
  layout?: Layout | undefined;
}

/** What average pooling takes besides. */
export interface AvgPoolOptions extends PoolOptions {
  /** Whether padding counts in the divisor. Default `true`. */
  countIncludePad?: boolean | undefined;
  /** The divisor in place of the window's size: an integer of at least 1. */
  divisorOverride?: number | undefined;
}

/** The names of `PoolOptions`. */
export const MAX_POOL_OPTION_NAMES: readonly string[] = [
  'stride',
  'padding',
  'paddingLimit',
  'dilation',
  'ceilMode',
  'layout',
];
/** The names of `AvgPoolOptions`. */
export const AVG_POOL_OPTION_NAMES: readonly string[] = [
  ...MAX_POOL_OPTION_NAMES,
  'countIncludePad',
  'divisorOverride',
];

/** A pooling in its normal form: checked, without defaults left open, read once. */
export interface PoolSettings {
  readonly mode: number;
  readonly kernelH: number;
  readonly kernelW: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly padding: PaddingSettings;
  readonly paddingLimit: number;
  readonly dilationH: number;
  readonly dilationW: number;
  readonly ceil: number;
  readonly countIncludePad: number;
  readonly divisorOverride: number;
  /** Whether the kernel is the output's sides, where 0 stands for the input's. */
  readonly adaptive: boolean;
  /** The power of a norm. */
  readonly norm: number;
  readonly layout: number;
}

const PADDING_LIMITS = ['half', 'window'] as const;

function readPaddingLimit(value: unknown): number {
  return PADDING_LIMITS.indexOf(checkWord(value, 'paddingLimit', PADDING_LIMITS));
}

function readCeilMode(value: unknown): number {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value !== 'string') throw invalidType("a boolean or 'onnx'", 'ceilMode', value);
  checkWord(value, 'ceilMode', ['onnx']);
  return 2;
}

/**
 * Reads each option once; the object was checked for unknown names.
 *
 * @param kernelName what the window is called in the caller's signature
 * @param defaultStride `'kernel'` for the window itself
 */
export function readPoolSettings(
  mode: PoolMode,
  kernel: unknown,
  kernelName: string,
  options: Record<string, unknown> | undefined,
  defaultStride: 'kernel' | 1,
): PoolSettings {
  const { stride, padding, paddingLimit, dilation, ceilMode, layout, countIncludePad, divisorOverride } =
    options ?? {};
  const [kernelH, kernelW] = checkPair(kernel, kernelName, 1);
  const otherwise = defaultStride === 1 ? ([1, 1] as const) : ([kernelH, kernelW] as const);
  const [strideH, strideW] = stride === undefined ? otherwise : checkPair(stride, 'stride', 1);
  const [dilationH, dilationW] = dilation === undefined ? [1, 1] : checkPair(dilation, 'dilation', 1);
  return {
    mode: mode === 'max' ? 0 : 1,
    kernelH,
    kernelW,
    strideH,
    strideW,
    padding: padding === undefined ? NO_PADDING : readPadding(padding),
    paddingLimit: paddingLimit === undefined ? 0 : readPaddingLimit(paddingLimit),
    dilationH,
    dilationW,
    ceil: ceilMode === undefined ? 0 : readCeilMode(ceilMode),
    countIncludePad:
      countIncludePad === undefined || checkBoolean(countIncludePad, 'countIncludePad') ? 1 : 0,
    divisorOverride: divisorOverride === undefined ? 0 : checkInteger(divisorOverride, 'divisorOverride', 1),
    adaptive: false,
    norm: 0,
    layout: layout === undefined ? 0 : readLayout(layout),
  };
}

/** The pooling as the options that `readPoolSettings` turns into these settings. */
export function poolOptions(settings: PoolSettings): Required<PoolOptions> {
  return {
    stride: [settings.strideH, settings.strideW],
    padding: paddingOption(settings.padding),
    paddingLimit: PADDING_LIMITS[settings.paddingLimit],
    dilation: [settings.dilationH, settings.dilationW],
    ceilMode: settings.ceil === 2 ? 'onnx' : settings.ceil === 1,
    layout: layoutName(settings.layout),
  };
}

/** `poolOptions` of an average pooling. */
export function avgPoolOptions(settings: PoolSettings): AvgPoolOptions {
  return {
    ...poolOptions(settings),
    countIncludePad: settings.countIncludePad === 1,
    // JSON leaves out what is undefined.
    divisorOverride: settings.divisorOverride === 0 ? undefined : settings.divisorOverride,
  };
}

/** The params of the call under way: see `convParams` for what must not happen meanwhile. */
export const poolParams: Float64Array = new Float64Array(PARAMS_LENGTH);

/** Fills `poolParams`; axes that the shape lacks in front count as 1. */
export function fillPoolParams(settings: PoolSettings, input: readonly number[], threads: number): void {
  const params = poolParams;
  const rank = input.length;
  const { padding } = settings;
  // [h, w] has no axis of channels, so both orders mean the same.
  const layout = rank === 2 ? 0 : settings.layout;
  const channels = layout === NHWC ? rank - 1 : rank - 3;
  const height = lengthAt(input, layout === NHWC ? rank - 3 : rank - 2);
  const width = lengthAt(input, layout === NHWC ? rank - 2 : rank - 1);
  params[POOL.N] = lengthAt(input, rank - 4);
  params[POOL.C] = lengthAt(input, channels);
  params[POOL.H] = height;
  params[POOL.W] = width;
  params[POOL.LAYOUT] = layout;
  const { adaptive, kernelH, kernelW } = settings;
  params[POOL.KH] = adaptive && kernelH === 0 ? height : kernelH;
  params[POOL.KW] = adaptive && kernelW === 0 ? width : kernelW;
  params[POOL.ADAPTIVE] = adaptive ? 1 : 0;
  params[POOL.STRIDE_H] = settings.strideH;
  params[POOL.STRIDE_W] = settings.strideW;
  params[POOL.PAD_KIND] = padding.kind;
  params[POOL.PAD_TOP] = padding.top;
  params[POOL.PAD_BOTTOM] = padding.bottom;
  params[POOL.PAD_LEFT] = padding.left;
  params[POOL.PAD_RIGHT] = padding.right;
  params[POOL.PADDING_LIMIT] = settings.paddingLimit;
  params[POOL.DILATION_H] = settings.dilationH;
  params[POOL.DILATION_W] = settings.dilationW;
  params[POOL.MODE] = settings.mode;
  params[POOL.NORM] = settings.norm;
  params[POOL.CEIL] = settings.ceil;
  params[POOL.COUNT_INCLUDE_PAD] = settings.countIncludePad;
  params[POOL.DIVISOR_OVERRIDE] = settings.divisorOverride;
  params[POOL.THREADS] = threads;
}
