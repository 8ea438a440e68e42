/** A program and the package bundled into one file, as servers are deployed: each bundler has to find the binary. */

import { rename } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { build as esbuild } from 'esbuild';
import { build as vite } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import webpack from 'webpack';
import { root } from '../../scripts/lib/command.mjs';
import { Consumer, run } from './consumer.ts';

let consumer: Consumer;

beforeAll(() => {
  consumer = new Consumer();
});

afterAll(() => consumer?.remove());

const source = (name: string) => path.join(consumer.folder, name);

/** Runs a bundle where no node_modules can help it. */
async function runAlone(folder: string, file: string): Promise<string> {
  const aside = `${consumer.folder}-aside`;
  await rename(path.join(consumer.folder, 'node_modules'), aside);
  try {
    return run([process.execPath, file], path.join(consumer.folder, folder));
  } finally {
    await rename(aside, path.join(consumer.folder, 'node_modules'));
  }
}

describe('a bundled program', () => {
  test.each([
    ['CommonJS', 'program.cjs', 'cjs', ''],
    [
      'an ES module',
      'program.mjs',
      'esm',
      // What esbuild's manual asks for where an ES module contains CommonJS.
      "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    ],
  ] as const)('by esbuild, to %s', async (_, program, format, banner) => {
    const folder = `esbuild-${format}`;
    const outfile = path.join(consumer.folder, folder, program);
    const { warnings } = await esbuild({
      entryPoints: [source(program)],
      bundle: true,
      platform: 'node',
      format,
      outfile,
      banner: { js: banner },
      loader: { '.node': 'copy' },
      // The packages of other platforms are not installed; their requires stay as they are.
      logLevel: 'silent',
    });
    expect(warnings).toEqual([]);
    expect(await runAlone(folder, program)).toBe('ok\n');
  });

  test.each(['program.cjs', 'program.mjs'])('by webpack: %s', async (program) => {
    const folder = `webpack-${path.extname(program).slice(1)}`;
    const compiler = webpack({
      mode: 'production',
      target: 'node',
      context: consumer.folder,
      entry: `./${program}`,
      output: { path: path.join(consumer.folder, folder), filename: 'program.cjs' },
      module: {
        rules: [{ test: /\.node$/, loader: createRequire(import.meta.url).resolve('node-loader') }],
      },
      optimization: { minimize: false },
    });
    const stats = await promisify(compiler.run.bind(compiler))();
    expect(stats?.hasErrors() ? stats.toString() : '').toBe('');
    expect(await runAlone(folder, 'program.cjs')).toBe('ok\n');
  });

  test('by ncc', async () => {
    const ncc = path.join(root, 'node_modules/@vercel/ncc/dist/ncc/cli.js');
    consumer.node(ncc, 'build', source('program.cjs'), '--out', path.join(consumer.folder, 'ncc'), '--quiet');
    expect(await runAlone('ncc', 'index.cjs')).toBe('ok\n');
  });

  test("by Vite for a server, which leaves packages to Node's resolution", async () => {
    const outDir = path.join(consumer.folder, 'vite');
    await vite({
      root: consumer.folder,
      logLevel: 'silent',
      configFile: false,
      build: { ssr: source('program.mjs'), outDir },
    });
    const bundle = pathToFileURL(path.join(outDir, 'program.mjs')).href;
    expect(consumer.node('--input-type=module', '-e', `await import(${JSON.stringify(bundle)})`)).toBe(
      'ok\n',
    );
  });
});
