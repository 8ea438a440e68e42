/** How far a job is: a bar with rate and ETA on a terminal, plain lines anywhere else. */
import { SingleBar } from 'cli-progress';
import type { FileResult } from '../batch/to-folder.ts';

/** Shows the results of a job as they come. */
export interface Progress {
  step(result: FileResult): void;
  stop(): void;
}

/** Starts to show a job of `total` files on standard error, which leaves standard output to results. */
export function startProgress(total: number): Progress {
  return process.stderr.isTTY ? bar(total) : lines(total);
}

/** One line about one file. */
export function lineOf({ status, input, output, ms, error }: FileResult): string {
  if (error !== null) return `failed: ${error.message} [${error.code}]`;
  return status === 'written' ? `${input} -> ${output} (${ms.toFixed(0)} ms)` : `${input}: ${status}`;
}

function bar(total: number): Progress {
  const format = '{bar} {value}/{total} files, {rate} files/s, {eta_formatted} left';
  const shown = new SingleBar({ format, hideCursor: true, stream: process.stderr, etaBuffer: 50 });
  const start = performance.now();
  let done = 0;
  shown.start(total, 0, { rate: '-' });
  return {
    step(result) {
      done += 1;
      // Above the bar, which is drawn anew below it.
      if (result.error !== null) process.stderr.write(`\r\x1b[K${lineOf(result)}\n`);
      shown.increment({ rate: ((done * 1000) / (performance.now() - start)).toFixed(1) });
    },
    stop: () => shown.stop(),
  };
}

function lines(total: number): Progress {
  const width = String(total).length;
  let done = 0;
  return {
    step(result) {
      done += 1;
      process.stderr.write(`${String(done).padStart(width)}/${total} ${lineOf(result)}\n`);
    },
    stop: () => {},
  };
}
