import { backend, native } from './native.ts';
import type { NativePlan } from './plan.ts';

/** Milliseconds of a run for each algorithm that was measured. */
export type MeasuredTimes = Readonly<Record<string, number>>;

/** An algorithm that a plan could have taken. */
export interface PlanCandidate {
  readonly name: string;
  /**
   * Its estimated time for one image, in issue slots of a vector multiply-add; infinite for one that is only taken when it
   * is asked for by name.
   */
  readonly cost: number;
  /**
   * The same in milliseconds of a run on one thread, at this core's peak as it was measured once; null for a pooling, which
   * memory bounds, and in WebAssembly, which measures no peak.
   */
  readonly estimatedMs: number | null;
  /** Milliseconds of a run where `tune: true` measured it, on the plan's threads, the least of several; otherwise null. */
  readonly measuredMs: number | null;
}

/** The sums that a plan's hot loop keeps in registers. */
export interface RegisterTile {
  /** Output channels where lanes are pixels, pixels where they are channels, output rows where they are columns. */
  readonly rows: number;
  /** Vectors of each row. */
  readonly vectors: number;
  /** Floats of a vector. */
  readonly lanes: number;
  /** What lies side by side in a vector. */
  readonly lanesAre: 'pixels' | 'channels' | 'columns';
}

const ROWS = { pixels: 'channels', channels: 'pixels', columns: 'rows' } as const;

let measuredPeak: number | null | undefined;

/** Operations that a core does in a millisecond at most. */
function peak(): number | null {
  measuredPeak ??= backend === 'native' ? native.fmaPeak() / 1e3 : null;
  return measuredPeak;
}

const significant = (value: number): string => (Number.isFinite(value) ? value.toPrecision(3) : 'never');
const duration = (ms: number): string =>
  !Number.isFinite(ms) ? 'never' : ms < 1 ? `${(ms * 1e3).toPrecision(3)} µs` : `${ms.toPrecision(3)} ms`;
const times = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`;

/** Why a plan is as it is: what `plan.explain()` gives. `String(explanation)` is the same as a text of a few lines. */
export class PlanExplanation {
  /** The algorithm taken. */
  readonly algorithm: string;
  /** The instruction set. */
  readonly isa: string;
  /** Whether the option `algorithm` asked for it. */
  readonly isForced: boolean;
  /** Whether `tune: true` chose it by measurement; if neither, it is the candidate of the lowest cost. */
  readonly isTuned: boolean;
  /** Every algorithm that can do it, the cheapest first. */
  readonly candidates: readonly PlanCandidate[];
  /** The largest register tile of its hot loop. */
  readonly registerTile: RegisterTile;
  /** Parts that threads can share. */
  readonly parts: number;
  /**
   * Scratch memory, in bytes, that each thread keeps from run to run. A run takes no more threads than have 32 MiB or twice its
   * output together, whichever is more; where one thread needs more than that, `'auto'` takes another algorithm if there is one.
   */
  readonly scratchBytes: number;
  /**
   * The share of a core's peak of multiply-adds that the estimate comes to, with the operations of the direct method: more
   * than 1 where minimal filtering saves some. Null where memory is the limit, as in pooling.
   */
  readonly expectedShare: number | null;
  /** Floating-point operations of one run. */
  readonly flops: number;
  /** Bytes that a run goes through at least. */
  readonly bytes: number;

  /** @internal */
  constructor(plan: NativePlan, measured: MeasuredTimes | undefined) {
    const explanation = plan.explain();
    const perMs = (explanation.expectedShare ?? null) === null ? null : peak();
    this.algorithm = plan.algorithm;
    this.isa = plan.isa;
    this.isTuned = measured !== undefined;
    this.isForced = explanation.isForced && !this.isTuned;
    this.candidates = explanation.candidates.map(({ name, cost, share }) => ({
      name,
      cost,
      estimatedMs: perMs === null ? null : plan.flops / (share * perMs),
      measuredMs: measured?.[name] ?? null,
    }));
    this.registerTile = {
      rows: explanation.rows,
      vectors: explanation.vectors,
      lanes: explanation.lanes,
      lanesAre: explanation.lanesAre as RegisterTile['lanesAre'],
    };
    this.parts = explanation.parts;
    this.scratchBytes = explanation.scratchBytes;
    this.expectedShare = explanation.expectedShare ?? null;
    this.flops = plan.flops;
    this.bytes = plan.bytes;
  }

  toString(): string {
    const { rows, vectors, lanes, lanesAre } = this.registerTile;
    const chosen = this.isTuned ? 'the fastest that was measured' : 'of the lowest estimated cost';
    const why = this.isForced ? 'asked for' : chosen;
    const candidates = this.candidates.map(({ name, cost, estimatedMs, measuredMs }) => {
      const estimate = estimatedMs === null ? significant(cost) : duration(estimatedMs);
      return `${name} ${estimate}${measuredMs === null ? '' : ` (measured ${duration(measuredMs)})`}`;
    });
    const isTimed = this.candidates.some(({ estimatedMs }) => estimatedMs !== null);
    const unit = isTimed ? 'estimates for one thread' : 'multiply-add slots for an image';
    const intensity = this.flops / this.bytes;
    const expected =
      this.expectedShare === null
        ? `bound by memory, ${significant(intensity)} operations for each byte`
        : `${(this.expectedShare * 100).toFixed(0)} % of the peak of multiply-adds on one core`;
    return [
      `${this.algorithm} on ${this.isa}, ${why}`,
      `  candidates     ${candidates.join(', ')}; ${unit}`,
      `  register tile  ${rows} ${ROWS[lanesAre]} × ${times(vectors, 'vector')} of ${lanes} ${lanesAre}`,
      `  work           ${significant(this.flops / 1e6)} MFLOP over ${significant(this.bytes / 1e6)} MB in ${times(this.parts, 'part')}`,
      `  scratch        ${significant(this.scratchBytes / 1024)} KiB for each thread`,
      `  expected       ${expected}`,
    ].join('\n');
  }
}
