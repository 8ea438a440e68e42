// npm run format: rewrites Rust and TypeScript sources in the house style and applies Biome's safe fixes.
import { show, tool } from './lib/command.mjs';
import { ensurePackages, main } from './lib/setup.mjs';

await main(async () => {
  await ensurePackages();
  const rust = show(['cargo', 'fmt', '--all']);
  const typescript = show(tool('@biomejs/biome', 'biome', 'check', '--write'));
  return rust || typescript;
});
