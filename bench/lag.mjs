// How free asynchronous calls leave the event loop: the lag of a 5 ms timer while convolutions run for some seconds.
// `npm run bench:lag` runs it.
import { Conv2D, getThreads, info, Tensor } from 'corr2d';

const PERIOD = 5;
const SECONDS = 3;

/** How late each tick of a timer of PERIOD milliseconds is, for as long as `work` takes. */
async function lags(work) {
  const late = [];
  let due = performance.now() + PERIOD;
  const timer = setInterval(() => {
    const now = performance.now();
    late.push(Math.max(0, now - due));
    due = now + PERIOD;
  }, PERIOD);
  await work();
  clearInterval(timer);
  return late.sort((a, b) => a - b);
}

async function convolve(layer, x) {
  const start = performance.now();
  while (performance.now() - start < SECONDS * 1000) await layer.forwardAsync(x);
}

const row = (what, sorted) => {
  const at = (share) =>
    Number(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(2));
  return { what, ticks: sorted.length, 'median ms': at(0.5), '99 % ms': at(0.99), 'most ms': at(1) };
};

const { cpu, isa } = info();
console.log(`${cpu}, ${isa}, ${getThreads()} threads: lag of a ${PERIOD} ms timer`);
const idle = () => new Promise((resolve) => setTimeout(resolve, SECONDS * 1000));
const small = new Conv2D({ inChannels: 64, outChannels: 64, kernelSize: 3, padding: 1, seed: 1 });
const large = new Conv2D({ inChannels: 64, outChannels: 64, kernelSize: 9, seed: 1 });
console.table([
  row('nothing runs', await lags(idle)),
  row(
    'calls of about a millisecond',
    await lags(() => convolve(small, Tensor.rand([1, 64, 56, 56], { seed: 2 }))),
  ),
  row(
    'calls of a second or so',
    await lags(() => convolve(large, Tensor.rand([64, 64, 64, 64], { seed: 3 }))),
  ),
]);
