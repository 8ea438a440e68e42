// The kernels' benchmarks as programs to look into or to run under a tool: built with symbols, not run.
import { execFileSync } from 'node:child_process';
import { root } from './command.mjs';

const MOST_OUTPUT = 2 ** 30;

/**
 * @param {string} name of the benchmark in crates/kernels/benches
 * @returns {string} the path of its executable
 */
export function benchmarkBinary(name) {
  const args = [
    'bench',
    '--package',
    'corr2d-kernels',
    '--bench',
    name,
    '--no-run',
    '--message-format',
    'json',
  ];
  const messages = execFileSync('cargo', args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: MOST_OUTPUT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const artifacts = messages
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  return artifacts.find(({ executable, target }) => executable && target.name === name).executable;
}
