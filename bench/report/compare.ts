/** A report against an older one: what got slower beyond noise. */
import { invalidValue } from '../../src/errors.ts';
import { type Measured, type Report, ranked } from '../report.ts';

/** A backend on a problem, in both reports. */
export interface Change {
  readonly name: string;
  readonly problem: string;
  readonly backend: string;
  /** Seconds of the fastest sample. */
  readonly before: number;
  readonly after: number;
  /** `after / before`. */
  readonly ratio: number;
  /** How much slower or faster could still be noise: 0.05 is 5 %. */
  readonly noise: number;
}

/** What became of the results that both reports have. */
export interface Comparison {
  readonly slower: readonly Change[];
  readonly faster: readonly Change[];
  readonly compared: number;
  /** What makes the reports unlike: another processor, instruction set or number of threads. */
  readonly differences: readonly string[];
}

/** Less than this is never called a change. */
const LEAST_NOISE = 0.03;

/** How far from its fastest sample a typical one is: what another run may miss. */
function spread({ statistics: { min, median } }: Measured): number {
  return (median - min) / min;
}

function isReport(value: unknown): value is Report {
  return (
    typeof value === 'object' &&
    value !== null &&
    (value as Report).format === 1 &&
    Array.isArray((value as Report).rows)
  );
}

/**
 * Compares two reports: a result is slower where its fastest sample takes longer by more than the spread of either run, and by at
 * least 3 %.
 *
 * @throws RangeError `ERR_INVALID_ARG_VALUE` for anything but a report
 */
export function compare(before: Report, after: Report): Comparison {
  for (const [name, report] of Object.entries({ before, after })) {
    if (!isReport(report)) throw invalidValue('a report of this version', name, report);
  }
  const old = new Map<string, Measured>();
  for (const row of before.rows) {
    for (const result of ranked(row)) old.set(`${row.problem} ${result.backend}`, result);
  }
  const changes: Change[] = [];
  for (const row of after.rows) {
    for (const result of ranked(row)) {
      const earlier = old.get(`${row.problem} ${result.backend}`);
      if (earlier === undefined) continue;
      const [a, b] = [earlier.statistics.min, result.statistics.min];
      const noise = Math.max(LEAST_NOISE, spread(earlier), spread(result));
      const { name, problem } = row;
      changes.push({ name, problem, backend: result.backend, before: a, after: b, ratio: b / a, noise });
    }
  }
  return {
    slower: changes.filter(({ ratio, noise }) => ratio > 1 + noise).sort((a, b) => b.ratio - a.ratio),
    faster: changes.filter(({ ratio, noise }) => ratio < 1 / (1 + noise)).sort((a, b) => a.ratio - b.ratio),
    compared: changes.length,
    differences: differences(before, after),
  };
}

function differences(before: Report, after: Report): string[] {
  const facts = ({ machine, settings }: Report): Record<string, string> => ({
    processor: machine.cpu,
    'instruction set': machine.isa,
    threads: String(settings.threads),
    caches: settings.timing.cold ? 'cold' : 'warm',
  });
  const [a, b] = [facts(before), facts(after)];
  return Object.keys(a)
    .filter((name) => a[name] !== b[name])
    .map((name) => `${name}: ${a[name]} before, ${b[name]} now`);
}

/** A comparison as text. */
export function comparisonText({ slower, faster, compared, differences: unlike }: Comparison): string {
  const line = ({ name, backend, before, after, ratio, noise }: Change): string => {
    const times = `${(before * 1e6).toPrecision(4)} → ${(after * 1e6).toPrecision(4)} µs`;
    return `  ${name}, ${backend}: ${times}, ${ratio.toFixed(3)} times (noise ${(100 * noise).toFixed(0)} %)`;
  };
  return [
    ...unlike.map((difference) => `not the same ${difference}`),
    `${compared} results compared: ${slower.length} slower, ${faster.length} faster beyond noise`,
    ...(slower.length > 0 ? ['slower:', ...slower.map(line)] : []),
    ...(faster.length > 0 ? ['faster:', ...faster.map(line)] : []),
  ].join('\n');
}
