/** Suites: named lists of problems, from JSON. */
import { readFileSync } from 'node:fs';
import { invalidType, invalidValue } from '../src/errors.ts';
import { classOf, type Problem } from './problem.ts';
import { formatProblem, parseProblem } from './problem-text.ts';
import layers from './suites/layers.json' with { type: 'json' };

/** A problem with the name it has in its suite. */
export interface SuiteEntry {
  readonly name: string;
  /** What it is averaged with. */
  readonly class: string;
  readonly problem: Problem;
}

/** A named list of problems. */
export interface Suite {
  readonly name: string;
  readonly entries: readonly SuiteEntry[];
}

/** An entry of a JSON file: a problem on one line, with a name and a class where it should have them; or a layer in full. */
type RawEntry = string | { name?: string; class?: string; problem: string } | RawLayer;

interface RawLayer {
  name: string;
  op: string;
  [field: string]: unknown;
}

const OPERATORS: Readonly<Record<string, string>> = {
  conv2d: 'conv',
  maxPool2d: 'maxpool',
  avgPool2d: 'avgpool',
};

function textOf(layer: RawLayer): string {
  const kind = OPERATORS[layer.op] ?? layer.op;
  const letters: [string, unknown][] = [
    ['n', layer.n],
    ['c', layer.cIn ?? layer.c],
    ['h', layer.h],
    ['w', layer.w],
    ['o', layer.cOut],
    ['k', layer.kernel],
    ['s', layer.stride],
    ['p', layer.padding],
    ['d', layer.dilation],
    ['g', layer.groups],
  ];
  const given = letters.filter(([, value]) => value !== undefined);
  return `${kind}:${given.map(([letter, value]) => letter + (Array.isArray(value) ? value.join('x') : value)).join('')}`;
}

function readEntry(raw: RawEntry): SuiteEntry {
  if (typeof raw === 'string') return entryOf(raw);
  if (typeof raw !== 'object' || raw === null)
    throw invalidType('a string or an object', 'an entry of the suite', raw);
  if ('op' in raw) return entryOf(textOf(raw), raw.name);
  return entryOf(raw.problem, raw.name, raw.class);
}

/** A problem on one line as an entry of a suite. */
export function entryOf(text: string, name?: string, className?: string): SuiteEntry {
  if (typeof text !== 'string') throw invalidType('a problem on one line', 'an entry of the suite', text);
  const problem = parseProblem(text);
  return { name: name ?? formatProblem(problem), class: className ?? classOf(problem), problem };
}

/** A suite from the contents of a JSON file. */
export function readSuite(name: string, raw: unknown): Suite {
  if (!Array.isArray(raw)) throw invalidType('a list of problems', `the suite ${name}`, raw);
  return { name, entries: raw.map((entry) => readEntry(entry as RawEntry)) };
}

const BUILT_IN: Readonly<Record<string, unknown>> = { layers };

/** The names of the suites that come with the package. */
export const suites: readonly string[] = Object.keys(BUILT_IN);

/**
 * A suite by its name, or by the path of a JSON file.
 *
 * @throws RangeError `ERR_INVALID_ARG_VALUE`; TypeError `ERR_INVALID_ARG_TYPE`
 */
export function suite(nameOrFile: string): Suite {
  if (Object.hasOwn(BUILT_IN, nameOrFile)) return readSuite(nameOrFile, BUILT_IN[nameOrFile]);
  if (!nameOrFile.endsWith('.json')) {
    throw invalidValue(`one of ${suites.join(', ')} or a .json file`, 'suite', nameOrFile);
  }
  let text: string;
  try {
    text = readFileSync(nameOrFile, 'utf8');
  } catch {
    throw invalidValue('a file that can be read', 'suite', nameOrFile);
  }
  try {
    return readSuite(nameOrFile, JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) throw invalidValue('a file with JSON in it', 'suite', nameOrFile);
    throw error;
  }
}
