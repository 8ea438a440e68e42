/** One problem: every backend is checked, then those that are right are timed in rounds. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Backend, Prepared } from './backend.ts';
import { Checker, type CheckMode, type CheckResult } from './check.ts';
import { makeWeights, type Weights } from './data.ts';
import type { Problem } from './problem.ts';
import type { Measured, Memory, Refused } from './report.ts';
import { type Statistics, statisticsOf } from './statistics.ts';
import { sample, type Timing } from './timing.ts';

/** How a problem is measured. */
export interface ContestOptions {
  readonly rounds: number;
  readonly timing: Timing;
  readonly check: CheckMode;
  readonly signal?: { readonly aborted: boolean } | undefined;
  /** Called after each round of all backends. */
  readonly onRound?: ((round: number) => void) | undefined;
}

/** A backend with its times, before rates and shares are computed from them. */
export type Timed = Pick<Measured, 'backend' | 'family' | 'layout' | 'check' | 'details' | 'samples'> & {
  readonly statistics: Statistics;
  readonly memory?: Memory;
};

/** Let the threads of one backend come to rest before another is timed. */
const SETTLE_MS = 5;

interface Contender {
  readonly backend: Backend;
  readonly prepared: Prepared;
  readonly check: CheckResult;
  readonly isAsync: boolean;
  readonly memory: Memory;
  readonly samples: number[];
}

/** What backends made of a problem. */
export interface Outcome {
  readonly timed: readonly Timed[];
  readonly refused: readonly Refused[];
}

/** Checks and times every backend that supports a problem. */
export async function contest(
  problem: Problem,
  backends: readonly Backend[],
  options: ContestOptions,
): Promise<Outcome> {
  const weights = makeWeights(problem);
  const checker = new Checker(problem, weights, options.check);
  const contenders: Contender[] = [];
  const refused: Refused[] = [];
  try {
    for (const backend of backends) {
      if (options.signal?.aborted || !backend.supports(problem)) continue;
      const outcome = await enter(backend, problem, weights, checker);
      if (outcome === undefined) continue;
      if ('status' in outcome) refused.push(outcome);
      else contenders.push(outcome);
    }
    await rounds(contenders, refused, options);
    return {
      timed: contenders.filter(({ samples }) => samples.length > 0).map((one) => timed(one, options.timing)),
      refused,
    };
  } finally {
    for (const { prepared } of contenders) await release(prepared);
  }
}

function identity({
  name,
  family = name,
  layout = 'NCHW',
}: Backend): Pick<Refused, 'backend' | 'family' | 'layout'> {
  return { backend: name, family, layout };
}

function refusal(backend: Backend, status: Refused['status'], message: string, check?: CheckResult): Refused {
  return { ...identity(backend), status, message, ...(check === undefined ? {} : { check }) };
}

/** Prepares and checks a backend; undefined where it has no such operator. */
async function enter(
  backend: Backend,
  problem: Problem,
  weights: Weights,
  checker: Checker,
): Promise<Contender | Refused | undefined> {
  let prepared: Prepared | undefined;
  try {
    const before = resident(backend);
    prepared = await backend.prepare(problem, weights);
    if (prepared === undefined) return undefined;
    const ready = resident(backend);
    // A backend that measures by itself runs by itself too.
    const running = prepared.sample === undefined ? prepared.run() : undefined;
    await running;
    const output = await prepared.output();
    const [byPrepare, byRun] = [ready - before, resident(backend) - ready];
    const memory = { prepare: byPrepare, firstRun: byRun, steady: byPrepare + byRun };
    const check = checker.check(output);
    if (check.problem === undefined) {
      return { backend, prepared, check, isAsync: running instanceof Promise, memory, samples: [] };
    }
    await release(prepared);
    return refusal(backend, 'wrong', check.problem, check);
  } catch (error) {
    await release(prepared);
    return refusal(backend, 'failed', (error as Error).message);
  }
}

/** Lets a backend go. What it can't give back is no reason to lose the report. */
async function release(prepared: Prepared | undefined): Promise<void> {
  try {
    await prepared?.dispose();
  } catch {
    // It has failed before, or will at its next problem.
  }
}

async function rounds(contenders: Contender[], refused: Refused[], options: ContestOptions): Promise<void> {
  const { timing, signal } = options;
  for (let round = 0; round < options.rounds; round++) {
    // Who begins changes from round to round.
    const shift = round % Math.max(contenders.length, 1);
    for (const contender of [...contenders.slice(shift), ...contenders.slice(0, shift)]) {
      await sleep(SETTLE_MS);
      if (signal?.aborted) return;
      const { prepared, isAsync, backend } = contender;
      try {
        const before = resident(backend);
        const times = prepared.sample?.(timing) ?? sample(prepared.run, isAsync, timing);
        contender.samples.push(...(await times));
        contender.memory.steady += resident(backend) - before;
      } catch (error) {
        contenders.splice(contenders.indexOf(contender), 1);
        await release(prepared);
        refused.push(refusal(backend, 'failed', (error as Error).message));
      }
    }
    options.onRound?.(round + 1);
  }
}

function timed({ backend, prepared, check, samples, memory }: Contender, { cold }: Timing): Timed {
  // It is not a number where the system doesn't tell, and that of emptying caches in a cold run.
  const told = !cold && !Number.isNaN(memory.steady);
  return {
    ...identity(backend),
    check,
    statistics: statisticsOf(samples),
    details: prepared.details?.() ?? {},
    ...(told ? { memory } : {}),
    samples,
  };
}

/** Bytes of resident memory of the process that a backend runs in; not a number where that is unknown. */
function resident(backend: Backend): number {
  return backend.resident === undefined ? process.memoryUsage.rss() : (backend.resident() ?? Number.NaN);
}
