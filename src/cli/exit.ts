/** What the exit codes of `corr2d` mean; 0 is success. */

/** Some files failed, or something that the arguments are not to blame for. */
export const EXIT_FAILED = 1;
/** The arguments can't be meant. */
export const EXIT_USAGE = 2;
/** Ctrl-C, as shells count it. */
export const EXIT_INTERRUPTED = 130;

const USAGE_CODES = new Set([
  'ERR_INVALID_ARG_TYPE',
  'ERR_INVALID_ARG_VALUE',
  'ERR_OUT_OF_RANGE',
  'ERR_SHAPE_MISMATCH',
]);

/** Whether an error of the library, thrown before any file was touched, is about what the user asked for. */
export function isUsageError(error: unknown): boolean {
  return error instanceof Error && USAGE_CODES.has((error as { code?: string }).code ?? '');
}
