/** Small image files for tests of what reads and writes them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll } from 'vitest';

/** A folder that is removed after the tests of a file. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'corr2d-batch-'));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Pixels without a pattern, another one for each `seed`. */
export function pixels(width: number, height: number, channels: number, seed = 1): Buffer {
  let state = seed * 2654435761;
  return Buffer.from(
    Array.from({ length: width * height * channels }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      return (state >>> 16) & 255;
    }),
  );
}

/** A file of such pixels. */
export function picture(
  width: number,
  height: number,
  channels: 1 | 3 | 4 = 3,
  format: 'png' | 'jpeg' | 'webp' = 'png',
  seed = 1,
): Promise<Buffer> {
  const raw = { width, height, channels };
  return sharp(pixels(width, height, channels, seed), { raw })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .toFormat(format)
    .toBuffer();
}
