/** Three worker processes, 500 images, one worker killed mid-way, and the server once: nothing is lost, wrong or done by halves. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Pipeline, processImages } from '../../index.ts';
import { enqueueImages, imageQueueCounts, watchImages } from '../../src/queue/index.ts';
import { noRedis, RedisServer } from '../support/redis.ts';

const IMAGES = 500;
const KILL_WORKER_AT = 100;
const RESTART_SERVER_AT = 250;
const LOCK_SECONDS = 2;
const PIPELINE: Pipeline = [
  { op: 'filter', kernel: 'gaussian(2)' },
  { op: 'pool', size: 2, mode: 'avg' },
];

const inRoot = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));

/** `corr2d worker` in a process of its own. */
function startWorker(redis: string): ChildProcess {
  const args = ['worker', '--redis', redis, '--jobs', '2', '--lock', String(LOCK_SECONDS)];
  return spawn(process.execPath, [inRoot('dist/cli.mjs'), ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
}

describe.skipIf(noRedis !== undefined)(`a queue${noRedis === undefined ? '' : ` (${noRedis})`}`, () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'corr2d-queue-'));
  const inputs = path.join(folder, 'in');
  const out = path.join(folder, 'out');
  let server: RedisServer;

  beforeAll(async () => {
    server = await RedisServer.start();
    mkdirSync(inputs);
    const photograph = sharp(inRoot('examples/images/coffee.png'));
    for (let i = 0; i < IMAGES; i++) {
      const part = { left: i % 100, top: (i * 7) % 90, width: 320, height: 200 };
      writeFileSync(
        path.join(inputs, `${String(i).padStart(3, '0')}.jpg`),
        await photograph.clone().extract(part).jpeg().toBuffer(),
      );
    }
  });

  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  // Half a minute; on a machine that does something else at the time, several.
  test('survives the death of a worker and of the server', { timeout: 300_000 }, async () => {
    const names = readdirSync(inputs).sort();
    const completed: string[] = [];
    const stopWatching = await watchImages({
      redis: server.url,
      onEvent: (event) => {
        if (event.type === 'completed') completed.push(path.basename(event.output));
      },
    });
    const added = await enqueueImages(inputs, PIPELINE, { redis: server.url, out, backoff: 100 });
    expect(added).toEqual({ queued: IMAGES, skipped: 0, refused: [] });
    // As a producer that was interrupted would: nothing is added twice.
    await enqueueImages(inputs, PIPELINE, { redis: server.url, out, backoff: 100 });
    expect((await imageQueueCounts({ redis: server.url })).waiting).toBe(IMAGES);

    const workers = Array.from({ length: 3 }, () => startWorker(server.url));
    const errors = workers.map((worker) => {
      const lines: string[] = [];
      createInterface({ input: worker.stderr as NodeJS.ReadableStream }).on('line', (line) =>
        lines.push(line),
      );
      return lines;
    });
    const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
      while (!(await condition())) {
        for (const [i, worker] of workers.entries()) {
          if (worker.exitCode !== null) throw new Error(`a worker ended: ${errors[i]?.join('\n')}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    await until(() => completed.length >= KILL_WORKER_AT);
    workers[0]?.kill('SIGKILL');
    await until(() => completed.length >= RESTART_SERVER_AT);
    expect(completed.length).toBeLessThan(IMAGES);
    await server.restart();
    await until(() => completed.length >= IMAGES);
    expect(await imageQueueCounts({ redis: server.url })).toEqual({ waiting: 0, active: 0, dead: 0 });

    const rest = workers.slice(1);
    for (const worker of rest) worker.kill('SIGTERM');
    for (const worker of rest) if (worker.exitCode === null) await once(worker, 'exit');
    expect(rest.map((worker) => worker.exitCode)).toEqual([0, 0]);
    await stopWatching();

    expect(completed.sort()).toEqual(names);
    // Nothing else either: no temporary file is left.
    expect(readdirSync(out).sort()).toEqual(names);
    const wrong: string[] = [];
    const expected = processImages(path.join(inputs, '*.jpg'), PIPELINE, { format: 'jpeg' });
    for await (const result of expected) {
      if (result.status === 'failed') throw result.error;
      const name = path.basename(result.name);
      if (!readFileSync(path.join(out, name)).equals(result.encoded as Buffer)) wrong.push(name);
    }
    expect(wrong).toEqual([]);
  });
});
