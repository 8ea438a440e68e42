import { invalidType, invalidValue, outOfRange, unknownOption } from './errors.ts';

/** One number for both axes, or `[height, width]`. */
export type Pair = number | readonly [height: number, width: number];

/** An integer from `min` to `max`, both included. */
export function checkInteger(
  value: unknown,
  parameter: string,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  if (typeof value !== 'number') throw invalidType('an integer', parameter, value);
  if (!Number.isInteger(value) || value < min || value > max) {
    const upper = max === Number.MAX_SAFE_INTEGER ? '' : ` and at most ${max}`;
    throw outOfRange(`an integer of at least ${min}${upper}`, parameter, value);
  }
  return value;
}

/** A finite number, which the range may bound further: `above` is excluded, `least` is included. */
export function checkNumber(
  value: unknown,
  parameter: string,
  range?: { readonly above?: number; readonly least?: number },
): number {
  if (typeof value !== 'number') throw invalidType('a number', parameter, value);
  if (!Number.isFinite(value)) throw outOfRange('a finite number', parameter, value);
  const { above, least } = range ?? {};
  if (above !== undefined && value <= above) throw outOfRange(`a number above ${above}`, parameter, value);
  if (least !== undefined && value < least)
    throw outOfRange(`a number of at least ${least}`, parameter, value);
  return value;
}

/** `true` or `false`. */
export function checkBoolean(value: unknown, parameter: string): boolean {
  if (typeof value !== 'boolean') throw invalidType('a boolean', parameter, value);
  return value;
}

/** One of a few words; returns the word. */
export function checkWord<W extends string>(value: unknown, parameter: string, words: readonly W[]): W {
  if (typeof value !== 'string') throw invalidType(`one of ${quote(words)}`, parameter, value);
  for (const word of words) if (word === value) return word;
  throw invalidValue(`one of ${quote(words)}`, parameter, value);
}

function quote(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(', ');
}

/** A `Pair` of integers of at least `min`, as `[height, width]`. */
export function checkPair(value: unknown, parameter: string, min: number): [height: number, width: number] {
  if (typeof value === 'number') {
    const both = checkInteger(value, parameter, min);
    return [both, both];
  }
  if (!Array.isArray(value)) throw invalidType('an integer or [height, width]', parameter, value);
  if (value.length !== 2) throw invalidValue('an integer or [height, width]', parameter, value);
  return [checkInteger(value[0], `${parameter}[0]`, min), checkInteger(value[1], `${parameter}[1]`, min)];
}

/** Whether `value` is an object literal or the like. */
// Another realm's Object.prototype is told by having no prototype of its own.
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** A plain object without unknown names; an absent one is `undefined`. The values are not looked at. */
export function checkOptions(
  value: unknown,
  parameter: string,
  known: readonly string[],
): Record<string, unknown> | undefined {
  if (value === undefined) return undefined;
  if (!isPlainObject(value)) throw invalidType('a plain object', parameter, value);
  // Without an array of the keys; what a prototype could add is told apart by isPlainObject.
  for (const name in value) {
    if (!known.includes(name)) throw unknownOption(known, parameter, name);
  }
  return value;
}
