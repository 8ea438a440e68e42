import { checkOptions } from './check.ts';
import { invalidType, limitExceeded, outOfRange } from './errors.ts';

/** What a single call may cost at most. */
export interface Limits {
  /** The largest number of elements that one allocation may hold (of 4 bytes each). Default 2³¹ − 1. */
  maxElements: number;
  /** The largest number of floating-point operations of one call. Default `Infinity`. */
  maxFlops: number;
}

const inForce: Limits = { maxElements: 2 ** 31 - 1, maxFlops: Number.POSITIVE_INFINITY };

function limit(value: unknown, parameter: string, otherwise: number): number {
  if (value === undefined) return otherwise;
  if (typeof value !== 'number') throw invalidType('a number', parameter, value);
  if (!(value >= 0)) throw outOfRange('a number of at least 0', parameter, value);
  return value;
}

/**
 * Sets the limits that every call checks before it allocates or computes anything; absent names stay as they are.
 * They hold for this copy of the package in this thread.
 *
 * @returns the limits now in force
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` (unknown name); RangeError `ERR_OUT_OF_RANGE`
 */
export function setLimits(limits?: {
  maxElements?: number | undefined;
  maxFlops?: number | undefined;
}): Limits {
  const given = checkOptions(limits, 'limits', ['maxElements', 'maxFlops']);
  const maxElements = limit(given?.maxElements, 'maxElements', inForce.maxElements);
  const maxFlops = limit(given?.maxFlops, 'maxFlops', inForce.maxFlops);
  inForce.maxElements = maxElements;
  inForce.maxFlops = maxFlops;
  return { maxElements, maxFlops };
}

/** Throws `ERR_LIMIT_EXCEEDED` where `parameter` would take more elements than allowed. */
export function checkElements(elements: number, parameter: string): void {
  if (!(elements <= inForce.maxElements)) {
    throw limitExceeded(`at most ${inForce.maxElements} elements (setLimits)`, parameter, elements);
  }
}

/** Throws `ERR_LIMIT_EXCEEDED` where a call would take more floating-point operations than allowed. */
export function checkFlops(flops: number): void {
  if (!(flops <= inForce.maxFlops)) {
    throw limitExceeded(`at most ${inForce.maxFlops} operations (setLimits)`, 'the call', flops);
  }
}
