/** Suites: named lists of problems, from JSON. */
import { readFileSync } from 'node:fs';
import { invalidType, invalidValue } from '../src/errors.ts';
import { classOf, type Problem } from './problem.ts';
import { formatProblem, parseProblem } from './problem-text.ts';
import calls from './suites/calls.json' with { type: 'json' };
import images from './suites/images.json' with { type: 'json' };
import layers from './suites/layers.json' with { type: 'json' };
import mobilenetv2 from './suites/mobilenetv2.json' with { type: 'json' };
import pools from './suites/pools.json' with { type: 'json' };
import resnet50 from './suites/resnet50.json' with { type: 'json' };
import templates from './suites/templates.json' with { type: 'json' };
import training from './suites/training.json' with { type: 'json' };
import vgg16 from './suites/vgg16.json' with { type: 'json' };

/** A problem with the name it has in its suite. */
export interface SuiteEntry {
  readonly name: string;
  /** What it is averaged with. */
  readonly class: string;
  readonly problem: Problem;
  /** How often a network has it: its weight in the sum of times, not in means. */
  readonly count: number;
}

/** A named list of problems. */
export interface Suite {
  readonly name: string;
  readonly entries: readonly SuiteEntry[];
}

/** An entry of a JSON file: a problem on one line, with a name and a class where it should have them; or a layer in full. */
type RawEntry = string | { name?: string; class?: string; problem: string; count?: number } | RawLayer;

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
  if ('op' in raw) return entryOf(textOf(raw), { name: raw.name });
  return entryOf(raw.problem, raw);
}

/** A problem on one line as an entry of a suite. */
export function entryOf(
  text: string,
  labels: { name?: string; class?: string; count?: number } = {},
): SuiteEntry {
  if (typeof text !== 'string') throw invalidType('a problem on one line', 'an entry of the suite', text);
  const problem = parseProblem(text);
  const { name = formatProblem(problem), class: className = classOf(problem), count = 1 } = labels;
  return { name, class: className, problem, count };
}

/** A suite from the contents of a JSON file. */
export function readSuite(name: string, raw: unknown): Suite {
  if (!Array.isArray(raw)) throw invalidType('a list of problems', `the suite ${name}`, raw);
  return { name, entries: raw.map((entry) => readEntry(entry as RawEntry)) };
}

const RAW: Readonly<Record<SuiteName, unknown>> = {
  layers,
  images,
  pools,
  calls,
  training,
  templates,
  resnet50,
  vgg16,
  mobilenetv2,
};

/** The names of the suites that come with the package. */
export type SuiteName =
  | 'layers'
  | 'images'
  | 'pools'
  | 'calls'
  | 'training'
  | 'templates'
  | 'resnet50'
  | 'vgg16'
  | 'mobilenetv2';

/**
 * The suites that come with the package. `layers`: what networks and filters consist of; `images`: 8-bit and float filters from VGA
 * to 4K; `pools`; `calls`: problems so small that the call is what costs; `training`: backward passes; `templates`: correlation
 * with large kernels; `resnet50`, `vgg16` and `mobilenetv2`: every convolution and pooling of these networks, with how often
 * it occurs.
 */
export const suites: Readonly<Record<SuiteName, Suite>> = Object.fromEntries(
  Object.entries(RAW).map(([name, raw]) => [name, readSuite(name, raw)]),
) as Record<SuiteName, Suite>;

/**
 * A suite by its name, or by the path of a JSON file.
 *
 * @throws RangeError `ERR_INVALID_ARG_VALUE`; TypeError `ERR_INVALID_ARG_TYPE`
 */
export function suite(nameOrFile: string): Suite {
  if (Object.hasOwn(suites, nameOrFile)) return suites[nameOrFile as SuiteName];
  if (!nameOrFile.endsWith('.json')) {
    throw invalidValue(`one of ${Object.keys(suites).join(', ')} or a .json file`, 'suite', nameOrFile);
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
