/** The benchmark: checks every backend, then times them in rounds. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Backend,
  type BackendSettings,
  type BackendSource,
  MissingBackend,
  type Prepared,
} from './backend.ts';
import { Checker, type CheckMode, type CheckResult } from './check.ts';
import { makeWeights, type Weights } from './data.ts';
import { describeMachine, measureLimits } from './machine.ts';
import { bytesOf, flopsOf } from './problem.ts';
import { formatProblem } from './problem-text.ts';
import type { Report, Result, Row, Skipped } from './report.ts';
import { type Roof, roofOf } from './roofline.ts';
import { statisticsOf } from './statistics.ts';
import type { SuiteEntry } from './suites.ts';
import { sample, type Timing } from './timing.ts';

/** What is measured, and how. */
export interface RunOptions {
  readonly entries: readonly SuiteEntry[];
  readonly sources: readonly (BackendSource | Backend)[];
  readonly settings: BackendSettings;
  readonly rounds: number;
  readonly timing: Timing;
  readonly check: CheckMode;
  /** Stops the measurement; the report has what there is. */
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((done: number, total: number, what: string) => void) | undefined;
}

/** Let the threads of one backend come to rest before another is timed. */
const SETTLE_MS = 5;

interface Contender {
  readonly backend: Backend;
  readonly prepared: Prepared;
  readonly check: CheckResult;
  readonly samples: number[];
}

/** Loads the backends; those that are not installed are listed. */
async function load(
  sources: readonly (BackendSource | Backend)[],
  settings: BackendSettings,
): Promise<{ backends: Backend[]; skipped: Skipped[] }> {
  const [backends, skipped]: [Backend[], Skipped[]] = [[], []];
  for (const source of sources) {
    try {
      backends.push('load' in source ? await source.load(settings) : source);
    } catch (error) {
      const { message } = error as Error;
      const hint = error instanceof MissingBackend && 'load' in source ? source.install : undefined;
      skipped.push({ backend: source.name, reason: message, ...(hint === undefined ? {} : { hint }) });
    }
  }
  return { backends, skipped };
}

/** Measures every problem on every backend. */
export async function run(options: RunOptions): Promise<Report> {
  const { entries, settings, rounds, timing, signal } = options;
  const machine = describeMachine();
  const limits = measureLimits(machine, settings.threads);
  const { backends, skipped } = await load(options.sources, settings);
  const rows: Row[] = [];
  try {
    for (const [i, entry] of entries.entries()) {
      if (signal?.aborted) break;
      const progress = (round: number): void =>
        options.progress?.(i + round / rounds, entries.length, entry.name);
      const roof = roofOf(entry.problem, machine, limits, settings.threads);
      rows.push(await measure(entry, backends, options, roof, progress));
    }
  } finally {
    for (const backend of backends) await backend.close?.();
  }
  options.progress?.(entries.length, entries.length, '');
  return {
    format: 1,
    date: new Date().toISOString(),
    machine,
    limits,
    settings: { threads: settings.threads, rounds, timing, check: options.check },
    backends: backends.map(({ name, version, layout = 'NCHW' }) => ({ name, version, layout })),
    skipped,
    rows,
    interrupted: signal?.aborted ?? false,
  };
}

async function measure(
  entry: SuiteEntry,
  backends: readonly Backend[],
  { rounds, timing, check, signal }: RunOptions,
  roof: Roof,
  progress: (round: number) => void,
): Promise<Row> {
  const { problem } = entry;
  const weights = makeWeights(problem);
  const checker = new Checker(problem, weights, check);
  const contenders: Contender[] = [];
  const results: Result[] = [];
  progress(0);
  for (const backend of backends) {
    if (!backend.supports(problem)) continue;
    const outcome = await enter(backend, entry, weights, checker);
    if (outcome === undefined) continue;
    if ('status' in outcome) results.push(outcome);
    else contenders.push(outcome);
  }
  for (let round = 0; round < rounds && !signal?.aborted; round++) {
    // Who begins changes from round to round.
    for (const i of contenders.keys()) {
      const { prepared, samples } = contenders[(i + round) % contenders.length] as Contender;
      await sleep(SETTLE_MS);
      const times = prepared.sample === undefined ? sample(prepared.run, timing) : prepared.sample(timing);
      samples.push(...(await times));
      if (signal?.aborted) break;
    }
    progress(round + 1);
  }
  const [flops, bytes] = [flopsOf(problem), bytesOf(problem)];
  for (const { backend, prepared, check: checked, samples } of contenders) {
    if (samples.length > 0) {
      const statistics = statisticsOf(samples);
      results.push({
        backend: backend.name,
        layout: backend.layout ?? 'NCHW',
        status: 'measured',
        check: checked,
        statistics,
        gflops: flops / statistics.min / 1e9,
        gbytes: bytes / statistics.min / 1e9,
        share: roof.seconds / statistics.min,
        details: prepared.details?.() ?? {},
        samples,
      });
    }
    await prepared.dispose();
  }
  const { name, class: className } = entry;
  return {
    name,
    class: className,
    problem: formatProblem(problem),
    flops,
    bytes,
    limit: roof.limit,
    results,
  };
}

/** Prepares and checks a backend; a result says what went wrong, undefined that it has no such operator. */
async function enter(
  backend: Backend,
  { problem }: SuiteEntry,
  weights: Weights,
  checker: Checker,
): Promise<Contender | Result | undefined> {
  const out = (status: 'failed' | 'wrong', message: string, check?: CheckResult): Result => ({
    backend: backend.name,
    layout: backend.layout ?? 'NCHW',
    status,
    message,
    ...(check === undefined ? {} : { check }),
  });
  let prepared: Prepared | undefined;
  try {
    prepared = await backend.prepare(problem, weights);
    if (prepared === undefined) return undefined;
    if (prepared.sample === undefined) await prepared.run();
    const check = checker.check(await prepared.output());
    if (check.problem === undefined) return { backend, prepared, check, samples: [] };
    await prepared.dispose();
    return out('wrong', check.problem, check);
  } catch (error) {
    await prepared?.dispose();
    return out('failed', (error as Error).message);
  }
}
