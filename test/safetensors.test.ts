/** Files of the Python package safetensors, and every way in which a file can be wrong. */
import { describe, expect, it } from 'vitest';
import {
  AvgPool2D,
  Conv2D,
  loadSafetensors,
  loadStateDict,
  readSafetensors,
  Sequential,
  saveSafetensors,
  setLimits,
  stateDict,
  Tensor,
  writeSafetensors,
} from '../index.ts';
import {
  detached,
  type Expected,
  expectError,
  invalidType,
  invalidValue,
  limitExceeded,
  outOfRange,
  shapeMismatch,
} from './support/error.ts';

/**
 * safetensors.torch.save(net.state_dict(), {'format': 'pt'}) of PyTorch's
 * Sequential(Conv2d(2, 3, (2, 1)), AvgPool2d(2), Sequential(Conv2d(3, 1, 1, bias=False))) with weights of n / 64.
 */
const PYTORCH = Buffer.from(
  '6AAAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJmb3JtYXQiOiJwdCJ9LCIwLmJpYXMiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzNdLCJkYXRhX29mZnNldHMiOlswLDEyXX0sIjAud2VpZ2h0Ijp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlszLDIsMiwxXSwiZGF0YV9vZmZzZXRzIjpbMTIsNjBdfSwiMi4wLndlaWdodCI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpbMSwzLDEsMV0sImRhdGFfb2Zmc2V0cyI6WzYwLDcyXX19ICAgAACwvgAAwL0AAOi+AAAAvwAAyL4AAGC+AADwvgAAAL0AAOC+AACIPgAAgD4AAMA9AADIPgAAQL0AAJg+AABAvQAAwL4AAAQ/',
  'base64',
);
/** Halves: [[0, -0, 1, -2.5], [65504, 2 ** -24, 2 ** -14, inf]]; bfloat16: [1, -3.140625, 1e38, nan]; a scalar; nothing. */
const TYPES = Buffer.from(
  '8AAAAAAAAAB7ImVtcHR5Ijp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlswLDNdLCJkYXRhX29mZnNldHMiOlswLDBdfSwic2NhbGFyIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOltdLCJkYXRhX29mZnNldHMiOlswLDRdfSwiYnJhaW4iOnsiZHR5cGUiOiJCRjE2Iiwic2hhcGUiOls0XSwiZGF0YV9vZmZzZXRzIjpbNCwxMl19LCJoYWxmIjp7ImR0eXBlIjoiRjE2Iiwic2hhcGUiOlsyLDRdLCJkYXRhX29mZnNldHMiOlsxMiwyOF19fSAgICAAACBAgD9JwJZ+//8AAACAADwAwf97AQAABAB8',
  'base64',
);

const network = (): Sequential =>
  new Sequential([
    new Conv2D({ inChannels: 2, outChannels: 3, kernelSize: [2, 1] }),
    new AvgPool2D(2),
    new Sequential([new Conv2D({ inChannels: 3, kernelSize: 1, bias: false })]),
  ]);

/** A file of this header, its length as given or right, and zeros as data. */
function file(header: unknown, dataBytes: number, length?: bigint): Uint8Array {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = Buffer.alloc(8 + text.length + dataBytes);
  bytes.writeBigUint64LE(length ?? BigInt(text.length));
  text.copy(bytes, 8);
  return bytes;
}

describe('a file of PyTorch', () => {
  it('gives the network PyTorch’s results', () => {
    const net = network();
    loadSafetensors(net, PYTORCH);
    const x = Tensor.from({ data: Float32Array.from({ length: 40 }, (_, i) => i % 7), shape: [2, 5, 4] });
    // PyTorch's, in float64; every step is exact in float32 too.
    expect([...net.forward(x).data]).toEqual([
      0.97137451171875, 1.222412109375, 1.6051025390625, 0.8961181640625,
    ]);
  });

  it('comes out of the network again', () => {
    const net = network();
    loadSafetensors(net, PYTORCH);
    const copy = readSafetensors(saveSafetensors(net));
    expect([...copy.keys()].sort()).toEqual(['0.bias', '0.weight', '2.0.weight']);
    for (const [name, tensor] of readSafetensors(PYTORCH)) {
      expect(copy.get(name)?.toArray()).toEqual(tensor.toArray());
      expect(copy.get(name)?.shape).toEqual(tensor.shape);
    }
  });
});

describe('readSafetensors', () => {
  it('reads halves, bfloat16, scalars and empty tensors', () => {
    const tensors = readSafetensors(TYPES);
    expect(tensors.get('half')?.toArray()).toEqual([
      [0, -0, 1, -2.5],
      [65504, 2 ** -24, 2 ** -14, Number.POSITIVE_INFINITY],
    ]);
    expect(tensors.get('brain')?.toArray()).toEqual([1, -3.140625, 9.969209968386869e37, Number.NaN]);
    expect(tensors.get('scalar')).toMatchObject({ shape: [], size: 1 });
    expect(tensors.get('scalar')?.at()).toBe(2.5);
    expect(tensors.get('empty')?.shape).toEqual([0, 3]);
  });

  it('reads aligned F32 where it lies, and the rest wherever it lies', () => {
    const bytes = new Uint8Array(PYTORCH);
    const weight = readSafetensors(bytes).get('0.weight');
    expect(weight?.data.buffer).toBe(bytes.buffer);
    const shifted = new Uint8Array(bytes.length + 1).subarray(1);
    shifted.set(bytes);
    expect(readSafetensors(shifted).get('0.weight')?.toArray()).toEqual(weight?.toArray());
    expect(readSafetensors(bytes.buffer).get('0.weight')?.toArray()).toEqual(weight?.toArray());
  });

  const entry = (shape: unknown, offsets: unknown, dtype: unknown = 'F32'): unknown => ({
    dtype,
    shape,
    data_offsets: offsets,
  });

  it.each<[string, unknown, Expected]>([
    ['nothing', undefined, invalidType('bytes')],
    ['a string', 'abc', invalidType('bytes')],
    ['floats', new Float32Array(8), invalidType('bytes')],
    ['no bytes', new Uint8Array(0), shapeMismatch('bytes')],
    ['half a length', PYTORCH.subarray(0, 7), shapeMismatch('bytes')],
    ['a header cut short', PYTORCH.subarray(0, 100), outOfRange('bytes')],
    ['data cut short', PYTORCH.subarray(0, -1), outOfRange('bytes')],
    ['data that nobody describes', Buffer.concat([PYTORCH, Buffer.alloc(4)]), shapeMismatch('bytes')],
    ['a length of 2⁶⁴ − 1', file('{}', 0, 2n ** 64n - 1n), outOfRange('bytes')],
    ['a length over the limit', file('{}', 0, 100_000_001n), outOfRange('bytes')],
    ['no JSON', file('{"a":', 0), invalidValue('bytes')],
    ['no UTF-8', Buffer.concat([file('', 0, 3n), Buffer.from([0x22, 0xff, 0x22])]), invalidValue('bytes')],
    ['an array as header', file([], 0), invalidType('bytes')],
    ['null as header', file('null', 0), invalidType('bytes')],
    ['a tensor that is null', file({ a: null }, 0), invalidType('"a"')],
    ['no dtype', file({ a: { shape: [], data_offsets: [0, 4] } }, 4), invalidType('"a"')],
    ['integers', file({ a: entry([1], [0, 8], 'I64') }, 8), invalidValue('"a"')],
    ['an inherited name as dtype', file({ a: entry([1], [0, 4], 'toString') }, 4), invalidValue('"a"')],
    ['no shape', file({ a: { dtype: 'F32', data_offsets: [0, 4] } }, 4), invalidType('"a", shape')],
    ['a negative length', file({ a: entry([-1], [0, 4]) }, 4), outOfRange('"a", shape[0]')],
    ['a fractional length', file({ a: entry([0.5], [0, 2]) }, 2), outOfRange('"a", shape[0]')],
    ['a shape that overflows', file({ a: entry([2 ** 40, 2 ** 40], [0, 4]) }, 4), outOfRange('"a", shape')],
    ['one offset', file({ a: entry([1], [0]) }, 4), invalidType('"a"')],
    ['offsets that are strings', file({ a: entry([1], ['0', '4']) }, 4), invalidType('"a"')],
    ['a fractional offset', file({ a: entry([1], [0.5, 4.5]) }, 8), outOfRange('"a"')],
    ['offsets out of the file', file({ a: entry([2], [0, 8]) }, 4), outOfRange('"a"')],
    ['a negative offset', file({ a: entry([1], [-4, 0]) }, 4), outOfRange('"a"')],
    ['offsets the wrong way round', file({ a: entry([1], [4, 0]) }, 4), shapeMismatch('"a"')],
    ['too few bytes for the shape', file({ a: entry([2], [0, 4]) }, 4), shapeMismatch('"a"')],
    ['too many bytes for the shape', file({ a: entry([1], [0, 8]) }, 8), shapeMismatch('"a"')],
    ['overlapping tensors', file({ a: entry([2], [0, 8]), b: entry([2], [4, 12]) }, 12), outOfRange('"b"')],
    ['the same bytes twice', file({ a: entry([1], [0, 4]), b: entry([1], [0, 4]) }, 4), outOfRange('"b"')],
    ['a gap', file({ a: entry([1], [0, 4]), b: entry([1], [8, 12]) }, 12), outOfRange('"b"')],
    ['a gap in front', file({ a: entry([1], [4, 8]) }, 8), outOfRange('"a"')],
  ])('%s', (_, bytes, expected) => {
    expectError(() => readSafetensors(bytes as Uint8Array), expected);
    expectError(() => loadSafetensors(network(), bytes as Uint8Array), expected);
  });

  it('a detached array', () => {
    const bytes = new Uint8Array(PYTORCH);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    expectError(() => readSafetensors(bytes), invalidValue('bytes'));
  });

  it('a copy over the limit', () => {
    setLimits({ maxElements: 3 });
    try {
      expectError(() => readSafetensors(TYPES), limitExceeded('"brain"'));
    } finally {
      setLimits({ maxElements: 2 ** 31 - 1 });
    }
  });
});

describe('writeSafetensors', () => {
  it('writes what readSafetensors reads, views, odd names and metadata included', () => {
    const tensors = new Map([
      ['view', Tensor.rand([3, 4], { seed: 1 }).transpose()],
      ['__proto__', Tensor.from([1, Number.NaN, -0])],
      ['ünïcode "quoted"', Tensor.zeros([0, 2])],
      ['7', new Tensor(new Float32Array([5]), [])],
    ]);
    const bytes = writeSafetensors(tensors, { metadata: { format: 'pt' } });
    const read = readSafetensors(bytes);
    expect([...read.keys()].sort()).toEqual([...tensors.keys()].sort());
    for (const [name, tensor] of tensors) {
      expect(read.get(name)?.toArray()).toEqual(tensor.toArray());
      expect(read.get(name)?.shape).toEqual(tensor.shape);
    }
    const headerLength = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(headerLength % 8).toBe(0);
    const header: unknown = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerLength)));
    expect(header).toMatchObject({ __metadata__: { format: 'pt' } });
    expect(readSafetensors(writeSafetensors([])).size).toBe(0);
    expect(readSafetensors(writeSafetensors(Object.entries({ a: [[1, 2]] }))).get('a')?.shape).toEqual([
      1, 2,
    ]);
  });

  it.each<[string, unknown, unknown, Expected]>([
    ['nothing', undefined, undefined, invalidType('tensors')],
    ['an object', {}, undefined, invalidType('tensors')],
    ['a number as a name', [[1, [1]]], undefined, invalidType('tensors')],
    [
      'a name twice',
      [
        ['a', [1]],
        ['a', [2]],
      ],
      undefined,
      invalidValue('tensors'),
    ],
    ['a reserved name', [['__metadata__', [1]]], undefined, invalidValue('tensors')],
    ['doubles', [['a', { data: new Float64Array(1), shape: [1] }]], undefined, invalidType('"a"')],
    ['metadata that is a string', [], { metadata: 'pt' }, invalidType('metadata')],
    ['a number in the metadata', [], { metadata: { epoch: 3 } }, invalidType('metadata.epoch')],
  ])('%s', (_, tensors, options, expected) => {
    expectError(() => writeSafetensors(tensors as never, options as never), expected);
  });
});

describe('stateDict and loadStateDict', () => {
  it('name the parameters as PyTorch does', () => {
    expect([...stateDict(network()).keys()]).toEqual(['0.weight', '0.bias', '2.0.weight']);
    expect([...stateDict(new Conv2D(3)).keys()]).toEqual(['weight', 'bias']);
    expect(stateDict(new AvgPool2D(2)).size).toBe(0);
  });

  const gone = new Float32Array(3);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  const later = Tensor.ones([3]);
  structuredClone(later.data.buffer, { transfer: [later.data.buffer as ArrayBuffer] });

  it.each<[string, (state: Map<string, unknown>) => unknown, Expected]>([
    ['no map', () => ({}), invalidType('state')],
    ['a missing name', (state) => state.delete('2.0.weight') && state, invalidValue('state')],
    ['a name too many', (state) => state.set('2.0.bias', [0]), invalidValue('state')],
    [
      'another shape',
      (state) => state.set('2.0.weight', Tensor.ones([3, 1, 1, 1])),
      shapeMismatch('"2.0.weight"'),
    ],
    ['a number', (state) => state.set('0.bias', 3), invalidType('"0.bias"')],
    ['a detached buffer', (state) => state.set('0.bias', { data: gone, shape: [3] }), detached('"0.bias"')],
    ['one detached later', (state) => state.set('0.bias', later), detached('"0.bias"')],
  ])('%s changes nothing', (_, change, expected) => {
    const net = network();
    const before = net.toJSON();
    const state = new Map<string, unknown>(stateDict(network()));
    expectError(() => loadStateDict(net, change(state) as never), expected);
    expect(net.toJSON()).toEqual(before);
  });

  it('want a layer', () => {
    expectError(() => stateDict(null as never), invalidType('layer'));
    expectError(() => saveSafetensors({} as never), invalidType('layer'));
    expectError(() => loadStateDict([] as never, new Map()), invalidType('layer'));
  });
});
