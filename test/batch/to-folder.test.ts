/** Image files into a folder: names, what is there already, the manifest, and every kind of broken file. */
import { mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Pipeline } from '../../index.ts';
import { MANIFEST } from '../../src/batch/manifest.ts';
import { type FileResult, type FolderOptions, processToFolder } from '../../src/batch/to-folder.ts';
import { TEMPORARY_PREFIX } from '../../src/batch/write-atomic.ts';
import { expectRejection, invalidType } from '../support/error.ts';
import { picture, temporaryFolder } from '../support/pictures.ts';

const folder = await temporaryFolder();
const input = path.join(folder, 'in');
const out = path.join(folder, 'out');
const at = (name: string) => path.join(input, name);

const SHARPEN: Pipeline = [{ op: 'filter', kernel: 'sharpen' }];

async function run(
  inputs: string[],
  options: Partial<FolderOptions> = {},
  pipeline: Pipeline = SHARPEN,
): Promise<FileResult[]> {
  const job = await processToFolder(inputs, pipeline, { out, ...options });
  const results: FileResult[] = [];
  for await (const result of job.run()) results.push(result);
  expect(results.length).toBe(job.total);
  return results.sort((a, b) => (a.input < b.input ? -1 : 1));
}

const statuses = (results: FileResult[]) =>
  results.map(({ input: name, status, error }) => `${path.basename(name)} ${error?.code ?? status}`);

async function manifest(): Promise<Record<string, unknown>[]> {
  const text = await readFile(path.join(out, MANIFEST), 'utf8');
  expect(text.endsWith('\n')).toBe(true);
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

const files = async () =>
  (await readdir(out, { recursive: true })).filter((name) => name !== MANIFEST).sort();

beforeEach(async () => {
  await rm(input, { recursive: true, force: true });
  await rm(out, { recursive: true, force: true });
  await mkdir(at('sub/deep'), { recursive: true });
  await writeFile(at('a.png'), await picture(16, 12));
  await writeFile(at('b.jpg'), await picture(16, 12, 3, 'jpeg', 2));
  await writeFile(at('sub/deep/c.png'), await picture(16, 12, 1, 'png', 3));
  await writeFile(at('notes.txt'), 'no image');
});

describe('names', () => {
  it('are those of the inputs', async () => {
    expect(statuses(await run([at('a.png'), at('b.jpg')]))).toEqual(['a.png written', 'b.jpg written']);
    expect(await files()).toEqual(['a.png', 'b.jpg']);
    expect((await sharp(path.join(out, 'b.jpg')).metadata()).format).toBe('jpeg');
  });

  it('end as the format does', async () => {
    await run([at('a.png'), at('b.jpg')], { format: 'webp' });
    expect(await files()).toEqual(['a.webp', 'b.webp']);
  });

  it('of a folder are the images in it, with recursive those below, each in its place', async () => {
    expect(statuses(await run([input]))).toEqual(['a.png written', 'b.jpg written']);
    await run([input], { recursive: true });
    expect(await files()).toEqual(['a.png', 'b.jpg', 'sub', 'sub/deep', 'sub/deep/c.png']);
  });

  it('of a pattern are those that match', async () => {
    expect(statuses(await run([`${input}/**/*.png`]))).toEqual(['a.png written', 'c.png written']);
    expect(statuses(await run([`${input}/*.gif`]))).toEqual(['*.gif ERR_FILE_READ']);
  });

  it('that would meet are refused after the first, and an input given twice counts once', async () => {
    await writeFile(at('sub/a.png'), await picture(4, 4));
    const results = await run([at('a.png'), at('a.png'), at('sub/a.png')]);
    expect(statuses(results)).toEqual(['a.png written', 'a.png ERR_DUPLICATE_OUTPUT']);
    expect(results[1]?.error?.message).toContain(at('sub/a.png'));
    expect((await sharp(path.join(out, 'a.png')).metadata()).width).toBe(16);
  });

  it('of results below an input folder are no inputs', async () => {
    const below = at('results');
    await run([input], { out: below, recursive: true });
    expect((await run([input], { out: below, recursive: true })).map(({ status }) => status)).toEqual(
      Array(3).fill('unchanged'),
    );
  });
});

describe('what is there already', () => {
  it('of the same job stays as it is', async () => {
    await run([input]);
    expect(statuses(await run([input]))).toEqual(['a.png unchanged', 'b.jpg unchanged']);
  });

  it('is made again when its input, its settings or itself have changed', async () => {
    await run([input]);
    await utimes(at('a.png'), 1, 1);
    expect(statuses(await run([input], { existing: 'overwrite' }))).toEqual([
      'a.png written',
      'b.jpg unchanged',
    ]);
    await writeFile(path.join(out, 'b.jpg'), 'torn');
    expect(statuses(await run([input], { existing: 'overwrite' }))).toEqual([
      'a.png unchanged',
      'b.jpg written',
    ]);
    const other: Pipeline = [{ op: 'filter', kernel: 'emboss' }];
    expect(statuses(await run([input], { existing: 'overwrite' }, other))).toEqual([
      'a.png written',
      'b.jpg written',
    ]);
  });

  it('of others is an error, or skipped, or replaced', async () => {
    await mkdir(out);
    await writeFile(path.join(out, 'a.png'), 'precious');
    expect(statuses(await run([input]))).toEqual(['a.png ERR_OUTPUT_EXISTS', 'b.jpg written']);
    expect(statuses(await run([input], { existing: 'skip' }))).toEqual(['a.png skipped', 'b.jpg unchanged']);
    expect(await readFile(path.join(out, 'a.png'), 'utf8')).toBe('precious');
    expect(statuses(await run([input], { existing: 'overwrite' }))).toEqual([
      'a.png written',
      'b.jpg unchanged',
    ]);
  });

  it('is not touched by a dry run', async () => {
    expect(statuses(await run([input], { dryRun: true }))).toEqual(['a.png planned', 'b.jpg planned']);
    await expect(readdir(out)).rejects.toThrow('ENOENT');
  });
});

describe('the manifest', () => {
  it('has a line for each result and each failure', async () => {
    await writeFile(at('broken.png'), 'broken');
    await run([input]);
    const lines = (await manifest()).sort((a, b) => (String(a.input) < String(b.input) ? -1 : 1));
    expect(lines.map(({ output, error }) => [output, (error as { code?: string } | null)?.code])).toEqual([
      ['a.png', undefined],
      ['b.jpg', undefined],
      ['broken.png', 'ERR_IMAGE_DECODE'],
    ]);
    expect(lines[0]?.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(lines[0]?.ms).toBeGreaterThan(0);
  });

  it('is read past a line that was torn, and goes on below it', async () => {
    await run([at('a.png')]);
    await writeFile(path.join(out, MANIFEST), '{"input": "to', { flag: 'a' });
    expect(statuses(await run([input]))).toEqual(['a.png unchanged', 'b.jpg written']);
    const text = await readFile(path.join(out, MANIFEST), 'utf8');
    expect(text.trim().split('\n').length).toBe(3);
  });

  it('is joined by nothing that a killed process has left', async () => {
    await mkdir(path.join(out, 'sub'), { recursive: true });
    // No process has such a number.
    await writeFile(path.join(out, `sub/${TEMPORARY_PREFIX}4194305-7.tmp`), 'half');
    await run([input]);
    expect(await files()).toEqual(['a.png', 'b.jpg', 'sub']);
  });
});

describe('files that are no whole image', () => {
  it.each<[string, () => Promise<unknown>, string]>([
    [
      'truncated',
      async () => writeFile(at('x.png'), (await picture(64, 64)).subarray(0, 3000)),
      'ERR_IMAGE_DECODE',
    ],
    [
      'truncated.jpg',
      async () => writeFile(at('x.jpg'), (await picture(64, 64, 3, 'jpeg')).subarray(0, 1500)),
      'ERR_IMAGE_DECODE',
    ],
    [
      'corrupt',
      async () => {
        const bytes = await picture(64, 64);
        bytes.fill(0x55, 200, 900);
        await writeFile(at('x.png'), bytes);
      },
      'ERR_IMAGE_DECODE',
    ],
    ['empty', () => writeFile(at('x.png'), ''), 'ERR_IMAGE_DECODE'],
    ['text', () => writeFile(at('x.png'), 'hello, world'), 'ERR_IMAGE_DECODE'],
    ['a folder', () => mkdir(at('x.png')), 'nothing'],
    ['missing', async () => {}, 'ERR_FILE_READ'],
    ['a link to nothing', () => symlink(at('nowhere'), at('x.png')), 'ERR_FILE_READ'],
    ['a device', () => symlink('/dev/zero', at('x.png')), 'ERR_FILE_READ'],
    ['enormous', async () => writeFile(at('x.png'), await bomb(30_000)), 'ERR_LIMIT_EXCEEDED'],
  ])('%s', async (title, make, code) => {
    await make();
    const name = at(title === 'truncated.jpg' ? 'x.jpg' : 'x.png');
    const results = await run([name, at('a.png')]);
    if (code === 'nothing') {
      expect(statuses(results)).toEqual(['a.png written']);
      return;
    }
    const failed = results.find(({ status }) => status === 'failed');
    expect(failed).toMatchObject({ input: name, error: { code } });
    expect(failed?.error?.message).toMatch(/^expected [^\n]+ for [^\n]+, received [^\n]+$/);
    expect(failed?.error?.message).toContain(name);
    expect(await files()).toEqual(['a.png']);
  });

  /** A PNG of a few bytes a row whose header promises side × side pixels. */
  async function bomb(side: number): Promise<Buffer> {
    const header = await picture(8, 8);
    header.writeUInt32BE(side, 16);
    header.writeUInt32BE(side, 20);
    const { crc32 } = await import('node:zlib');
    header.writeUInt32BE(crc32(header.subarray(12, 29)), 29);
    return header;
  }
});

describe('bad input', () => {
  it('an output that can not be a folder', async () => {
    await writeFile(path.join(folder, 'file'), '');
    await expect(run([input], { out: path.join(folder, 'file') })).rejects.toMatchObject({
      code: 'ERR_FILE_WRITE',
    });
  });

  it('no output', async () => {
    await expectRejection(run([input], { out: undefined } as never), invalidType('out'));
  });
});
