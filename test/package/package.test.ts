/** The package as its users get it: packed, installed outside the repository, and called from each module system. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { npm, root } from '../../scripts/lib/command.mjs';
import { Consumer, run } from './consumer.ts';

const compiler = path.join(root, 'node_modules/typescript/bin/tsc');
let consumer: Consumer;
let tarball: Buffer;

beforeAll(() => {
  consumer = new Consumer();
  tarball = readFileSync(consumer.tarball);
});

afterAll(() => consumer?.remove());

describe('the tarball', () => {
  test('has what its users need and nothing else', () => {
    const expected = [
      /^package\.json$/,
      /^README\.md$/,
      /^LICENSE-(MIT|APACHE|THIRD-PARTY)$/,
      /^dist\/[\w-]+\.([cm]js|d\.[cm]ts)$/,
      /^loader\/\w+\.(cjs|d\.cts)$/,
      /^bench\/python\/\w+\.py$/,
      /^native\/binding\.(cjs|d\.cts)$/,
      /^native\/corr2d\.[\w-]+\.node$/,
    ];
    // The WebAssembly modules need another compiler, so that not every clone has them.
    const allowed = [...expected, /^wasm\/corr2d\.[\w-]+\.wasm$/];
    const { packedFiles } = consumer;
    expect(packedFiles.filter((file) => !allowed.some((pattern) => pattern.test(file)))).toEqual([]);
    expect(expected.filter((pattern) => !packedFiles.some((file) => pattern.test(file)))).toEqual([]);
  });

  test('runs no script and brings no package when it is installed', () => {
    const manifest = JSON.parse(
      readFileSync(path.join(consumer.folder, 'node_modules/corr2d/package.json'), 'utf8'),
    );
    expect(Object.keys(manifest.scripts)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(pre|post)?install$|^prepare$/)]),
    );
    expect(manifest.dependencies).toBeUndefined();
    expect(
      readdirSync(path.join(consumer.folder, 'node_modules')).filter((name) => !name.startsWith('.')),
    ).toEqual(['corr2d']);
  });

  test('is clean by publint', async () => {
    const { messages, pkg } = await publint({
      pack: { tarball: new Uint8Array(tarball).buffer },
      strict: true,
    });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  test('is clean by arethetypeswrong', async () => {
    const result = await checkPackage(createPackageFromTarballData(new Uint8Array(tarball)));
    expect(result.types).not.toBe(false);
    // Node 10 knows no "exports", so that it finds the root only; corr2d needs Node 20.
    const problems = 'problems' in result ? result.problems : [result];
    expect(
      problems.filter((problem) => !('resolutionKind' in problem) || problem.resolutionKind !== 'node10'),
    ).toEqual([]);
  });
});

describe('an installed package', () => {
  test('brings the command corr2d, which says what it needs for files', () => {
    expect(consumer.run(npm('exec', '--offline', '--', 'corr2d', '--version'))).toMatch(/^\d+\.\d+\.\d+\n$/);
    const filter = ['corr2d', 'filter', 'package.json', '--kernel', 'sharpen', '--out', 'out'];
    expect(() => consumer.run(npm('exec', '--offline', '--', ...filter))).toThrow(
      /expected the package sharp \(npm install sharp\)/,
    );
  });

  test('works in an ES module', () => {
    expect(consumer.node('program.mjs')).toBe('ok\n');
  });

  test('works in a CommonJS module', () => {
    expect(consumer.node('program.cjs')).toBe('ok\n');
  });

  test('compiles in strict TypeScript, with all library declarations checked', () => {
    expect(consumer.node(compiler, '--project', 'tsconfig.json')).toBe('');
  });

  test.each(['typed-module.mjs', 'typed-common.cjs'])(
    'works when compiled from TypeScript: %s',
    (program) => {
      expect(consumer.node(path.join('compiled', program))).toBe('ok\n');
    },
  );
});

describe('the repository root, once built', () => {
  test('can be imported by its name', () => {
    const program = "import { corr2d } from 'corr2d'; console.log(corr2d([[1, 2]], [[1, 1]]).at(0, 0))";
    expect(run([process.execPath, '--input-type=module', '-e', program], root)).toBe('3\n');
  });

  test.each(['corr2d', './'])('can be required as %s', (name) => {
    const program = `const { corr2d } = require('${name}'); console.log(corr2d([[1, 2]], [[1, 1]]).at(0, 0))`;
    expect(run([process.execPath, '-e', program], root)).toBe('3\n');
  });
});
