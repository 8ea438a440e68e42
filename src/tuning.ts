/** Choosing an algorithm by measurement, and remembering the choice across processes. */
import { checkInteger, checkNumber, checkWord, isPlainObject } from './check.ts';
import { convParams } from './conv-settings.ts';
import { invalidType, invalidValue } from './errors.ts';
import { allocate } from './memory.ts';
import { algorithms, native } from './native.ts';
import { CONV } from './params.ts';
import type { NativePlan } from './plan.ts';
import type { MeasuredTimes } from './plan-explanation.ts';
import { sizeOf } from './strides.ts';

/** What was measured for one problem. */
export interface TuningEntry {
  /** The instruction set, as `info().isa`. */
  readonly isa: string;
  /** How many threads worked on a run. */
  readonly threads: number;
  /** The shapes and options that an algorithm's time depends on. */
  readonly problem: string;
  /** The algorithm taken. */
  readonly algorithm: string;
  /** Milliseconds of a run, the least of several, for each algorithm that was measured. */
  readonly times: MeasuredTimes;
}

/** Choices made by measurement, as plain data for `JSON.stringify`. */
export interface Tuning {
  /** Version of the package that made them; another version has other kernels, and takes none of them. */
  readonly version: string;
  readonly entries: readonly TuningEntry[];
}

/** A plan and the times that chose it. */
export interface TunedPlan {
  readonly plan: NativePlan;
  readonly times: MeasuredTimes;
}

/** Candidates estimated to take so many times as long as the best are not measured. */
const HOPELESS = 4;
/** After the first round, neither are those that took so many times as long as the fastest. */
const SLOW = 1.5;
/** Milliseconds after which no other round begins. */
const BUDGET = 150;
const MOST_ROUNDS = 25;
/** A sample repeats short runs until it lasts so many milliseconds, far more than reading the clock. */
const SAMPLE = 0.05;
/** The estimate's choice stays unless another is faster by this factor: noise should not decide. */
const GAIN = 1.02;

const known = new Map<string, TuningEntry>();

const key = ({ isa, threads, problem }: Pick<TuningEntry, 'isa' | 'threads' | 'problem'>): string =>
  `${isa} ${threads} ${problem}`;

/**
 * The choices that plans with `tune: true` have made or loaded in this thread. `loadTuning` takes them in another process,
 * which then need not measure.
 */
export function saveTuning(): Tuning {
  const entries = [...known.values()].map((entry) => ({ ...entry, times: { ...entry.times } }));
  return { version: native.runtimeInfo().version, entries };
}

function readEntry(value: unknown, parameter: string): TuningEntry {
  if (!isPlainObject(value)) throw invalidType('a plain object', parameter, value);
  const { isa, threads, problem, algorithm, times } = value;
  if (typeof isa !== 'string') throw invalidType('a string', `${parameter}.isa`, isa);
  if (typeof problem !== 'string') throw invalidType('a string', `${parameter}.problem`, problem);
  if (!isPlainObject(times)) throw invalidType('a plain object', `${parameter}.times`, times);
  const checked = Object.entries(times).map(([name, ms]): [string, number] => [
    checkWord(name, `${parameter}.times`, algorithms),
    checkNumber(ms, `${parameter}.times`, { least: 0 }),
  ]);
  return {
    isa,
    threads: checkInteger(threads, `${parameter}.threads`, 1),
    problem,
    algorithm: checkWord(algorithm, `${parameter}.algorithm`, algorithms),
    times: Object.fromEntries(checked),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalidValue('JSON', 'tuning', text);
  }
}

/**
 * Takes choices that `saveTuning` gave: plans with `tune: true` for the same problem, instruction set and number of threads then
 * take them without measuring. A problem that is known already gets the loaded choice.
 *
 * @param tuning the object, or its JSON text
 * @returns how many were taken: all, or none if another version of the package made them
 * @throws TypeError `ERR_INVALID_ARG_TYPE`; RangeError `ERR_INVALID_ARG_VALUE` (no JSON, an unknown algorithm),
 *   `ERR_OUT_OF_RANGE`; nothing is taken then
 */
export function loadTuning(tuning: Tuning | string): number {
  const value = typeof tuning === 'string' ? parse(tuning) : tuning;
  if (!isPlainObject(value)) throw invalidType('an object that saveTuning gave', 'tuning', value);
  const { version, entries } = value;
  if (typeof version !== 'string') throw invalidType('a string', 'tuning.version', version);
  if (!Array.isArray(entries)) throw invalidType('an array', 'tuning.entries', entries);
  if (version !== native.runtimeInfo().version) return 0;
  const read = entries.map((entry, i) => readEntry(entry, `tuning.entries[${i}]`));
  for (const entry of read) known.set(key(entry), entry);
  return read.length;
}

// All places that say what is computed, in an order that a person can read.
function problemOf(p: Float64Array, isTransposed: boolean): string {
  const list = (from: number, count: number): string => p.slice(from, from + count).join(',');
  const more = isTransposed
    ? `-out${list(CONV.OUT_H, 2)}-extra${list(CONV.OUTPUT_PADDING_H, 2)}`
    : `-mode${p[CONV.PADDING_MODE]}`;
  return [
    isTransposed ? 'convtranspose:' : 'conv:',
    `n${p[CONV.N]}c${p[CONV.C_IN]}h${p[CONV.H]}w${p[CONV.W]}`,
    `-o${p[CONV.C_OUT]}i${p[CONV.WEIGHT_C]}k${list(CONV.KH, 2)}s${list(CONV.STRIDE_H, 2)}`,
    `p${list(CONV.PAD_TOP, 4)}${isTransposed ? `kind${p[CONV.PAD_KIND]}` : ''}`,
    `d${list(CONV.DILATION_H, 2)}g${p[CONV.GROUPS]}${p[CONV.LAYOUT] === 0 ? 'NCHW' : 'NHWC'}`,
    more,
  ].join('');
}

/** Milliseconds of the least of several interleaved runs of each plan, on ordinary numbers. */
function measure(plans: ReadonlyMap<string, NativePlan>, inputSize: number, outputSize: number) {
  const input = allocate(inputSize, 'the input');
  for (let i = 0; i < inputSize; i++) input[i] = (i % 251) / 251 - 0.5;
  const output = allocate(outputSize, 'the output');
  const sample = ({ handle }: NativePlan, repeats: number): number => {
    const start = performance.now();
    for (let i = 0; i < repeats; i++) native.runPlan(handle, input, null, output);
    return (performance.now() - start) / repeats;
  };
  const start = performance.now();
  const isOver = () => performance.now() - start > BUDGET;
  const times = new Map<string, number>();
  // The first touches memory for the first time; what is slow even so is not run again.
  for (const [name, plan] of plans) times.set(name, sample(plan, 1));
  for (let round = 0; round < MOST_ROUNDS && !isOver(); round++) {
    const best = Math.min(...times.values());
    const repeats = Math.max(1, Math.ceil(SAMPLE / Math.max(best, 1e-4)));
    for (const [name, plan] of plans) {
      const least = times.get(name) as number;
      if (round === 0 || least <= SLOW * best) times.set(name, Math.min(least, sample(plan, repeats)));
    }
  }
  return times;
}

/**
 * The plan of the fastest algorithm, measured now or before. Only those are measured that `auto` may take, on all threads that
 * the plan may use. It lasts 0.15 s and the round that is under way then, or, where that is longer, one run of each.
 *
 * @param create makes a native plan from `convParams`
 */
export function tunedPlan(
  create: (params: Float64Array) => NativePlan,
  inputShape: readonly number[],
  outputShape: readonly number[],
  isTransposed: boolean,
): TunedPlan {
  // What runs below may fill the common ones anew.
  const params = convParams.slice();
  const untuned = create(params);
  const outputSize = sizeOf(outputShape);
  // An empty batch takes no time.
  if (outputSize === 0) return { plan: untuned, times: {} };
  const problem = problemOf(params, isTransposed);
  const threads = Math.min(params[CONV.THREADS] || Infinity, native.getThreads());
  const { isa, algorithm: estimated } = untuned;
  const withAlgorithm = (name: string): NativePlan => {
    if (name === estimated) return untuned;
    params[CONV.ALGORITHM] = algorithms.indexOf(name);
    return create(params);
  };
  const { candidates } = untuned.explain();
  const limit = HOPELESS * Math.min(...candidates.map(({ cost }) => cost));
  const names = candidates.filter(({ cost }) => cost <= limit).map(({ name }) => name);
  const earlier = known.get(key({ isa, threads, problem }));
  if (earlier !== undefined && names.includes(earlier.algorithm)) {
    return { plan: withAlgorithm(earlier.algorithm), times: earlier.times };
  }
  const plans = new Map<string, NativePlan>();
  for (const name of names) {
    try {
      plans.set(name, withAlgorithm(name));
    } catch {
      // Not for every phase of a transposed convolution, of which the candidates are those of one.
    }
  }
  const times = measure(plans, sizeOf(inputShape), outputSize);
  const time = (name: string): number => (times.get(name) as number) * (name === estimated ? 1 / GAIN : 1);
  const algorithm = [...plans.keys()].reduce((a, b) => (time(b) < time(a) ? b : a), estimated);
  const entry = { isa, threads, problem, algorithm, times: Object.fromEntries(times) };
  known.set(key(entry), entry);
  return { plan: plans.get(algorithm) as NativePlan, times: entry.times };
}
