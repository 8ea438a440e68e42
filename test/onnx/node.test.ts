/**
 * The ONNX standard's own tests of single nodes, run through `fromOnnxNode`. `npm test` has Python write them to a file
 * (`cases.py`), whose name is in `CORR2D_ONNX_CASES`, and runs them on each tier.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fromOnnxNode, type Int64Tensor, type OnnxNode, Tensor } from '../../index.ts';
import { expectClose } from '../support/close.ts';

interface Encoded {
  dims: number[];
  type: 'float32' | 'int64';
  data: string;
}

interface Case {
  name: string;
  node: OnnxNode;
  plain: Record<string, unknown>;
  inputs: Encoded[];
  outputs: Encoded[];
}

const file = process.env.CORR2D_ONNX_CASES;
if (file === undefined) throw new Error('CORR2D_ONNX_CASES is not set: see scripts/lib/onnx.mjs');
const cases = JSON.parse(readFileSync(file, 'utf8')) as Case[];

function bytes({ data }: Encoded): ArrayBuffer {
  return Uint8Array.from(Buffer.from(data, 'base64')).buffer;
}

function check(result: Tensor | Int64Tensor | undefined, expected: Encoded, isExact: boolean): void {
  if (expected.type === 'int64') {
    expect(Tensor.isTensor(result)).toBe(false);
    const { data, dims } = result as Int64Tensor;
    expect(dims).toEqual(expected.dims);
    expect([...data]).toEqual([...new BigInt64Array(bytes(expected))]);
    return;
  }
  expect(Tensor.isTensor(result)).toBe(true);
  const tensor = new Tensor(new Float32Array(bytes(expected)), expected.dims);
  expectClose(result as Tensor, tensor, isExact ? 0 : 2e-5);
}

it('there are the 51 cases, or more of a later version', () => {
  expect(cases.length).toBeGreaterThanOrEqual(51);
});

describe.each(cases)('$name', ({ node, plain, inputs, outputs }) => {
  const tensors = inputs.map((input) => ({ data: new Float32Array(bytes(input)), dims: input.dims }));

  it.each([
    ['protobuf’s JSON', node],
    ['a plain object', { op_type: node.op_type, attribute: plain, output: node.output }],
  ])('from %s', (_, form) => {
    const results = fromOnnxNode(form as OnnxNode).run(tensors);
    expect(results).toHaveLength(outputs.length);
    for (const [i, expected] of outputs.entries())
      check(results[i], expected, node.op_type?.includes('Max') === true);
  });
});
