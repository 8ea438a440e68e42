/** The package as its users get it: packed, installed outside the repository, and called from each module system. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { npm, root } from '../../scripts/lib/command.mjs';

const consumer = mkdtempSync(path.join(tmpdir(), 'corr2d-consumer-'));
const compiler = path.join(root, 'node_modules/typescript/bin/tsc');
let tarball: Buffer;
let packedFiles: string[];

/** Runs a program in the consumer's folder; a failure carries what it wrote. */
function run([program, ...args]: readonly [string, ...string[]], cwd: string = consumer): string {
  try {
    return execFileSync(program, args, { cwd, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${program} ${args.join(' ')} failed:\n${stdout}${stderr}`);
  }
}

function node(...args: string[]): string {
  return run([process.execPath, ...args]);
}

beforeAll(() => {
  const packed = run(npm('pack', '--json', '--ignore-scripts', '--pack-destination', consumer), root);
  const [description] = JSON.parse(packed) as [{ filename: string; files: { path: string }[] }];
  packedFiles = description.files.map((file) => file.path);
  tarball = readFileSync(path.join(consumer, description.filename));
  cpSync(fileURLToPath(new URL('consumer', import.meta.url)), consumer, { recursive: true });
  run(npm('install', '--offline', '--no-audit', '--no-fund', `./${description.filename}`));
});

afterAll(() => {
  rmSync(consumer, { recursive: true, force: true });
});

describe('the tarball', () => {
  test('has what its users need and nothing else', () => {
    const expected = [
      /^package\.json$/,
      /^README\.md$/,
      /^LICENSE-(MIT|APACHE)$/,
      /^dist\/[\w-]+\.([cm]js|d\.[cm]ts)$/,
      /^native\/binding\.(cjs|d\.cts)$/,
      /^native\/corr2d\.[\w-]+\.node$/,
    ];
    expect(packedFiles.filter((file) => !expected.some((pattern) => pattern.test(file)))).toEqual([]);
    expect(expected.filter((pattern) => !packedFiles.some((file) => pattern.test(file)))).toEqual([]);
  });

  test('runs no script and brings no package when it is installed', () => {
    const manifest = JSON.parse(
      readFileSync(path.join(consumer, 'node_modules/corr2d/package.json'), 'utf8'),
    );
    expect(Object.keys(manifest.scripts)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(pre|post)?install$|^prepare$/)]),
    );
    expect(manifest.dependencies).toBeUndefined();
    expect(readdirSync(path.join(consumer, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual([
      'corr2d',
    ]);
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
    expect('problems' in result ? result.problems : result).toEqual([]);
  });
});

describe('an installed package', () => {
  test('works in an ES module', () => {
    expect(node('program.mjs')).toBe('ok\n');
  });

  test('works in a CommonJS module', () => {
    expect(node('program.cjs')).toBe('ok\n');
  });

  test('compiles in strict TypeScript, with all library declarations checked', () => {
    expect(node(compiler, '--project', 'tsconfig.json')).toBe('');
  });

  test.each(['typed-module.mjs', 'typed-common.cjs'])(
    'works when compiled from TypeScript: %s',
    (program) => {
      expect(node(path.join('compiled', program))).toBe('ok\n');
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
