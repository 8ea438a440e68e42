/** A job that is killed at any moment and taken up again comes to the same end as one that nobody disturbed. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { MANIFEST } from '../../src/batch/manifest.ts';
import { corr2dCommand, start } from '../support/command-line.ts';
import { picture, temporaryFolder } from '../support/pictures.ts';

const KILLS = 20;
// More than are done between all the kills.
const IMAGES = 200;

async function contents(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const name of await readdir(folder)) {
    if (name !== MANIFEST) found.set(name, (await readFile(path.join(folder, name))).toString('base64'));
  }
  return found;
}

it(`equals an undisturbed run after ${KILLS} kills`, async () => {
  const folder = await temporaryFolder();
  const input = path.join(folder, 'in');
  await mkdir(input);
  for (let i = 0; i < IMAGES; i++) {
    await writeFile(path.join(input, `${i}.png`), await picture(260 + i, 250, 3, 'png', i + 1));
  }
  const command = (out: string) => [
    'filter',
    input,
    '-k',
    'gaussian:2',
    '-o',
    path.join(folder, out),
    '-j',
    '2',
  ];

  const undisturbed = await corr2dCommand(command('whole'));
  expect(undisturbed.code, undisturbed.stderr).toBe(0);
  const expected = await contents(path.join(folder, 'whole'));
  expect(expected.size).toBe(IMAGES);

  let killed = 0;
  // A run that ended before its kill landed does not count.
  for (let attempt = 0; killed < KILLS && attempt < 2 * KILLS; attempt++) {
    const { child, finished } = start(command('killed'));
    // Some before the first result, most in the midst of the work.
    const started = new Promise<void>((resolve) => child.stderr?.once('data', () => resolve()));
    await Promise.race([started, finished]);
    await setTimeout(Math.random() * 40);
    child.kill('SIGKILL');
    if ((await finished).signal === 'SIGKILL') killed += 1;
  }
  expect(killed).toBe(KILLS);

  const { code, stderr } = await corr2dCommand(command('killed'));
  expect(code, stderr).toBe(0);
  expect(await contents(path.join(folder, 'killed'))).toEqual(expected);
});
