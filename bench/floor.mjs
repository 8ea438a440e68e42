// The speed that every release must keep: corr2d against a plain loop and against this core's multiply-add peak, interleaved in
// one run on one thread. `npm run bench:floor` runs it; the README quotes it.
import { createRequire } from 'node:module';
import Benchmark from 'benchmark';
import { Conv2D, conv2d, info, setThreads, Tensor } from 'corr2d';

const { fmaPeak } = createRequire(import.meta.url)('../native/binding.cjs');
const ROUNDS = 5;
const IMAGE = [1080, 1920];

/** What anyone would write first: a correlation of one channel, in plain loops over typed arrays. */
function plainLoop(x, [h, w], k, [kh, kw], out) {
  const [oh, ow] = [h - kh + 1, w - kw + 1];
  for (let i = 0; i < oh; i++) {
    for (let j = 0; j < ow; j++) {
      let sum = 0;
      for (let a = 0; a < kh; a++) {
        for (let b = 0; b < kw; b++) sum += x[(i + a) * w + j + b] * k[a * kw + b];
      }
      out[i * ow + j] = sum;
    }
  }
}

/** Seconds of the fastest cycle of each function, in rounds over all of them so that drift hits all alike. */
function fastest(cases) {
  const best = cases.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < ROUNDS; round++) {
    cases.forEach((run, i) => {
      const { stats } = new Benchmark(run, { maxTime: 0.3, minSamples: 3 }).run();
      best[i] = Math.min(best[i], ...stats.sample);
    });
  }
  return best;
}

function filterRow(size) {
  const x = Tensor.rand(IMAGE, { seed: 1 });
  const k = Tensor.rand([size, size], { seed: 2 });
  const shape = IMAGE.map((side) => side - size + 1);
  const [ours, theirs] = [Tensor.zeros(shape), new Float32Array(shape[0] * shape[1])];
  const input = x.reshape(1, 1, ...IMAGE);
  const weight = k.reshape(1, 1, size, size);
  const [fast, slow] = fastest([
    () => conv2d(input, weight, { out: ours.data }),
    () => plainLoop(x.data, IMAGE, k.data, [size, size], theirs),
  ]);
  return {
    what: `gray 1080p ${size}×${size}`,
    µs: fast * 1e6,
    figure: `${(slow / fast).toFixed(1)} × a plain loop`,
    floor: '20 ×',
  };
}

function layerRow(what, channels, side, outChannels, kernelSize) {
  const layer = new Conv2D({
    inChannels: channels,
    outChannels,
    kernelSize,
    padding: (kernelSize - 1) / 2,
    bias: false,
    seed: 1,
  });
  const x = Tensor.rand([1, channels, side, side], { seed: 2 });
  const out = Tensor.zeros([1, outChannels, side, side]);
  const plan = layer.plan(x.shape);
  const peaks = [fmaPeak()];
  const [seconds] = fastest([
    () => plan.run(x, { out }),
    () => {
      peaks.push(fmaPeak());
    },
  ]);
  const share = plan.flops / seconds / Math.max(...peaks);
  return { what, µs: seconds * 1e6, figure: `${(share * 100).toFixed(0)} % of the FMA peak`, floor: '60 %' };
}

function callRow() {
  const layer = new Conv2D({ kernelSize: 3, seed: 1 });
  const x = Tensor.rand([1, 1, 5, 5], { seed: 2 });
  const out = Tensor.zeros([1, 1, 3, 3]);
  const plan = layer.plan(x.shape);
  const [seconds] = fastest([() => plan.run(x, { out })]);
  return {
    what: "plan.run, the seed's 5×5",
    µs: seconds * 1e6,
    figure: `${(seconds * 1e9).toFixed(0)} ns`,
    floor: '1000 ns',
  };
}

setThreads(1);
const { isa, cpu } = info();
console.log(`${cpu}, ${isa}, 1 thread, fastest of ${ROUNDS} interleaved rounds`);
const rows = [
  ...[3, 5, 11].map(filterRow),
  layerRow('r50.c2.3x3', 64, 56, 64, 3),
  layerRow('r50.c4.1x1.reduce', 1024, 14, 256, 1),
  callRow(),
];
console.table(rows.map((row) => ({ ...row, µs: Number(row.µs.toPrecision(4)) })));
