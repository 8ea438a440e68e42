// npm run build: leaves native/ and dist/ ready, so that `import 'corr2d'` and `require('corr2d')` work from the root.
import { ensureBuilt, main } from './lib/setup.mjs';

await main(async () => {
  await ensureBuilt();
  console.log('corr2d is built: dist/ (JavaScript and types) and native/ (the addon)');
  return 0;
});
