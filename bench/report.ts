/** What a benchmark gives: plain data, which is what `--json` writes. */
import type { CheckMode, CheckResult } from './check.ts';
import type { Limits, Machine } from './machine.ts';
import type { Statistics } from './statistics.ts';
import { geometricMean } from './statistics.ts';
import type { Timing } from './timing.ts';

/** A backend that was asked for and could not be loaded. */
export interface Skipped {
  readonly backend: string;
  readonly reason: string;
  /** The command that installs it. */
  readonly hint?: string;
}

interface Contestant {
  readonly backend: string;
  readonly family: string;
  readonly layout: 'NCHW' | 'NHWC';
}

/**
 * Growth of resident memory in bytes, as far as it can be told: it may use pages that other work has left, and memory that is
 * collected counts when that happens.
 */
export interface Memory {
  /** By packing weights and allocating results. */
  prepare: number;
  /** By the first run, with memory for its check where the results are copied. */
  firstRun: number;
  /** By these and all rounds. */
  steady: number;
}

/** A backend that was timed on a problem. */
export interface Measured extends Contestant {
  readonly status: 'measured';
  readonly check: CheckResult;
  readonly statistics: Statistics;
  /** 10⁹ operations of the direct method per second of the fastest sample. */
  readonly gflops: number;
  /** 10⁹ bytes that have to be read and written at least, likewise. */
  readonly gbytes: number;
  /** Share of the limit that binds. */
  readonly share: number;
  readonly details: Readonly<Record<string, string | number>>;
  /** Left out of a cold run, where emptying caches takes more. */
  readonly memory?: Memory;
  /** Seconds of a run, one number for each cycle. */
  readonly samples: readonly number[];
}

/** A backend that was not timed on a problem: its result was wrong, or it failed. */
export interface Refused extends Contestant {
  readonly status: 'wrong' | 'failed';
  readonly message: string;
  readonly check?: CheckResult;
}

/** A backend on a problem. */
export type Result = Measured | Refused;

/** A problem with its results. */
export interface Row {
  readonly name: string;
  readonly class: string;
  readonly problem: string;
  /** How often the network that the suite describes has it. */
  readonly count: number;
  readonly flops: number;
  readonly bytes: number;
  /** The limit that binds: `FMA`, or the bandwidth of the level of memory that holds the problem. */
  readonly limit: string;
  readonly results: readonly Result[];
}

/** A whole run. */
export interface Report {
  readonly format: 1;
  readonly date: string;
  readonly machine: Machine;
  readonly limits: Limits;
  readonly settings: {
    readonly threads: number;
    readonly rounds: number;
    readonly timing: Timing;
    readonly check: CheckMode;
    /** Name of the suite, or what was asked for instead. */
    readonly suite: string;
  };
  readonly backends: readonly { readonly name: string; readonly version: string; readonly layout: string }[];
  readonly skipped: readonly Skipped[];
  readonly rows: readonly Row[];
  /** Whether it was stopped before its end. */
  readonly interrupted: boolean;
}

/** The results of a row that were timed, fastest first. */
export function ranked(row: Row): Measured[] {
  const measured = row.results.filter((result) => result.status === 'measured');
  return measured.sort((a, b) => a.statistics.min - b.statistics.min);
}

/** The fastest backend of another family on tensors of the same layout. */
export function bestPeer(row: Row, result: Measured): Measured | undefined {
  return ranked(row).find(({ family, layout }) => layout === result.layout && family !== result.family);
}

/** How many times faster than the best peer a result is; undefined without a peer. */
export function ratioOf(row: Row, result: Measured): number | undefined {
  const peer = bestPeer(row, result);
  return peer === undefined ? undefined : peer.statistics.min / result.statistics.min;
}

/** Geometric means of a backend's ratios. */
export interface Summary {
  readonly backend: string;
  readonly classes: readonly {
    readonly class: string;
    readonly mean: number;
    readonly worst: number;
    readonly problems: number;
  }[];
  readonly mean: number;
  readonly worst: number;
  readonly problems: number;
  /** Seconds of all problems, as often as they occur, of the backend and of the best peer of each. */
  readonly total: readonly [own: number, peers: number];
}

/** The means of one backend over a report; undefined where it has no peer anywhere. */
export function summaryOf({ rows }: Pick<Report, 'rows'>, backend: string): Summary | undefined {
  const groups = new Map<string, number[]>();
  let [own, peers] = [0, 0];
  for (const row of rows) {
    const result = ranked(row).find((candidate) => candidate.backend === backend);
    const peer = result === undefined ? undefined : bestPeer(row, result);
    if (result === undefined || peer === undefined) continue;
    own += row.count * result.statistics.min;
    peers += row.count * peer.statistics.min;
    groups.set(row.class, [...(groups.get(row.class) ?? []), peer.statistics.min / result.statistics.min]);
  }
  const all = [...groups.values()].flat();
  if (all.length === 0) return undefined;
  const means = (ratios: number[]) => ({
    mean: geometricMean(ratios),
    worst: Math.min(...ratios),
    problems: ratios.length,
  });
  const classes = [...groups].map(([name, ratios]) => ({ class: name, ...means(ratios) }));
  return { backend, classes, ...means(all), total: [own, peers] };
}
