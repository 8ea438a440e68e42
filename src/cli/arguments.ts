/** How single arguments are read; what can't be read is a usage error that names the option. */
import { InvalidArgumentError } from 'commander';

/** A whole number of at least 1. */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('It must be a whole number of at least 1.');
  return value;
}

/** A number. */
export function anyNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number.');
  return value;
}

/** `3` or `2,3` (height, width). */
export function pair(text: string): number | [number, number] {
  const [height, width, ...more] = text.split(/[,x×]/).map(Number);
  if (more.length > 0 || ![height, width ?? 0].every(Number.isSafeInteger)) {
    throw new InvalidArgumentError('It must be a whole number, or two: HEIGHT,WIDTH.');
  }
  return width === undefined ? (height as number) : [height as number, width];
}
