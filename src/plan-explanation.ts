import type { NativePlan } from './plan.ts';

/** An algorithm that a plan could have taken. */
export interface PlanCandidate {
  readonly name: string;
  /**
   * Its estimated time for one image, in issue slots of a vector multiply-add; infinite for one that is only taken when it
   * is asked for by name.
   */
  readonly cost: number;
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

const significant = (value: number): string => (Number.isFinite(value) ? value.toPrecision(3) : 'never');
const times = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`;

/** Why a plan is as it is: what `plan.explain()` gives. `String(explanation)` is the same as a text of a few lines. */
export class PlanExplanation {
  /** The algorithm taken. */
  readonly algorithm: string;
  /** The instruction set. */
  readonly isa: string;
  /** Whether the option `algorithm` asked for it; otherwise it is the candidate of the lowest cost. */
  readonly isForced: boolean;
  /** Every algorithm that can do it, the cheapest first. */
  readonly candidates: readonly PlanCandidate[];
  /** The largest register tile of its hot loop. */
  readonly registerTile: RegisterTile;
  /** Parts that threads can share. */
  readonly parts: number;
  /** Scratch memory, in bytes, that each thread keeps from run to run. */
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
  constructor(plan: NativePlan) {
    const explanation = plan.explain();
    this.algorithm = plan.algorithm;
    this.isa = plan.isa;
    this.isForced = explanation.isForced;
    this.candidates = explanation.candidates;
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
    const why = this.isForced ? 'asked for' : 'of the lowest estimated cost';
    const candidates = this.candidates.map(({ name, cost }) => `${name} ${significant(cost)}`).join(', ');
    const intensity = this.flops / this.bytes;
    const expected =
      this.expectedShare === null
        ? `bound by memory, ${significant(intensity)} operations for each byte`
        : `${(this.expectedShare * 100).toFixed(0)} % of the peak of multiply-adds on one core`;
    return [
      `${this.algorithm} on ${this.isa}, ${why}`,
      `  candidates     ${candidates} (multiply-add slots for an image)`,
      `  register tile  ${rows} ${ROWS[lanesAre]} × ${times(vectors, 'vector')} of ${lanes} ${lanesAre}`,
      `  work           ${significant(this.flops / 1e6)} MFLOP over ${significant(this.bytes / 1e6)} MB in ${times(this.parts, 'part')}`,
      `  scratch        ${significant(this.scratchBytes / 1024)} KiB for each thread`,
      `  expected       ${expected}`,
    ].join('\n');
  }
}
