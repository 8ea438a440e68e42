/** The command as a user runs it, on the built package (`npm test` builds before). */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'corr2d-bench-test-'));
const MINUTE = 60_000;
const QUICK = ['--threads', '1', '--rounds', '1', '--time', '0.003', '--backends', 'corr2d,plain'];

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the command; `onStart` has the process. */
function bench(args: string[], onStart?: (child: ReturnType<typeof spawn>) => void): Promise<Ended> {
  const child = spawn(process.execPath, ['dist/cli.mjs', 'bench', ...args], { cwd: root });
  onStart?.(child);
  return new Promise((resolve) => {
    const ended: Ended = { code: null, stdout: '', stderr: '' };
    child.stdout.on('data', (text) => {
      ended.stdout += text;
    });
    child.stderr.on('data', (text) => {
      ended.stderr += text;
    });
    child.on('close', (code) => resolve({ ...ended, code }));
  });
}

const file = (name: string): string => path.join(folder, name);

test('prints a table and writes reports', { timeout: MINUTE }, async () => {
  const problems = ['conv:h12w12-o1k3', 'maxpool:c4h8w8-k2'];
  const reports = ['--json', file('a.json'), '--markdown', file('a.md'), '--svg', file('a.svg')];
  const { code, stdout, stderr } = await bench([...problems, ...QUICK, ...reports]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^conv:n1c1h12w12-o1k3s1 +corr2d /m);
  expect(JSON.parse(readFileSync(file('a.json'), 'utf8')).rows).toHaveLength(2);
  expect(readFileSync(file('a.md'), 'utf8')).toContain('| conv:n1c1h12w12-o1k3s1 | corr2d |');
  expect(readFileSync(file('a.svg'), 'utf8')).toMatch(/^<svg /);
});

test('runs the backend of a module', { timeout: MINUTE }, async () => {
  const args = [
    'conv:h40w40-o1k3p1',
    '--backend',
    'examples/bench-backend.mjs',
    '--threads',
    '1',
    '--rounds',
    '1',
  ];
  const { code, stdout } = await bench(args);
  expect(code).toBe(0);
  for (const name of ['mine', 'corr2d', 'plain'])
    expect(stdout).toMatch(new RegExp(`o1k3s1p1 +${name} +\\d`));
});

test('exits with 1 when something got slower, and says what', { timeout: MINUTE }, async () => {
  const problem = 'conv:h12w12-o1k3';
  await bench([problem, ...QUICK, '--json', file('before.json')]);
  const report = JSON.parse(readFileSync(file('before.json'), 'utf8'));
  for (const { statistics } of report.rows[0].results) {
    for (const name of ['min', 'median']) statistics[name] /= 1e6;
  }
  writeFileSync(file('faster.json'), JSON.stringify(report));
  const { code, stdout } = await bench([problem, ...QUICK, '--compare', file('faster.json')]);
  expect(stdout).toMatch(/^slower:\n {2}conv:n1c1h12w12-o1k3s1, /m);
  expect(code).toBe(1);
});

test.skipIf(process.platform === 'win32')(
  'writes what it has when it is interrupted',
  { timeout: MINUTE },
  async () => {
    // Its second problem tells that there are rounds of the first.
    const backend = `export default { name: 'telling', version: '1', supports: ({ kind }) => kind === 'maxpool',
      prepare: () => { process.stderr.write('now'); return { run() {}, output: () => new Float32Array(4), dispose() {} }; } };`;
    writeFileSync(file('telling.mjs'), backend);
    const problems = ['conv:h12w12-o1k3', 'maxpool:h4w4-k2'];
    const args = [
      ...problems,
      ...QUICK,
      '--backend',
      file('telling.mjs'),
      '--json',
      file('interrupted.json'),
    ];
    const { code, stdout } = await bench(args, (child) => {
      child.stderr?.once('data', () => child.kill('SIGINT'));
    });
    expect(code).toBe(130);
    expect(stdout).toContain('interrupted: this is what had been measured');
    const report = JSON.parse(readFileSync(file('interrupted.json'), 'utf8'));
    expect(report.interrupted).toBe(true);
    expect(report.rows[0].results[0].samples.length).toBeGreaterThan(0);
  },
);

test.each([
  [['--suite', 'layer'], /^corr2d: expected one of layers, .* for suite, received "layer"\n$/],
  [['--backends', 'corr2d,torch'], /^corr2d: expected one of corr2d, .* for backend, received "torch"\n$/],
  [['conv:h3'], /^corr2d: expected .* for a problem, received "conv:h3"\n$/],
  [
    ['--backend', 'no-such-file.mjs'],
    /^corr2d: expected a module .* for backend, received "no-such-file.mjs"\n$/,
  ],
  [
    ['--backend', 'scripts/lib/count.mjs'],
    /^corr2d: expected a module whose default export is a backend for backend, /,
  ],
  [
    ['--threads', '0'],
    /^error: option '--threads <n>' argument '0' is invalid. It must be a whole number of at least 1.\n$/,
  ],
  [['--only', '('], /^error: option '--only <regex>' argument '\(' is invalid/],
  [
    ['--only', 'nothing'],
    /^corr2d: expected a pattern that some problem matches for only, received "\/nothing\/"\n$/,
  ],
  [['--sweet', 'layers'], /^error: unknown option '--sweet'\n/],
  [
    ['--json', 'no/such/folder/a.json'],
    /^corr2d: expected a file in a folder that can be written to for json, /,
  ],
  [
    ['--compare', 'package.json'],
    /^corr2d: expected a report of this version for before, received an object\n$/,
  ],
  [
    ['--compare', 'no-such-file'],
    /^corr2d: expected a report written by --json for compare, received "no-such-file"\n$/,
  ],
])('%j is refused with one line and exit code 2', { timeout: MINUTE }, async (args, message) => {
  const { code, stdout, stderr } = await bench(args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(message);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
});
