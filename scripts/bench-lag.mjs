// npm run bench:lag: sets up, then measures how free asynchronous calls leave the event loop (bench/lag.mjs).
import { show } from './lib/command.mjs';
import { ensureBuilt, main } from './lib/setup.mjs';

await main(async () => {
  await ensureBuilt();
  return show([process.execPath, 'bench/lag.mjs']);
});
