// Everything between a fresh clone and a package that can be imported. Each step is skipped when its inputs are unchanged.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { npm, root, run, tool } from './command.mjs';
import { rustFiles, rustVersion } from './rust.mjs';
import { clearStamp, hashOf, readStamp, writeStamp } from './stamp.mjs';

const has = (folder, pattern) =>
  existsSync(path.join(root, folder)) &&
  readdirSync(path.join(root, folder)).some((name) => pattern.test(name));

const words = (line) => line.split(' ');

const packages = {
  name: 'packages',
  doing: 'installing the npm packages',
  // npm writes the second file when it has installed: it tells of a node_modules that was changed by other hands.
  inputs: () => hashOf(['package-lock.json', 'node_modules/.package-lock.json']),
  isMade: () => existsSync(path.join(root, 'node_modules/.package-lock.json')),
  // No tool here needs its install script; a NODE_ENV or npm setting of "production" must not leave the tools out.
  command: () =>
    npm(
      'ci',
      ...words('--include=dev --include=optional --ignore-scripts --no-audit --no-fund --loglevel=error'),
    ),
};

const native = {
  name: 'native',
  doing: 'building the native addon',
  inputs: async () => {
    const compiler = await rustVersion().catch((error) => {
      throw new SetupError(native, error.message);
    });
    const { napi } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
    return hashOf(rustFiles, [compiler, napi, process.env.RUSTFLAGS]);
  },
  isMade: () =>
    has('native', /\.node$/) && has('native', /^binding\.cjs$/) && has('native', /^binding\.d\.cts$/),
  command: () => {
    const crate = words('--manifest-path crates/node/Cargo.toml --platform --release');
    const output = words('--output-dir native --js binding.cjs --dts binding.d.cts');
    return tool('@napi-rs/cli', 'napi', 'build', ...crate, ...output);
  },
};

const bundle = {
  name: 'bundle',
  doing: 'bundling the TypeScript sources',
  inputs: () => {
    const sources = ['index.ts', 'src', 'bench', 'native/binding.d.cts'];
    const settings = words(
      'tsdown.config.ts tsconfig.json tsconfig.build.json package.json package-lock.json',
    );
    return hashOf([...sources, ...settings]);
  },
  isMade: () =>
    ['mjs', 'cjs', 'd.mts', 'd.cts'].every((ending) =>
      ['index', 'bench', 'cli', 'queue'].every((entry) =>
        existsSync(path.join(root, `dist/${entry}.${ending}`)),
      ),
    ) && ['mjs', 'cjs'].every((ending) => existsSync(path.join(root, `dist/wasm.${ending}`))),
  command: () => tool('tsdown', 'tsdown', '--log-level', 'warn'),
};

/** Raised when a step fails; carries what the step's program wrote. */
export class SetupError extends Error {
  constructor(step, output) {
    super(`${step.doing} failed`);
    this.output = output;
  }
}

async function ensure(step) {
  if (step.isMade() && (await step.inputs()) === readStamp(step.name)) return;
  process.stdout.write(`${step.doing} ... `);
  const start = performance.now();
  clearStamp(step.name);
  // Read before the work, so that a file edited during it makes the result stale. For the packages it is the result that counts.
  const before = step === packages ? null : await step.inputs();
  const { code, output } = await run(step.command());
  if (code !== 0 || !step.isMade()) {
    process.stdout.write('failed\n');
    throw new SetupError(step, output);
  }
  writeStamp(step.name, before ?? (await step.inputs()));
  process.stdout.write(`${((performance.now() - start) / 1000).toFixed(1)} s\n`);
}

/** Installs the npm packages, as package-lock.json says. */
export const ensurePackages = () => ensure(packages);

/** Makes native/ and dist/ from the present sources. */
export async function ensureBuilt() {
  await ensure(packages);
  await ensure(native);
  await ensure(bundle);
}

/** Runs the main function of a script: a failed step or program ends it with its output and exit code 1. */
export async function main(work) {
  const needed = 20;
  if (Number.parseInt(process.versions.node, 10) < needed) {
    console.error(`corr2d needs Node ${needed} or newer, this is ${process.version}`);
    process.exit(1);
  }
  try {
    process.exitCode = await work();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`${error.output}\n${error.message}`);
    process.exitCode = 1;
  }
}
