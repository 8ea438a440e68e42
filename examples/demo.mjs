// The main job: filters every photograph of examples/images/ into demo-out/, and says how fast that was.
//
//   node examples/demo.mjs             seed examples, pictures, table of speeds, contact sheet
//   node examples/demo.mjs --out DIR   writes to another folder
//   node examples/demo.mjs --readme    writes docs/contact-sheet.jpg as well, the picture of the README
import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { info } from 'corr2d';
import sharp from 'sharp';
import { contactSheet } from './demo/contact-sheet.mjs';
import { startProgress } from './demo/progress.mjs';
import { runSeedExamples } from './demo/seed.mjs';
import { medianTime, SpeedTable } from './demo/speed.mjs';
import { steps } from './demo/steps.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const imageFolder = path.join(root, 'examples', 'images');
const { values: flags } = parseArgs({
  options: { out: { type: 'string' }, readme: { type: 'boolean', default: false } },
});
const outFolder = flags.out === undefined ? path.join(root, 'demo-out') : path.resolve(flags.out);
const shownFolder = path.relative(process.cwd(), outFolder);

const { version, isa, threads, cpu } = info();
console.log(`corr2d ${version}, ${isa}, ${threads} ${threads === 1 ? 'thread' : 'threads'}, ${cpu}\n`);

runSeedExamples();

const names = (await readdir(imageFolder)).filter((name) => /\.(png|jpe?g)$/i.test(name)).sort();
await mkdir(outFolder, { recursive: true });
console.log(`${names.length} photographs, ${steps.length} pictures of each, in ${shownFolder}`);
const progress = startProgress(names.length * steps.length);
const table = new SpeedTable();
const rows = [];
for (const name of names) {
  const decoded = await timed(() => decode(path.join(imageFolder, name)));
  const image = decoded.result;
  const megapixels = (image.width * image.height) / 1e6;
  table.addDecode(megapixels, decoded.ms);
  const row = { name, pictures: [{ label: 'before', image }] };
  for (const step of steps) {
    const { result, ms } = medianTime(() => step.run(image));
    const file = `${path.parse(name).name}-${step.name}.png`;
    const encoded = await timed(() => encode(result).png().toFile(path.join(outFolder, file)));
    table.addStep(step.title, megapixels, ms, encoded.ms);
    row.pictures.push({ label: step.title, image: result });
    progress.step(`${file} (${result.width}×${result.height}, ${ms.toFixed(2)} ms)`);
  }
  rows.push(row);
}
progress.stop();
console.log(`\n${table}\n`);

const sheet = await contactSheet(rows);
await sheet.clone().png({ compressionLevel: 9 }).toFile(path.join(outFolder, 'contact-sheet.png'));
console.log(`before and after side by side: ${path.join(shownFolder, 'contact-sheet.png')}`);
if (flags.readme) {
  await mkdir(path.join(root, 'docs'), { recursive: true });
  const jpeg = { quality: 78, mozjpeg: true };
  await sheet
    .resize({ width: 1200 })
    .jpeg(jpeg)
    .toFile(path.join(root, 'docs', 'contact-sheet.jpg'));
  console.log('the same for the README: docs/contact-sheet.jpg');
}

/** A file as interleaved 8-bit pixels in sRGB, or gray: what filterImage takes. */
async function decode(file) {
  const pipeline = sharp(file);
  const { space } = await pipeline.metadata();
  const { data, info: raw } = await inSpace(pipeline, space === 'b-w')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, width: raw.width, height: raw.height, channels: raw.channels };
}

/** An image as sharp takes it. */
function encode({ data, width, height, channels }) {
  return inSpace(sharp(data, { raw: { width, height, channels } }), channels < 3);
}

// Unless told, sharp makes three channels of a gray picture.
function inSpace(pipeline, isGray) {
  return pipeline.toColourspace(isGray ? 'b-w' : 'srgb');
}

async function timed(work) {
  const start = performance.now();
  const result = await work();
  return { result, ms: performance.now() - start };
}
