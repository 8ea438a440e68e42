import { checkBoolean, checkInteger, checkOptions } from '../check.ts';
import { MAX_THREADS } from '../runtime.ts';

/** The options of a layer's `plan`. */
export interface PlanOptions {
  /** Threads for each run, an integer from 1 to 1024. Default: those of `setThreads` at the time of the run. */
  threads?: number | undefined;
  /**
   * Whether to choose the algorithm of a convolution by measuring, now and on so many threads, those that `'auto'` weighs
   * (PyTorch's `cudnn.benchmark`, FFTW's `FFTW_MEASURE`): for 0.15 s, or, where that is longer, a run of each. Results are the
   * same but for what the algorithm changes. `saveTuning` and `loadTuning` keep the choices. No effect where `algorithm` names
   * one, and on pooling, which has one. Default `false`.
   */
  tune?: boolean | undefined;
}

/** `PlanOptions` in their normal form; `threads` is 0 for the default. */
export function readPlanOptions(options: unknown): { threads: number; isTuned: boolean } {
  const { threads, tune } = checkOptions(options, 'options', ['threads', 'tune']) ?? {};
  return {
    threads: threads === undefined ? 0 : checkInteger(threads, 'threads', 1, MAX_THREADS),
    isTuned: tune !== undefined && checkBoolean(tune, 'tune'),
  };
}
