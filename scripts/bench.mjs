// npm run bench: sets up, then does what `corr2d bench` does (bench/README.md).
import { ensureBuilt, main } from './lib/setup.mjs';

await main(async () => {
  await ensureBuilt();
  // In this process, so that Ctrl+C reaches the benchmark alone, which writes what it has.
  process.argv.splice(2, 0, 'bench');
  await import('../dist/cli.mjs');
});
