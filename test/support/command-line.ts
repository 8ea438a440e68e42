/** The command `corr2d` as a process of its own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { root } from '../../scripts/lib/command.mjs';

const program = path.join(root, 'dist/cli.mjs');

/** What a finished process leaves. */
export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the command; `finished` never fails. Another program, as `setpriv`, may start it: `through` has it with its arguments. */
export function start(
  args: readonly string[],
  input?: string,
  through: readonly string[] = [],
): { child: ChildProcess; finished: Promise<Finished> } {
  const [file, ...rest] = [...through, process.execPath, program, ...args];
  const child = spawn(file as string, rest, { stdio: 'pipe' });
  const written = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (written.stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (written.stderr += text));
  child.stdin?.on('error', () => {});
  child.stdin?.end(input ?? '');
  const finished = new Promise<Finished>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, ...written }));
  });
  return { child, finished };
}

/** Runs the command to its end. */
export function corr2dCommand(args: readonly string[], input?: string): Promise<Finished> {
  return start(args, input).finished;
}

/** Whether a program is on this machine. */
export function has(program: string): boolean {
  return spawnSync(program, ['--version']).status === 0;
}

/** Runs the command on a terminal of its own, which `script` (util-linux) plays: what it shows there. */
export async function onTerminal(args: readonly string[]): Promise<Finished> {
  const words = [process.execPath, program, ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  const child = spawn('script', ['--quiet', '--return', '--command', words.join(' '), '/dev/null'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TERM: 'xterm', CI: '' },
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  return new Promise((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr: '' }));
  });
}
