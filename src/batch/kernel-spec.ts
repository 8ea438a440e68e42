/** Kernels by name, as a command line or a JSON file can write them. */
import { describe, invalidValue } from '../errors.ts';
import * as kernels from '../kernels.ts';
import { Tensor, type TensorInput, toTensor } from '../tensor.ts';

/**
 * A kernel: a name of `kernels` (`'sharpen'`), one with its numbers (`'gaussian(2)'`, `'unsharp(1.5, 0.8)'`; on a command
 * line `gaussian:2` needs no quotes), or the numbers themselves as any `TensorInput` of shape `[height, width]`.
 */
export type KernelSpec = string | TensorInput;

// `gabor` takes an object: write its numbers out instead.
const NAMED = new Map<string, unknown>(Object.entries(kernels).filter(([name]) => name !== 'gabor'));

const CALL = /^(\w+)(?:\((.*)\)|:(.*))?$/;

/** The names of kernels that a `KernelSpec` may use, those with parameters as `name(...)`. */
export function kernelNames(): string[] {
  return [...NAMED].map(([name, kernel]) => (kernel instanceof Tensor ? name : `${name}(...)`)).sort();
}

/**
 * The kernel that a spec means.
 *
 * @throws RangeError `ERR_INVALID_ARG_VALUE` for an unknown name, or numbers where a name takes none; otherwise as the
 *   kernel's function and `filterImage` throw
 */
export function readKernelSpec(spec: KernelSpec, parameter: string): Tensor {
  if (typeof spec !== 'string') return toTensor(spec, parameter);
  const [, name = '', inBrackets, afterColon] = CALL.exec(spec.replaceAll(' ', '')) ?? [];
  const text = inBrackets ?? afterColon;
  const kernel = NAMED.get(name);
  if (kernel instanceof Tensor && text === undefined) return kernel;
  if (typeof kernel === 'function' && text !== undefined) {
    return (kernel as (...values: number[]) => Tensor)(
      ...text.split(',').map((part) => number(part, spec, parameter)),
    );
  }
  throw invalidValue(`one of ${kernelNames().join(', ')}`, parameter, spec);
}

function number(text: string, spec: string, parameter: string): number {
  const value = Number(text);
  if (text === '' || Number.isNaN(value)) {
    throw invalidValue(`numbers in the brackets of ${describe(spec)}`, parameter, text);
  }
  return value;
}
