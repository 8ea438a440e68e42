/** `fromOnnxNode`: the forms in which attributes come, and what they become. The standard's own tests are in `onnx/`. */
import { describe, expect, it } from 'vitest';
import {
  avgPool2d,
  conv2d,
  fromOnnxNode,
  globalAvgPool2d,
  globalMaxPool2d,
  lpPool2d,
  maxPool2d,
  type OnnxNode,
  Tensor,
} from '../index.ts';
import { expectError, invalidType, invalidValue, outOfRange, shapeMismatch } from './support/error.ts';

const x = Tensor.rand([2, 3, 9, 8], { seed: 1 });

describe('one attribute in every form', () => {
  const expected = { kernelSize: [3, 2], options: { stride: [2, 1], paddingLimit: 'window' } };
  const long = (low: number) => ({ low, high: 0, unsigned: false });
  it.each<[string, OnnxNode]>([
    ['numbers', { op_type: 'MaxPool', attribute: { kernel_shape: [3, 2], strides: [2, 1] } }],
    [
      'bigints',
      { op_type: 'MaxPool', attribute: { kernel_shape: new BigInt64Array([3n, 2n]), strides: [2n, 1n] } },
    ],
    [
      'AttributeProto',
      {
        op_type: 'MaxPool',
        attribute: [
          { name: 'kernel_shape', ints: [3, 2] },
          { name: 'strides', ints: [2, 1] },
        ],
      },
    ],
    [
      'protobuf’s JSON',
      {
        op_type: 'MaxPool',
        attribute: [
          { name: 'kernel_shape', ints: ['3', '2'], type: 'INTS' },
          { name: 'strides', ints: ['2', '1'], type: 'INTS' },
          { name: 'ceil_mode', type: 'INT' },
        ],
      },
    ],
    [
      'protobuf-js, with its empty fields',
      {
        opType: 'MaxPool',
        attribute: [
          { name: 'kernel_shape', type: 7, f: 0, i: long(0), s: new Uint8Array(), ints: [long(3), long(2)] },
          { name: 'strides', type: 7, ints: [long(2), long(1)] },
          { name: 'auto_pad', type: 3, s: new TextEncoder().encode('NOTSET'), ints: [] },
        ],
      },
    ],
  ])('%s', (_, node) => {
    expect(fromOnnxNode(node)).toMatchObject({ name: 'maxPool2d', ...expected });
  });

  it('text, bytes and base64', () => {
    const options = (s: unknown, type?: string) =>
      fromOnnxNode({ op_type: 'Conv', attribute: [{ name: 'auto_pad', s, type }] }).options;
    expect(options('SAME_LOWER')).toEqual({ padding: 'same-lower' });
    expect(options(new TextEncoder().encode('VALID'))).toEqual({ padding: 'valid' });
    expect(options(btoa('SAME_UPPER'), 'STRING')).toEqual({ padding: 'same-upper' });
  });

  it('negative Longs are negative', () => {
    const long = { low: -1, high: -1, unsigned: false };
    expectError(
      () => fromOnnxNode({ op_type: 'Conv', attribute: { group: long } }),
      outOfRange('attribute group'),
    );
  });
});

describe('what it becomes', () => {
  it('Conv', () => {
    const w = Tensor.rand([4, 3, 3, 2], { seed: 2 });
    const call = fromOnnxNode({
      op_type: 'Conv',
      attribute: { kernel_shape: [3, 2], pads: [1, 0, 2, 1], strides: [2, 1], dilations: [1, 2], group: 1 },
    });
    expect(call.name).toBe('conv2d');
    const options = {
      padding: [
        [1, 2],
        [0, 1],
      ],
      stride: [2, 1],
      dilation: [1, 2],
      groups: 1,
    } as const;
    expect(call.options).toEqual(options);
    expect(call.run([x, w])).toEqual([conv2d(x, w, options)]);
    const bias = [1, 2, 3, 4];
    expect(call.run([x, w, bias])).toEqual([conv2d(x, w, { ...options, bias })]);
    expect(call.run([{ data: x.data, dims: x.shape }, w, null])).toEqual([conv2d(x, w, options)]);
  });

  it('MaxPool: a stride of 1, wide padding, places through the whole tensor', () => {
    const call = fromOnnxNode({
      op_type: 'MaxPool',
      attribute: { kernel_shape: [3, 3], pads: [2, 2, 2, 2] },
    });
    const result = maxPool2d(x, 3, { stride: 1, padding: 2, paddingLimit: 'window', returnIndices: true });
    const [output, indices] = call.run([x]);
    expect(output).toEqual(result.output);
    expect(indices).toMatchObject({ dims: result.output.shape });
    const { data } = indices as { data: BigInt64Array };
    expect(Array.from(data, (i) => x.data[Number(i)])).toEqual([...result.output.data]);
    const columns = fromOnnxNode({
      op_type: 'MaxPool',
      attribute: { kernel_shape: [3, 3], pads: [2, 2, 2, 2], storage_order: 1 },
    }).run([x])[1] as { data: BigInt64Array };
    const byColumn = x.transpose(0, 1, 3, 2).contiguous();
    expect(Array.from(columns.data, (i) => byColumn.data[Number(i)])).toEqual([...result.output.data]);
  });

  it('MaxPool with one output has no places', () => {
    const node = { op_type: 'MaxPool', attribute: { kernel_shape: [2, 2] } };
    expect(fromOnnxNode({ ...node, output: ['y'] }).run([x])).toEqual([maxPool2d(x, 2, { stride: 1 })]);
    expect(fromOnnxNode({ ...node, output: ['y', ''] }).run([x])).toHaveLength(1);
    expect(fromOnnxNode({ ...node, output: ['y', 'z'] }).run([x])).toHaveLength(2);
  });

  it('AveragePool and LpPool', () => {
    const average = fromOnnxNode({
      op_type: 'AveragePool',
      attribute: { kernel_shape: [2, 2], pads: [1, 1, 1, 1], strides: [2, 2], ceil_mode: 1 },
    });
    const options = { stride: 2, padding: 1, ceilMode: 'onnx', paddingLimit: 'window' } as const;
    expect(average.run([x])).toEqual([avgPool2d(x, 2, { ...options, countIncludePad: false })]);
    const norm = fromOnnxNode({ op_type: 'LpPool', attribute: { kernel_shape: [2, 2], p: 3 } });
    expect(norm).toMatchObject({ name: 'lpPool2d', normType: 3 });
    expect(norm.run([x])).toEqual([lpPool2d(x, 3, 2, { stride: 1 })]);
    expect(fromOnnxNode({ op_type: 'LpPool', attribute: { kernel_shape: [2, 2] } })).toMatchObject({
      normType: 2,
    });
  });

  it('global pooling', () => {
    expect(fromOnnxNode({ op_type: 'GlobalMaxPool' }).run([x])).toEqual([globalMaxPool2d(x)]);
    expect(fromOnnxNode({ op_type: 'GlobalAveragePool', attribute: [] }).run([x])).toEqual([
      globalAvgPool2d(x),
    ]);
  });

  it('ConvTranspose', () => {
    const attribute = { strides: [2, 2], output_padding: [1, 0], pads: [1, 0, 1, 0] };
    expect(fromOnnxNode({ op_type: 'ConvTranspose', attribute })).toMatchObject({
      name: 'convTranspose2d',
      options: {
        stride: [2, 2],
        outputPadding: [1, 0],
        padding: [
          [1, 1],
          [0, 0],
        ],
      },
    });
    const shaped = { strides: [2, 2], output_shape: [10, 8], pads: [1, 0, 1, 0] };
    expect(fromOnnxNode({ op_type: 'ConvTranspose', attribute: shaped }).options).toEqual({
      stride: [2, 2],
      outputShape: [10, 8],
    });
    const { options } = fromOnnxNode({
      op_type: 'ConvTranspose',
      attribute: { ...shaped, auto_pad: 'SAME_UPPER' },
    });
    expect(options).toMatchObject({ padding: 'same-upper' });
  });
});

describe('bad nodes', () => {
  it.each<[string, unknown, ReturnType<typeof invalidType>]>([
    ['no node', undefined, invalidType('node')],
    ['no type', {}, invalidType('node.op_type')],
    ['another type', { op_type: 'Relu' }, invalidValue('node.op_type')],
    ['an inherited name', { op_type: 'toString' }, invalidValue('node.op_type')],
    ['a number as attributes', { op_type: 'Conv', attribute: 3 }, invalidType('node.attribute')],
    ['an attribute of null', { op_type: 'Conv', attribute: [null] }, invalidType('node.attribute[0]')],
    ['an attribute without a name', { op_type: 'Conv', attribute: [{ i: 1 }] }, invalidType('.name')],
    [
      'an attribute without a value',
      { op_type: 'Conv', attribute: [{ name: 'group' }] },
      invalidType('attribute group'),
    ],
    [
      'a tensor as an attribute',
      { op_type: 'Conv', attribute: [{ name: 'group', type: 'TENSOR' }] },
      invalidValue('attribute group'),
    ],
    [
      'an unknown attribute',
      { op_type: 'Conv', attribute: { stride: [1, 1] } },
      invalidValue('node.attribute'),
    ],
    ['no window', { op_type: 'MaxPool' }, invalidType('attribute kernel_shape')],
    [
      'one axis',
      { op_type: 'MaxPool', attribute: { kernel_shape: [3] } },
      invalidValue('attribute kernel_shape'),
    ],
    [
      'a stride of 0',
      { op_type: 'Conv', attribute: { strides: [0, 1] } },
      outOfRange('attribute strides[0]'),
    ],
    ['a word for a number', { op_type: 'Conv', attribute: { group: 'one' } }, invalidType('attribute group')],
    [
      'an unknown word',
      { op_type: 'Conv', attribute: { auto_pad: 'SAME' } },
      invalidValue('attribute auto_pad'),
    ],
    ['outputs that are none', { op_type: 'Conv', output: 'y' }, invalidType('node.output')],
  ])('%s', (_, node, expected) => {
    expectError(() => fromOnnxNode(node as OnnxNode), expected);
  });

  it('inputs that do not fit', () => {
    const call = fromOnnxNode({ op_type: 'Conv', attribute: { kernel_shape: [3, 3] } });
    expectError(() => call.run([]), invalidType('X'));
    expectError(() => call.run([x]), invalidType('W'));
    expectError(() => call.run([x, Tensor.ones([1, 3, 2, 2])]), shapeMismatch('W'));
  });
});
