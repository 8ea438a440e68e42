/** Nothing grows over 100,000 calls of mixed sizes: plans that are kept, scratch, results. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const program = fileURLToPath(new URL('../programs/memory.mjs', import.meta.url));
const MIB = 2 ** 20;

it('stays at its size', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', program], {
    timeout: 100_000,
  });
  const resident = JSON.parse(stdout) as number[];
  expect(resident).toHaveLength(10);
  // The second half against the first: by then every buffer has met its largest call.
  const first = Math.max(...resident.slice(0, 5));
  const second = Math.max(...resident.slice(5));
  expect(second - first, `${resident.map((bytes) => Math.round(bytes / MIB))} MiB`).toBeLessThan(16 * MIB);
});
