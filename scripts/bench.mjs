// npm run bench: sets up, then measures corr2d and every other backend that is installed (bench/README.md).
import { ensureBuilt, main } from './lib/setup.mjs';

await main(async () => {
  await ensureBuilt();
  const bench = await import('../dist/bench-main.mjs');
  return bench.main(process.argv.slice(2));
});
