/** What is made of a report: text, documents, pictures, comparisons. */
import { beforeAll, describe, expect, test } from 'vitest';
import { bench } from '../../bench/bench.ts';
import { compare, comparisonText } from '../../bench/report/compare.ts';
import { markdown } from '../../bench/report/markdown.ts';
import { svg } from '../../bench/report/svg.ts';
import { table } from '../../bench/report/table.ts';
import { type Measured, type Report, type Row, ranked } from '../../bench/report.ts';
import { geometricMean, statisticsOf } from '../../bench/statistics.ts';
import { slow, wrong } from './contenders.ts';

let report: Report;

beforeAll(async () => {
  report = await bench({
    threads: 1,
    rounds: 1,
    maxTime: 0.003,
    minTime: 0.0005,
    problems: ['conv:c2h6w7-o3k3p1', 'maxpool:c2h6w6-k2'],
    backends: ['corr2d', await slow(), await wrong((data) => data.fill(7))],
    python: 'no-such-python',
  });
});

/** The report with every time of a backend multiplied, as if it had been measured so. */
function scaled(factor: number, name = 'corr2d'): Report {
  const rows = report.rows.map((row): Row => {
    const results = row.results.map((result) => {
      if (result.status !== 'measured' || result.backend !== name) return result;
      const samples = result.samples.map((sample) => sample * factor);
      return { ...result, samples, statistics: statisticsOf(samples) };
    });
    return { ...row, results };
  });
  return { ...report, rows };
}

/** The report with times that hardly differ. */
function steady(base: Report, spread = 0.001): Report {
  const rows = base.rows.map((row) => ({
    ...row,
    results: row.results.map((result) => {
      if (result.status !== 'measured') return result;
      const { min } = result.statistics;
      return { ...result, statistics: statisticsOf([min, min * (1 + spread), min * (1 + spread)]) };
    }),
  }));
  return { ...base, rows };
}

test('the table has a line for each result, the refusals and the means', () => {
  const text = table(report);
  expect(text).toContain(report.machine.cpu);
  for (const row of report.rows) {
    for (const { backend } of ranked(row)) {
      expect(text).toMatch(new RegExp(`^${row.problem} +${backend} +[\\d.]+ +`, 'm'));
    }
    expect(text).toContain(`${row.problem}: wrong is not timed, it is wrong: element 0 is 7`);
  }
  expect(text).toMatch(/^pooling +[\d.]+ +[\d.]+ +1$/m);
  expect(text).toMatch(/^all +[\d.]+ +[\d.]+ +2$/m);
});

test('the document has the same cells', () => {
  const lines = markdown(report).split('\n');
  const head = lines.find((line) => line.startsWith('| problem'));
  expect(lines.filter((line) => line.startsWith('| conv:'))).toHaveLength(2);
  for (const line of lines.filter((candidate) => candidate.startsWith('| conv:'))) {
    expect(line.split('|')).toHaveLength(head?.split('|').length ?? 0);
  }
});

test('the picture has the roofs, every backend and every bar', async () => {
  const picture = await svg(report);
  expect(picture).toMatch(/^<svg /);
  for (const text of ['L2', 'L3', 'DRAM', 'FMA', 'corr2d', 'slow', ...report.rows.map((row) => row.name)]) {
    expect(picture).toContain(`>${text}<`);
  }
  expect(picture).not.toContain('NaN');
  const bare = await svg({ ...report, limits: { ...report.limits, fma: {} } });
  expect(bare).toContain('>DRAM<');
  expect(bare).not.toMatch(/NaN|>FMA</);
});

describe('a comparison', () => {
  test('with itself has no change', () => {
    const { slower, faster, compared, differences } = compare(report, report);
    expect({ slower, faster, compared, differences }).toEqual({
      slower: [],
      faster: [],
      compared: 4,
      differences: [],
    });
  });

  test('lists what got slower beyond noise, worst first', () => {
    const result = compare(steady(report), steady(scaled(1.25)));
    expect(result.slower.map(({ backend }) => backend)).toEqual(['corr2d', 'corr2d']);
    expect(result.slower[0]?.ratio).toBeCloseTo(1.25, 3);
    expect(comparisonText(result)).toMatch(
      /^4 results compared: 2 slower, 0 faster beyond noise\nslower:\n {2}/,
    );
  });

  test('lists what got faster', () => {
    const result = compare(steady(report), steady(scaled(0.5)));
    expect(result.slower).toEqual([]);
    expect(result.faster.map(({ backend }) => backend)).toEqual(['corr2d', 'corr2d']);
  });

  test.each([
    ['less than 3 %', 1.02, 0.001],
    ['less than the spread of the times', 1.25, 0.5],
  ])('leaves out what is %s', (_, factor, spread) => {
    expect(compare(steady(report, spread), steady(scaled(factor), spread)).slower).toEqual([]);
  });

  test('tells when machines differ', () => {
    const other = { ...report, machine: { ...report.machine, isa: 'other' } };
    expect(compare(report, other).differences).toEqual([
      `instruction set: ${report.machine.isa} before, other now`,
    ]);
  });

  test.each([null, {}, [], { format: 2, rows: [] }])('with %j is refused', (value) => {
    expect(() => compare(value as never, report)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
    );
  });
});

describe('statistics', () => {
  test('quantiles are between neighbours', () => {
    const times = [5, 1, 4, 2, 3];
    expect(statisticsOf(times)).toMatchObject({ min: 1, median: 3, p90: 4.6, mean: 3, samples: 5 });
    expect(times).toEqual([5, 1, 4, 2, 3]);
  });

  test('the margin of error is that of Student', () => {
    // 2.7764 · √2.5 / √5 / 3.
    expect(statisticsOf([1, 2, 3, 4, 5]).rme).toBeCloseTo(65.44, 0);
    expect(statisticsOf([2]).rme).toBe(0);
    expect(statisticsOf([2, 2, 2]).rme).toBe(0);
  });

  test('geometric mean', () => {
    expect(geometricMean([1, 4])).toBeCloseTo(2);
    expect(geometricMean([])).toBeNaN();
  });
});

test('a report of a measured row keeps its details', () => {
  const [row] = report.rows as [Row];
  const own = ranked(row).find(({ backend }) => backend === 'corr2d') as Measured;
  expect(own.details).toMatchObject({ algorithm: expect.any(String), isa: report.machine.isa });
});
