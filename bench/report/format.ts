/** How figures are written, in every kind of report. */
import { type Measured, type Report, type Row, ranked, ratioOf, type Summary, summaryOf } from '../report.ts';

/** Over this relative margin of error, in percent, a figure says little. */
const NOISY_RME = 10;

/** Three significant digits, or all of an integer. */
export function digits(value: number): string {
  if (value >= 1000) return value.toFixed(0);
  return value >= 100 ? value.toFixed(1) : value.toPrecision(3);
}

/** Bytes in KiB or MiB. */
export function size(bytes: number): string {
  return Math.abs(bytes) < 2 ** 20
    ? `${Math.round(bytes / 1024)} KiB`
    : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/** What is said of a backend beside its figures: algorithm or variant, scratch, and threads where they are not those of all. */
function how({ details: { algorithm, variant, scratchBytes, threads } }: Measured): string {
  const parts = [algorithm ?? variant];
  if (typeof scratchBytes === 'number' && scratchBytes > 0) parts.push(`scratch ${size(scratchBytes)}`);
  if (threads !== undefined) parts.push(`${threads} thread(s)`);
  return parts.filter((part) => part !== undefined).join(', ');
}

/** Heads of the columns of `cells`. */
export const HEADS: readonly string[] = [
  'problem',
  'backend',
  'min µs',
  'median',
  'p90',
  'p99',
  '± %',
  'GFLOP/s',
  'GB/s',
  '% of',
  'limit',
  '× peer',
  'memory',
  'how',
];

/** How many of them are words. */
export const WORD_COLUMNS = 2;

/** The cells of one result. */
function cells(row: Row, result: Measured): string[] {
  const { statistics: s, memory } = result;
  const ratio = ratioOf(row, result);
  return [
    row.name,
    result.backend,
    ...[s.min, s.median, s.p90, s.p99].map((time) => digits(time * 1e6)),
    `${s.rme.toFixed(1)}${s.rme > NOISY_RME ? '!' : ''}`,
    digits(result.gflops),
    digits(result.gbytes),
    (100 * result.share).toFixed(0),
    row.limit,
    ratio === undefined ? '' : ratio.toFixed(2),
    memory === undefined ? '' : size(memory.steady),
    how(result),
  ];
}

/** The cells of all results, fastest first within a problem. */
export function resultCells({ rows }: Report): string[][] {
  return rows.flatMap((row) => ranked(row).map((result) => cells(row, result)));
}

/** What the machine is and can do, in lines. */
export function machineLines({ machine, limits, settings, date }: Report): string[] {
  const rate = (value: number): string => (value / 1e9).toFixed(0);
  const list = (values: Readonly<Record<string, number>>): string =>
    Object.entries(values)
      .map(([name, value]) => `${name} ${rate(value)}`)
      .join(', ');
  const { timing, rounds } = settings;
  const affinity = machine.affinity === '' ? '' : `, on processors ${machine.affinity}`;
  const quota = machine.quota === null ? '' : `, quota of ${machine.quota} cores`;
  const environment = Object.entries(machine.environment).map(([name, value]) => `${name}=${value}`);
  return [
    `${machine.cpu}, ${machine.cores} cores${affinity}${quota}, ${machine.system}, Node ${machine.node}`,
    `${settings.suite}: ${machine.isa}, ${settings.threads} thread(s), ${rounds} rounds of ${timing.maxTime} s${timing.cold ? ', caches emptied before each run' : ''}, ${date}`,
    `Limits: multiply-adds ${list(limits.fma) || 'not measured'}, GFLOP/s; copying ${list(limits.copy)}, GB/s`,
    ...(environment.length > 0 ? [`Environment: ${environment.join(' ')}`] : []),
  ];
}

/** What was missing, refused, noisy or cut short, in lines. */
export function remarkLines({ skipped, rows, interrupted }: Report): string[] {
  const lines = skipped.map(
    ({ backend, reason, hint }) => `without ${backend}: ${reason}${hint ? ` (${hint})` : ''}`,
  );
  for (const row of rows) {
    for (const result of row.results) {
      if (result.status === 'measured') continue;
      lines.push(
        `${row.name}: ${result.backend} is not timed, it ${PREDICATES[result.status]}: ${result.message}`,
      );
    }
  }
  const measured = rows.flatMap((row) => ranked(row));
  const noisy = measured.filter(({ statistics }) => statistics.rme > NOISY_RME).length;
  if (noisy > 0) {
    lines.push(
      `noise: ${noisy} of ${measured.length} means have a margin of error over ${NOISY_RME} % (marked !); is the machine busy?`,
    );
  }
  if (interrupted) lines.push('interrupted: this is what had been measured');
  return lines;
}

const PREDICATES = { wrong: 'is wrong', failed: 'failed' } as const;

/** The means of a backend as cells under `SUMMARY_HEADS`. */
export function summaryCells({ classes, mean, worst, problems }: Summary): string[][] {
  const all = { class: 'all', mean, worst, problems };
  return [...classes, all].map((group) => [
    group.class,
    group.mean.toFixed(2),
    group.worst.toFixed(2),
    String(group.problems),
  ]);
}

/** Heads of the columns of `summaryCells`. */
export const SUMMARY_HEADS: readonly string[] = ['class', 'mean', 'worst', 'problems'];

/** The sum of times in a sentence. */
export function totalLine({ total: [own, peers] }: Summary): string {
  const ratio = (peers / own).toFixed(2);
  return `all together ${digits(own * 1e3)} ms, the best peer of each ${digits(peers * 1e3)} ms: ${ratio} times`;
}

/** Backends to summarize: corr2d where it was measured, or else the first. */
export function summaries(report: Report): Summary[] {
  const names = report.backends.map(({ name }) => name);
  const chosen = names.includes('corr2d') ? ['corr2d'] : names.slice(0, 1);
  return chosen.map((name) => summaryOf(report, name)).filter((summary) => summary !== undefined);
}
