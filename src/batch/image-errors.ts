/** What can go wrong with one image of many: a sentence, a code and the image's name, as `errors.ts` has them. */
import { type Corr2dError, withCode } from '../errors.ts';

/** The first line of what a library says, without its own prefixes. */
function firstLine(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return (text.split('\n', 1)[0] as string).replace(/^Input (buffer|file) /, 'input that ').trim();
}

/** A file that can't be opened, or is none. */
export function unreadableFile(name: string, cause: unknown): Corr2dError {
  return withCode(
    new RangeError(`expected a readable file for ${name}, received ${firstLine(cause)}`, { cause }),
    'ERR_FILE_READ',
  );
}

/** Bytes that no decoder takes whole: another format, truncated, corrupt, empty. */
export function undecodableImage(name: string, cause: unknown): Corr2dError {
  return withCode(
    new RangeError(`expected a whole image for ${name}, received ${firstLine(cause)}`, { cause }),
    'ERR_IMAGE_DECODE',
  );
}

/** More pixels than are allowed, in the image's header or after decoding. */
export function oversizedImage(name: string, most: number, received: string): Corr2dError {
  return withCode(
    new RangeError(`expected at most ${most} pixels for ${name}, received ${received}`),
    'ERR_LIMIT_EXCEEDED',
  );
}

/** More bytes than are allowed, in a stream. */
export function oversizedFile(name: string, most: number): Corr2dError {
  return withCode(
    new RangeError(`expected at most ${most} bytes for ${name}, received more`),
    'ERR_LIMIT_EXCEEDED',
  );
}

/** An output that can't be written. */
export function unwritableFile(name: string, cause: unknown): Corr2dError {
  return withCode(
    new RangeError(`expected a writable file for ${name}, received ${firstLine(cause)}`, { cause }),
    'ERR_FILE_WRITE',
  );
}

/** An output that is there already. */
export function existingOutput(name: string, output: string): Corr2dError {
  return withCode(
    new RangeError(`expected no file ${output} for ${name}, received one that another job wrote`),
    'ERR_OUTPUT_EXISTS',
  );
}

/** Two inputs that would be written to one output. */
export function duplicateOutput(name: string, first: string, output: string): Corr2dError {
  return withCode(
    new RangeError(
      `expected an output of its own for ${name}, received ${output}, which is that of ${first}`,
    ),
    'ERR_DUPLICATE_OUTPUT',
  );
}

/** An error whose sentence names the image. */
export function withName(error: Corr2dError, name: string): Corr2dError {
  if (error instanceof Error && !error.message.includes(name)) error.message += ` (in ${name})`;
  return error;
}
