/** The codes that errors of this package carry in their `code` property. */
export type ErrorCode =
  | 'ERR_INVALID_ARG_TYPE'
  | 'ERR_INVALID_ARG_VALUE'
  | 'ERR_OUT_OF_RANGE'
  | 'ERR_SHAPE_MISMATCH'
  | 'ERR_DETACHED_BUFFER'
  | 'ERR_OVERLAP'
  | 'ERR_LIMIT_EXCEEDED'
  | 'ERR_MISSING_DEPENDENCY'
  | 'ERR_FILE_READ'
  | 'ERR_FILE_WRITE'
  | 'ERR_IMAGE_DECODE'
  | 'ERR_OUTPUT_EXISTS'
  | 'ERR_DUPLICATE_OUTPUT'
  | 'ERR_QUEUE_CONNECTION';

/** Every error that this package throws itself: a `TypeError` or a `RangeError` with a `code`. */
export type Corr2dError = (TypeError | RangeError) & { readonly code: ErrorCode };

// The intrinsic getter reads an internal slot: it can't be fooled by a prototype, and it knows other realms' arrays.
const typedArrayTag = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype) as object,
  Symbol.toStringTag,
)?.get as (this: unknown) => string | undefined;

/** The name of a typed array's type, or undefined for anything else; never runs user code. */
export function typedArrayName(value: unknown): string | undefined {
  return typedArrayTag.call(value);
}

/** `[2, 3]`: how a shape is written in a message. */
export function formatShape(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

function describeObject(value: object): string {
  const name = typedArrayName(value);
  if (name !== undefined) return name.startsWith('I') ? `an ${name}` : `a ${name}`;
  return Array.isArray(value) ? `an array of length ${value.length}` : 'an object';
}

/** A received value in a few words. Runs no `toString` and no getter of an ordinary object. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'undefined':
    case 'boolean':
      return String(value);
    case 'object':
      return value === null ? 'null' : describeObject(value);
    default:
      return `a ${typeof value}`;
  }
}

function sentence(what: string, parameter: string, received: string): string {
  return `expected ${what} for ${parameter}, received ${received}`;
}

/** Puts a code on an error. */
export function withCode<E extends Error>(error: E, code: ErrorCode): E & { readonly code: ErrorCode } {
  return Object.assign(error, { code });
}

/** A value of the wrong JavaScript type. */
export function invalidType(what: string, parameter: string, value: unknown): Corr2dError {
  return withCode(new TypeError(sentence(what, parameter, describe(value))), 'ERR_INVALID_ARG_TYPE');
}

/** A value of the right type that is none of those accepted, such as an unknown word. */
export function invalidValue(what: string, parameter: string, value: unknown): Corr2dError {
  return withCode(new RangeError(sentence(what, parameter, describe(value))), 'ERR_INVALID_ARG_VALUE');
}

/** An option name that the call doesn't take. */
export function unknownOption(known: readonly string[], parameter: string, name: string): Corr2dError {
  const what = known.length === 0 ? 'no option' : `only the options ${known.join(', ')}`;
  return withCode(new TypeError(sentence(what, parameter, describe(name))), 'ERR_INVALID_ARG_VALUE');
}

/** A number outside of its range, or not an integer where one is needed. */
export function outOfRange(what: string, parameter: string, value: unknown): Corr2dError {
  return withCode(new RangeError(sentence(what, parameter, describe(value))), 'ERR_OUT_OF_RANGE');
}

/** A shape, or a number of elements, that doesn't fit the other arguments. `received` is put in as it is. */
export function shapeMismatch(what: string, parameter: string, received: string): Corr2dError {
  return withCode(new RangeError(sentence(what, parameter, received)), 'ERR_SHAPE_MISMATCH');
}

/** A shape with an axis of length 0 where there must be elements. */
export function emptyAxis(parameter: string, shape: string): Corr2dError {
  return withCode(
    new RangeError(sentence('channels and sides of at least 1', parameter, `shape ${shape}`)),
    'ERR_OUT_OF_RANGE',
  );
}

/** Memory that was transferred away. */
export function detachedBuffer(parameter: string): Corr2dError {
  return withCode(
    new TypeError(sentence('an attached buffer', parameter, 'a detached one')),
    'ERR_DETACHED_BUFFER',
  );
}

/** A view that reaches outside of its array, for instance after a resizable buffer shrank. */
export function outOfBounds(parameter: string, length: number): Corr2dError {
  return withCode(
    new RangeError(sentence('a view inside its data', parameter, `one that leaves its ${length} elements`)),
    'ERR_OUT_OF_RANGE',
  );
}

/** Output memory that shares elements with an input. */
export function overlapping(parameter: string, input: string): Corr2dError {
  return withCode(
    new RangeError(sentence('memory apart from every input', parameter, `memory shared with ${input}`)),
    'ERR_OVERLAP',
  );
}

/** A size over `setLimits`, or over what can be allocated at all. */
export function limitExceeded(what: string, parameter: string, value: number): Corr2dError {
  return withCode(new RangeError(sentence(what, parameter, describe(value))), 'ERR_LIMIT_EXCEEDED');
}

/** An optional package that a call needs and that is not installed, or does not load. */
export function missingDependency(name: string, purpose: string, cause: unknown): Corr2dError {
  const why = cause instanceof Error ? (cause.message.split('\n', 1)[0] as string) : String(cause);
  const what = `the package ${name} (npm install ${name})`;
  return withCode(new TypeError(sentence(what, purpose, why), { cause }), 'ERR_MISSING_DEPENDENCY');
}

/** A server that a queue needs and that does not answer. */
export function unreachableServer(cause: unknown): Corr2dError {
  const why = cause instanceof Error ? (cause.message.split('\n', 1)[0] as string) : String(cause);
  return withCode(
    new RangeError(sentence('the address of a Redis server that answers', 'redis', why), { cause }),
    'ERR_QUEUE_CONNECTION',
  );
}

/** A failure of a native job, whose arguments were checked before it began. */
export function nativeFailure(code: string | null, message: string): Error {
  return code === null ? new Error(message) : withCode(new RangeError(message), code as ErrorCode);
}
