/** The attributes of an ONNX node, in whatever form a reader of the format gives them. */
import { isPlainObject } from '../check.ts';
import { invalidType, invalidValue, outOfRange } from '../errors.ts';

/**
 * An attribute as ONNX's `AttributeProto` has it. Integers may be numbers, bigints, decimal strings (protobuf's JSON) or
 * `Long` objects (protobuf-js); a string may be bytes, or base64 as in protobuf's JSON.
 */
export interface OnnxAttribute {
  readonly name: string;
  /** `AttributeType`: a name such as `'INTS'`, or its number. It matters only for an attribute without a value, which is 0. */
  readonly type?: string | number | null | undefined;
  readonly f?: unknown;
  readonly i?: unknown;
  readonly s?: unknown;
  readonly ints?: unknown;
}

const FIELDS = ['ints', 'i', 'f', 's'] as const;

// Numbers of `AttributeType`; protobuf's JSON has the names.
const FIELD_OF_TYPE: Record<string, (typeof FIELDS)[number]> = {
  1: 'f',
  FLOAT: 'f',
  2: 'i',
  INT: 'i',
  3: 's',
  STRING: 's',
  7: 'ints',
  INTS: 'ints',
};

const EMPTY = { f: 0, i: 0, s: '', ints: [] } as const;

// protobuf writes no value that is the default one, and readers put empty ones into the fields that aren't meant.
function readValue(attribute: Record<string, unknown>, parameter: string): unknown {
  const { type } = attribute;
  if (typeof type === 'string' || typeof type === 'number') {
    const field = Object.hasOwn(FIELD_OF_TYPE, type) ? FIELD_OF_TYPE[type] : undefined;
    if (field === undefined)
      throw invalidValue('an integer, integers, a number or a string', parameter, type);
    return attribute[field] ?? EMPTY[field];
  }
  const isGiven = (value: unknown): boolean =>
    value !== undefined && value !== null && (value as { length?: unknown }).length !== 0;
  const field = FIELDS.find((name) => Object.hasOwn(attribute, name) && isGiven(attribute[name]));
  if (field === undefined) throw invalidType('a value in i, ints, f or s', parameter, attribute);
  return attribute[field];
}

/** Values by name, from a list of `AttributeProto` or a plain object of names and values. */
export function readAttributes(value: unknown): Map<string, unknown> {
  if (value === undefined || value === null) return new Map();
  if (isPlainObject(value)) return new Map(Object.entries(value).filter(([, given]) => given !== undefined));
  if (!Array.isArray(value)) throw invalidType('a list or an object of attributes', 'node.attribute', value);
  const attributes = new Map<string, unknown>();
  for (let i = 0; i < value.length; i++) {
    const attribute: unknown = value[i];
    if (typeof attribute !== 'object' || attribute === null) {
      throw invalidType('an attribute', `node.attribute[${i}]`, attribute);
    }
    const { name } = attribute as Partial<OnnxAttribute>;
    if (typeof name !== 'string') throw invalidType('a name', `node.attribute[${i}].name`, name);
    attributes.set(name, readValue(attribute as Record<string, unknown>, `attribute ${name}`));
  }
  return attributes;
}

interface LongLike {
  readonly low: number;
  readonly high: number;
}

const isLong = (value: unknown): value is LongLike =>
  typeof value === 'object' && value !== null && 'low' in value && 'high' in value;

function toNumber(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'string' && /^-?\d+$/.test(value)) return Number(value);
  return isLong(value) ? value.high * 2 ** 32 + (value.low >>> 0) : value;
}

/** A number of any sign. */
export function readNumber(value: unknown, parameter: string): number {
  const number = toNumber(value);
  if (typeof number !== 'number') throw invalidType('a number', parameter, value);
  return number;
}

/** An integer of at least `min`. */
export function readInteger(value: unknown, parameter: string, min: number): number {
  const number = readNumber(value, parameter);
  if (!Number.isSafeInteger(number) || number < min) {
    throw outOfRange(`an integer of at least ${min}`, parameter, number);
  }
  return number;
}

/** So many integers of at least `min`. */
export function readIntegers(value: unknown, parameter: string, count: number, min: number): number[] {
  const isList = Array.isArray(value) || ArrayBuffer.isView(value);
  if (!isList) throw invalidType(`${count} integers`, parameter, value);
  const list = Array.from(value as ArrayLike<unknown>);
  if (list.length !== count) throw invalidValue(`${count} integers (two spatial axes)`, parameter, value);
  return list.map((one, i) => readInteger(one, `${parameter}[${i}]`, min));
}

/** One of a few words, as text, bytes, or base64. */
export function readWord<W extends string>(value: unknown, parameter: string, words: readonly W[]): W {
  const what = `one of ${words.join(', ')}`;
  if (value instanceof Uint8Array) return readWord(new TextDecoder().decode(value), parameter, words);
  if (typeof value !== 'string') throw invalidType(what, parameter, value);
  const word = words.find((one) => one === value || btoa(one) === value);
  if (word === undefined) throw invalidValue(what, parameter, value);
  return word;
}
