// npm run bench:beside: `filterImageAsync` in one process with sharp's decoder and encoder, by how many images are in flight and how many
// threads libvips may use for one. More threads at work than processors would show as preemptions: the kernel takes a processor from one
// that still has work.
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import os from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { filterImageAsync, unsharp } from 'corr2d';
import sharp from 'sharp';

const SECONDS = 4;
const photograph = fileURLToPath(new URL('../../examples/images/rocket.jpg', import.meta.url));

/** A JPEG of about four megapixels. */
async function makeJpeg() {
  const { data, info } = await sharp(photograph).raw().toBuffer({ resolveWithObject: true });
  const [width, height] = [2304, 1728];
  const extend = { right: width - info.width, bottom: height - info.height, extendWith: 'mirror' };
  return sharp(data, { raw: info }).extend(extend).jpeg().toBuffer();
}

async function filter(jpeg) {
  const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
  const result = await filterImageAsync({ data, ...info }, unsharp(1, 1));
  return sharp(result.data, { raw: info }).jpeg().toBuffer();
}

async function measure({ inFlight, vips }) {
  sharp.cache(false);
  sharp.concurrency(vips);
  const jpeg = await makeJpeg();
  await filter(jpeg);
  const lag = monitorEventLoopDelay({ resolution: 1 });
  lag.enable();
  const [start, before, { involuntaryContextSwitches }] = [
    performance.now(),
    process.cpuUsage(),
    process.resourceUsage(),
  ];
  let images = 0;
  const work = async () => {
    while (performance.now() - start < SECONDS * 1000) {
      await filter(jpeg);
      images += 1;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, work));
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  const preemptions = process.resourceUsage().involuntaryContextSwitches - involuntaryContextSwitches;
  return {
    'in flight': inFlight,
    'sharp.concurrency': vips,
    'images/s': (images / seconds).toFixed(1),
    'CPU ms an image': ((user + system) / 1000 / images).toFixed(0),
    'preemptions an image': (preemptions / images).toFixed(1),
    threads: threads(),
    'busy processors': ((user + system) / 1e6 / seconds).toFixed(2),
    'lag p99, ms': (lag.percentile(99) / 1e6 - 1).toFixed(1),
  };
}

/** How many threads the process has, at work or not, where the system tells. */
function threads() {
  try {
    return readdirSync('/proc/self/task').length;
  } catch {
    return '-';
  }
}

if (isMainThread) {
  const cores = os.availableParallelism();
  const rows = [];
  for (const vips of new Set([1, cores])) {
    for (const inFlight of new Set([1, cores, 2 * cores, 4 * cores])) {
      // A thread for each, so that none inherits another's memory.
      const worker = new Worker(new URL(import.meta.url), { workerData: { inFlight, vips } });
      const [row] = await once(worker, 'message');
      rows.push(row);
      await worker.terminate();
    }
  }
  console.table(rows);
} else {
  parentPort.postMessage(await measure(workerData));
}
