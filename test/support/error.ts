import { expect } from 'vitest';
import type { ErrorCode } from '../../index.ts';

/** What a call is expected to throw. */
export interface Expected {
  type: typeof TypeError | typeof RangeError;
  code: ErrorCode;
  /** The message must name it. */
  parameter: string;
}

export const invalidType = (parameter: string): Expected => ({
  type: TypeError,
  code: 'ERR_INVALID_ARG_TYPE',
  parameter,
});
export const unknownOption = (parameter: string): Expected => ({
  type: TypeError,
  code: 'ERR_INVALID_ARG_VALUE',
  parameter,
});
export const detached = (parameter: string): Expected => ({
  type: TypeError,
  code: 'ERR_DETACHED_BUFFER',
  parameter,
});
const range =
  (code: ErrorCode) =>
  (parameter: string): Expected => ({ type: RangeError, code, parameter });
export const invalidValue = range('ERR_INVALID_ARG_VALUE');
export const outOfRange = range('ERR_OUT_OF_RANGE');
export const shapeMismatch = range('ERR_SHAPE_MISMATCH');
export const overlap = range('ERR_OVERLAP');
export const limitExceeded = range('ERR_LIMIT_EXCEEDED');

/** Calls `f` and checks class, code and message of what it throws. */
export function expectError(f: () => unknown, expected: Expected): void {
  let error: unknown;
  try {
    f();
  } catch (caught) {
    error = caught;
  }
  checkError(error, expected);
}

/** The same for what a promise is rejected with. */
export async function expectRejection(promise: Promise<unknown>, expected: Expected): Promise<void> {
  checkError(
    await promise.then(
      () => undefined,
      (error: unknown) => error,
    ),
    expected,
  );
}

function checkError(error: unknown, expected: Expected): void {
  expect(error, 'nothing was thrown').toBeInstanceOf(expected.type);
  expect(error).toMatchObject({ code: expected.code });
  const { message } = error as Error;
  expect(message).toContain(expected.parameter);
  expect(message).toMatch(/^expected [^\n]+, received [^\n]+$/);
}
