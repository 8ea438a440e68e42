// Train a small convolutional network to read digits: forward, backward, step, until it reads more than 95 % of those that it has
// never seen. Prints the loss curve and writes it as demo-out/digits-loss.svg, or to the file of `--svg FILE`.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Tensor } from 'corr2d';
import { drawCurve, sparkline } from './digits/curve.mjs';
import { drawDigits, SIDE } from './digits/data.mjs';
import { accuracy, createNetwork, trainStep } from './digits/network.mjs';

const { values } = parseArgs({ options: { svg: { type: 'string' } } });
const svg = values.svg ?? fileURLToPath(new URL('../demo-out/digits-loss.svg', import.meta.url));

const BATCH = 50;
const EPOCHS = 10;

/** Numbers from 0 to 1, the same in every run. */
function seededNumbers(seed) {
  let numbers = [];
  let from = seed;
  return () => {
    if (numbers.length === 0) numbers = [...Tensor.rand([65536], { seed: from++ }).data];
    return numbers.pop();
  };
}

const training = drawDigits(3000, seededNumbers(1));
const unseen = drawDigits(1000, seededNumbers(1000));
const unseenPictures = new Tensor(unseen.pixels, [1000, 1, SIDE, SIDE]);

const network = createNetwork(7);
console.log(`${network.parameters} parameters, ${training.labels.length} digits to learn from`);
const start = performance.now();
const losses = [];
for (let epoch = 1; epoch <= EPOCHS; epoch++) {
  for (let first = 0; first < training.labels.length; first += BATCH) {
    const size = SIDE * SIDE;
    const pixels = training.pixels.subarray(first * size, (first + BATCH) * size);
    const pictures = new Tensor(pixels, [BATCH, 1, SIDE, SIDE]);
    losses.push(trainStep(network, pictures, training.labels.slice(first, first + BATCH), 0.5));
  }
  const share = accuracy(network, unseenPictures, unseen.labels);
  console.log(
    `epoch ${epoch}: loss ${losses.at(-1).toFixed(3)}, ${(100 * share).toFixed(1)} % of unseen digits right`,
  );
}
const milliseconds = (performance.now() - start) / losses.length;
console.log(`loss ${sparkline(losses, 64)}`);
console.log(`${losses.length} steps of ${BATCH} digits, ${milliseconds.toFixed(2)} ms each`);

mkdirSync(path.dirname(svg), { recursive: true });
writeFileSync(svg, await drawCurve(losses, 'Learning to read digits'));
console.log(`loss curve written to ${path.relative('', svg)}`);
