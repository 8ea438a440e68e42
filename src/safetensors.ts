/** The safetensors format: a length, a JSON header that names ranges of bytes, the bytes. */
import { checkOptions, isPlainObject } from './check.ts';
import { describe, invalidType, invalidValue, outOfRange, shapeMismatch, typedArrayName } from './errors.ts';
import { allocate, isDetached } from './memory.ts';
import { copyStrided } from './strided-copy.ts';
import { sizeOf } from './strides.ts';
import {
  assertReadable,
  checkShape,
  fromChecked,
  type Tensor,
  type TensorInput,
  toTensor,
} from './tensor.ts';

const LENGTH_BYTES = 8;
// The limit of the format's own reader.
const MAX_HEADER_BYTES = 100_000_000;
const ALIGNMENT = 8;

const bigEndianHost = new Uint8Array(new Uint16Array([1]).buffer)[0] === 0;

// A float32 from the upper 16 bits of one.
function fromBfloat16(half: number): number {
  word.setUint32(0, half << 16);
  return word.getFloat32(0);
}

function fromFloat16(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

const word = new DataView(new ArrayBuffer(4));

// A float32 is read in place where the machine can; so it has no function of its own.
const TYPES: Record<string, { bytes: number; read?: (half: number) => number }> = {
  F32: { bytes: 4 },
  F16: { bytes: 2, read: fromFloat16 },
  BF16: { bytes: 2, read: fromBfloat16 },
};

function toFloats(bytes: Uint8Array, type: string, parameter: string): Float32Array {
  const { bytes: width, read } = TYPES[type] as { bytes: number; read?: (half: number) => number };
  const length = bytes.byteLength / width;
  const isAligned = bytes.byteOffset % Float32Array.BYTES_PER_ELEMENT === 0;
  if (read === undefined && isAligned && !bigEndianHost) {
    return new Float32Array(bytes.buffer, bytes.byteOffset, length);
  }
  const result = allocate(length, parameter);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < length; i++) {
    result[i] = read === undefined ? view.getFloat32(i * width, true) : read(view.getUint16(i * width, true));
  }
  return result;
}

interface Entry {
  name: string;
  type: string;
  shape: number[];
  begin: number;
  end: number;
}

function readEntry(name: string, value: unknown, available: number): Entry {
  const parameter = `bytes, tensor ${describe(name)}`;
  if (!isPlainObject(value)) throw invalidType('a tensor’s description', parameter, value);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string') throw invalidType('a dtype', parameter, dtype);
  const type = Object.hasOwn(TYPES, dtype) ? TYPES[dtype] : undefined;
  if (type === undefined) throw invalidValue('a dtype of F32, F16 or BF16', parameter, dtype);
  const lengths = checkShape(shape, `${parameter}, shape`);
  if (!Array.isArray(offsets) || offsets.length !== 2) {
    throw invalidType('two data_offsets', parameter, offsets);
  }
  const [begin, end] = offsets as [unknown, unknown];
  for (const offset of [begin, end]) {
    if (typeof offset !== 'number') throw invalidType('integers as data_offsets', parameter, offset);
    if (!Number.isSafeInteger(offset) || offset < 0 || offset > available) {
      throw outOfRange(`data_offsets from 0 to ${available}`, parameter, offset);
    }
  }
  const entry = { name, type: dtype, shape: lengths, begin: begin as number, end: end as number };
  const needed = sizeOf(lengths) * type.bytes;
  if (entry.end - entry.begin !== needed) {
    throw shapeMismatch(`${needed} bytes`, parameter, `${entry.end - entry.begin}`);
  }
  return entry;
}

// Every byte belongs to exactly one tensor, so no file means two things to two readers.
function checkCoverage(entries: readonly Entry[], available: number): void {
  let position = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== position) {
      throw outOfRange(`data_offsets that begin at ${position}`, `bytes, tensor ${describe(name)}`, begin);
    }
    position = end;
  }
  if (position !== available) throw shapeMismatch(`${position} bytes of tensors`, 'bytes', `${available}`);
}

function readHeader(bytes: Uint8Array): { header: Record<string, unknown>; data: Uint8Array } {
  if (bytes.byteLength < LENGTH_BYTES) {
    throw shapeMismatch(`at least ${LENGTH_BYTES} bytes`, 'bytes', `${bytes.byteLength}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  const most = Math.min(bytes.byteLength - LENGTH_BYTES, MAX_HEADER_BYTES);
  if (length > most) throw outOfRange(`a header of at most ${most} bytes`, 'bytes', length);
  const end = LENGTH_BYTES + length;
  let header: unknown;
  try {
    // A copy, since a TextDecoder takes no shared memory.
    const text = Uint8Array.from(bytes.subarray(LENGTH_BYTES, end));
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text));
  } catch {
    throw invalidValue('a header of JSON', 'bytes', bytes);
  }
  if (!isPlainObject(header)) throw invalidType('a header that is an object', 'bytes', header);
  return { header, data: bytes.subarray(end) };
}

function checkBytes(value: unknown): Uint8Array {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  // `instanceof` would refuse another realm's.
  if (typedArrayName(value) !== 'Uint8Array') throw invalidType('a Uint8Array', 'bytes', value);
  const bytes = value as Uint8Array;
  if (isDetached(bytes)) throw invalidValue('bytes that are not detached', 'bytes', bytes);
  // A plain view: a Buffer's `subarray` is its own.
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * The tensors of a safetensors file. F32 is read where it lies, if it is aligned: such tensors share the memory of
 * `bytes`. F16 and BF16 are converted. Source: the format of huggingface/safetensors.
 *
 * @returns the tensors by their names, in the file's order
 * @throws TypeError `ERR_INVALID_ARG_TYPE`; RangeError `ERR_INVALID_ARG_VALUE` (no JSON, another dtype),
 *   `ERR_OUT_OF_RANGE` (a header or a tensor that leaves the file, overlapping tensors, gaps), `ERR_SHAPE_MISMATCH`
 *   (a shape and a range of unlike sizes, a truncated file), `ERR_LIMIT_EXCEEDED`
 */
export function readSafetensors(bytes: Uint8Array | ArrayBuffer): Map<string, Tensor> {
  const { header, data } = readHeader(checkBytes(bytes));
  const entries = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => readEntry(name, value, data.byteLength));
  checkCoverage(entries, data.byteLength);
  return new Map(
    entries.map(({ name, type, shape, begin, end }) => {
      const floats = toFloats(data.subarray(begin, end), type, `bytes, tensor ${describe(name)}`);
      return [name, fromChecked(floats, shape)];
    }),
  );
}

function checkMetadata(value: unknown): Record<string, string> | undefined {
  if (value === undefined) return undefined;
  if (!isPlainObject(value)) throw invalidType('a plain object', 'metadata', value);
  for (const [name, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw invalidType('a string', `metadata.${name}`, text);
  }
  return value as Record<string, string>;
}

/**
 * A safetensors file of tensors, as F32. Source: the format of huggingface/safetensors.
 *
 * @param tensors pairs of a name and a tensor: a `Map`, or `Object.entries(…)`
 * @param options.metadata strings that go into the header as `__metadata__`
 * @throws TypeError `ERR_INVALID_ARG_TYPE`; RangeError `ERR_INVALID_ARG_VALUE` for a name that stands twice or is
 *   `__metadata__`, `ERR_LIMIT_EXCEEDED`
 */
export function writeSafetensors(
  tensors: Iterable<readonly [string, TensorInput]>,
  options?: { metadata?: Record<string, string> | undefined },
): Uint8Array<ArrayBuffer> {
  const metadata = checkMetadata(checkOptions(options, 'options', ['metadata'])?.metadata);
  if (typeof (tensors as { [Symbol.iterator]?: unknown } | null)?.[Symbol.iterator] !== 'function') {
    throw invalidType('pairs of a name and a tensor', 'tensors', tensors);
  }
  const list = new Map<string, Tensor>();
  for (const [name, value] of tensors) {
    if (typeof name !== 'string') throw invalidType('a name', 'tensors', name);
    if (name === '__metadata__' || list.has(name)) throw invalidValue('names of their own', 'tensors', name);
    const tensor = toTensor(value, `tensors, ${describe(name)}`);
    assertReadable(tensor, `tensors, ${describe(name)}`);
    list.set(name, tensor);
  }
  let position = 0;
  const header = new Map<string, unknown>(metadata === undefined ? [] : [['__metadata__', metadata]]);
  for (const [name, { shape, size }] of list) {
    const end = position + size * Float32Array.BYTES_PER_ELEMENT;
    header.set(name, { dtype: 'F32', shape, data_offsets: [position, end] });
    position = end;
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const headerBytes = Math.ceil(text.byteLength / ALIGNMENT) * ALIGNMENT;
  const start = LENGTH_BYTES + headerBytes;
  const floats = allocate((start + position) / Float32Array.BYTES_PER_ELEMENT, 'tensors');
  const bytes = new Uint8Array(floats.buffer as ArrayBuffer);
  new DataView(floats.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.fill(0x20, LENGTH_BYTES, start);
  bytes.set(text, LENGTH_BYTES);
  let to = start / Float32Array.BYTES_PER_ELEMENT;
  for (const { data, shape, strides, offset, size } of list.values()) {
    copyStrided(data, shape, strides, offset, floats, to);
    to += size;
  }
  if (bigEndianHost) swapBytes(bytes, start);
  return bytes;
}

function swapBytes(bytes: Uint8Array, from: number): void {
  for (let i = from; i < bytes.length; i += 4) bytes.subarray(i, i + 4).reverse();
}
