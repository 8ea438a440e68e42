/** What a backend has to offer to be measured. */
import { checkOptions, checkWord } from '../src/check.ts';
import { invalidType } from '../src/errors.ts';
import type { Data, Weights } from './data.ts';
import type { Problem } from './problem.ts';
import type { Timing } from './timing.ts';

/** A problem made ready: weights packed, memory allocated. */
export interface Prepared {
  /** Computes once, into memory that is reused from run to run where the backend can. */
  run(): void | Promise<void>;
  /** The results of the last run, in the order of `sizesOf(problem).outputs` and in the layout of the problem. */
  output(): Data | readonly Data[] | Promise<Data | readonly Data[]>;
  /** Gives back what `prepare` took. */
  dispose(): void | Promise<void>;
  /** What is worth to know of it: the algorithm, bytes of scratch. Read after the first run. */
  details?(): Readonly<Record<string, string | number>>;
  /** Measures by itself, for a backend that lives in another process: seconds of a run, one number for each cycle. */
  sample?(timing: Timing): Promise<readonly number[]>;
}

/** One implementation. */
export interface Backend {
  readonly name: string;
  readonly version: string;
  /** How tensors lie in memory; only those of the same layout are compared. Default `'NCHW'`. */
  readonly layout?: 'NCHW' | 'NHWC' | undefined;
  /** Backends of one family are not measured against each other. Default: the name. */
  readonly family?: string | undefined;
  /** Whether it can compute a problem as it is stated. `prepare` may still decline. */
  supports(problem: Problem): boolean;
  /** Makes a problem ready, or gives undefined. `weights` has the input too; it stays as it is until `dispose`. */
  prepare(problem: Problem, weights: Weights): Prepared | undefined | Promise<Prepared | undefined>;
  /** Bytes of resident memory after the last request, for a backend that lives in another process. */
  resident?(): number | undefined;
  /** Ends what the backend started (a process, workers), after its last problem. */
  close?(): void | Promise<void>;
}

/** What a backend is told when it is loaded. */
export interface BackendSettings {
  /** How many threads a run may use. */
  readonly threads: number;
  /** The Python that runs those backends which are Python packages. */
  readonly python: string;
}

/** A backend that is loaded when it is asked for. */
export interface BackendSource {
  readonly name: string;
  /** The command that installs it, for the line that says that it is missing. */
  readonly install: string;
  /** @throws MissingBackend where what it needs is not installed */
  load(settings: BackendSettings): Promise<Backend>;
}

/** Thrown by `load`: something is not installed. */
export class MissingBackend extends Error {}

/**
 * Checks a backend and gives it back, so that its file says what it is.
 *
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`; RangeError `ERR_INVALID_ARG_VALUE`
 */
export function defineBackend(backend: Backend): Backend {
  const names = ['name', 'version', 'layout', 'family', 'supports', 'prepare', 'resident', 'close'] as const;
  const given = checkOptions(backend, 'backend', names);
  if (given === undefined) throw invalidType('an object', 'backend', backend);
  for (const name of ['name', 'version'] as const) {
    if (typeof given[name] !== 'string') throw invalidType('a string', `backend.${name}`, given[name]);
  }
  for (const name of ['supports', 'prepare'] as const) {
    if (typeof given[name] !== 'function') throw invalidType('a function', `backend.${name}`, given[name]);
  }
  if (given.layout !== undefined) checkWord(given.layout, 'backend.layout', ['NCHW', 'NHWC']);
  return backend;
}
