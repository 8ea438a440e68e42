// The same job in sharp alone: node sharp-alone.mjs IN OUT JOBS [KERNEL.json]. Without a kernel it only decodes and encodes.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';

const [input, output, jobs, kernelFile] = process.argv.slice(2);
// Several images at once, one thread for each, as corr2d has it.
sharp.concurrency(1);
sharp.cache(false);

const kernel = kernelFile === undefined ? undefined : JSON.parse(await readFile(kernelFile, 'utf8'));
const names = await readdir(input);
const work = async () => {
  for (let name = names.pop(); name !== undefined; name = names.pop()) {
    const image = sharp(path.join(input, name));
    if (kernel !== undefined) {
      const [height, width] = [kernel.length, kernel[0].length];
      image.convolve({ width, height, kernel: kernel.flat(), scale: 1 });
    }
    await image.jpeg().toFile(path.join(output, name));
  }
};
await Promise.all(Array.from({ length: Number(jobs) }, work));
