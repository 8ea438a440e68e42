import { checkInteger, checkNumber, checkPair, checkWord, type Pair } from './check.ts';
import { invalidType, invalidValue, outOfRange } from './errors.ts';
import { algorithms } from './native.ts';

/**
 * Zeros (or what `paddingMode` says) around the image: the same on both sides of an axis, each side by itself, or a rule.
 * `'valid'` is none. `'same'` makes the output ⌈input / stride⌉ long; an odd row goes to the top and an odd column to the
 * left (seed 2.1; ONNX calls it SAME_LOWER), `'same-lower'` is a synonym, and `'same-upper'` puts them at the bottom and
 * the right, as TensorFlow and PyTorch do. They differ for even kernels only.
 */
export type Padding =
  | Pair
  | readonly [rows: readonly [top: number, bottom: number], columns: readonly [left: number, right: number]]
  | 'valid'
  | 'same'
  | 'same-upper'
  | 'same-lower';

/** What the padding holds: PyTorch's `padding_mode`. */
export type PaddingMode = 'zeros' | 'reflect' | 'replicate' | 'circular';

/** Order of a tensor's axes: channels first (PyTorch, ONNX), or last (TensorFlow, interleaved images). */
export type Layout = 'NCHW' | 'NHWC';

/** A function of each output element, computed in the same pass. `{leakyRelu}` is the slope below zero. */
export type Activation =
  | 'none'
  | 'relu'
  | 'relu6'
  | 'silu'
  | 'hardswish'
  | { readonly leakyRelu: number }
  | { readonly clamp: readonly [low: number, high: number] };

/** A name that `info().algorithms` lists, or `'auto'` for the fastest one. */
export type Algorithm = 'auto' | (string & {});

/** Padding in its normal form; the sides of a rule are computed by the native side. */
export interface PaddingSettings {
  readonly kind: number;
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** An activation in its normal form: a number for the function, and its two parameters. */
export interface ActivationSettings {
  readonly kind: number;
  readonly a: number;
  readonly b: number;
}

const LAYOUTS: readonly Layout[] = ['NCHW', 'NHWC'];

/** The number of the layout `'NHWC'`. */
export const NHWC = 1;

const PADDING_MODES: readonly PaddingMode[] = ['zeros', 'reflect', 'replicate', 'circular'];
const PADDING_FORMS = "an integer, [height, width], [[top, bottom], [left, right]], 'valid' or 'same'";
const ACTIVATIONS = ['none', 'relu', 'relu6', 'leakyRelu', 'clamp', 'silu', 'hardswish'] as const;
const ACTIVATION_FORMS =
  "'none', 'relu', 'relu6', 'silu', 'hardswish', {leakyRelu: slope} or {clamp: [low, high]}";

export const NO_PADDING: PaddingSettings = { kind: 0, top: 0, bottom: 0, left: 0, right: 0 };
export const NO_ACTIVATION: ActivationSettings = { kind: 0, a: 0, b: 0 };

function paddingRule(value: string): PaddingSettings {
  switch (value) {
    case 'valid':
      return { ...NO_PADDING, kind: 1 };
    case 'same':
    case 'same-lower':
      return { ...NO_PADDING, kind: 2 };
    case 'same-upper':
      return { ...NO_PADDING, kind: 3 };
    default:
      throw invalidValue("'valid', 'same', 'same-lower' or 'same-upper'", 'padding', value);
  }
}

function readSides(value: unknown, parameter: string): [before: number, after: number] {
  if (!Array.isArray(value)) throw invalidType('two integers', parameter, value);
  if (value.length !== 2) throw invalidValue('two integers', parameter, value);
  return [checkInteger(value[0], `${parameter}[0]`, 0), checkInteger(value[1], `${parameter}[1]`, 0)];
}

/** `padding` in all its forms. */
export function readPadding(value: unknown): PaddingSettings {
  if (typeof value === 'string') return paddingRule(value);
  if (typeof value === 'number') {
    const all = checkInteger(value, 'padding', 0);
    return { kind: 0, top: all, bottom: all, left: all, right: all };
  }
  if (!Array.isArray(value)) throw invalidType(PADDING_FORMS, 'padding', value);
  if (value.length !== 2) throw invalidValue(PADDING_FORMS, 'padding', value);
  const rows: unknown = value[0];
  const columns: unknown = value[1];
  if (Array.isArray(rows) || Array.isArray(columns)) {
    const [top, bottom] = readSides(rows, 'padding[0]');
    const [left, right] = readSides(columns, 'padding[1]');
    return { kind: 0, top, bottom, left, right };
  }
  const [height, width] = checkPair([rows, columns], 'padding', 0);
  return { kind: 0, top: height, bottom: height, left: width, right: width };
}

/** The option that `readPadding` turns into these settings. */
export function paddingOption({ kind, top, bottom, left, right }: PaddingSettings): Padding {
  const rules = ['valid', 'same', 'same-upper'] as const;
  return (
    rules[kind - 1] ?? [
      [top, bottom],
      [left, right],
    ]
  );
}

/** `layout` as its number. */
export function readLayout(value: unknown): number {
  return LAYOUTS.indexOf(checkWord(value, 'layout', LAYOUTS));
}

/** The word for a number that `readLayout` gave. */
export function layoutName(layout: number): Layout {
  return LAYOUTS[layout] ?? 'NCHW';
}

/** `paddingMode` as its number. */
export function readPaddingMode(value: unknown): number {
  return PADDING_MODES.indexOf(checkWord(value, 'paddingMode', PADDING_MODES));
}

/** The word for a number that `readPaddingMode` gave. */
export function paddingModeName(mode: number): PaddingMode {
  return PADDING_MODES[mode] ?? 'zeros';
}

/** `algorithm` as the number that stands for it, −1 for `'auto'`. */
export function readAlgorithm(value: unknown): number {
  return algorithms.indexOf(checkWord(value, 'algorithm', ['auto', ...algorithms]));
}

/** The word for a number that `readAlgorithm` gave. */
export function algorithmName(algorithm: number): Algorithm {
  return algorithms[algorithm] ?? 'auto';
}

// An infinite bound is no bound.
function readBound(value: unknown, parameter: string): number {
  return value === Infinity || value === -Infinity ? value : checkNumber(value, parameter);
}

function readClamp(value: unknown): ActivationSettings {
  const parameter = 'activation.clamp';
  if (!Array.isArray(value)) throw invalidType('[low, high]', parameter, value);
  if (value.length !== 2) throw invalidValue('[low, high]', parameter, value);
  const low = readBound(value[0], `${parameter}[0]`);
  const high = readBound(value[1], `${parameter}[1]`);
  if (low > high) throw outOfRange(`a number of at least ${low}`, `${parameter}[1]`, high);
  return { kind: ACTIVATIONS.indexOf('clamp'), a: low, b: high };
}

/** `activation` in all its forms. */
export function readActivation(value: unknown): ActivationSettings {
  if (typeof value === 'string') {
    const words = ACTIVATIONS.filter((word) => word !== 'leakyRelu' && word !== 'clamp');
    return { kind: ACTIVATIONS.indexOf(checkWord(value, 'activation', words)), a: 0, b: 0 };
  }
  if (typeof value !== 'object' || value === null) throw invalidType(ACTIVATION_FORMS, 'activation', value);
  const names = Object.keys(value);
  const given = value as { leakyRelu?: unknown; clamp?: unknown };
  if (names.length === 1 && names[0] === 'leakyRelu') {
    const slope = checkNumber(given.leakyRelu, 'activation.leakyRelu');
    return { kind: ACTIVATIONS.indexOf('leakyRelu'), a: slope, b: 0 };
  }
  if (names.length === 1 && names[0] === 'clamp') return readClamp(given.clamp);
  throw invalidValue(ACTIVATION_FORMS, 'activation', value);
}

/** The option that `readActivation` turns into these settings. */
export function activationOption({ kind, a, b }: ActivationSettings): Activation {
  const word = ACTIVATIONS[kind] ?? 'none';
  if (word === 'leakyRelu') return { leakyRelu: a };
  return word === 'clamp' ? { clamp: [a, b] } : word;
}
