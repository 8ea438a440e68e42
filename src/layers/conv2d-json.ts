import { CONV_OPTION_NAMES, type ConvSettings } from '../conv-settings.ts';
import { invalidType } from '../errors.ts';
import { allocate } from '../memory.ts';
import {
  type Activation,
  type Algorithm,
  activationOption,
  algorithmName,
  type Layout,
  layoutName,
  type Padding,
  type PaddingMode,
  paddingModeName,
  paddingOption,
} from '../options.ts';
import type { Conv2DOptions } from './conv2d.ts';
import type { LayerJSON } from './layer.ts';
import { readLayerJSON } from './layer-json.ts';

/** A number of a weight: JSON has none for NaN, the infinities and −0, which are written as words. */
export type JSONNumber = number | 'NaN' | 'Infinity' | '-Infinity' | '-0';

const WORDS: readonly unknown[] = ['NaN', 'Infinity', '-Infinity', '-0'];

/** A `Conv2D` as plain data: its options, and its numbers in row-major order. */
export interface Conv2DJSON extends LayerJSON {
  type: 'Conv2D';
  inChannels: number;
  outChannels: number;
  kernelSize: readonly [height: number, width: number];
  stride: readonly [height: number, width: number];
  padding: Padding;
  paddingMode: PaddingMode;
  dilation: readonly [height: number, width: number];
  groups: number;
  layout: Layout;
  activation: Activation;
  algorithm: Algorithm;
  /** [o, c / groups, kh, kw] */
  weight: readonly JSONNumber[];
  /** [o], or null for none. */
  bias: readonly JSONNumber[] | null;
}

const NAMES: readonly string[] = [
  'inChannels',
  'outChannels',
  'kernelSize',
  'weight',
  'bias',
  ...CONV_OPTION_NAMES,
];

function toJSONNumbers(data: Float32Array): JSONNumber[] {
  return Array.from(data, (value) => {
    if (Object.is(value, -0)) return '-0';
    return Number.isFinite(value) ? value : (String(value) as JSONNumber);
  });
}

function fromJSONNumbers(value: unknown, parameter: string): Float32Array {
  if (!Array.isArray(value)) throw invalidType('an array of numbers', parameter, value);
  const data = allocate(value.length, parameter);
  for (let i = 0; i < data.length; i++) {
    const number: unknown = value[i];
    if (typeof number !== 'number' && !WORDS.includes(number))
      throw invalidType('a number', `${parameter}[${i}]`, number);
    data[i] = Number(number);
  }
  return data;
}

/** Plain data of a layer. */
export function conv2dToJSON(
  sizes: Pick<Conv2DJSON, 'inChannels' | 'outChannels' | 'kernelSize'>,
  settings: ConvSettings,
  weight: Float32Array,
  bias: Float32Array | undefined,
): Conv2DJSON {
  return {
    type: 'Conv2D',
    ...sizes,
    stride: [settings.strideH, settings.strideW],
    padding: paddingOption(settings.padding),
    paddingMode: paddingModeName(settings.paddingMode),
    dilation: [settings.dilationH, settings.dilationW],
    groups: settings.groups,
    layout: layoutName(settings.layout),
    activation: activationOption(settings.activation),
    algorithm: algorithmName(settings.algorithm),
    weight: toJSONNumbers(weight),
    bias: bias === undefined ? null : toJSONNumbers(bias),
  };
}

/** Options and numbers out of plain data; the options themselves are checked by the layer's constructor. */
export function conv2dFromJSON(json: unknown): {
  options: Conv2DOptions;
  weight: Float32Array;
  bias: Float32Array | undefined;
} {
  const { weight, bias, ...options } = readLayerJSON(json, 'Conv2D', NAMES);
  return {
    options: { ...(options as unknown as Conv2DOptions), bias: bias !== null, init: 'zeros' },
    weight: fromJSONNumbers(weight, 'json.weight'),
    bias: bias === null ? undefined : fromJSONNumbers(bias, 'json.bias'),
  };
}
