/** The harness on tiny problems: who is refused, who is ranked where, and what a report holds. */
import { describe, expect, test, vi } from 'vitest';
import { defineBackend, MissingBackend } from '../../bench/backend.ts';
import { bench } from '../../bench/bench.ts';
import {
  bestPeer,
  type Measured,
  type Report,
  type Row,
  ranked,
  ratioOf,
  summaryOf,
} from '../../bench/report.ts';
import { info } from '../../index.ts';
import { slow, variant, wrong } from './contenders.ts';

const limits = {
  fma: Object.fromEntries(info().isas.map((isa) => [isa, 1e11])),
  copy: { L2: 2e11, L3: 1e11, DRAM: 3e10 },
};
const QUICK = { threads: 1, rounds: 2, maxTime: 0.004, minTime: 0.0005, limits };
const TINY = ['conv:c2h6w7-o3k3p1', 'maxpool:c2h6w6-k2', 'filter:h9w8-k3u8'];

const only = (report: Report): Row => {
  expect(report.rows).toHaveLength(1);
  return report.rows[0] as Row;
};

describe('a report', () => {
  test('ranks a slow backend last, and has figures that fit together', async () => {
    const report = await bench({ ...QUICK, problems: TINY, backends: [await slow(), 'plain', 'corr2d'] });
    expect(report.rows.map((row) => row.problem)).toEqual([
      'conv:n1c2h6w7-o3k3s1p1',
      'maxpool:n1c2h6w6-k2s2',
      'filter:c1h9w8-k3u8',
    ]);
    for (const row of report.rows) {
      const results = ranked(row);
      expect(results.map(({ backend }) => backend).sort()).toEqual(['corr2d', 'plain', 'slow']);
      expect(results.at(-1)?.backend).toBe('slow');
      for (const result of results) {
        const { min, median, p90, p99, samples } = result.statistics;
        expect(min).toBeGreaterThan(0);
        expect([min, median, p90, p99]).toEqual([min, median, p90, p99].sort((a, b) => a - b));
        expect(samples).toBe(result.samples.length);
        expect(samples).toBeGreaterThanOrEqual(2 * 3);
        expect(result.gflops).toBeCloseTo(row.flops / min / 1e9, 6);
        expect(result.gbytes).toBeCloseTo(row.bytes / min / 1e9, 6);
        expect(result.check.error).toBeLessThanOrEqual(result.check.bound);
        expect(result.check.compared).toBeGreaterThan(0);
      }
      const slowest = results.at(-1) as Measured;
      expect(slowest.statistics.min).toBeGreaterThan(0.003);
      expect(ratioOf(row, slowest)).toBeLessThan(1);
      expect(ratioOf(row, results[0] as Measured)).toBeGreaterThan(1);
    }
    const summary = summaryOf(report, 'slow');
    expect(summary?.problems).toBe(3);
    expect(summary?.mean).toBeLessThan(1);
    expect(summary?.worst).toBeLessThanOrEqual(summary?.mean ?? 0);
    expect(summary?.total[0]).toBeGreaterThan(summary?.total[1] ?? Number.POSITIVE_INFINITY);
    expect(summary?.classes.map((group) => group.class).sort()).toEqual([
      'image filter u8',
      'pooling',
      'stem',
    ]);
  });

  test('says where and how it was measured', async () => {
    const { machine, limits, settings, backends, interrupted } = await bench({
      ...QUICK,
      problems: ['conv:h5w5-o1k3'],
      backends: ['corr2d'],
      limits: undefined,
    });
    expect(settings).toMatchObject({ suite: 'conv:h5w5-o1k3', threads: 1, rounds: 2 });
    expect(backends).toEqual([{ name: 'corr2d', version: expect.any(String), layout: 'NCHW' }]);
    expect(machine.isas).toContain(machine.isa);
    expect(Object.keys(limits.fma)).toEqual(machine.isas);
    for (const limit of [...Object.values(limits.fma), ...Object.values(limits.copy)]) {
      expect(limit).toBeGreaterThan(1e6);
    }
    expect(interrupted).toBe(false);
  });

  test('survives JSON', async () => {
    const report = await bench({ ...QUICK, problems: TINY.slice(0, 1), backends: ['corr2d', 'plain'] });
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });
});

describe('a wrong backend is refused and not timed', () => {
  const cases: [string, (data: Float32Array) => Float32Array, RegExp][] = [
    ['one element', (data) => data.with(5, (data[5] as number) + 0.01), /^element 5 is \S+, expected \S+$/],
    ['NaN', (data) => data.with(0, Number.NaN), /^element 0 is NaN, expected/],
    ['an infinity', (data) => data.with(1, Number.POSITIVE_INFINITY), /^element 1 is Infinity, expected/],
    ['a missing element', (data) => data.slice(1), /^gave \d+ elements, expected \d+$/],
    ['all zero', (data) => data.fill(0), /^element \d+ is 0, expected/],
  ];
  test.each(cases)('%s', async (_, change, message) => {
    const backends = [await wrong(change), 'plain'];
    const row = only(await bench({ ...QUICK, problems: ['conv:c3h8w8-o4k3p1'], backends }));
    expect(ranked(row).map(({ backend }) => backend)).toEqual(['plain']);
    const refused = row.results.find(({ backend }) => backend === 'wrong');
    expect(refused).toMatchObject({ status: 'wrong', message: expect.stringMatching(message) });
    expect(refused).not.toHaveProperty('statistics');
  });

  test('a picked maximum has to be exact', async () => {
    const backends = [await wrong((data) => data.map((value) => value * (1 + 2 ** -22)))];
    const row = only(await bench({ ...QUICK, problems: ['maxpool:c2h6w6-k2'], backends }));
    expect(row.results.map(({ status }) => status)).toEqual(['wrong']);
  });

  test('a corner is always compared, and with check: full everything is', async () => {
    // Large enough for a sample.
    const problems = ['conv:c8h160w160-o8k5p2'];
    const last = 8 * 160 * 160 - 1;
    const corner = await wrong((data) => data.with(last, 9));
    expect(only(await bench({ ...QUICK, problems, backends: [corner] })).results[0]?.status).toBe('wrong');
    const right = only(await bench({ ...QUICK, problems, backends: ['corr2d'] })).results[0] as Measured;
    expect(right.check.compared).toBeLessThan(last);
    const all = only(await bench({ ...QUICK, problems, backends: ['corr2d'], check: 'full' })).results[0];
    expect((all as Measured).check.compared).toBe(last + 1);
  });
});

describe('a backend', () => {
  const problems = ['conv:c2h6w7-o3k3p1'];

  test('that fails while it prepares, runs, or is timed, is reported with its message', async () => {
    const fail = () => {
      throw new Error('out of order');
    };
    const preparing = await variant('preparing', () => fail());
    const running = await variant('running', () => ({ run: fail }));
    let calls = 0;
    const later = await variant('later', ({ run }) => ({ run: () => (++calls > 1 ? fail() : run()) }));
    const rejecting = await variant('rejecting', ({ run }) => ({
      run: async () => (++calls > 3 ? fail() : run()),
    }));
    const backends = [preparing, running, later, rejecting, 'plain'];
    const row = only(await bench({ ...QUICK, problems, backends }));
    expect(ranked(row).map(({ backend }) => backend)).toEqual(['plain']);
    const refused = row.results.filter(({ status }) => status === 'failed');
    expect(refused.map(({ backend }) => backend).sort()).toEqual([
      'later',
      'preparing',
      'rejecting',
      'running',
    ]);
    for (const result of refused) expect(result).toMatchObject({ message: 'out of order' });
  });

  test('that does not support a problem, or declines it, is left out', async () => {
    const declining = defineBackend({
      name: 'b',
      version: '1',
      supports: () => true,
      prepare: () => undefined,
    });
    const unable = await variant('unable', () => ({}), { supports: () => false });
    const row = only(await bench({ ...QUICK, problems, backends: [declining, unable, 'plain'] }));
    expect(row.results.map(({ backend }) => backend)).toEqual(['plain']);
  });

  test('that is not installed is skipped with the command that installs it', async () => {
    const missing = {
      name: 'missing',
      install: 'npm install missing',
      load: () => Promise.reject(new MissingBackend('the package missing is not installed')),
    };
    const broken = { ...missing, name: 'broken', load: () => Promise.reject(new Error('no such library')) };
    const report = await bench({ ...QUICK, problems, backends: [missing, broken, 'plain'] });
    expect(report.skipped).toEqual([
      { backend: 'missing', reason: 'the package missing is not installed', hint: 'npm install missing' },
      { backend: 'broken', reason: 'no such library' },
    ]);
    expect(only(report).results).toHaveLength(1);
  });

  test('is disposed of after each problem and closed at the end, also when it was wrong', async () => {
    const [dispose, close] = [vi.fn(), vi.fn()];
    const right = await variant('right', () => ({ dispose }), { close });
    const false_ = await variant('false', () => ({ dispose, output: () => new Float32Array() }), { close });
    await bench({ ...QUICK, problems: [...problems, 'avgpool:h4w4-k2'], backends: [right, false_] });
    expect(dispose).toHaveBeenCalledTimes(4);
    expect(close).toHaveBeenCalledTimes(2);
  });

  test('may be asynchronous, and may measure by itself', async () => {
    const asynchronous = await variant('asynchronous', ({ run }) => ({ run: async () => run() }));
    const sample = vi.fn(async () => [0.5, 0.25]);
    const measuring = await variant('measuring', ({ output, run }) => ({
      sample,
      output: () => {
        run();
        return output();
      },
    }));
    const row = only(await bench({ ...QUICK, problems, backends: [asynchronous, measuring] }));
    expect(ranked(row).map(({ backend }) => backend)).toEqual(['asynchronous', 'measuring']);
    const [, measured] = ranked(row);
    expect(measured?.samples).toEqual([0.5, 0.25, 0.5, 0.25]);
    expect(sample).toHaveBeenCalledWith(expect.objectContaining({ maxTime: 0.004, cold: false }));
  });

  test('is compared with other families on the same layout only', async () => {
    const sibling = await variant('sibling', () => ({}), { family: 'plain' });
    const transposed = await variant('transposed', () => ({}), { layout: 'NHWC' });
    const slowest = await slow();
    const row = only(await bench({ ...QUICK, problems, backends: ['plain', sibling, transposed, slowest] }));
    const result = (name: string) => ranked(row).find(({ backend }) => backend === name) as Measured;
    expect(bestPeer(row, result('plain'))?.backend).toBe('slow');
    expect(bestPeer(row, result('transposed'))).toBeUndefined();
    expect(['plain', 'sibling']).toContain(bestPeer(row, result('slow'))?.backend);
  });
});

test('with cold caches every sample is one run', async () => {
  let runs = 0;
  const counting = await variant('counting', ({ run }) => ({
    run: () => {
      runs += 1;
      return run();
    },
  }));
  const options = { ...QUICK, rounds: 1, cold: true, problems: ['conv:h5w5-o1k3'], backends: [counting] };
  const row = only(await bench(options));
  const samples = ranked(row)[0]?.samples.length ?? 0;
  expect(samples).toBeGreaterThanOrEqual(3);
  // The check, and for each sample the call by which the benchmark package finds out how to call.
  expect(runs).toBe(1 + 2 * samples);
  expect(ranked(row)[0]).not.toHaveProperty('memory');
});

test('an interrupted run has the rounds that were measured', async () => {
  const interrupt = new AbortController();
  const seen: string[] = [];
  const report = await bench({
    ...QUICK,
    rounds: 1000,
    problems: TINY,
    backends: ['plain', 'corr2d'],
    signal: interrupt.signal,
    onProgress: (done, _, name) => {
      seen.push(name);
      if (done > 0) interrupt.abort();
    },
  });
  expect(report.interrupted).toBe(true);
  const row = only(report);
  expect(ranked(row)).toHaveLength(2);
  expect(ranked(row)[0]?.statistics.samples).toBeGreaterThanOrEqual(3);
  expect(new Set(seen)).toEqual(new Set([row.name]));
});

describe('bad options', () => {
  test.each([
    [
      'an unknown suite',
      { suite: 'layer' },
      /expected one of layers, images, .* for suite, received "layer"$/,
    ],
    [
      'an unknown backend',
      { backends: ['torch'] },
      /expected one of corr2d, .* for backend, received "torch"$/,
    ],
    ['a malformed problem', { problems: ['conv:h3'] }, /for a problem, received "conv:h3"$/],
    ['nothing to measure', { only: /nothing/ }, /for only, received/],
    ['no thread', { threads: 0 }, /for threads, received 0$/],
    ['no round', { rounds: 0 }, /for rounds, received 0$/],
    ['no time', { maxTime: 0 }, /for maxTime, received 0$/],
    ['an unknown option', { thread: 1 }, /received "thread"$/],
  ])('%s', async (_, options, message) => {
    await expect(bench(options as never)).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_(INVALID_ARG_VALUE|OUT_OF_RANGE)$/),
      message: expect.stringMatching(message),
    });
  });

  const whole = { name: 'a', version: '1', supports: () => true, prepare: () => undefined };
  test.each([
    ['no name', { ...whole, name: undefined }],
    ['no version', { ...whole, version: undefined }],
    ['no prepare', { ...whole, prepare: undefined }],
    ['another layout', { ...whole, layout: 'CHWN' }],
    ['an unknown part', { ...whole, run: () => {} }],
  ])('a backend with %s', (_, backend) => {
    expect(() => defineBackend(backend as never)).toThrow(
      expect.objectContaining({ code: expect.any(String) }),
    );
  });
});
