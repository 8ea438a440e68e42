/** One round of one backend: the benchmark package drives the cycles and takes the samples. */
import type BenchmarkModule from 'benchmark';
import { loadPackage, MissingPackage } from './optional.ts';

/** How long a round of one backend takes. */
export interface Timing {
  /** Seconds of a cycle at least: a sample is the mean of as many runs as fill it. */
  readonly minTime: number;
  /** Seconds of a round, roughly. */
  readonly maxTime: number;
  /** Cycles at least. */
  readonly minSamples: number;
  /** Whether caches are emptied before each run; a sample is then one run. */
  readonly cold: boolean;
}

type Run = () => void | Promise<void>;

/** The benchmark package, a peer that only this entry needs. @throws MissingPackage */
export function loadBenchmark(): typeof BenchmarkModule {
  try {
    const benchmark = loadPackage<typeof BenchmarkModule>('benchmark');
    // Functions are called as they are, and not compiled anew from their text outside of their closure.
    benchmark.support.decompilation = false;
    return benchmark;
  } catch {
    throw new MissingPackage('the benchmark needs the package benchmark: npm install benchmark');
  }
}

// Twice the last cache of most machines.
const EVICTED_BYTES = 128 * 2 ** 20;
let evicted: Float64Array | undefined;

/** Reads and writes more than the caches hold. */
function emptyCaches(): void {
  evicted ??= new Float64Array(EVICTED_BYTES / 8);
  for (let i = 0; i < evicted.length; i += 8) evicted[i] = (evicted[i] as number) + 1;
}

/**
 * Times a function for one round; seconds of a run, one number for each cycle.
 *
 * @param isAsync whether `run` gives promises
 */
export async function sample(
  run: Run,
  isAsync: boolean,
  { minTime, maxTime, minSamples, cold }: Timing,
): Promise<number[]> {
  const Benchmark = loadBenchmark();
  let failure: unknown;
  const fn = isAsync
    ? (deferred: { resolve(): void }) => {
        const failed = (error: unknown): void => {
          failure = error;
        };
        (run() as Promise<void>).catch(failed).then(() => deferred.resolve());
      }
    : run;
  const benchmark = new Benchmark(fn, {
    defer: isAsync,
    // Of one nanosecond a cycle is one run, before which `setup` is called.
    minTime: cold ? 1e-9 : minTime,
    maxTime,
    minSamples,
    ...(cold ? { setup: emptyCaches } : {}),
  });
  await new Promise<void>((resolve) => {
    benchmark.on('complete', () => resolve());
    benchmark.run({ async: isAsync });
  });
  failure ??= benchmark.error;
  if (failure !== undefined) throw failure;
  return benchmark.stats.sample;
}
