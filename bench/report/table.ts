/** The report for the terminal. */
import { type Measured, type Report, type Row, ranked, ratioOf, summaryOf } from '../report.ts';

/** Over this relative margin of error a figure says little. */
const NOISY_RME = 10;

/** Aligns columns; the first `left` of them to the left. */
export function aligned(rows: readonly (readonly string[])[], left: number): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i < left ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Three significant digits, or all of an integer. */
export function digits(value: number): string {
  if (value >= 1000) return value.toFixed(0);
  return value >= 100 ? value.toFixed(1) : value.toPrecision(3);
}

const HEAD = [
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
  'how',
];

function line(row: Row, result: Measured): string[] {
  const { statistics: s, details } = result;
  const ratio = ratioOf(row, result);
  const micros = [s.min, s.median, s.p90, s.p99].map((time) => digits(time * 1e6));
  return [
    row.name,
    result.backend,
    ...micros,
    `${s.rme.toFixed(1)}${s.rme > NOISY_RME ? '!' : ''}`,
    digits(result.gflops),
    digits(result.gbytes),
    (100 * result.share).toFixed(0),
    row.limit,
    ratio === undefined ? '' : ratio.toFixed(2),
    String(details.algorithm ?? details.variant ?? ''),
  ];
}

/** The whole report as text; the means are those of the backends in `summarized`. */
export function table(report: Report, summarized: readonly string[] = ['corr2d']): string {
  const { machine, limits, settings, rows, skipped } = report;
  const rate = (value: number): string => (value / 1e9).toFixed(0);
  const fma = Object.entries(limits.fma).map(([isa, flops]) => `${isa} ${rate(flops)}`);
  const copy = Object.entries(limits.copy).map(([level, bytes]) => `${level} ${rate(bytes)}`);
  const lines = [
    `${machine.cpu}, ${machine.isa}, ${settings.threads} thread(s), ${report.date}`,
    `FMA peak, GFLOP/s: ${fma.join(', ')}; copying, GB/s: ${copy.join(', ')}`,
    ...report.backends.map(({ name, version }) => `${name} ${version}`),
    ...skipped.map(({ backend, reason, hint }) => `without ${backend}: ${reason}${hint ? ` (${hint})` : ''}`),
    '',
    aligned([HEAD, ...rows.flatMap((row) => ranked(row).map((result) => line(row, result)))], 2),
  ];
  for (const row of rows) {
    for (const result of row.results) {
      if (result.status !== 'measured')
        lines.push(`${row.name}: ${result.backend}: ${result.status}: ${result.message}`);
    }
  }
  for (const name of summarized) {
    const summary = summaryOf(report, name);
    if (summary === undefined) continue;
    const mean = (label: string, group: { mean: number; worst: number; problems: number }): string[] => [
      label,
      group.mean.toFixed(2),
      group.worst.toFixed(2),
      String(group.problems),
    ];
    lines.push(
      '',
      `${name}: best peer's time ÷ own, geometric means`,
      aligned(
        [
          ['class', 'mean', 'worst', 'problems'],
          ...summary.classes.map((c) => mean(c.class, c)),
          mean('all', summary),
        ],
        1,
      ),
      `all problems together: ${digits(summary.total[0] * 1e3)} ms, best peers ${digits(summary.total[1] * 1e3)} ms (${(summary.total[1] / summary.total[0]).toFixed(2)}×)`,
    );
  }
  if (report.interrupted) lines.push('', 'interrupted: this is what had been measured');
  return lines.join('\n');
}
