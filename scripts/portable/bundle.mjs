// node scripts/portable/bundle.mjs FOLDER NATIVE [DRIVE]: bundles the unit tests with vitest's runner, for the addon in the folder NATIVE,
// to be run by any engine: `node FOLDER/main.mjs [FILE...]`, the same with Bun or Deno; `1/2` and `2/2` are halves of all files. DRIVE is
// where Windows has this system's files.
//
// vitest itself needs native helpers for the machine it runs on; in an emulator, under wine or in another engine they are not to
// be had or cost minutes.
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { root } from '../lib/command.mjs';

const [target, native, drive] = process.argv.slice(2);
const here = path.join(root, 'scripts/portable');
const files = readdirSync(path.join(root, 'test')).filter(
  (name) =>
    name.endsWith('.test.ts') &&
    // Another package with a binary, which is not there for the engine's platform.
    !/from 'sharp'/.test(readFileSync(path.join(root, 'test', name), 'utf8')),
);

// Sources keep their own addresses, by which they find fixtures. The loader lies beside the addon as in a package.
const addresses = {
  name: 'addresses',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^vitest$/ }, () => ({ path: path.join(here, 'vitest.mjs') }));
    onResolve({ filter: /\/loader\/\w+\.cjs$/ }, ({ path: name }) => ({
      path: `./loader/${path.basename(name)}`,
      external: true,
    }));
    onLoad({ filter: /\.(ts|mjs|js)$/ }, ({ path: file }) => {
      if (file.includes('node_modules')) return undefined;
      const text = readFileSync(file, 'utf8');
      const { pathname } = pathToFileURL(file);
      const address = `file://${drive ? `/${drive}` : ''}${pathname}`;
      const contents = text.replaceAll('import.meta.url', JSON.stringify(address));
      return { contents, loader: file.endsWith('.ts') ? 'ts' : 'js' };
    });
  },
};

const main = `
import { runFiles } from './run.mjs';
const arguments_ = process.argv.slice(2);
const [part, parts] = (arguments_.find((word) => /^\\d+\\/\\d+$/.test(word)) ?? '1/1').split('/').map(Number);
const wanted = arguments_.filter((word) => !word.includes('/'));
const all = [${files.map((name) => `{ name: '${name}', load: () => import('../../test/${name}') }`).join(',\n')}];
const asked = all.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
const { passed, failed } = await runFiles(asked.filter((_, i) => i % parts === part - 1), console.log);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
`;

rmSync(target, { recursive: true, force: true });
await build({
  stdin: { contents: main, resolveDir: here, sourcefile: path.join(here, 'main.mjs') },
  outdir: target,
  outExtension: { '.js': '.mjs' },
  entryNames: 'main',
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'es2022',
  // The repository's own modules may contain CommonJS packages.
  banner: {
    js: "import { createRequire as $require } from 'node:module'; const require = $require(import.meta.url);",
  },
  plugins: [addresses],
  logLevel: 'warning',
});
cpSync(path.join(root, 'loader'), path.join(target, 'loader'), { recursive: true });
cpSync(native, path.join(target, 'native'), { recursive: true });
if (existsSync(path.join(root, 'wasm')))
  cpSync(path.join(root, 'wasm'), path.join(target, 'wasm'), { recursive: true });
