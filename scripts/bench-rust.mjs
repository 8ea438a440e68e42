// npm run bench:rust: GFLOP/s of each layer of bench/suites/layers.json, beside the FMA peak of the same run.
// Needs Rust only; arguments after `--` go to the benchmark.
import { show } from './lib/command.mjs';
import { main } from './lib/setup.mjs';

await main(async () => {
  const args = process.argv.slice(2);
  return show(['cargo', 'bench', '--package', 'corr2d-kernels', '--bench', 'layers', '--', ...args]);
});
