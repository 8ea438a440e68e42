/** The report for documents. */
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

function rows(head: readonly string[], body: readonly (readonly string[])[], left: number): string[] {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const rule = head.map((_, i) => (i < left || i === head.length - 1 ? '---' : '---:'));
  return [line(head), line(rule), ...body.map(line)];
}

/** A report as Markdown: the means first, then the machine, remarks, and a row for each result. */
export function markdown(report: Report): string {
  const lines: string[] = [];
  for (const summary of summaries(report)) {
    lines.push(
      `Time of the best peer ÷ time of ${summary.backend}, geometric means; ${totalLine(summary)}.`,
      '',
    );
    lines.push(...rows(SUMMARY_HEADS, summaryCells(summary), 1), '');
  }
  lines.push(...machineLines(report).map((line) => `- ${line}`));
  lines.push(`- ${report.backends.map(({ name, version }) => `${name} ${version}`).join(', ')}`);
  lines.push(...remarkLines(report).map((line) => `- ${line}`), '');
  lines.push(...rows(HEADS, resultCells(report), WORD_COLUMNS), '');
  return lines.join('\n');
}
