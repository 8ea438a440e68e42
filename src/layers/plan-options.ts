import { checkInteger, checkOptions } from '../check.ts';
import { MAX_THREADS } from '../runtime.ts';

/** The options of a layer's `plan`. */
export interface PlanOptions {
  /** Threads for each run, an integer from 1 to 1024. Default: those of `setThreads` at the time of the run. */
  threads?: number | undefined;
}

/** The number for params: 0 for the default. */
export function readThreads(options: unknown): number {
  const threads = checkOptions(options, 'options', ['threads'])?.threads;
  return threads === undefined ? 0 : checkInteger(threads, 'threads', 1, MAX_THREADS);
}
