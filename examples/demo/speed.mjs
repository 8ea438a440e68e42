// Times, and the table of megapixels per second.

const RUNS = 9;

/** Runs `work` several times and gives its result with the median of the times, so that warming up doesn't count. */
export function medianTime(work) {
  const times = [];
  let result;
  for (let run = 0; run < RUNS; run++) {
    const start = performance.now();
    result = work();
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return { result, ms: times[(RUNS - 1) / 2] };
}

/** Sums what each step took over all photographs. Megapixels are those of the photograph that goes in. */
export class SpeedTable {
  #decode = { megapixels: 0, ms: 0 };
  #steps = new Map();

  addDecode(megapixels, ms) {
    this.#decode.megapixels += megapixels;
    this.#decode.ms += ms;
  }

  addStep(title, megapixels, ms, encodeMs) {
    const sum = this.#steps.get(title) ?? { megapixels: 0, ms: 0, encodeMs: 0 };
    sum.megapixels += megapixels;
    sum.ms += ms;
    sum.encodeMs += encodeMs;
    this.#steps.set(title, sum);
  }

  toString() {
    const rate = (megapixels, ms) => (megapixels / (ms / 1000)).toFixed(0);
    const head = ['step', 'corr2d ms', 'corr2d MP/s', 'PNG encode ms', 'PNG encode MP/s'];
    const body = [...this.#steps].map(([title, { megapixels, ms, encodeMs }]) => {
      return [title, ms.toFixed(1), rate(megapixels, ms), encodeMs.toFixed(1), rate(megapixels, encodeMs)];
    });
    const { megapixels, ms } = this.#decode;
    const widths = head.map((_, column) => Math.max(...[head, ...body].map((row) => row[column].length)));
    const line = (row) =>
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ');
    return [
      line(head),
      widths.map((width) => '-'.repeat(width)).join('  '),
      ...body.map(line),
      `All photographs together, ${megapixels.toFixed(2)} megapixels; corr2d: median of ${RUNS} runs.`,
      `Decoding them took sharp ${ms.toFixed(1)} ms (${rate(megapixels, ms)} MP/s).`,
    ].join('\n');
  }
}
