/** Each way to load, share and tear down the addon, once; `node scripts/isolation.mjs` takes a hundred rounds. */
import path from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../scripts/lib/command.mjs';
import { run } from './consumer.ts';

test('workers, exits, copies, forks and limits end cleanly', { timeout: 300_000 }, () => {
  const output = run([process.execPath, path.join(root, 'scripts/isolation.mjs'), '1'], root);
  expect(output.trimEnd().split('\n').at(-1)).toMatch(/^(9|[1-9]\d+) passed, 0 failed$/);
});
