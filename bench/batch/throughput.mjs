// npm run bench:batch: `corr2d filter` with a 5×5 kernel over JPEGs of 1 to 12 megapixels, against the same job in sharp alone, and
// against decoding and encoding only, which shows the share of the filter. Images are made in a temporary folder.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeImages } from './make-images.mjs';

const { values } = parseArgs({
  options: {
    images: { type: 'string', default: '100' },
    jobs: { type: 'string', default: String(os.availableParallelism()) },
    // What to measure, by the first letters of the rows.
    only: { type: 'string', default: '' },
    // A folder to keep the images in, made by an earlier run.
    keep: { type: 'string' },
  },
});
const count = Number(values.images);
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

// Sharpens a little: encoders would have more to do for an image with much more detail, and that is not the filter's share. It is no
// product of a column and a row, so nothing can take a short cut.
const KERNEL = [
  [0, 0, -1, 0, 0],
  [0, -1, -2, -1, 0],
  [-1, -2, 96, -2, -1],
  [0, -1, -2, -1, 0],
  [0, 0, -1, 0, 0],
].map((row) => row.map((weight) => weight / 80));

const folder = await mkdtemp(path.join(os.tmpdir(), 'corr2d-batch-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));
const images = values.keep ?? path.join(folder, 'in');
const kernel = path.join(folder, 'kernel.json');
const nothing = path.join(folder, 'nothing.json');
await writeFile(kernel, JSON.stringify(KERNEL));
await writeFile(nothing, '[]');
const there = await readdir(images).catch(() => []);
if (there.length !== count) {
  const show = (done) => done % 50 === 0 && process.stderr.write(`made ${done}/${count} images\n`);
  await makeImages(images, count, show);
}

const corr2d = (...args) => [
  here('../../dist/cli.mjs'),
  ...args,
  images,
  '--jobs',
  values.jobs,
  '--json',
  '--out',
];
const alone =
  (...more) =>
  (out) => [here('./sharp-alone.mjs'), images, out, values.jobs, ...more];
const rows = [
  ['corr2d filter', (out) => [...corr2d('filter', '--kernel', kernel), out]],
  ['corr2d pipeline [] (no filter)', (out) => [...corr2d('pipeline', '--steps', nothing), out]],
  ['sharp: decode, convolve, encode', alone(kernel)],
  ['sharp: decode, encode', alone()],
].filter(([name]) => name.startsWith(values.only));

/** Runs a program into a fresh folder; its wall clock, CPU seconds and peak memory. */
async function measure(name, command) {
  const out = path.join(folder, 'out');
  await mkdir(out);
  const start = performance.now();
  const child = spawn(process.execPath, ['--import', here('./peak-memory.mjs'), ...command(out)], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  const [usage, errors, [code]] = await Promise.all([
    buffer(child.stdio[3]),
    buffer(child.stderr),
    once(child, 'exit'),
  ]);
  const seconds = (performance.now() - start) / 1000;
  const made = (await readdir(out)).filter((file) => file.endsWith('.jpg')).length;
  if (code !== 0 || made !== count) throw new Error(`${name}: exit code ${code}, ${made} results\n${errors}`);
  await rm(out, { recursive: true });
  const { peak, cpu, own } = JSON.parse(usage.toString());
  return {
    what: name,
    seconds: seconds.toFixed(1),
    'images/s': (count / seconds).toFixed(1),
    'CPU s': cpu.toFixed(1),
    // Of the threads that filter.
    "corr2d's CPU s": own?.toFixed(1),
    'peak MiB': Math.round(peak / 2 ** 20),
  };
}

const results = [];
for (const [name, command] of rows) {
  results.push(await measure(name, command));
  process.stderr.write(`${JSON.stringify(results.at(-1))}\n`);
}
console.table(results);
if (results.length === rows.length && rows.length === 4) {
  const of = (name) => results.map((result) => Number(result[name]));
  const [filter, without, convolve] = of('seconds');
  const [busy, busyWithout] = of('CPU s');
  const percent = (part, whole) => `${(100 * (1 - part / whole)).toFixed(1)} %`;
  // CPU time tells more where something else runs on the machine.
  console.log(
    `the filter's share of corr2d filter: ${percent(without, filter)} of the time, ${percent(busyWithout, busy)} of CPU time`,
  );
  console.log(`sharp alone takes ${(convolve / filter).toFixed(2)} times as long`);
}
