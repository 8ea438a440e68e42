// npm run bench:floor: sets up, then measures the speed that every release must keep (bench/floor.mjs).
import { show } from './lib/command.mjs';
import { ensureBuilt, main } from './lib/setup.mjs';

await main(async () => {
  await ensureBuilt();
  return show([process.execPath, 'bench/floor.mjs', ...process.argv.slice(2)]);
});
