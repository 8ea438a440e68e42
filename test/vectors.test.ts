/** PyTorch's results in float64 (`fixtures/generate.py` made them), on whatever tier `CORR2D_ISA` selects. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  adaptiveAvgPool2d,
  adaptiveMaxPool2d,
  avgPool2d,
  Conv2D,
  ConvTranspose2D,
  conv2d,
  convTranspose2d,
  lpPool2d,
  maxPool2d,
  type PaddingMode,
  Tensor,
} from '../index.ts';
import { bits, expectClose } from './support/close.ts';

interface Encoded {
  shape: number[];
  /** Little-endian float32 in base64. */
  f32: string;
}

type Two = [number, number];

interface ConvCase {
  stride: Two;
  padding: Two;
  dilation: Two;
  groups: number;
  paddingMode: PaddingMode;
  x: Encoded;
  weight: Encoded;
  bias: Encoded | null;
  y: Encoded;
}

interface PoolCase {
  mode: string;
  kernelSize: Two;
  stride: Two;
  padding: Two;
  dilation: Two;
  ceilMode: boolean;
  countIncludePad?: boolean;
  divisorOverride?: number | null;
  outputSize?: Two;
  normType?: number;
  x: Encoded;
  y: Encoded;
  indices?: { shape: number[]; i64: number[] };
}

function read<T>(name: string): T[] {
  const file = new URL(`fixtures/${name}.json.gz`, import.meta.url);
  return JSON.parse(gunzipSync(readFileSync(file)).toString()) as T[];
}

function decode({ shape, f32 }: Encoded): Tensor {
  const bytes = Uint8Array.from(Buffer.from(f32, 'base64'));
  return new Tensor(new Float32Array(bytes.buffer), shape);
}

const convolutions = read<ConvCase>('conv2d');
const poolings = read<PoolCase>('pool2d');
const numbered = <T>(cases: T[]): [number, T][] => cases.map((value, index) => [index, value]);

describe('conv2d', () => {
  it('has the 156 cases of the fixture', () => {
    expect(convolutions).toHaveLength(156);
  });

  it.each(numbered(convolutions))('case %d', (_, c) => {
    const { stride, padding, dilation, groups, paddingMode } = c;
    const x = decode(c.x);
    const options = { stride, padding, dilation, groups, paddingMode };
    const bias = c.bias === null ? undefined : decode(c.bias);
    const y = conv2d(x, decode(c.weight), { ...options, bias });
    expectClose(y, decode(c.y), 2e-5);

    const [outChannels = 0, , height = 0, width = 0] = c.weight.shape;
    const layer = new Conv2D({
      inChannels: x.shape[1],
      outChannels,
      kernelSize: [height, width],
      ...options,
    });
    layer.weight = decode(c.weight);
    layer.bias = bias ?? null;
    expect(bits(layer.forward(x))).toEqual(bits(y));
  });
});

describe('convTranspose2d', () => {
  const cases = read<ConvCase & { outputPadding: Two }>('conv_transpose2d');

  it('has the 50 cases of the fixture', () => {
    expect(cases).toHaveLength(50);
  });

  it.each(numbered(cases))('case %d', (_, { stride, padding, outputPadding, dilation, groups, ...c }) => {
    const [x, weight, bias] = [decode(c.x), decode(c.weight), decode(c.bias as Encoded)];
    const options = { stride, padding, outputPadding, dilation, groups };
    const y = convTranspose2d(x, weight, { ...options, bias });
    expectClose(y, decode(c.y), 2e-5);

    const [inChannels = 0, perGroup = 0, height = 0, width = 0] = weight.shape;
    const outChannels = perGroup * groups;
    const layer = new ConvTranspose2D({ inChannels, outChannels, kernelSize: [height, width], ...options });
    layer.weight = weight;
    layer.bias = bias;
    expect(bits(layer.forward(x))).toEqual(bits(y));
  });
});

describe('maxPool2d', () => {
  const cases = poolings.filter((c) => c.mode === 'max');

  it('has its cases of the fixture', () => {
    expect(cases.length).toBeGreaterThan(40);
  });

  it.each(numbered(cases))('case %d', (_, { kernelSize, stride, padding, dilation, ceilMode, x, y }) => {
    const result = maxPool2d(decode(x), kernelSize, { stride, padding, dilation, ceilMode });
    expectClose(result, decode(y), 0);
  });
});

describe('maxPool2d with indices', () => {
  const cases = poolings.filter((c) => c.indices !== undefined);

  it('has its cases of the fixture', () => {
    expect(cases).toHaveLength(20);
  });

  it.each(numbered(cases))('case %d', (_, { kernelSize, stride, x, y, indices }) => {
    const result = maxPool2d(decode(x), kernelSize, { stride, returnIndices: true });
    expectClose(result.output, decode(y), 0);
    expect([...result.indices]).toEqual(indices?.i64);
  });
});

describe('avgPool2d', () => {
  const cases = poolings.filter((c) => c.mode === 'avg');

  it('has its cases of the fixture', () => {
    expect(cases.length).toBeGreaterThan(30);
  });

  it.each(numbered(cases))('case %d', (_, c) => {
    const { kernelSize, stride, padding, ceilMode, countIncludePad, divisorOverride } = c;
    const result = avgPool2d(decode(c.x), kernelSize, {
      stride,
      padding,
      ceilMode,
      countIncludePad,
      divisorOverride: divisorOverride ?? undefined,
    });
    expectClose(result, decode(c.y), 2e-6);
  });
});

describe('adaptive pooling', () => {
  const cases = poolings.filter((c) => c.mode.startsWith('adaptive'));

  it('has its cases of the fixture', () => {
    expect(cases).toHaveLength(20);
  });

  it.each(numbered(cases))('case %d', (_, { mode, outputSize = [0, 0], x, y }) => {
    const isMax = mode === 'adaptive-max';
    const result = (isMax ? adaptiveMaxPool2d : adaptiveAvgPool2d)(decode(x), outputSize);
    expectClose(result, decode(y), isMax ? 0 : 2e-6);
  });
});

describe('lpPool2d', () => {
  const cases = poolings.filter((c) => c.mode === 'lp');

  it('has its cases of the fixture', () => {
    expect(cases).toHaveLength(41);
  });

  it.each(numbered(cases))('case %d', (_, c) => {
    const { normType = 0, kernelSize, stride, padding, dilation, ceilMode } = c;
    const result = lpPool2d(decode(c.x), normType, kernelSize, { stride, padding, dilation, ceilMode });
    expectClose(result, decode(c.y), 2e-6);
  });
});
