/** Photographs of 1 to 12 megapixels, made from those of examples/images. */
import { mkdir, readdir } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';

const originals = fileURLToPath(new URL('../../examples/images/', import.meta.url));

/**
 * Writes `count` JPEGs into a folder: the photographs continued by their mirror images, so that there is as much to see in each
 * pixel as in the originals (enlarged ones would be smooth, and faster to decode). Megapixels are spread evenly; sides are 4:3.
 *
 * @returns the sum of the megapixels
 */
export async function makeImages(folder, count, onProgress) {
  await mkdir(folder, { recursive: true });
  const names = (await readdir(originals)).filter((name) => /\.(png|jpg)$/.test(name));
  // Decoded once: only the encoding is left for each.
  const photographs = await Promise.all(
    names.map((name) =>
      sharp(path.join(originals, name)).toColourspace('srgb').raw().toBuffer({ resolveWithObject: true }),
    ),
  );
  let total = 0;
  let next = 0;
  let done = 0;
  const make = async () => {
    while (next < count) {
      const i = next++;
      const megapixels = 1 + (11 * i) / Math.max(1, count - 1);
      const width = Math.round(Math.sqrt((megapixels * 1e6 * 4) / 3));
      const height = Math.round((width * 3) / 4);
      const { data, info } = photographs[i % photographs.length];
      // Another cut of the same pattern for each.
      const left = (i * 37) % info.width;
      const top = (i * 53) % info.height;
      await sharp(data, { raw: info })
        .extend({
          left,
          top,
          right: Math.max(0, width - info.width - left),
          bottom: Math.max(0, height - info.height - top),
          extendWith: 'mirror',
        })
        .jpeg({ quality: 85 })
        .toFile(path.join(folder, `${String(i).padStart(5, '0')}.jpg`));
      total += (width * height) / 1e6;
      done += 1;
      onProgress?.(done);
    }
  };
  await Promise.all(Array.from({ length: os.availableParallelism() }, make));
  return total;
}
