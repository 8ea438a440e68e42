/** The packages as a release lays them out: the root without a binary, and this platform's package with it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { npm, root } from '../../scripts/lib/command.mjs';
import { requirements } from '../../scripts/lib/elf.mjs';
import { pack, platforms, stagePackages } from '../../scripts/lib/packages.mjs';
import { run } from './consumer.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'corr2d-release-'));
const consumer = path.join(scratch, 'consumer');
const staged = stagePackages([path.join(root, 'native')], path.join(scratch, 'staged'));
let packed: Awaited<ReturnType<typeof pack>>[];

beforeAll(async () => {
  packed = [];
  for (const { folder } of staged) packed.push(await pack(folder, consumer));
});

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const manifestOf = (folder: string) => JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));

describe('a release', () => {
  test('has a package for each target', () => {
    const { napi } = manifestOf(root);
    expect(platforms).toHaveLength(napi.targets.length);
    const { optionalDependencies, version } = manifestOf(staged.at(-1)?.folder as string);
    expect(optionalDependencies).toEqual(
      Object.fromEntries(platforms.map((platform) => [`corr2d-${platform}`, version])),
    );
  });

  test('has a root package without a binary, a script or a dependency', () => {
    expect(packed.at(-1)?.files.filter((file) => /\.node$|^(crates|src|test)\//.test(file))).toEqual([]);
    const manifest = manifestOf(staged.at(-1)?.folder as string);
    expect(manifest).not.toHaveProperty('scripts');
    expect(manifest).not.toHaveProperty('dependencies');
    expect(manifest).not.toHaveProperty('devDependencies');
    for (const target of Object.values(manifest.exports['.']) as { types: string; default: string }[]) {
      expect(packed.at(-1)?.files).toContain(target.default.slice(2));
      expect(packed.at(-1)?.files).toContain(target.types.slice(2));
    }
  });

  test('has platform packages that npm installs only where they fit', () => {
    for (const platform of platforms) {
      const [os, cpu, abi] = platform.split('-');
      const manifest = manifestOf(path.join(root, 'npm', platform));
      const { engines, version } = manifestOf(root);
      const libc = { gnu: ['glibc'], musl: ['musl'] }[abi ?? ''];
      expect(manifest).toMatchObject({
        name: `corr2d-${platform}`,
        version,
        engines,
        os: [os],
        cpu: [cpu],
        main: `corr2d.${platform}.node`,
      });
      expect(manifest.libc).toEqual(libc);
      expect(manifest).not.toHaveProperty('scripts');
    }
  });

  test('works when it is installed from its tarballs, without scripts', () => {
    writeFileSync(
      path.join(consumer, 'package.json'),
      JSON.stringify({ name: 'consumer', version: '1.0.0', private: true }),
    );
    run(
      npm(
        'install',
        '--offline',
        '--ignore-scripts',
        '--no-audit',
        '--no-fund',
        ...packed.map(({ file }) => file),
      ),
      consumer,
    );
    const modules = readdirSync(path.join(consumer, 'node_modules')).filter((name) => !name.startsWith('.'));
    expect(modules.sort()).toEqual(staged.map(({ name }) => name).sort());
    const program = "const { corr2d } = require('corr2d'); console.log(corr2d([[1, 2]], [[1, 1]]).at(0, 0))";
    expect(run([process.execPath, '-e', program], consumer)).toBe('3\n');
  });

  test.runIf(process.platform === 'linux')('needs no library beyond those of the system', async () => {
    const binary = packed[0]?.files.find((file) => file.endsWith('.node')) as string;
    const { needed } = await requirements(path.join(staged[0]?.folder as string, binary));
    const system = /^(lib(c|m|dl|pthread|gcc_s)\.so\.\d|libc\.musl-\w+\.so\.1|ld-linux-[\w-]+\.so\.\d)$/;
    expect(needed.filter((library) => !system.test(library))).toEqual([]);
    expect(needed.length).toBeGreaterThan(0);
  });
});
