/** The report for the terminal. */
import type { Report } from '../report.ts';
import {
  HEADS,
  machineLines,
  remarkLines,
  resultCells,
  SUMMARY_HEADS,
  summaries,
  summaryCells,
  totalLine,
  WORD_COLUMNS,
} from './format.ts';

/** Aligns columns; the first `left` of them and the last of a wide table to the left. */
function aligned(rows: readonly (readonly string[])[], left: number): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  const isLeft = (i: number): boolean => i < left || (widths.length > 5 && i === widths.length - 1);
  const cell = (text: string, i: number): string =>
    isLeft(i) ? text.padEnd(widths[i] as number) : text.padStart(widths[i] as number);
  return rows.map((row) => row.map(cell).join('  ').trimEnd()).join('\n');
}

/** A report as text: the machine, a line for each result (fastest first), what went wrong, and the means. */
export function table(report: Report): string {
  const versions = report.backends.map(({ name, version }) => `${name} ${version}`).join(', ');
  const lines = [
    ...machineLines(report),
    versions,
    '',
    aligned([HEADS, ...resultCells(report)], WORD_COLUMNS),
  ];
  const remarks = remarkLines(report);
  if (remarks.length > 0) lines.push('', ...remarks);
  for (const summary of summaries(report)) {
    lines.push(
      '',
      `${summary.backend}: time of the best peer ÷ own, geometric means`,
      aligned([SUMMARY_HEADS, ...summaryCells(summary)], 1),
      totalLine(summary),
    );
  }
  return lines.join('\n');
}
