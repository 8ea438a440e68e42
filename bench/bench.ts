/** The benchmark as a function. */
import type { AbortSignalLike } from '../src/async-call.ts';
import { checkInteger, checkNumber, checkOptions, checkWord } from '../src/check.ts';
import { invalidType, invalidValue } from '../src/errors.ts';
import { getThreads, MAX_THREADS } from '../src/runtime.ts';
import { type Backend, type BackendSettings, type BackendSource, MissingBackend } from './backend.ts';
import { backends as builtIn } from './backends/index.ts';
import type { CheckMode } from './check.ts';
import { contest, type Timed } from './contest.ts';
import { describeMachine, type Limits, measureLimits } from './machine.ts';
import { bytesOf, flopsOf } from './problem.ts';
import { formatProblem } from './problem-text.ts';
import type { Measured, Report, Row, Skipped } from './report.ts';
import { type Roof, roofOf } from './roofline.ts';
import { entryOf, type Suite, type SuiteEntry, suite as suiteOf } from './suites.ts';
import { loadBenchmark, type Timing } from './timing.ts';

/** What `bench` measures, and how. */
export interface BenchOptions {
  /** A suite, its name, or the path of a JSON file. Default `'layers'`, unless there are `problems`. */
  suite?: Suite | string | undefined;
  /** Problems on one line, after those of the suite. */
  problems?: readonly string[] | undefined;
  /** Only problems whose name or class matches. */
  only?: RegExp | undefined;
  /** Backends, or names of those that come with the package. Default: all of these that are installed. */
  backends?: readonly (string | Backend | BackendSource)[] | undefined;
  /** Threads of every backend. Default: those of `getThreads()`. */
  threads?: number | undefined;
  /** Rounds over all backends, at least 1. Default 5. */
  rounds?: number | undefined;
  /** Seconds of a round of one backend, roughly. Default 0.05. */
  maxTime?: number | undefined;
  /** Seconds of a cycle at least: a sample is the mean of as many runs as fill it. Default 0.005. */
  minTime?: number | undefined;
  /** Whether caches are emptied before each run. Default `false`. */
  cold?: boolean | undefined;
  /** Whether all elements are compared with the reference, or a sample. Default `'sample'`. */
  check?: CheckMode | undefined;
  /** Limits of the machine for so many threads from an earlier report of this process. Default: they are measured. */
  limits?: Limits | undefined;
  /** The Python of those backends that are Python packages. Default: `CORR2D_BENCH_PYTHON`, or `python3`. */
  python?: string | undefined;
  /** Ends the measurement early; the report then has the rounds there are. */
  signal?: Pick<AbortSignalLike, 'aborted'> | undefined;
  /** Told how many problems are done (with fractions), of how many, and which one is next. */
  onProgress?: ((done: number, total: number, name: string) => void) | undefined;
}

const OPTION_NAMES: readonly (keyof BenchOptions)[] = [
  'suite',
  'problems',
  'only',
  'backends',
  'threads',
  'rounds',
  'maxTime',
  'minTime',
  'cold',
  'check',
  'limits',
  'python',
  'signal',
  'onProgress',
];

const MIN_SAMPLES = 3;

/**
 * Measures backends against each other: each is checked against the float64 reference first, and those that are right are timed in
 * rounds on the same threads.
 *
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` (unknown option); RangeError `ERR_INVALID_ARG_VALUE` (unknown
 *   suite or backend, malformed problem), `ERR_OUT_OF_RANGE`; Error where the package `benchmark` is not installed
 */
export async function bench(options: BenchOptions = {}): Promise<Report> {
  checkOptions(options, 'options', OPTION_NAMES);
  const { rounds = 5, maxTime = 0.05, minTime = 0.005, cold = false, check = 'sample', signal } = options;
  const entries = entriesOf(options);
  const sources = sourcesOf(options.backends);
  const threads =
    options.threads === undefined ? getThreads() : checkInteger(options.threads, 'threads', 1, MAX_THREADS);
  checkInteger(rounds, 'rounds', 1);
  checkWord(check, 'check', ['sample', 'full']);
  for (const [name, value] of Object.entries({ maxTime, minTime })) {
    if (!(checkNumber(value, name) > 0)) throw invalidValue('more than 0 seconds', name, value);
  }
  loadBenchmark();

  const timing: Timing = { maxTime, minTime, minSamples: MIN_SAMPLES, cold };
  const settings = { threads, python: options.python ?? process.env.CORR2D_BENCH_PYTHON ?? 'python3' };
  const machine = describeMachine();
  const limits = options.limits ?? measureLimits(machine, threads);
  const { backends, skipped } = await load(sources, settings);
  const rows: Row[] = [];
  try {
    for (const [i, entry] of entries.entries()) {
      if (signal?.aborted) break;
      const onRound = (round: number): void =>
        options.onProgress?.(i + round / rounds, entries.length, entry.name);
      onRound(0);
      const { timed, refused } = await contest(entry.problem, backends, {
        rounds,
        timing,
        check,
        signal,
        onRound,
      });
      const row = rowOf(entry, timed, roofOf(entry.problem, machine, limits, threads));
      if (row.results.length > 0 || refused.length > 0)
        rows.push({ ...row, results: [...row.results, ...refused] });
    }
  } finally {
    // Who can't end is no reason to lose the report.
    await Promise.allSettled(backends.map(async (backend) => backend.close?.()));
  }
  return {
    format: 1,
    date: new Date().toISOString(),
    machine,
    limits,
    settings: { suite: titleOf(options), threads, rounds, timing, check },
    backends: backends.map(({ name, version, layout = 'NCHW' }) => ({ name, version, layout })),
    skipped,
    rows,
    interrupted: signal?.aborted ?? false,
  };
}

/** The name of the suite, or the problems. */
function titleOf({ suite, problems = [] }: BenchOptions): string {
  if (suite === undefined) return problems.length > 0 ? problems.join(' ') : 'layers';
  return typeof suite === 'string' ? suite : suite.name;
}

function entriesOf({ suite, problems = [], only }: BenchOptions): SuiteEntry[] {
  const chosen = suite ?? (problems.length > 0 ? undefined : 'layers');
  const fromSuite = typeof chosen === 'string' ? suiteOf(chosen) : chosen;
  const entries = [...(fromSuite?.entries ?? []), ...problems.map((text) => entryOf(text))];
  const matching = entries.filter(
    (entry) => only === undefined || [entry.name, entry.class].some((text) => text.search(only) >= 0),
  );
  if (matching.length === 0) throw invalidValue('a pattern that some problem matches', 'only', String(only));
  return matching;
}

function sourcesOf(given: BenchOptions['backends']): (Backend | BackendSource)[] {
  if (given === undefined) return [...builtIn];
  if (!Array.isArray(given)) throw invalidType('a list of backends', 'backends', given);
  return given.map((item: string | Backend | BackendSource) => {
    if (typeof item === 'object' && item !== null) return item;
    const source = builtIn.find(({ name }) => name === item);
    if (source === undefined) {
      throw invalidValue(`one of ${builtIn.map(({ name }) => name).join(', ')}`, 'backend', item);
    }
    return source;
  });
}

/** Loads the backends; those that are not installed are listed. */
async function load(
  sources: readonly (Backend | BackendSource)[],
  settings: BackendSettings,
): Promise<{ backends: Backend[]; skipped: Skipped[] }> {
  const [backends, skipped]: [Backend[], Skipped[]] = [[], []];
  for (const source of sources) {
    try {
      backends.push('load' in source ? await source.load(settings) : source);
    } catch (error) {
      const hint = error instanceof MissingBackend && 'load' in source ? source.install : undefined;
      const reason = (error as Error).message;
      skipped.push({ backend: source.name, reason, ...(hint === undefined ? {} : { hint }) });
    }
  }
  return { backends, skipped };
}

function rowOf(
  { name, class: className, problem, count }: SuiteEntry,
  timed: readonly Timed[],
  roof: Roof,
): Row {
  const [flops, bytes] = [flopsOf(problem), bytesOf(problem)];
  const results = timed.map((one): Measured => {
    const { min } = one.statistics;
    const rates = { gflops: flops / min / 1e9, gbytes: bytes / min / 1e9, share: roof.seconds / min };
    return { ...one, status: 'measured', ...rates };
  });
  return {
    name,
    class: className,
    problem: formatProblem(problem),
    count,
    flops,
    bytes,
    limit: roof.limit,
    results,
  };
}
