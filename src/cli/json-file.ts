/** JSON files that the command line names. */
import { readFile } from 'node:fs/promises';
import { invalidValue } from '../errors.ts';

/**
 * The content of a JSON file.
 *
 * @throws RangeError `ERR_INVALID_ARG_VALUE`
 */
export async function readJSON(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw invalidValue(`a JSON file (${(error as Error).message})`, 'the argument', file);
  }
}
