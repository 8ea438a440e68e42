// npm run bench:service: autocannon against examples/filter-service.mjs. First as many clients as it works for at once and as may
// wait, then three times as many. Every request must be answered: all with the right image in the first part, with that or 503 in
// the second. Exits with 1 when one is lost or wrong.
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import sharp from 'sharp';
import { startService } from './child.mjs';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '1000' },
    concurrency: { type: 'string', default: String(os.availableParallelism()) },
    queued: { type: 'string', default: '8' },
    kernel: { type: 'string', default: 'sharpen' },
  },
});
const concurrency = Number(values.concurrency);
const queued = Number(values.queued);

const photograph = fileURLToPath(new URL('../../examples/images/chelsea.png', import.meta.url));
// A megapixel, as browsers upload.
const upload = await sharp(photograph).resize(1152, 864, { fit: 'fill' }).jpeg({ quality: 85 }).toBuffer();

const service = await startService({ CONCURRENCY: String(concurrency), MAX_QUEUED: String(queued) });
const url = `${service.url}?kernel=${values.kernel}`;
const first = await fetch(url, { method: 'POST', body: upload });
const expected = Buffer.from(await first.arrayBuffer()).toString();

/** One part of the benchmark: its figures, and what went wrong. */
async function load(name, connections, amount) {
  const before = await service.health();
  const start = await service.look('reset');
  const memory = [];
  const watch = setInterval(async () => memory.push((await service.look()).rss), 200);
  const answered = { right: 0, busy: 0, other: 0 };
  const latencies = [];
  const run = autocannon({
    url,
    method: 'POST',
    body: upload,
    connections,
    amount,
    timeout: 60,
    setupClient: (client) =>
      client.on('response', (status, _bytes, ms) => {
        if (status === 200) latencies.push(ms);
        answered[status === 200 ? 'right' : status === 503 ? 'busy' : 'other'] += 1;
      }),
    verifyBody: (body) => body === expected || body === 'busy\n',
  });
  const result = await run;
  clearInterval(watch);
  const end = await service.look();
  const after = await service.health();

  const wrong = [];
  const claim = (what, holds) => holds || wrong.push(`${name}: ${what}`);
  claim(`${answered.other} answers other than 200 and 503`, answered.other === 0);
  claim(`${result.errors} errors, ${result.timeouts} timeouts`, result.errors + result.timeouts === 0);
  claim(`${result.mismatches} wrong images`, result.mismatches === 0);
  claim(
    `${amount} sent, ${answered.right} + ${answered.busy} answered`,
    answered.right + answered.busy === amount,
  );
  claim(
    `the service counts ${after.done - before.done} done`,
    after.done - before.done === answered.right && after.inside === 0,
  );
  // The first quarter warms up: threads, allocators, sharp's own buffers.
  const warm = memory.slice(Math.ceil(memory.length / 4));
  const half = warm.length >> 1;
  return {
    wrong,
    figures: {
      part: name,
      clients: connections,
      'images/s': (answered.right / result.duration).toFixed(1),
      '503/s': (answered.busy / result.duration).toFixed(1),
      // Of the images: refusals take no time.
      'p50 ms': quantile(latencies, 0.5).toFixed(0),
      'p99 ms': quantile(latencies, 0.99).toFixed(0),
      'lag p50 ms': end.lag.p50.toFixed(2),
      'lag p99 ms': end.lag.p99.toFixed(2),
      'CPU %': (((end.cpu - start.cpu) / result.duration) * 100).toFixed(0),
      'switches/s': ((end.switches - start.switches) / result.duration).toFixed(0),
      'RSS MiB': `${mebibytes(median(warm.slice(0, half)))} → ${mebibytes(median(warm.slice(half)))}`,
    },
  };
}

const quantile = (list, part) => list.toSorted((a, b) => a - b)[Math.floor(list.length * part)];
const median = (list) => quantile(list, 0.5);
const mebibytes = (bytes) => Math.round(bytes / 2 ** 20);

const capacity = concurrency + queued;
const amount = Number(values.requests);
const parts = [await load('full', capacity, amount), await load('overload', 3 * capacity, 10 * amount)];
await service.stop();
console.table(parts.map(({ figures }) => figures));
for (const line of parts.flatMap(({ wrong }) => wrong)) {
  console.error(line);
  process.exitCode = 1;
}
