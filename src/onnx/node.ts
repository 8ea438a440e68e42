/** Nodes of ONNX models as calls of this package's functions. */
import { adaptiveAvgPool2d, adaptiveMaxPool2d } from '../adaptive-pool2d.ts';
import { type ConvTranspose2dOptions, convTranspose2d } from '../conv-transpose2d.ts';
import { type Conv2dOptions, conv2d } from '../conv2d.ts';
import { formatShape, invalidType, invalidValue, shapeMismatch } from '../errors.ts';
import { type LpPool2dOptions, lpPool2d } from '../lp-pool2d.ts';
import type { IndexedMax } from '../max-indices.ts';
import type { Padding } from '../options.ts';
import { type AvgPool2dOptions, avgPool2d, type MaxPool2dOptions, maxPool2d } from '../pool2d.ts';
import { sameShape, type Tensor, type TensorInput, toTensor } from '../tensor.ts';
import {
  type OnnxAttribute,
  readAttributes,
  readInteger,
  readIntegers,
  readNumber,
  readWord,
} from './attributes.ts';

type Two = [height: number, width: number];

/** What of an ONNX `NodeProto` counts here. protobuf-js' `opType` stands for `op_type`. */
export interface OnnxNode {
  readonly op_type?: string | undefined;
  readonly opType?: string | undefined;
  /** ONNX's list of attributes, or an object such as `{kernel_shape: [3, 3]}`. */
  readonly attribute?: readonly OnnxAttribute[] | Readonly<Record<string, unknown>> | null | undefined;
  /** Names of the outputs: without a second one, `run` doesn't look for the places of maxima. */
  readonly output?: readonly string[] | null | undefined;
}

/** An int64 tensor in the form that onnxruntime takes. */
export interface Int64Tensor {
  readonly data: BigInt64Array;
  readonly dims: readonly number[];
}

/** A node's inputs in ONNX's order; an optional one may be left out, undefined or null. */
export type OnnxInputs = readonly (TensorInput | null | undefined)[];

/** What an ONNX node comes to. */
interface Call<Name extends string, Options> {
  /** The function of this package that does it. */
  readonly name: Name;
  /** Its options. */
  readonly options: Options;
  /**
   * Runs the node: calls the function, and gives the node's outputs.
   *
   * @throws as the function; RangeError `ERR_SHAPE_MISMATCH` for a weight of another size than `kernel_shape` says
   */
  run(inputs: OnnxInputs): (Tensor | Int64Tensor)[];
}

interface Window {
  /** The window, which the function takes before its options. */
  readonly kernelSize: Two;
}

/** A node as a call: `name` tells which of them it is. */
export type OnnxCall =
  | Call<'conv2d', Conv2dOptions>
  | Call<'convTranspose2d', ConvTranspose2dOptions>
  | (Call<'maxPool2d', MaxPool2dOptions> & Window)
  | (Call<'avgPool2d', AvgPool2dOptions> & Window)
  | (Call<'lpPool2d', LpPool2dOptions> & Window & { readonly normType: number })
  | Call<'globalMaxPool2d', Record<string, never>>
  | Call<'globalAvgPool2d', Record<string, never>>;

/** The attributes that are left to read: what nobody reads is unknown. */
class Attributes {
  readonly #values: Map<string, unknown>;

  constructor(values: Map<string, unknown>) {
    this.#values = values;
  }

  take<T>(name: string, read: (value: unknown, parameter: string) => T): T | undefined {
    const value = this.#values.get(name);
    this.#values.delete(name);
    return value === undefined ? undefined : read(value, `attribute ${name}`);
  }

  pair(name: string, min: number): Two | undefined {
    return this.take(name, (value, parameter) => readIntegers(value, parameter, 2, min) as Two);
  }

  flag(name: string): boolean {
    return this.take(name, (value, parameter) => readInteger(value, parameter, 0)) === 1;
  }

  finish(operator: string): void {
    const [name] = this.#values.keys();
    if (name !== undefined) throw invalidValue(`attributes of ${operator}`, 'node.attribute', name);
  }
}

const AUTO_PADS = ['NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID'] as const;
const RULES = { SAME_UPPER: 'same-upper', SAME_LOWER: 'same-lower', VALID: 'valid' } as const;

// ONNX has the starts of all axes first, then their ends.
function padding(attributes: Attributes): Padding | undefined {
  const pads = attributes.take('pads', (value, parameter) => readIntegers(value, parameter, 4, 0));
  const rule = attributes.take('auto_pad', (value, parameter) => readWord(value, parameter, AUTO_PADS));
  if (rule !== undefined && rule !== 'NOTSET') return RULES[rule];
  if (pads === undefined) return undefined;
  const [top, left, bottom, right] = pads as [number, number, number, number];
  return [
    [top, bottom],
    [left, right],
  ];
}

// What is absent is left out, so that the function's defaults count.
function given<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}

function input(inputs: OnnxInputs, index: number, name: string): Tensor {
  const value = inputs[index];
  if (value === undefined || value === null) throw invalidType('a tensor', name, value);
  return toTensor(value, name);
}

function optional(inputs: OnnxInputs, index: number): TensorInput | undefined {
  return inputs[index] ?? undefined;
}

function weight(inputs: OnnxInputs, kernelShape: Two | undefined): Tensor {
  const tensor = input(inputs, 1, 'W');
  const sides = tensor.shape.slice(2);
  if (kernelShape !== undefined && !sameShape(sides, kernelShape)) {
    throw shapeMismatch(`sides ${formatShape(kernelShape)} (kernel_shape)`, 'W', formatShape(sides));
  }
  return tensor;
}

function convolution(attributes: Attributes): OnnxCall {
  const kernelShape = attributes.pair('kernel_shape', 1);
  const options = given<Conv2dOptions>({
    stride: attributes.pair('strides', 1),
    padding: padding(attributes),
    dilation: attributes.pair('dilations', 1),
    groups: attributes.take('group', (value, parameter) => readInteger(value, parameter, 1)),
  });
  return {
    name: 'conv2d',
    options,
    run: (inputs) => [
      conv2d(input(inputs, 0, 'X'), weight(inputs, kernelShape), { ...options, bias: optional(inputs, 2) }),
    ],
  };
}

function transposedConvolution(attributes: Attributes): OnnxCall {
  const kernelShape = attributes.pair('kernel_shape', 1);
  const outputShape = attributes.pair('output_shape', 1);
  const pads = padding(attributes);
  const options = given<ConvTranspose2dOptions>({
    stride: attributes.pair('strides', 1),
    // The output's shape decides the padding; what is left of it is where an odd row goes.
    padding: outputShape !== undefined && typeof pads !== 'string' ? undefined : pads,
    outputPadding: attributes.pair('output_padding', 0),
    outputShape,
    dilation: attributes.pair('dilations', 1),
    groups: attributes.take('group', (value, parameter) => readInteger(value, parameter, 1)),
  });
  return {
    name: 'convTranspose2d',
    options,
    run: (inputs) => [
      convTranspose2d(input(inputs, 0, 'X'), weight(inputs, kernelShape), {
        ...options,
        bias: optional(inputs, 2),
      }),
    ],
  };
}

function window(attributes: Attributes): { kernelSize: Two; options: MaxPool2dOptions } {
  const kernelSize = attributes.pair('kernel_shape', 1);
  if (kernelSize === undefined) throw invalidType('two integers', 'attribute kernel_shape', undefined);
  const options = given<MaxPool2dOptions>({
    stride: attributes.pair('strides', 1) ?? 1,
    padding: padding(attributes),
    paddingLimit: 'window',
    dilation: attributes.pair('dilations', 1),
    ceilMode: attributes.flag('ceil_mode') ? 'onnx' : undefined,
  });
  return { kernelSize, options };
}

// ONNX counts through the whole tensor, and within a plane by columns when asked to.
function toOnnxIndices({ output, indices }: IndexedMax, x: Tensor, byColumn: boolean): Int64Tensor {
  const [height = 1, width = 1] = x.shape.slice(-2);
  const outputs = output.size / Math.max(1, x.size / (height * width));
  const data = new BigInt64Array(indices.length);
  for (let i = 0; i < data.length; i++) {
    const index = indices[i] as number;
    const inPlane = byColumn ? (index % width) * height + Math.floor(index / width) : index;
    data[i] = BigInt(index < 0 ? index : Math.floor(i / outputs) * height * width + inPlane);
  }
  return { data, dims: [...output.shape] };
}

function maxPool(attributes: Attributes, outputs: readonly unknown[] | undefined): OnnxCall {
  const { kernelSize, options } = window(attributes);
  const byColumn = attributes.flag('storage_order');
  const withIndices = outputs === undefined || (outputs.length > 1 && outputs[1] !== '');
  return {
    name: 'maxPool2d',
    kernelSize,
    options,
    run: (inputs) => {
      const x = input(inputs, 0, 'X');
      if (!withIndices) return [maxPool2d(x, kernelSize, options)];
      const result = maxPool2d(x, kernelSize, { ...options, returnIndices: true });
      return [result.output, toOnnxIndices(result, x, byColumn)];
    },
  };
}

function averagePool(attributes: Attributes): OnnxCall {
  const { kernelSize, options: common } = window(attributes);
  const options = { ...common, countIncludePad: attributes.flag('count_include_pad') };
  return {
    name: 'avgPool2d',
    kernelSize,
    options,
    run: (inputs) => [avgPool2d(input(inputs, 0, 'X'), kernelSize, options)],
  };
}

function lpPool(attributes: Attributes): OnnxCall {
  const { kernelSize, options } = window(attributes);
  const normType = attributes.take('p', readNumber) ?? 2;
  return {
    name: 'lpPool2d',
    kernelSize,
    normType,
    options,
    run: (inputs) => [lpPool2d(input(inputs, 0, 'X'), normType, kernelSize, options)],
  };
}

const OPERATORS: Record<
  string,
  (attributes: Attributes, outputs: readonly unknown[] | undefined) => OnnxCall
> = {
  Conv: convolution,
  ConvTranspose: transposedConvolution,
  MaxPool: maxPool,
  AveragePool: averagePool,
  LpPool: lpPool,
  GlobalMaxPool: () => ({
    name: 'globalMaxPool2d',
    options: {},
    run: (inputs) => [adaptiveMaxPool2d(input(inputs, 0, 'X'), 1)],
  }),
  GlobalAveragePool: () => ({
    name: 'globalAvgPool2d',
    options: {},
    run: (inputs) => [adaptiveAvgPool2d(input(inputs, 0, 'X'), 1)],
  }),
};

/**
 * What a node of an ONNX model comes to: the function of this package, its options, and `run`, which takes the node's
 * inputs and gives its outputs. Two spatial axes, as of [n, c, h, w]. Source: the operators of these names in ONNX's
 * specification, up to the version of opset 22.
 *
 * `pads` is in ONNX's order, `ceil_mode` becomes `ceilMode: 'onnx'`, the stride of a pooling without `strides` is 1, and
 * its padding may be anything narrower than the window. `MaxPool` gives indices as ONNX counts them, through the whole
 * tensor and by `storage_order`, unless the node's list of outputs has only one.
 *
 * @example
 * const pool = fromOnnxNode({ op_type: 'MaxPool', attribute: [{ name: 'kernel_shape', ints: [2, 2] }] });
 * const [y, indices] = pool.run([x]);
 * // or by hand: maxPool2d(x, pool.kernelSize, pool.options)
 *
 * @param node of the type Conv, ConvTranspose, MaxPool, AveragePool, LpPool, GlobalMaxPool or GlobalAveragePool;
 *   attributes as a list of `AttributeProto` (of protobuf-js or protobuf's JSON), or a plain object
 * @throws TypeError `ERR_INVALID_ARG_TYPE`; RangeError `ERR_INVALID_ARG_VALUE` for another type, an unknown attribute or
 *   another number of axes, `ERR_OUT_OF_RANGE`
 */
export function fromOnnxNode(node: OnnxNode): OnnxCall {
  if (typeof node !== 'object' || node === null) throw invalidType('a node', 'node', node);
  const type: unknown = node.op_type ?? node.opType;
  if (typeof type !== 'string') throw invalidType("an operator's name", 'node.op_type', type);
  const convert = Object.hasOwn(OPERATORS, type) ? OPERATORS[type] : undefined;
  if (convert === undefined) {
    throw invalidValue(`one of ${Object.keys(OPERATORS).join(', ')}`, 'node.op_type', type);
  }
  const outputs: unknown = node.output ?? undefined;
  if (outputs !== undefined && !Array.isArray(outputs)) throw invalidType('an array', 'node.output', outputs);
  const attributes = new Attributes(readAttributes(node.attribute));
  const call = convert(attributes, outputs as readonly unknown[] | undefined);
  attributes.finish(type);
  return call;
}
