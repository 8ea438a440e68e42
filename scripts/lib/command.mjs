// Runs other programs, the same way on every platform: without a shell, from the repository root.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { deadline, ownGroup } from './deadline.mjs';

/** The repository's root folder. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

// The longest step, a first native build on a slow machine, takes a few minutes.
const minutes = 10;

/**
 * Runs a program to its end, and ends it with all that it started when it hangs.
 * @param {[string, ...string[]]} command the program and its arguments
 * @param {{ env?: Record<string, string> }} [options]
 * @returns {Promise<{ code: number, output: string }>} both output streams in the order of arrival
 */
export function run([program, ...args], { env = {} } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...ownGroup,
    });
    const wasLate = deadline(child, minutes);
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    let problem = '';
    child.on('error', (error) => {
      const hint = error.code === 'ENOENT' ? ` (is ${program} installed and in PATH?)` : '';
      problem = `could not start ${program}: ${error.message}${hint}\n`;
    });
    child.on('close', (code, signal) => {
      if (wasLate()) problem = `\n${program} was ended after ${minutes} minutes\n`;
      else if (signal) problem = `\n${program} was ended by ${signal}\n`;
      resolve({ code: problem ? 1 : (code ?? 1), output: Buffer.concat(chunks).toString() + problem });
    });
  });
}

/**
 * Runs a program in the foreground, as if it had been started by hand.
 * @param {[string, ...string[]]} command the program and its arguments
 * @returns {number} its exit code
 */
export function show([program, ...args]) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit' });
  if (error) console.error(`could not start ${program}: ${error.message}`);
  return status ?? 1;
}

/**
 * The command line that runs this npm, without the shell that `npm.cmd` needs on Windows.
 * @param {...string} args
 * @returns {[string, ...string[]]}
 */
export function npm(...args) {
  const beside = path.join(path.dirname(process.execPath), 'node_modules/npm/bin/npm-cli.js');
  const script = [process.env.npm_execpath, beside].find(
    (file) => file?.endsWith('npm-cli.js') && existsSync(file),
  );
  return script ? [process.execPath, script, ...args] : ['npm', ...args];
}

/**
 * The command line of a tool from node_modules: `tool('@napi-rs/cli', 'napi', 'build')`.
 * @param {string} packageName
 * @param {string} bin
 * @param {...string} args
 * @returns {[string, ...string[]]}
 */
export function tool(packageName, bin, ...args) {
  const folder = path.join(root, 'node_modules', packageName);
  const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const script = typeof manifest.bin === 'string' ? manifest.bin : manifest.bin[bin];
  return [process.execPath, path.join(folder, script), ...args];
}
