/** The form of a problem on one line, which reports print and the command line takes. */
import { invalidValue } from '../src/errors.ts';
import {
  isConv,
  isFilter,
  isFilterKind,
  outputSides,
  type Problem,
  type ProblemKind,
  type Sides,
  sizesOf,
} from './problem.ts';

const CONV_LETTERS = 'nchwokspdg';
const POOL_LETTERS = 'nchwksp';
const FILTER_LETTERS = 'hwckuf';

const LETTERS: Readonly<Record<ProblemKind, string>> = {
  conv: CONV_LETTERS,
  convgrad: CONV_LETTERS,
  maxpool: POOL_LETTERS,
  avgpool: POOL_LETTERS,
  maxpoolgrad: POOL_LETTERS,
  avgpoolgrad: POOL_LETTERS,
  filter: FILTER_LETTERS,
  sharpen: FILTER_LETTERS,
  gauss: FILTER_LETTERS,
  box: FILTER_LETTERS,
  dilate: FILTER_LETTERS,
};

/** Letters that may have two numbers. */
const PAIRS = 'kspd';

// Beyond this a problem is a typing error: 2³⁰ floats are 4 GiB.
const MOST_ELEMENTS = 2 ** 30;

/** The letters of one problem with their numbers. */
class Values {
  readonly #text: string;
  readonly #values = new Map<string, Sides>();

  constructor(text: string, letters: string, start: number) {
    this.#text = text;
    let rest = text.slice(start);
    while (rest !== '') {
      const match = /^-?([a-z])(\d{1,9})(?:x(\d{1,9}))?/.exec(rest);
      const letter = match?.[1] ?? '';
      if (match === null || !letters.includes(letter)) {
        throw this.wrong(`only letters of "${letters}", each with its number`);
      }
      if (this.has(letter)) throw this.wrong(`${letter} once`);
      if (match[3] !== undefined && !PAIRS.includes(letter)) throw this.wrong(`one number after ${letter}`);
      this.#values.set(letter, [Number(match[2]), Number(match[3] ?? match[2])]);
      rest = rest.slice(match[0].length);
    }
  }

  wrong(what: string): Error {
    return invalidValue(what, 'a problem', this.#text);
  }

  has(letter: string): boolean {
    return this.#values.has(letter);
  }

  pair(letter: string, otherwise?: Sides): Sides {
    const value = this.#values.get(letter) ?? otherwise;
    if (value === undefined) throw this.wrong(`a number after ${letter}`);
    if (letter !== 'p' && Math.min(...value) < 1) throw this.wrong(`at least 1 after ${letter}`);
    return value;
  }

  one(letter: string, otherwise?: number): number {
    return this.pair(letter, otherwise === undefined ? undefined : [otherwise, otherwise])[0];
  }
}

/**
 * Reads a problem from its form on one line: a kind, a colon, and letters with numbers, between which hyphens may stand. `n`
 * batch (1), `c` channels (1), `h` and `w` sides, `o` output channels, `k` kernel, `s` stride (1; of a pooling the kernel), `p`
 * padding (0), `d` dilation (1), `g` groups (1), `u8` or `f32` pixels (`u8`). `k`, `s`, `p` and `d` take one number, or height
 * `x` width. Examples: `conv:n1c64h56w56-o64k3s1p1`, `maxpool:c64h112w112-k3s2p1`, `filter:h1080w1920c3-k5u8`.
 *
 * @throws RangeError `ERR_INVALID_ARG_VALUE`
 */
export function parseProblem(text: string): Problem {
  const kind = text.slice(0, Math.max(text.indexOf(':'), 0)) as ProblemKind;
  if (!Object.hasOwn(LETTERS, kind)) {
    throw invalidValue(`one of ${Object.keys(LETTERS).join(', ')}, and a colon,`, 'a problem', text);
  }
  const values = new Values(text, LETTERS[kind], kind.length + 1);
  const problem = read(kind, values);
  if (Math.min(...outputSides(problem)) < 1) throw values.wrong('a kernel that fits into the padded input');
  const { x, weight, forward } = sizesOf(problem);
  if (Math.max(x, weight, forward) > MOST_ELEMENTS) throw values.wrong(`at most ${MOST_ELEMENTS} elements`);
  return problem;
}

function read(kind: ProblemKind, values: Values): Problem {
  const [h, w, kernel] = [values.one('h'), values.one('w'), values.pair('k')];
  if (isFilterKind(kind)) {
    if (kind === 'dilate' && kernel.some((side) => side % 2 === 0)) throw values.wrong('odd sides after k');
    const pixels = values.has('f') ? 'f32' : 'u8';
    if (values.one('u', 8) !== 8 || values.one('f', 32) !== 32 || (values.has('f') && values.has('u'))) {
      throw values.wrong('u8 or f32');
    }
    return { kind, h, w, c: values.one('c', 1), kernel, pixels };
  }
  const shape = { n: values.one('n', 1), c: values.one('c', 1), h, w };
  const padding = values.pair('p', [0, 0]);
  if (kind === 'conv' || kind === 'convgrad') {
    const [o, groups] = [values.one('o'), values.one('g', 1)];
    if (shape.c % groups !== 0 || o % groups !== 0) throw values.wrong('groups that divide c and o');
    const [stride, dilation] = [values.pair('s', [1, 1]), values.pair('d', [1, 1])];
    return { kind, ...shape, o, kernel, stride, padding, dilation, groups };
  }
  const half = padding[0] <= kernel[0] / 2 && padding[1] <= kernel[1] / 2;
  if (!half) throw values.wrong('a padding of at most half of the kernel');
  return { kind, ...shape, kernel, stride: values.pair('s', kernel), padding };
}

/** The form on one line; numbers that `parseProblem` assumes anyway are left out. */
export function formatProblem(problem: Problem): string {
  const sides = (letter: string, [a, b]: Sides, otherwise?: Sides): string => {
    if (otherwise !== undefined && a === otherwise[0] && b === otherwise[1]) return '';
    return `${letter}${a}${a === b ? '' : `x${b}`}`;
  };
  const { kind, c, h, w, kernel } = problem;
  if (isFilter(problem)) return `${kind}:c${c}h${h}w${w}-${sides('k', kernel)}${problem.pixels}`;
  const head = `${kind}:n${problem.n}c${c}h${h}w${w}-`;
  const padding = sides('p', problem.padding, [0, 0]);
  if (!isConv(problem)) return `${head}${sides('k', kernel)}${sides('s', problem.stride)}${padding}`;
  const { o, stride, dilation, groups } = problem;
  const tail = `${sides('d', dilation, [1, 1])}${groups === 1 ? '' : `g${groups}`}`;
  return `${head}o${o}${sides('k', kernel)}${sides('s', stride)}${padding}${tail}`;
}
