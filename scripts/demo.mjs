// npm run demo: sets up, then filters the photographs of examples/images/ into demo-out/.
import { show } from './lib/command.mjs';
import { ensureBuilt, main } from './lib/setup.mjs';

await main(async () => {
  await ensureBuilt();
  return show([process.execPath, 'examples/demo.mjs', ...process.argv.slice(2)]);
});
