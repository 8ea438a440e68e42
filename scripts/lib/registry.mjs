// An npm registry on loopback, for tests and for a release's dry run.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { npm, run } from './command.mjs';

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function must(command) {
  const { code, output } = await run(command);
  if (code !== 0) throw new Error(`${command.join(' ')} failed:\n${output}`);
  return output;
}

/**
 * Starts verdaccio, which is fetched once into `tools`.
 * @param {string} tools
 * @param {string} folder its storage and settings
 * @param {{ isOpen?: boolean }} [options] isOpen: packages that are not published here come from npm's registry
 */
export async function startRegistry(tools, folder, { isOpen = false } = {}) {
  const home = path.join(tools, 'verdaccio');
  const program = path.join(home, 'node_modules/verdaccio/bin/verdaccio');
  if (!existsSync(program)) {
    mkdirSync(home, { recursive: true });
    // The last line for Node 20. One of its dependencies asks for a package by a tag that not every mirror has.
    const manifest = {
      private: true,
      dependencies: { verdaccio: '~6.1.0' },
      overrides: { 'node-fetch': '^2.7.0' },
    };
    writeFileSync(path.join(home, 'package.json'), JSON.stringify(manifest));
    await must(npm('install', '--prefix', home, '--ignore-scripts', '--no-audit', '--no-fund'));
  }
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const uplink = (await must(npm('config', 'get', 'registry'))).trim();
  const rule = (name, proxy) => [
    `  '${name}':`,
    '    access: $all',
    '    publish: $all',
    '    unpublish: $all',
    ...(proxy ? ['    proxy: outside'] : []),
  ];
  const settings = [
    `storage: ${path.join(folder, 'storage')}`,
    'auth: { htpasswd: { file: ./htpasswd, max_users: -1 } }',
    ...(isOpen ? ['uplinks:', '  outside:', `    url: ${uplink}`] : []),
    'packages:',
    ...rule('corr2d', false),
    ...rule('corr2d-*', false),
    ...(isOpen ? rule('**', true) : []),
    'max_body_size: 100mb',
    'log: { type: stdout, level: warn }',
  ];
  const config = path.join(folder, 'config.yaml');
  writeFileSync(config, `${settings.join('\n')}\n`);
  const server = spawn(process.execPath, [program, '--config', config, '--listen', `127.0.0.1:${port}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  server.stdout.on('data', (chunk) => {
    output += chunk;
  });
  server.stderr.on('data', (chunk) => {
    output += chunk;
  });
  const address = `http://127.0.0.1:${port}/`;
  const until = Date.now() + 60_000;
  for (;;) {
    const answer = await fetch(`${address}-/ping`).catch(() => null);
    if (answer?.ok) break;
    if (server.exitCode !== null || Date.now() > until)
      throw new Error(`the registry did not start:\n${output}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  // npm wants to see a token; the registry takes anybody's.
  const userconfig = path.join(folder, 'npmrc');
  writeFileSync(userconfig, `registry=${address}\n//127.0.0.1:${port}/:_authToken=anybody\n`);

  return {
    address,
    userconfig,
    /** Publishes a staged package. */
    publish: (staged) =>
      must(
        npm(
          'publish',
          staged,
          '--userconfig',
          userconfig,
          '--registry',
          address,
          '--ignore-scripts',
          '--tag',
          'latest',
        ),
      ),
    async stop() {
      const ended = new Promise((resolve) => server.once('exit', resolve));
      if (server.exitCode === null && server.kill()) await ended;
    },
  };
}
