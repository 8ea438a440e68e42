// npm run test:install [-- --table]: publishes the packages to a registry of its own on loopback and installs them with every
// package manager into empty folders, without scripts and without compilers in PATH. Ends with `N passed, N failed`.
//
// --table also measures size and time of the installation beside onnxruntime-node and sharp, whose packages come from npm's registry.
import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { npm, root, run } from './lib/command.mjs';
import { stagePackages } from './lib/packages.mjs';
import { startRegistry } from './lib/registry.mjs';
import { ensureBuilt, main } from './lib/setup.mjs';

const tools = path.join(root, 'target/install-tools');
const scratch = mkdtempSync(path.join(tmpdir(), 'corr2d-install-'));
const programs = path.join(root, 'test/package/consumer');

/** Package managers, at the versions that a user of Node 20 has; each is fetched once. */
const MANAGERS = {
  'npm 10': { package: 'npm@10', script: 'npm/bin/npm-cli.js' },
  'npm 11': { package: 'npm@11', script: 'npm/bin/npm-cli.js' },
  pnpm: { package: 'pnpm@10', script: 'pnpm/bin/pnpm.cjs' },
  yarn: { package: '@yarnpkg/cli-dist@4', script: '@yarnpkg/cli-dist/bin/yarn.js' },
  bun: { package: '@oven/bun-linux-x64@1', program: '@oven/bun-linux-x64/bin/bun' },
};

async function must(command, options) {
  const { code, output } = await run(command, options);
  if (code !== 0) throw new Error(`${command.join(' ')} failed:\n${output}`);
  return output;
}

async function fetchTool(name) {
  const { package: wanted, script, program } = MANAGERS[name];
  const folder = path.join(tools, wanted.replaceAll(/[@/]/g, '_'));
  if (!existsSync(path.join(folder, 'node_modules', script ?? program))) {
    await must(
      npm(
        'install',
        '--prefix',
        folder,
        '--no-save',
        '--force',
        '--ignore-scripts',
        '--no-audit',
        '--no-fund',
        wanted,
      ),
    );
  }
  const file = path.join(folder, 'node_modules', script ?? program);
  return script ? [process.execPath, file] : [file];
}

// Node and a shell, and nothing that could compile.
const bin = path.join(scratch, 'bin');
mkdirSync(bin);
symlinkSync(process.execPath, path.join(bin, 'node'));
symlinkSync('/bin/sh', path.join(bin, 'sh'));

const environment = (registry, folder) => ({
  PATH: bin,
  HOME: path.join(folder, 'home'),
  CI: '1',
  npm_config_registry: registry,
  npm_config_cache: path.join(folder, 'home/npm'),
  npm_config_update_notifier: 'false',
  npm_config_audit: 'false',
  npm_config_fund: 'false',
  npm_config_store_dir: path.join(folder, 'home/pnpm'),
  BUN_CONFIG_REGISTRY: registry,
  BUN_INSTALL_CACHE_DIR: path.join(folder, 'home/bun'),
  YARN_ENABLE_TELEMETRY: '0',
});

let folders = 0;

/** An empty project with one dependency, and the package's test programs. */
function project(dependencies, registry) {
  const folder = path.join(scratch, `project-${++folders}`);
  mkdirSync(path.join(folder, 'home'), { recursive: true });
  for (const name of ['program.mjs', 'program.cjs'])
    cpSync(path.join(programs, name), path.join(folder, name));
  writeFileSync(
    path.join(folder, 'package.json'),
    JSON.stringify({ name: 'project', version: '1.0.0', private: true, dependencies }),
  );
  writeFileSync(path.join(folder, '.npmrc'), `registry=${registry}\n`);
  return folder;
}

const execute = promisify(execFile);

async function call([program, ...args], folder, registry, env = {}) {
  // Nothing of this process's environment: no compiler, and no settings of the npm that runs this script.
  const all = { ...environment(registry, folder), ...env };
  try {
    const { stdout, stderr } = await execute(program, args, {
      cwd: folder,
      env: all,
      timeout: 180_000,
      maxBuffer: 1 << 26,
    });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    return { code: error.code ?? 1, output: `${error.stdout}${error.stderr}` };
  }
}

const total = { passed: 0, failed: 0 };

async function test(what, work) {
  const start = performance.now();
  try {
    await work();
    total.passed++;
    console.log(`ok: ${what} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
  } catch (error) {
    total.failed++;
    console.log(`FAILED: ${what}\n${error.message}`);
  }
}

function expectOk({ code, output }, what) {
  if (code !== 0) throw new Error(`${what} ended with ${code}:\n${output}`);
}

function expectText({ output }, ...parts) {
  for (const part of parts) if (!output.includes(part)) throw new Error(`expected "${part}" in:\n${output}`);
}

async function works(folder, registry, node = [process.execPath], env = {}) {
  for (const program of ['program.mjs', 'program.cjs']) {
    const result = await call([...node, program], folder, registry, env);
    expectOk(result, program);
    expectText(result, 'ok');
  }
}

function platformPackages(folder) {
  const modules = path.join(folder, 'node_modules');
  return existsSync(modules) ? readdirSync(modules).filter((name) => name.startsWith('corr2d-')) : [];
}

async function tests(registry) {
  const own = { corr2d: '*' };
  for (const name of ['npm 10', 'npm 11']) {
    const tool = await fetchTool(name);
    await test(`${name}: install, then npm ci --ignore-scripts`, async () => {
      const folder = project(own, registry);
      expectOk(await call([...tool, 'install', '--package-lock-only'], folder, registry), 'npm install');
      expectOk(await call([...tool, 'ci', '--ignore-scripts'], folder, registry), 'npm ci');
      // npm 10 writes no C library into its lockfile and then installs both.
      const expected = name === 'npm 10' ? /^corr2d-linux-x64-(gnu|musl)$/ : /^corr2d-linux-x64-gnu$/;
      const installed = platformPackages(folder);
      if (!installed.includes('corr2d-linux-x64-gnu') || !installed.every((found) => expected.test(found))) {
        throw new Error(`expected this platform's package, received ${installed}`);
      }
      await works(folder, registry);
    });
  }

  const npm11 = await fetchTool('npm 11');
  await test('npm --omit=optional: the error says what to do, and WebAssembly works', async () => {
    const folder = project(own, registry);
    expectOk(await call([...npm11, 'install', '--omit=optional'], folder, registry), 'npm install');
    const result = await call([process.execPath, 'program.cjs'], folder, registry);
    if (result.code === 0) throw new Error('expected a failure');
    expectText(result, 'ERR_NO_BACKEND', 'npm install --include=optional corr2d', 'CORR2D_BACKEND=wasm');
    if (existsSync(path.join(folder, 'node_modules/corr2d/wasm/corr2d.simd128.wasm'))) {
      await works(folder, registry, [process.execPath], { CORR2D_BACKEND: 'wasm' });
      await works(folder, registry, [process.execPath], { CORR2D_BACKEND: 'native,wasm' });
    } else {
      console.log('    skipped: WebAssembly (not built here)');
    }
  });

  await test('npm: a node_modules of another platform is recognised', async () => {
    const folder = project(own, registry);
    const flags = ['--os=darwin', '--cpu=arm64'];
    expectOk(await call([...npm11, 'install', ...flags], folder, registry), 'npm install');
    const result = await call([process.execPath, 'program.cjs'], folder, registry);
    expectText(result, 'node_modules holds corr2d-darwin-arm64', 'npm install --os=linux --cpu=x64');
  });

  const pnpm = await fetchTool('pnpm');
  await test('pnpm', async () => {
    const folder = project(own, registry);
    expectOk(await call([...pnpm, 'install', '--ignore-scripts'], folder, registry), 'pnpm install');
    await works(folder, registry);
  });

  const yarn = await fetchTool('yarn');
  for (const linker of ['node-modules', 'pnp']) {
    await test(`yarn, ${linker}`, async () => {
      const folder = project(own, registry);
      const settings = [
        `nodeLinker: ${linker}`,
        `npmRegistryServer: "${registry}"`,
        'unsafeHttpWhitelist: ["127.0.0.1"]',
        'enableScripts: false',
        'enableImmutableInstalls: false',
        'enableGlobalCache: false',
        // A package that was published a minute ago is held back otherwise.
        'npmMinimalAgeGate: 0',
      ];
      writeFileSync(path.join(folder, '.yarnrc.yml'), `${settings.join('\n')}\n`);
      writeFileSync(path.join(folder, 'yarn.lock'), '');
      expectOk(await call([...yarn, 'install'], folder, registry), 'yarn install');
      await works(folder, registry, linker === 'pnp' ? [...yarn, 'node'] : [process.execPath]);
    });
  }

  const bun = await fetchTool('bun');
  await test('bun', async () => {
    const folder = project(own, registry);
    expectOk(await call([...bun, 'install', '--ignore-scripts'], folder, registry), 'bun install');
    await works(folder, registry);
    await works(folder, registry, bun);
  });
}

function sizeOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(path.join(entry.parentPath ?? entry.path, entry.name)).size, 0);
}

/** Size of node_modules, and the least seconds of three installations with an empty cache. */
async function table(registry) {
  const npm11 = await fetchTool('npm 11');
  console.log(
    '\n| package | node_modules, MB | packages | npm install, s | runs a script |\n|---|---|---|---|---|',
  );
  for (const name of ['corr2d', 'sharp', 'onnxruntime-node']) {
    let best = Number.POSITIVE_INFINITY;
    let line = '';
    for (let i = 0; i < 3; i++) {
      const folder = project({ [name]: '*' }, registry);
      const start = performance.now();
      expectOk(
        await call([...npm11, 'install', '--ignore-scripts'], folder, registry),
        `npm install ${name}`,
      );
      best = Math.min(best, (performance.now() - start) / 1000);
      const modules = path.join(folder, 'node_modules');
      const lock = JSON.parse(
        await must([
          process.execPath,
          '-p',
          `JSON.stringify(require(${JSON.stringify(path.join(modules, '.package-lock.json'))}).packages)`,
        ]),
      );
      const scripted = Object.values(lock).some((entry) => entry.hasInstallScript) ? 'yes' : 'no';
      line = `${(sizeOf(modules) / 1e6).toFixed(1)} | ${Object.keys(lock).length} | ${best.toFixed(1)} | ${scripted}`;
      rmSync(folder, { recursive: true, force: true });
    }
    console.log(`| ${name} | ${line} |`);
  }
}

await main(async () => {
  await ensureBuilt();
  const isTable = process.argv.includes('--table');
  // The binaries as they are published, where scripts/platforms.sh has built them.
  const made = path.join(root, 'target/platforms');
  const folders = ['linux-x64', 'linux-x64-musl', 'linux-arm64'].map((name) =>
    path.join(made, name, 'native'),
  );
  const staged = stagePackages([...folders, path.join(root, 'native')], path.join(scratch, 'staged'), {
    withEmpty: true,
  });
  const registry = await startRegistry(tools, path.join(scratch, 'registry'), { isOpen: isTable });
  try {
    for (const { folder } of staged) await registry.publish(folder);
    if (isTable) await table(registry.address);
    else await tests(registry.address);
  } finally {
    await registry.stop();
    rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
  }
  if (!isTable) console.log(`${total.passed} passed, ${total.failed} failed`);
  return total.failed > 0 ? 1 : 0;
});
