/** Plans and asynchronous calls on many worker threads of one process, in a process of its own. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const program = fileURLToPath(new URL('programs/workers.mjs', import.meta.url));
const run = promisify(execFile);

interface Report {
  id: number;
  isRight: boolean;
  outcomes: string[];
}

// An emulated Node can't start itself.
const emulated = process.env.CORR2D_TEST_EMULATED !== undefined;

it.skipIf(emulated)(
  'a hundred calls in flight on eight workers, some aborted, some terminated: nothing is lost',
  async () => {
    // Rejects for another exit code than 0, and for a signal.
    const { stdout, stderr } = await run(process.execPath, [program], { timeout: 100_000 });
    expect(stderr).toBe('');
    const { codes, reports, isRight } = JSON.parse(stdout) as {
      codes: { id: number; code: number }[];
      reports: Report[];
      isRight: boolean;
    };
    expect(isRight).toBe(true);
    expect(codes).toHaveLength(8);
    for (const { id, code } of codes) expect(code).toBe(id === 2 || id === 5 ? 1 : 0);
    const survivors = reports.filter(({ id }) => id !== 2 && id !== 5);
    expect(survivors).toHaveLength(6);
    for (const report of survivors) {
      expect(report.isRight).toBe(true);
      expect(report.outcomes).toHaveLength(13);
      for (const [i, outcome] of report.outcomes.entries()) {
        // An abortion may come after the end of its call.
        expect(i % 4 === 1 ? ['aborted', 'right'] : ['right']).toContain(outcome);
      }
    }
    expect(survivors.flatMap(({ outcomes }) => outcomes)).toContain('aborted');
  },
  120_000,
);
