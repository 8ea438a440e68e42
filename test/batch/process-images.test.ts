/** Many images through one pipeline: sources, order, failures, and what the pixels become. */
import { createReadStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  filterImage,
  gaussian,
  gradientMagnitude,
  type ImageResult,
  type ImageSources,
  type Pipeline,
  type ProcessedImage,
  type ProcessImagesOptions,
  poolImage,
  processImages,
  sharpen,
} from '../../index.ts';
import { expectRejection, invalidType, invalidValue, outOfRange, unknownOption } from '../support/error.ts';
import { picture, pixels, temporaryFolder } from '../support/pictures.ts';

const folder = await temporaryFolder();
const at = (name: string) => path.join(folder, name);

async function run(
  sources: ImageSources,
  pipeline: Pipeline = [],
  options?: ProcessImagesOptions,
): Promise<ImageResult[]> {
  const results: ImageResult[] = [];
  for await (const result of processImages(sources, pipeline, options)) results.push(result);
  return results;
}

function done(result: ImageResult | undefined): ProcessedImage {
  expect(result).toMatchObject({ status: 'done' });
  return result as ProcessedImage;
}

beforeAll(async () => {
  await mkdir(at('sub'));
  for (const [name, seed] of [
    ['a.png', 1],
    ['b.png', 2],
    ['sub/c.png', 3],
  ] as const) {
    await writeFile(at(name), await picture(20, 10, 3, 'png', seed));
  }
});

describe('sources', () => {
  it.each<[string, () => ImageSources | Promise<ImageSources>, string[]]>([
    ['a path', () => at('a.png'), [at('a.png')]],
    ['a URL', () => pathToFileURL(at('a.png')), [at('a.png')]],
    ['a pattern', () => `${folder}/**/*.png`, [at('a.png'), at('b.png'), at('sub/c.png')]],
    ['bytes', () => picture(20, 10), ['image 0']],
    ['a stream', () => createReadStream(at('a.png')), ['image 0']],
    ['a web stream', () => Readable.toWeb(createReadStream(at('a.png'))) as never, ['image 0']],
    ['a name and bytes', async () => [{ name: 'mine', data: await picture(20, 10) }], ['mine']],
    ['a list', async () => [at('b.png'), await picture(20, 10)], [at('b.png'), 'image 0']],
    ['a sequence', () => Readable.from([at('a.png'), at('b.png')]).map((name: string) => name) as never, []],
  ])('%s', async (title, make, names) => {
    const sources = await make();
    if (title === 'a sequence') {
      // A stream of Node's is one image, so a sequence of names is a generator.
      const results = await run(
        (async function* () {
          yield* [at('a.png'), at('b.png')];
        })(),
      );
      expect(results.map(({ name }) => name)).toEqual([at('a.png'), at('b.png')]);
      return;
    }
    const results = await run(sources);
    expect(results.map(({ name }) => name)).toEqual(names);
    expect(results.map(({ index }) => index)).toEqual(names.map((_, index) => index));
    for (const result of results)
      expect(done(result).image).toMatchObject({ width: 20, height: 10, channels: 3 });
  });

  it('of the wrong type end the iteration', async () => {
    await expectRejection(run([42] as never), invalidType('source'));
  });

  it('are read as there is room, and closed when the reader stops', async () => {
    let given = 0;
    let closed = false;
    async function* endless() {
      try {
        for (;;) {
          given += 1;
          yield at('a.png');
        }
      } finally {
        closed = true;
      }
    }
    for await (const { index } of processImages(endless(), [], { concurrency: 2 })) if (index === 4) break;
    expect(given).toBeLessThanOrEqual(8);
    expect(closed).toBe(true);
  });
});

describe('steps', () => {
  const rgb = { data: pixels(20, 10, 3), width: 20, height: 10, channels: 3 };

  it.each<[string, Pipeline, () => { data: ArrayLike<number>; width: number; height: number }]>([
    ['none', [], () => rgb],
    [
      'a named kernel',
      [{ op: 'filter', kernel: 'sharpen' }],
      () =>
        filterImage(rgb, [
          [0, -1, 0],
          [-1, 5, -1],
          [0, -1, 0],
        ]),
    ],
    [
      'a kernel with numbers',
      [{ op: 'filter', kernel: 'gaussian(1.5, 5)' }],
      () => filterImage(rgb, gaussian(1.5, 5)),
    ],
    [
      'the same with a colon',
      [{ op: 'filter', kernel: 'gaussian:1.5,5' }],
      () => filterImage(rgb, gaussian(1.5, 5)),
    ],
    [
      'a matrix and options',
      [{ op: 'filter', kernel: [[1, -1]], offset: 128, border: 'wrap' }],
      () => filterImage(rgb, [[1, -1]], { offset: 128, border: 'wrap' }),
    ],
    [
      'a gradient',
      [{ op: 'gradient', operator: 'scharr', scale: 0.25 }],
      () => gradientMagnitude(rgb, 'scharr', { scale: 0.25 }),
    ],
    [
      'a filter of light',
      [{ op: 'filter', kernel: 'sharpen', linear: true }],
      () => filterImage(rgb, sharpen, { linear: true }),
    ],
    ['a pooling', [{ op: 'pool', size: [2, 5], mode: 'min' }], () => poolImage(rgb, [2, 5], 'min')],
    [
      'two of them',
      [
        { op: 'pool', size: 2 },
        { op: 'filter', kernel: 'box(3)' },
      ],
      () =>
        filterImage(
          poolImage(rgb, 2),
          Array.from({ length: 3 }, () => [1 / 9, 1 / 9, 1 / 9]),
        ),
    ],
  ])('%s', async (_, pipeline, expected) => {
    const [result] = await run(await picture(20, 10), pipeline);
    const { image } = done(result);
    const want = expected();
    expect([image.width, image.height]).toEqual([want.width, want.height]);
    expect([...image.data]).toEqual([...(want.data as Uint8Array)]);
  });

  it('overwrite a picture of many tiles', async () => {
    const large = { data: pixels(901, 503, 3), width: 901, height: 503, channels: 3 };
    const pipeline: Pipeline = [
      { op: 'filter', kernel: 'sharpen', border: 'wrap' },
      { op: 'gradient', border: 'constant' },
      { op: 'filter', kernel: 'gaussian(3)' },
    ];
    const [result] = await run(await picture(901, 503), pipeline);
    const sharp = filterImage(large, sharpen, { border: 'wrap' });
    const want = filterImage(gradientMagnitude(sharp, 'sobel', { border: 'constant' }), gaussian(3));
    expect(Buffer.compare(done(result).image.data as Buffer, want.data)).toBe(0);
  });

  it('keep gray gray, alpha untouched and 16 bits deep', async () => {
    const [gray, alpha, deep] = await run(
      [
        await picture(8, 8, 1),
        await picture(8, 8, 4),
        await sharp(
          Uint16Array.from({ length: 64 }, (_, i) => i * 1000),
          { raw: { width: 8, height: 8, channels: 1 } },
        )
          .toColourspace('grey16')
          .png()
          .toBuffer(),
      ],
      [{ op: 'filter', kernel: 'box(3)' }],
    );
    expect(done(gray).image.channels).toBe(1);
    const { data, channels } = done(alpha).image;
    expect(channels).toBe(4);
    const before = pixels(8, 8, 4);
    for (let i = 3; i < data.length; i += 4) expect(data[i]).toBe(before[i]);
    expect(done(deep).image.data).toBeInstanceOf(Uint16Array);
    expect(Math.max(...done(deep).image.data)).toBeGreaterThan(50_000);
  });

  it('turn a picture upright that says it lies on its side', async () => {
    const lying = await sharp(pixels(20, 10, 3), { raw: { width: 20, height: 10, channels: 3 } })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    const [result] = await run(lying);
    expect(done(result).image).toMatchObject({ width: 10, height: 20 });
  });
});

describe('encoded results', () => {
  it.each(['png', 'jpeg', 'webp', 'tiff', 'avif', 'gif'] as const)('%s', async (format) => {
    const [result] = await run(at('a.png'), [{ op: 'filter', kernel: 'box(3)' }], { format });
    const found = await sharp(done(result).encoded).metadata();
    expect(found).toMatchObject({ format: format === 'avif' ? 'heif' : format, width: 20, height: 10 });
  });

  it('keep 16 bits in PNG', async () => {
    const raw = { width: 4, height: 4, channels: 3 as const };
    const samples = Uint16Array.from({ length: 48 }, (_, i) => i * 1300);
    const deep = await sharp(samples, { raw }).toColourspace('rgb16').png().toBuffer();
    const [result] = await run(deep, [], { format: 'png' });
    const { encoded, image } = done(result);
    expect([...image.data]).toEqual([...samples]);
    expect((await sharp(encoded).metadata()).depth).toBe('ushort');
    const [again] = await run(encoded as Uint8Array);
    expect([...done(again).image.data]).toEqual([...samples]);
  });
});

describe('order, progress and failures', () => {
  it('yields in the order of the sources, whatever takes longer', async () => {
    const sources = [await picture(900, 900), at('a.png'), await picture(300, 300), at('b.png')];
    for (const order of ['input', 'completion'] as const) {
      const results = await run(sources, [{ op: 'filter', kernel: 'box(5)' }], { concurrency: 3, order });
      const indices = results.map(({ index }) => index);
      expect(order === 'input' ? indices : indices.toSorted()).toEqual([0, 1, 2, 3]);
    }
  });

  it('goes on after a failing image, which yields its error', async () => {
    const steps: string[] = [];
    const results = await run(
      [at('a.png'), at('missing.png'), Buffer.from('not an image'), at('b.png')],
      [],
      {
        onProgress: ({ done, failed, name }) => steps.push(`${done} ${failed} ${path.basename(name)}`),
      },
    );
    expect(results.map(({ status }) => status)).toEqual(['done', 'failed', 'failed', 'done']);
    expect(results[1]).toMatchObject({ error: { code: 'ERR_FILE_READ' }, name: at('missing.png') });
    expect(results[2]).toMatchObject({ error: { code: 'ERR_IMAGE_DECODE' }, name: 'image 0' });
    expect(steps).toEqual(['1 0 a.png', '2 1 missing.png', '3 2 image 0', '4 2 b.png']);
  });

  it('names the image when a step fails', async () => {
    const [result] = await run(at('a.png'), [{ op: 'pool', size: 50 }]);
    expect(result).toMatchObject({ status: 'failed', error: { code: 'ERR_OUT_OF_RANGE' } });
    expect((result as { error: Error }).error.message).toContain(at('a.png'));
  });

  it('refuses a large image by its header', async () => {
    const [result] = await run(at('a.png'), [], { maxPixels: 199 });
    expect(result).toMatchObject({ status: 'failed', error: { code: 'ERR_LIMIT_EXCEEDED' } });
    expect((result as { error: Error }).error.message).toContain('20 × 10');
  });

  it('ends with the reason of the signal', async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    async function* sources() {
      for (;;) yield at('a.png');
    }
    const iterate = async () => {
      for await (const { index } of processImages(sources(), [], { signal: controller.signal })) {
        seen.push(index);
        if (index === 3) controller.abort(new Error('enough'));
      }
    };
    await expect(iterate()).rejects.toThrow('enough');
    expect(seen).toEqual([0, 1, 2, 3]);
  });
});

describe('bad input', () => {
  it.each<[string, unknown, unknown, Parameters<typeof expectRejection>[1]]>([
    ['a pipeline that is none', 'box(3)', undefined, invalidType('pipeline')],
    ['a step that is none', ['box(3)'], undefined, invalidType('step')],
    ['an unknown operation', [{ op: 'blur' }], undefined, invalidValue('op')],
    ['an unknown kernel', [{ op: 'filter', kernel: 'blur' }], undefined, invalidValue('kernel')],
    ['a kernel without its numbers', [{ op: 'filter', kernel: 'box' }], undefined, invalidValue('kernel')],
    [
      'numbers for a kernel that takes none',
      [{ op: 'filter', kernel: 'sharpen(2)' }],
      undefined,
      invalidValue('kernel'),
    ],
    ['a number that is none', [{ op: 'filter', kernel: 'box(two)' }], undefined, invalidValue('kernel')],
    ['a number out of range', [{ op: 'filter', kernel: 'gaussian(-1)' }], undefined, outOfRange('sigma')],
    [
      'an unknown option of a step',
      [{ op: 'filter', kernel: 'sharpen', colour: 1 }],
      undefined,
      unknownOption('options'),
    ],
    [
      'an option that is ours',
      [{ op: 'filter', kernel: 'sharpen', out: null }],
      undefined,
      unknownOption('step'),
    ],
    ['an unknown operator', [{ op: 'gradient', operator: 'roberts' }], undefined, invalidValue('operator')],
    ['a window of nothing', [{ op: 'pool', size: 0 }], undefined, outOfRange('poolSize')],
    [
      'a huge window',
      [{ op: 'pool', size: 1e6 }],
      undefined,
      { type: RangeError, code: 'ERR_SHAPE_MISMATCH', parameter: 'size' },
    ],
    ['an unknown option', [], { speed: 1 }, unknownOption('options')],
    ['no concurrency', [], { concurrency: 0 }, outOfRange('concurrency')],
    ['an unknown order', [], { order: 'random' }, invalidValue('order')],
    ['an unknown format', [], { format: 'bmp' }, invalidValue('format')],
    ['a quality of 0', [], { quality: 0 }, outOfRange('quality')],
    ['no pixels', [], { maxPixels: 0 }, outOfRange('maxPixels')],
    ['a signal that is none', [], { signal: {} }, invalidType('signal')],
    ['progress that is none', [], { onProgress: 1 }, invalidType('onProgress')],
  ])('%s', async (_, pipeline, options, expected) => {
    // Before anything is read: the source would fail otherwise.
    await expectRejection(run(42 as never, pipeline as never, options as never), expected);
  });
});
