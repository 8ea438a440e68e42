/** The command `corr2d`: its arguments, its output, its exit codes. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { filterImage, gradientMagnitude, poolImage, sharpen } from '../../index.ts';
import { corr2dCommand, has, onTerminal, start } from '../support/command-line.ts';
import { picture, pixels, temporaryFolder } from '../support/pictures.ts';

const folder = await temporaryFolder();
const at = (name: string) => path.join(folder, name);
const image = { data: pixels(40, 30, 3), width: 40, height: 30, channels: 3 };

async function written(file: string): Promise<{ data: Buffer; width: number; height: number }> {
  const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

let outputs = 0;
const freshFolder = () => at(`out-${outputs++}`);

beforeAll(async () => {
  await mkdir(at('in/sub'), { recursive: true });
  await writeFile(at('in/a.png'), await picture(40, 30));
  await writeFile(at('in/sub/b.png'), await picture(40, 30, 3, 'png', 2));
  await writeFile(at('kernel.json'), '[[0, 1], [-1, 0]]');
  await writeFile(at('kernel-with-options.json'), '{ "kernel": [[1, -1]], "offset": 100 }');
  await writeFile(at('steps.json'), '[{ "op": "filter", "kernel": "sharpen" }, { "op": "pool", "size": 2 }]');
  await writeFile(at('not.json'), '[[1, 2]');
});

describe('results', () => {
  it.each<[string, string[], () => { data: ArrayLike<number>; width: number; height: number }]>([
    ['filter, both directions', ['filter', '--kernel', 'sobel'], () => gradientMagnitude(image, 'sobel')],
    ['filter, a name', ['filter', '-k', 'sharpen'], () => filterImage(image, sharpen)],
    [
      'filter, a file',
      ['filter', '-k', at('kernel.json'), '--offset', '128'],
      () =>
        filterImage(
          image,
          [
            [0, 1],
            [-1, 0],
          ],
          { offset: 128 },
        ),
    ],
    [
      'filter, a file with options',
      ['filter', '-k', at('kernel-with-options.json')],
      () => filterImage(image, [[1, -1]], { offset: 100 }),
    ],
    [
      'filter, options',
      ['filter', '-k', 'box:3', '--scale', '0.5', '--border', 'wrap'],
      () => filterImage(image, Array(3).fill([1 / 9, 1 / 9, 1 / 9]), { scale: 0.5, border: 'wrap' }),
    ],
    ['pool', ['pool', '--size', '2'], () => poolImage(image, 2)],
    [
      'pool, options',
      ['pool', '-s', '3,2', '-m', 'avg', '--stride', '1,2', '--padding', '1,0'],
      () => poolImage(image, [3, 2], 'avg', { stride: [1, 2], padding: [1, 0] }),
    ],
    ['pipeline', ['pipeline', '--steps', at('steps.json')], () => poolImage(filterImage(image, sharpen), 2)],
  ])('%s', async (_, args, expected) => {
    const out = freshFolder();
    const { code, stderr, stdout } = await corr2dCommand([...args, at('in/a.png'), '--out', out]);
    expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: '' });
    expect(stderr).toContain('1 files: 1 written');
    const { data, width, height } = await written(path.join(out, 'a.png'));
    const want = expected();
    expect([width, height]).toEqual([want.width, want.height]);
    expect([...data]).toEqual([...(want.data as Uint8Array)]);
  });

  it('of names from standard input, as JSON', async () => {
    const out = freshFolder();
    const names = `${at('in/a.png')}\n${at('in/sub/b.png')}\n`;
    const { code, stdout } = await corr2dCommand(
      ['pool', '-', '-s', '2', '-o', out, '--json', '-j', '1'],
      names,
    );
    expect(code).toBe(0);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      { input: at('in/a.png'), output: 'a.png', status: 'written', error: null },
      { input: at('in/sub/b.png'), output: 'b.png', status: 'written', error: null },
    ]);
  });

  it('of a folder in another format, with its subfolders', async () => {
    const out = freshFolder();
    await corr2dCommand(['filter', at('in'), '-k', 'sharpen', '-o', out, '-r', '--format', 'webp']);
    expect((await readdir(out, { recursive: true })).sort()).toEqual([
      'a.webp',
      'corr2d-manifest.jsonl',
      'sub',
      'sub/b.webp',
    ]);
  });

  it('of a dry run are none', async () => {
    const out = freshFolder();
    const { code, stderr } = await corr2dCommand(['pool', at('in'), '-s', '2', '-o', out, '--dry-run']);
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('1 planned') });
    await expect(readdir(out)).rejects.toThrow('ENOENT');
  });
});

describe('progress', () => {
  it.skipIf(!has('script'))(
    'is a bar with rate and time left on a terminal, and says what failed',
    async () => {
      await writeFile(at('torn.png'), 'torn');
      const inputs = [at('in/a.png'), at('torn.png'), at('in/sub/b.png')];
      const { code, stdout } = await onTerminal(['pool', ...inputs, '-s', '2', '-o', freshFolder()]);
      expect(code, stdout).toBe(1);
      expect(stdout).toMatch(/=+ 3\/3 files, [\d.]+ files\/s, \S+ left/);
      expect(stdout).toMatch(/failed: expected a whole image for .*torn\.png.*\r?\n/);
    },
  );

  it('is a line for each file anywhere else', async () => {
    const { stderr } = await corr2dCommand(['pool', at('in/a.png'), '-s', '2', '-o', freshFolder()]);
    expect(stderr).toMatch(/^1\/1 .*a\.png -> a\.png \(\d+ ms\)\n/);
    expect(stderr).not.toContain('\x1b');
  });
});

describe('exit codes', () => {
  it('1 when a file failed, which is listed, and the others are there', async () => {
    const out = freshFolder();
    await writeFile(at('broken.png'), 'broken');
    const { code, stderr } = await corr2dCommand([
      'pool',
      at('broken.png'),
      at('in/a.png'),
      '-s',
      '2',
      '-o',
      out,
    ]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/broken\.png, received .*\[ERR_IMAGE_DECODE\]/);
    expect(await readdir(out)).toContain('a.png');
  });

  // Root reads any file, unless it gives that right up.
  const root = process.getuid?.() === 0;
  it.skipIf(process.platform === 'win32' || (root && !has('setpriv')))(
    '1 for a file without a right to read it',
    async () => {
      const [out, locked] = [freshFolder(), at('locked.png')];
      await writeFile(locked, await picture(40, 30), { mode: 0o000 });
      const through = root ? ['setpriv', '--bounding-set', '-dac_override,-dac_read_search'] : [];
      const { finished } = start(['pool', locked, at('in/a.png'), '-s', '2', '-o', out], '', through);
      const { code, stderr } = await finished;
      expect(code, stderr).toBe(1);
      expect(stderr).toMatch(
        /expected a readable file for .*locked\.png, received EACCES.*\[ERR_FILE_READ\]/,
      );
      expect((await readdir(out)).sort()).toEqual(['a.png', 'corr2d-manifest.jsonl']);
    },
  );

  it.each<[string, string[], string]>([
    ['no command', [], 'Usage'],
    ['an unknown command', ['blur'], 'blur'],
    ['no inputs', ['pool', '-s', '2', '-o', 'x'], 'inputs'],
    ['no output', ['pool', 'a.png', '-s', '2'], '--out'],
    ['no kernel', ['filter', 'a.png', '-o', 'x'], '--kernel'],
    ['an unknown option', ['pool', 'a.png', '-s', '2', '-o', 'x', '--blur'], '--blur'],
    ['a size that is none', ['pool', 'a.png', '-s', 'big', '-o', 'x'], 'HEIGHT,WIDTH'],
    ['a size of 0', ['pool', 'a.png', '-s', '0', '-o', 'x'], 'poolSize'],
    ['jobs that are none', ['pool', 'a.png', '-s', '2', '-o', 'x', '-j', '0'], 'whole number'],
    ['an unknown kernel', ['filter', 'a.png', '-k', 'blur', '-o', 'x'], 'gaussian'],
    ['an unknown border', ['filter', 'a.png', '-k', 'sharpen', '--border', 'none', '-o', 'x'], 'border'],
    ['an unknown format', ['filter', 'a.png', '-k', 'sharpen', '--format', 'bmp', '-o', 'x'], 'format'],
    ['a file that is no JSON', ['filter', 'a.png', '-k', at('not.json'), '-o', 'x'], 'JSON'],
    ['a missing file of steps', ['pipeline', 'a.png', '-s', at('missing.json'), '-o', 'x'], 'missing.json'],
    [
      'contradictions',
      ['pool', 'a.png', '-s', '2', '-o', 'x', '--overwrite', '--skip-existing'],
      'skip-existing',
    ],
  ])('2 for %s', async (_, args, word) => {
    const { code, stderr, stdout } = await corr2dCommand(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(word);
    await expect(readdir('x')).rejects.toThrow('ENOENT');
  });

  it('0 for help, version and info', async () => {
    const version = JSON.parse(
      await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
    ).version;
    for (const [args, word] of [
      [['--help'], 'pipeline'],
      [['help', 'filter'], '--kernel'],
      [['--version'], version],
      [['info'], 'algorithms'],
      [['info', '--json'], '"isas"'],
    ] as const) {
      const { code, stdout } = await corr2dCommand(args);
      expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining(word) });
    }
  });

  it('130 after Ctrl-C, when what was in flight is finished', async () => {
    const out = freshFolder();
    const many = at('many');
    await mkdir(many);
    const bytes = await picture(700, 700);
    for (let i = 0; i < 40; i++) await writeFile(path.join(many, `${i}.png`), bytes);
    const { child, finished } = start(['filter', many, '-k', 'box:9', '-o', out, '-j', '2']);
    // After the first results, so that others are in flight.
    await new Promise<void>((resolve) => child.stderr?.once('data', () => resolve()));
    child.kill('SIGINT');
    const { code, stderr } = await finished;
    expect(code, stderr).toBe(130);
    expect(stderr).toContain('the same command again goes on');
    const made = (await readdir(out)).filter((name) => name.endsWith('.png'));
    expect(made.length).toBeGreaterThan(0);
    expect(made.length).toBeLessThan(40);
    for (const name of made) await sharp(path.join(out, name)).stats();
    expect((await readdir(out)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    const again = await corr2dCommand(['filter', many, '-k', 'box:9', '-o', out]);
    expect(again).toMatchObject({ code: 0, stderr: expect.stringContaining(`${made.length} unchanged`) });
  });
});
