// Eight worker threads with a hundred asynchronous calls in flight: some are aborted, some workers are terminated in the middle.
// The others must lose nothing, and the process must end by itself with the exit code 0. Run by `workers.test.ts`.
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Conv2D, MaxPool2D, Tensor } from 'corr2d';

const WORKERS = 8;
const CALLS = 13;
const TERMINATED = [2, 5];

const conv = new Conv2D({ inChannels: 16, outChannels: 32, kernelSize: 5, padding: 2, seed: 1 });
const pool = new MaxPool2D(3, { stride: 1, returnIndices: true });
const input = (seed) => Tensor.rand([4, 16, 64, 64], { seed });

const same = (a, b) => a.length === b.length && a.every((value, i) => value === b[i]);

/** One call of any kind, and what it must give. */
function start(seed, signal) {
  const x = input(seed);
  if (seed % 3 === 0) {
    const expected = pool.forward(x).indices;
    return pool.forwardAsync(x, { signal }).then(({ indices }) => same(indices, expected));
  }
  const expected = conv.forward(x).data;
  const transfer = seed % 2 === 0;
  return conv.forwardAsync(x, { signal, transfer }).then(({ data }) => same(data, expected));
}

async function work(id) {
  // A plan of its own kind in every worker, at the same time.
  const plan = conv.plan([4, 16, 64, 64]);
  const x = input(1);
  const expected = conv.forward(x).data;
  let isRight = true;
  for (let i = 0; i < 5; i++) isRight &&= same(plan.run(x).data, expected);

  const calls = Array.from({ length: CALLS }, (_, i) => {
    const controller = new AbortController();
    const isAborted = i % 4 === 1;
    const abort = () => controller.abort({ call: i });
    const outcome = start(id * CALLS + i, controller.signal).then(
      (isSame) => (isSame ? 'right' : 'wrong'),
      (reason) => (isAborted && reason.call === i ? 'aborted' : `${reason}`),
    );
    // One while it certainly is in flight, the others at some time.
    if (i === 1) abort();
    else if (isAborted) setTimeout(abort, i);
    return outcome;
  });
  // On a busy machine the calls may end before the termination: who waits for a message does not.
  if (TERMINATED.includes(workerData)) parentPort.on('message', () => {});
  parentPort.postMessage('in flight');
  parentPort.postMessage({ id, isRight, outcomes: await Promise.all(calls) });
}

async function main() {
  const reports = [];
  const ends = Array.from({ length: WORKERS }, async (_, id) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: id });
    worker.on('message', (message) => {
      if (message !== 'in flight') reports.push(message);
      else if (TERMINATED.includes(id)) worker.terminate();
    });
    const [code] = await once(worker, 'exit');
    return { id, code };
  });
  const own = Array.from({ length: CALLS }, (_, i) => start(1000 + i));
  const codes = await Promise.all(ends);
  const isRight = (await Promise.all(own)).every(Boolean) && (await start(2000));
  console.log(JSON.stringify({ codes, reports, isRight }));
}

if (isMainThread) await main();
else await work(workerData);
