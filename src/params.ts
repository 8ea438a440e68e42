/**
 * The positions of the numbers that cross to the native side: one Float64Array per call is far cheaper than an object.
 * The tables stand here and in crates/node, and nowhere else.
 */

/** The operators that a native plan can be of. */
export const OPERATOR = { CONV: 0, CONV_TRANSPOSE: 1, POOL: 2 };

/** Length of the convolution's and the pooling's params. */
export const PARAMS_LENGTH = 40;

/**
 * Convolution. OUT_H, OUT_W, FLOPS and the four paddings are written back by `conv2dShape`. A transposed one has
 * the weight's first axis in WEIGHT_C, its second in C_OUT, and the places from OUTPUT_PADDING_H on.
 */
export const CONV = {
  N: 0,
  C_IN: 1,
  H: 2,
  W: 3,
  C_OUT: 4,
  KH: 5,
  KW: 6,
  STRIDE_H: 7,
  STRIDE_W: 8,
  PAD_TOP: 9,
  PAD_BOTTOM: 10,
  PAD_LEFT: 11,
  PAD_RIGHT: 12,
  DILATION_H: 13,
  DILATION_W: 14,
  GROUPS: 15,
  PAD_KIND: 16,
  PADDING_MODE: 17,
  WEIGHT_C: 18,
  ALGORITHM: 19,
  ACTIVATION: 20,
  ACT_A: 21,
  ACT_B: 22,
  THREADS: 23,
  LAYOUT: 24,
  BIAS_LEN: 25,
  OUT_H: 26,
  OUT_W: 27,
  FLOPS: 28,
  OUTPUT_PADDING_H: 29,
  OUTPUT_PADDING_W: 30,
  /** The output's sides asked for, or 0. */
  OUTPUT_SHAPE_H: 31,
  OUTPUT_SHAPE_W: 32,
} as const;

/** Pooling. OUT_H, OUT_W, FLOPS and the four paddings are written back by `pool2dShape`. */
export const POOL = {
  N: 0,
  C: 1,
  H: 2,
  W: 3,
  KH: 4,
  KW: 5,
  STRIDE_H: 6,
  STRIDE_W: 7,
  PAD_TOP: 8,
  PAD_BOTTOM: 9,
  PAD_LEFT: 10,
  PAD_RIGHT: 11,
  DILATION_H: 12,
  DILATION_W: 13,
  MODE: 14,
  PAD_KIND: 15,
  CEIL: 16,
  COUNT_INCLUDE_PAD: 17,
  DIVISOR_OVERRIDE: 18,
  THREADS: 19,
  OUT_H: 20,
  OUT_W: 21,
  FLOPS: 22,
  PADDING_LIMIT: 23,
  /** Whether KH and KW are the output's sides. */
  ADAPTIVE: 24,
  NORM: 25,
  LAYOUT: 26,
} as const;
