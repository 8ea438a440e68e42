// 100,000 calls of mixed sizes; prints the resident memory in bytes, every 10,000 calls, as a JSON array. Run by
// `slow/memory.test.ts`.
import { setImmediate } from 'node:timers/promises';
import { avgPool2d, Conv2D, conv2d, convTranspose2d, corr2d, maxPool2d, Tensor } from 'corr2d';

const CALLS = 100_000;
const REPORT = 10_000;

let state = 1;
/** An integer below `limit`; the same numbers in every run. */
function below(limit) {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
  return (state >>> 8) % limit;
}

const image = (channels, most) => Tensor.ones([1, channels, 5 + below(most), 5 + below(most)]);

const calls = [
  () =>
    corr2d(
      Tensor.ones([5 + below(40), 5 + below(40)]),
      Tensor.full([1 + below(5), 1 + below(5)], 1 + below(9)),
    ),
  () => conv2d(image(3, 30), Tensor.ones([1 + below(8), 3, 3, 3]), { padding: 1, stride: 1 + below(2) }),
  () => conv2d(image(16, 12), Tensor.full([16, 16, 3, 3], below(9)), { padding: 1 }),
  () => conv2d(image(64, 6), Tensor.ones([8 + below(60), 64, 1, 1])),
  () => convTranspose2d(image(4, 10), Tensor.ones([4, 3, 2, 2]), { stride: 1 + below(2) }),
  () => maxPool2d(image(4, 30), 2),
  () => avgPool2d(image(4, 30), 3, { padding: 1 }),
  () => {
    const x = image(8, 12);
    new Conv2D({ inChannels: 8, outChannels: 8, kernelSize: 3, padding: 1 }).plan(x.shape).run(x);
  },
];

const resident = [];
for (let call = 1; call <= CALLS; call++) {
  calls[below(calls.length)]();
  // Node frees the native side of a collected plan in a turn of the event loop.
  if (call % 500 === 0) await setImmediate();
  if (call % REPORT === 0) {
    globalThis.gc();
    resident.push(process.memoryUsage.rss());
  }
}
console.log(JSON.stringify(resident));
