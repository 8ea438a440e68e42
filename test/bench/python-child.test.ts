/** Backends in another process, with a program in place of Python that speaks the same protocol. */
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { pytorch } from '../../bench/backends/pytorch.ts';
import { bench } from '../../bench/bench.ts';
import { makeWeights } from '../../bench/data.ts';
import { parseProblem } from '../../bench/problem-text.ts';
import type { Measured } from '../../bench/report.ts';

const limits = { fma: {}, copy: { L2: 2e11, L3: 1e11, DRAM: 3e10 } };
const options = { threads: 2, rounds: 2, limits, backends: [pytorch] };

afterEach(() => {
  vi.unstubAllEnvs();
});

test('a Python that is not there is a backend that is skipped', async () => {
  const { skipped } = await bench({ ...options, problems: ['maxpool:h4w4-k2'], python: 'no-such-python' });
  expect(skipped).toEqual([
    {
      backend: 'pytorch',
      reason: expect.stringMatching(/^no-such-python can't be started: /),
      hint: 'pip install torch numpy',
    },
  ]);
});

// A program with a first line that names its interpreter is not one on Windows.
describe.skipIf(process.platform === 'win32')('a child', () => {
  const python = fileURLToPath(new URL('fake-python.mjs', import.meta.url));

  test('has the threads it is told, and takes its own time', async () => {
    vi.stubEnv('FAKE_VALUE', '0');
    const { backends, rows } = await bench({ ...options, problems: ['maxpoolgrad:h4w4-k2s9'], python });
    expect(backends[0]?.version).toBe('with_torch on 2, OMP_NUM_THREADS=2');
    // Zero is wrong: the one window that there is has a gradient.
    expect(rows[0]?.results[0]).toMatchObject({ backend: 'pytorch', status: 'wrong' });
  });

  // The one element of the input is the maximum.
  const problem = 'maxpool:h1w1-k1';
  const right = String(makeWeights(parseProblem(problem)).x[0]);

  test('that is right is measured', async () => {
    vi.stubEnv('FAKE_VALUE', right);
    const { rows } = await bench({ ...options, problems: [problem], python });
    const result = rows[0]?.results[0] as Measured;
    expect(result).toMatchObject({ status: 'measured', details: { variant: 'fake' } });
    expect(result.samples).toEqual(Array(6).fill(0.125));
    expect(result.memory).toEqual({ prepare: 0, firstRun: 0, steady: 0 });
  });

  test('that ends while it is timed is left behind', async () => {
    vi.stubEnv('FAKE_VALUE', right);
    vi.stubEnv('FAKE_ENDS', 'yes');
    const { rows } = await bench({ ...options, problems: [problem], backends: [pytorch, 'plain'], python });
    expect(rows[0]?.results).toMatchObject([
      { backend: 'plain', status: 'measured' },
      { backend: 'pytorch', status: 'failed', message: 'its process ended (exit code 4)' },
    ]);
  });

  test('that ends too early fails on what it was asked, and on all that follows', async () => {
    const { rows } = await bench({
      ...options,
      problems: ['conv:h3w3-o1k1', 'avgpool:h4w4-k2', 'maxpool:h4w4-k2'],
      python,
    });
    const messages = rows.map(({ results }) =>
      results.map((result) => 'message' in result && result.message),
    );
    expect(messages).toEqual([['its process ended (exit code 3)'], ['its process has ended']]);
  });
});
