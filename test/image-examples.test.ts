/** Runs every example as a user would, on the built package (`npm test` builds before). */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const images = path.join(root, 'examples', 'images');
const photographs = readdirSync(images).filter((name) => /\.(png|jpg)$/.test(name));
const MINUTE = 60_000;

async function runExample(name: string, ...args: string[]): Promise<string> {
  const file = path.join(root, 'examples', name);
  const { stdout } = await promisify(execFile)(process.execPath, [file, ...args], { timeout: 2 * MINUTE });
  return stdout;
}

test('every example has a test', () => {
  const examples = readdirSync(path.join(root, 'examples')).filter((name) => name.endsWith('.mjs'));
  expect(examples.sort()).toEqual([
    'baseline-plan.mjs',
    'bench-backend.mjs',
    'demo.mjs',
    'filter-server-image.mjs',
    'filter-service.mjs',
    'learn-conv.mjs',
    'lenet.mjs',
    'train-digits.mjs',
  ]);
});

test('learn-conv.mjs finds the edges and learns the kernel', { timeout: MINUTE }, async () => {
  const lines = await runExample('learn-conv.mjs');
  expect(lines.replace(/\s+/g, ' ')).toContain('[ 0, 1, 0, 0, 0, -1, 0 ]');
  const learned = /learned kernel: (\S+), (\S+) in (\d+) steps/.exec(lines);
  expect(Number(learned?.[1])).toBeCloseTo(1, 2);
  expect(Number(learned?.[2])).toBeCloseTo(-1, 2);
  expect(Number(learned?.[3])).toBeLessThan(100);
});

test('train-digits.mjs learns to read digits, and draws how', { timeout: 2 * MINUTE }, async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'corr2d-digits-'));
  const svg = path.join(folder, 'loss.svg');
  try {
    const lines = await runExample('train-digits.mjs', '--svg', svg);
    const epochs = [...lines.matchAll(/epoch \d+: loss (\S+), (\S+) % of unseen digits right/g)];
    expect(epochs).toHaveLength(10);
    const [first, last] = [epochs[0], epochs.at(-1)];
    expect(Number(last?.[1])).toBeLessThan(Number(first?.[1]) / 4);
    expect(Number(last?.[2])).toBeGreaterThan(95);
    expect(lines).toMatch(/^loss [▁▂▃▄▅▆▇█]{64}$/m);
    const { format, width = 0 } = await sharp(svg).metadata();
    expect(format).toBe('svg');
    expect(width).toBeGreaterThan(600);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('lenet.mjs prints the shapes of the book', { timeout: MINUTE }, async () => {
  expect((await runExample('lenet.mjs')).split('\n')).toEqual([
    'Conv2D output shape: [1, 6, 28, 28]',
    'AvgPool2D output shape: [1, 6, 14, 14]',
    'Conv2D output shape: [1, 16, 10, 10]',
    'AvgPool2D output shape: [1, 16, 5, 5]',
    'Flatten output shape: [1, 400]',
    '2572 parameters',
    '',
  ]);
});

test('filter-server-image.mjs gives a JPEG', { timeout: MINUTE }, async () => {
  expect(await runExample('filter-server-image.mjs')).toMatch(
    /^600×400 pixels sharpened, a JPEG of \d{5,} bytes\n$/,
  );
});

test('baseline-plan.mjs measures', { timeout: MINUTE }, async () => {
  const rate = /: [\d.]+ ms, (\d+) GFLOP\/s on one thread\n$/.exec(
    await runExample('baseline-plan.mjs'),
  )?.[1];
  expect(Number(rate)).toBeGreaterThan(0);
});

// The benchmark measures the addon.
test.skipIf(process.env.CORR2D_BACKEND === 'wasm')(
  'bench-backend.mjs is right, and ranked',
  { timeout: MINUTE },
  async () => {
    const lines = await runExample('bench-backend.mjs');
    for (const problem of ['o1k3s1p1', 'o1k5s1']) {
      for (const backend of ['mine', 'plain', 'corr2d']) {
        expect(lines).toMatch(new RegExp(`^conv:n1c1h120w160-${problem} +${backend} +\\d`, 'm'));
      }
    }
    expect(lines).not.toContain('not timed');
  },
);

describe('demo.mjs', () => {
  const out = mkdtempSync(path.join(os.tmpdir(), 'corr2d-demo-'));
  let lines = '';

  beforeAll(async () => {
    lines = await runExample('demo.mjs', '--out', out);
  }, 2 * MINUTE);

  afterAll(() => {
    rmSync(out, { recursive: true });
  });

  const picture = (photograph: string, step: string) =>
    path.join(out, `${path.parse(photograph).name}-${step}.png`);
  // Through a PNG, so that a photograph with a colour profile counts by its sRGB colours, as the demo reads it.
  const statistics = async (file: string) =>
    (await sharp(await sharp(file).png().toBuffer()).stats()).channels;
  const channelsOf = async (file: string) => (await sharp(file).metadata()).channels;
  const meanOf = (list: readonly number[]) => list.reduce((a, b) => a + b, 0) / list.length;

  test('prints the worked examples, progress lines and a rate for each step', () => {
    for (const section of ['1.1', '1.2', '1.3', '2.1', '2.2', '3.1', '3.2', '3.3', '4.1', '4.2', '4.3']) {
      expect(lines).toContain(`seed ${section}  `);
    }
    expect(lines).toContain('[[12,12,17],[10,17,19],[9,6,14]]');
    expect(lines).toContain(`${4 * photographs.length}/${4 * photographs.length} `);
    for (const step of ['Sobel edges', 'Gaussian blur', 'sharpened', '2×2 max pool']) {
      expect(lines).toMatch(new RegExp(`^${step} +[\\d.]+ +\\d+ +[\\d.]+ +\\d+$`, 'm'));
    }
  });

  test('writes four pictures of each photograph and the contact sheet, and nothing else', () => {
    const steps = ['edges', 'blur', 'sharp', 'thumbnail'];
    const expected = photographs.flatMap((name) => steps.map((step) => path.basename(picture(name, step))));
    expect(readdirSync(out).sort()).toEqual([...expected, 'contact-sheet.png'].sort());
  });

  describe.each(photographs)('%s', (photograph) => {
    const original = path.join(images, photograph);

    test('edges are gray: mostly dark, with some bright lines', async () => {
      const file = picture(photograph, 'edges');
      expect(await channelsOf(file)).toBe(1);
      const [gray] = await statistics(file);
      expect(gray?.mean).toBeLessThan(64);
      expect(gray?.max).toBe(255);
    });

    test('blurring keeps the mean and takes contrast, sharpening gives contrast', async () => {
      const before = await statistics(original);
      const blurred = await statistics(picture(photograph, 'blur'));
      const sharpened = await statistics(picture(photograph, 'sharp'));
      expect(await channelsOf(picture(photograph, 'blur'))).toBe(await channelsOf(original));
      for (const [i, channel] of before.entries()) {
        expect(Math.abs((blurred[i]?.mean ?? 0) - channel.mean)).toBeLessThan(1.5);
        expect(blurred[i]?.stdev).toBeLessThan(channel.stdev);
        expect(sharpened[i]?.stdev).toBeGreaterThan(channel.stdev);
      }
    });

    test('the thumbnail has half the size and the colours, a little brighter', async () => {
      const file = picture(photograph, 'thumbnail');
      const { width = 0, height = 0 } = await sharp(original).metadata();
      expect(await sharp(file).metadata()).toMatchObject({ width: width >> 1, height: height >> 1 });
      const before = (await statistics(original)).map((channel) => channel.mean);
      const after = (await statistics(file)).map((channel) => channel.mean);
      for (const [i, mean] of before.entries()) {
        expect(after[i]).toBeGreaterThan(mean);
        expect((after[i] ?? 0) - meanOf(after)).toBeCloseTo(mean - meanOf(before), -1);
      }
    });
  });

  test('the contact sheet shows all photographs', async () => {
    const { width = 0, height = 0 } = await sharp(path.join(out, 'contact-sheet.png')).metadata();
    expect(width).toBeGreaterThan(5 * 300);
    expect(height).toBeGreaterThan(photographs.length * 225);
  });
});
