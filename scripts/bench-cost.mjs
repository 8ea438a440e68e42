// npm run bench:cost: whether the algorithm taken by estimated cost is the fastest, over random problems. Needs Rust only; the number
// of problems and a seed may follow `--`.
import { show } from './lib/command.mjs';
import { main } from './lib/setup.mjs';

await main(async () => {
  const args = process.argv.slice(2);
  return show([
    'cargo',
    'run',
    '--release',
    '--package',
    'corr2d-kernels',
    '--example',
    'cost_model',
    '--',
    ...args,
  ]);
});
