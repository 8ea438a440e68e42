/** Statistics of a list of times. */

/** What is reported of a backend's samples, in seconds. */
export interface Statistics {
  readonly min: number;
  readonly median: number;
  readonly p90: number;
  readonly p99: number;
  readonly mean: number;
  /** Relative margin of error of the mean at 95 % confidence, in percent. */
  readonly rme: number;
  readonly samples: number;
}

/** Quantile `q` of sorted numbers, between neighbours by interpolation. */
function quantile(sorted: readonly number[], q: number): number {
  const place = (sorted.length - 1) * q;
  const [low, high] = [sorted[Math.floor(place)] as number, sorted[Math.ceil(place)] as number];
  return low + (high - low) * (place - Math.floor(place));
}

/** Student's t at 97.5 % for a number of degrees of freedom (Cornish and Fisher's expansion; 1 % off for 3, less beyond). */
function studentT(freedom: number): number {
  const z = 1.959964;
  const terms = [
    (z ** 3 + z) / 4,
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96,
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384,
  ];
  return terms.reduce((sum, term, i) => sum + term / freedom ** (i + 1), z);
}

/** Statistics of at least one time. */
export function statisticsOf(times: readonly number[]): Statistics {
  const sorted = times.toSorted((a, b) => a - b);
  const samples = sorted.length;
  const mean = sorted.reduce((sum, time) => sum + time, 0) / samples;
  const variance = sorted.reduce((sum, time) => sum + (time - mean) ** 2, 0) / Math.max(samples - 1, 1);
  const margin = samples > 1 ? studentT(samples - 1) * Math.sqrt(variance / samples) : 0;
  return {
    min: sorted[0] as number,
    median: quantile(sorted, 0.5),
    p90: quantile(sorted, 0.9),
    p99: quantile(sorted, 0.99),
    mean,
    rme: mean > 0 ? (100 * margin) / mean : 0,
    samples,
  };
}

/** Geometric mean of positive numbers; NaN of none. */
export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
