/** The command `corr2d` as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
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

/** Starts the command; `finished` never fails. */
export function start(
  args: readonly string[],
  input?: string,
): { child: ChildProcess; finished: Promise<Finished> } {
  const child = spawn(process.execPath, [program, ...args], { stdio: 'pipe' });
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
