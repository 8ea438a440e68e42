import type { ConvSettings } from '../conv-settings.ts';
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
  paddingOption,
} from '../options.ts';
import { readLayerJSON } from './layer-json.ts';

/** A number of a weight: JSON has none for NaN, the infinities and −0, which are written as words. */
export type JSONNumber = number | 'NaN' | 'Infinity' | '-Infinity' | '-0';

const WORDS: readonly unknown[] = ['NaN', 'Infinity', '-Infinity', '-0'];

/** What `Conv2D` and `ConvTranspose2D` have in their plain data: options, and numbers in row-major order. */
export interface ConvolutionJSON {
  inChannels: number;
  outChannels: number;
  kernelSize: readonly [height: number, width: number];
  stride: readonly [height: number, width: number];
  padding: Padding;
  dilation: readonly [height: number, width: number];
  groups: number;
  layout: Layout;
  activation: Activation;
  algorithm: Algorithm;
  /** [o, c / groups, kh, kw]; of a `ConvTranspose2D` [c, o / groups, kh, kw] */
  weight: readonly JSONNumber[];
  /** [o], or null for none. */
  bias: readonly JSONNumber[] | null;
}

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
export function toConvolutionJSON(
  sizes: Pick<ConvolutionJSON, 'inChannels' | 'outChannels' | 'kernelSize'>,
  settings: ConvSettings,
  weight: Float32Array,
  bias: Float32Array | undefined,
): ConvolutionJSON {
  return {
    ...sizes,
    stride: [settings.strideH, settings.strideW],
    padding: paddingOption(settings.padding),
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
export function fromConvolutionJSON(
  json: unknown,
  type: string,
  optionNames: readonly string[],
): {
  options: Record<string, unknown>;
  weight: Float32Array;
  bias: Float32Array | undefined;
} {
  const names = ['inChannels', 'outChannels', 'kernelSize', 'weight', 'bias', ...optionNames];
  const { weight, bias, ...options } = readLayerJSON(json, type, names);
  return {
    options: { ...options, bias: bias !== null, init: 'zeros' },
    weight: fromJSONNumbers(weight, 'json.weight'),
    bias: bias === null ? undefined : fromJSONNumbers(bias, 'json.bias'),
  };
}
