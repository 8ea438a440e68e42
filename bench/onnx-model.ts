/** The bytes of an ONNX model of one operator: the few fields of its protocol buffers that such a model has. */
import type { Weights } from './data.ts';
import { isConv, outputSides, type Problem } from './problem.ts';

// Field numbers and types are those of onnx.proto (IR version 8).
const FLOAT = 1;
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_INTS = 7;

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}

/** A field that is a number. */
function number(field: number, value: number): Buffer {
  return Buffer.from([...varint(field << 3), ...varint(value)]);
}

/** A field that is text, raw bytes or a message. */
function bytes(field: number, ...contents: (string | Uint8Array)[]): Buffer {
  const content = Buffer.concat(
    contents.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)),
  );
  return Buffer.concat([Buffer.from([...varint((field << 3) | 2), ...varint(content.length)]), content]);
}

function attribute(name: string, value: number | readonly number[]): Buffer {
  const parts =
    typeof value === 'number'
      ? [number(3, value), number(20, ATTRIBUTE_INT)]
      : [...value.map((item) => number(8, item)), number(20, ATTRIBUTE_INTS)];
  return bytes(5, bytes(1, name), ...parts);
}

/** A tensor's name and shape as the graph's input (11) or output (12). */
function valueInfo(field: number, name: string, shape: readonly number[]): Buffer {
  const dimensions = shape.map((side) => bytes(1, number(1, side)));
  return bytes(field, bytes(1, name), bytes(2, bytes(1, number(1, FLOAT), bytes(2, ...dimensions))));
}

function constant(name: string, shape: readonly number[], data: Float32Array): Buffer {
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const sides = shape.map((side) => number(1, side));
  return bytes(5, ...sides, number(2, FLOAT), bytes(8, name), bytes(9, raw));
}

/** Shapes of the tensors of a model. */
export interface OnnxShapes {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** Whether there is a model for a problem. */
export function hasOnnxModel({ kind }: Problem): boolean {
  return kind === 'conv' || kind === 'maxpool' || kind === 'avgpool';
}

/** Shapes of a model's input `x` and output `y`. */
export function onnxShapes(problem: Problem): OnnxShapes {
  if (!('n' in problem)) throw new TypeError('images have no ONNX model here');
  const { n, c, h, w } = problem;
  return { x: [n, c, h, w], y: [n, isConv(problem) ? problem.o : c, ...outputSides(problem)] };
}

/** The model: one node from `x` to `y`, the weight a constant so that a runtime packs it beforehand. */
export function onnxModel(problem: Problem, weights: Weights): Uint8Array {
  if (!('n' in problem)) throw new TypeError('images have no ONNX model here');
  const { kind, kernel, stride, padding, c } = problem;
  const shapes = onnxShapes(problem);
  const attributes = [
    attribute('kernel_shape', kernel),
    attribute('strides', stride),
    attribute('pads', [...padding, ...padding]),
  ];
  const inputs = ['x'];
  const constants: Buffer[] = [];
  if (isConv(problem)) {
    inputs.push('weight');
    attributes.push(attribute('dilations', problem.dilation), attribute('group', problem.groups));
    constants.push(constant('weight', [problem.o, c / problem.groups, ...kernel], weights.weight));
  }
  if (kind === 'avgpool') attributes.push(attribute('count_include_pad', 1));
  const operator = isConv(problem) ? 'Conv' : kind === 'maxpool' ? 'MaxPool' : 'AveragePool';
  const node = bytes(
    1,
    ...inputs.map((name) => bytes(1, name)),
    bytes(2, 'y'),
    bytes(4, operator),
    ...attributes,
  );
  const values = [valueInfo(11, 'x', shapes.x), valueInfo(12, 'y', shapes.y)];
  const graph = bytes(7, node, bytes(2, 'problem'), ...constants, ...values);
  return Buffer.concat([number(1, 8), graph, bytes(8, number(2, 17))]);
}
