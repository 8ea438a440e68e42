/**
 * The ONNX standard's own tests of single nodes, run through `fromOnnxNode`. `npm test` has Python write them to a file
 * (`cases.py`), whose name is in `CORR2D_ONNX_CASES`, and runs them on each tier.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fromOnnxNode, type Int64Tensor, type OnnxNode, Tensor } from '../../index.ts';

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
  /** The standard's tolerance: |error| ≤ atol + rtol · |expected|. */
  rtol: number;
  atol: number;
}

const file = process.env.CORR2D_ONNX_CASES;
if (file === undefined) throw new Error('CORR2D_ONNX_CASES is not set: see scripts/lib/onnx.mjs');
const cases = JSON.parse(readFileSync(file, 'utf8')) as Case[];

function bytes({ data }: Encoded): ArrayBuffer {
  return Uint8Array.from(Buffer.from(data, 'base64')).buffer;
}

function check(
  result: Tensor | Int64Tensor | undefined,
  expected: Encoded,
  { rtol, atol }: Pick<Case, 'rtol' | 'atol'>,
): void {
  if (expected.type === 'int64') {
    expect(Tensor.isTensor(result)).toBe(false);
    const { data, dims } = result as Int64Tensor;
    expect(dims).toEqual(expected.dims);
    expect([...data]).toEqual([...new BigInt64Array(bytes(expected))]);
    return;
  }
  expect(Tensor.isTensor(result)).toBe(true);
  const { data, shape } = (result as Tensor).contiguous();
  expect(shape).toEqual(expected.dims);
  const wanted = new Float32Array(bytes(expected));
  const wrong = data.findIndex((value, i) => {
    const exact = wanted[i] as number;
    // NaN is no answer to any of these cases.
    return !(Math.abs(value - exact) <= atol + rtol * Math.abs(exact));
  });
  expect(wrong, `element ${wrong} is ${data[wrong]}, not ${wanted[wrong]}`).toBe(-1);
}

const EXACT = { rtol: 0, atol: 0 };

it('there are the 51 cases, or more of a later version', () => {
  expect(cases.length).toBeGreaterThanOrEqual(51);
});

describe.each(cases)('$name', ({ node, plain, inputs, outputs, rtol, atol }) => {
  const tensors = inputs.map((input) => ({ data: new Float32Array(bytes(input)), dims: input.dims }));

  it.each([
    ['protobuf’s JSON', node],
    ['a plain object', { op_type: node.op_type, attribute: plain, output: node.output }],
  ])('from %s', (_, form) => {
    const results = fromOnnxNode(form as OnnxNode).run(tensors);
    expect(results).toHaveLength(outputs.length);
    const tolerance = node.op_type?.includes('Max') ? EXACT : { rtol, atol };
    for (const [i, expected] of outputs.entries()) check(results[i], expected, tolerance);
  });
});
