/** The service of examples/filter-service.mjs as its clients see it: what it answers, whom it refuses, what it forgets. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const inRoot = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const photograph = readFileSync(inRoot('examples/images/rocket.jpg'));

const MAX_BYTES = 300_000;
const MAX_PIXELS = 1_000_000;

let service: ChildProcess;
let port = 0;

beforeAll(async () => {
  service = spawn(process.execPath, [inRoot('examples/filter-service.mjs')], {
    env: {
      ...process.env,
      PORT: '0',
      CONCURRENCY: '1',
      MAX_QUEUED: '1',
      MAX_BYTES: `${MAX_BYTES}`,
      MAX_PIXELS: `${MAX_PIXELS}`,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: service.stdout as NodeJS.ReadableStream })) {
    port = Number(/:(\d+)\//.exec(line)?.[1]);
    break;
  }
}, 30_000);

afterAll(async () => {
  service.kill('SIGTERM');
  if (service.exitCode === null) await once(service, 'exit');
  // It ended by itself, with nothing left to do.
  expect(service.exitCode).toBe(0);
});

interface Health {
  inside: number;
  done: number;
  refused: number;
  gone: number;
  failed: number;
}

const url = (path: string) => `http://localhost:${port}${path}`;
const post = (body: Uint8Array | string, path = '/filter') => fetch(url(path), { method: 'POST', body });
const health = async () => (await (await fetch(url('/health'))).json()) as Health;

async function until(condition: (now: Health) => boolean): Promise<Health> {
  for (;;) {
    const now = await health();
    if (condition(now)) return now;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A request whose body is only begun: it holds its place until it is ended or destroyed. */
async function beginUpload(): Promise<http.ClientRequest> {
  const { inside } = await health();
  const request = http.request(url('/filter'), {
    method: 'POST',
    headers: { 'Content-Length': photograph.length },
  });
  request.write(photograph.subarray(0, 100));
  await until((now) => now.inside === inside + 1);
  return request;
}

async function finishUpload(request: http.ClientRequest): Promise<number | undefined> {
  request.end(photograph.subarray(100));
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  response.resume();
  await once(response, 'end');
  return response.statusCode;
}

describe('answers', () => {
  test.each(['jpeg', 'png', 'webp'] as const)('%s comes back as %s, filtered', async (format) => {
    const upload = await sharp(photograph).resize(320).toFormat(format).toBuffer();
    const response = await post(upload, '/filter?kernel=blur');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(`image/${format}`);
    const answer = Buffer.from(await response.arrayBuffer());
    const { width, height } = await sharp(upload).metadata();
    expect(await sharp(answer).metadata()).toMatchObject({ format, width, height });
    const sharpness = async (image: Buffer) => (await sharp(image).stats()).sharpness;
    expect(await sharpness(answer)).toBeLessThan((await sharpness(upload)) / 2);
  });
});

describe('refusals', () => {
  const truncated = photograph.subarray(0, 20_000);
  const blank = { create: { width: 1001, height: 1000, channels: 3, background: 'red' } } as const;

  test.each([
    ['an unknown kernel', 400, photograph, '/filter?kernel=nothing'],
    ['no body', 400, '', '/filter'],
    ['a truncated image', 400, truncated, '/filter'],
    ['no image', 415, 'hello', '/filter'],
    ['too many bytes', 413, Buffer.alloc(MAX_BYTES + 1), '/filter'],
    ['another path', 404, photograph, '/'],
  ])('%s: %i', async (_, status, body, path) => {
    const { inside, failed } = await health();
    const response = await post(body, path);
    expect(response.status).toBe(status);
    expect(await response.text()).toMatch(/^[^\n]+\n$/);
    expect(await health()).toMatchObject({ inside, failed: failed + 1 });
  });

  test('too many pixels: 413, by the header', async () => {
    const response = await post(await sharp(blank).png().toBuffer());
    expect(response.status).toBe(413);
    expect(await response.text()).toContain(`${MAX_PIXELS} pixels`);
  });

  test('too many bytes without a Content-Length: 413', async () => {
    const request = http.request(url('/filter'), { method: 'POST' });
    request.on('error', () => {}); // The service may end the connection while we still send.
    request.write(Buffer.alloc(MAX_BYTES / 2));
    request.write(Buffer.alloc(MAX_BYTES / 2 + 1));
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    expect(response.statusCode).toBe(413);
    expect(await text(response)).toContain(`${MAX_BYTES} bytes`);
    request.destroy();
  });

  test('another method: 405', async () => {
    const response = await fetch(url('/filter'));
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST');
  });
});

describe('a bounded queue', () => {
  test('503 with Retry-After when full; those inside are answered', async () => {
    const uploads = [await beginUpload(), await beginUpload()];
    const response = await post(photograph);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await Promise.all(uploads.map(finishUpload))).toEqual([200, 200]);
    expect((await post(photograph)).status).toBe(200);
  });

  test('a client that asks before it sends is refused before it has sent', async () => {
    const uploads = [await beginUpload(), await beginUpload()];
    const headers = { Expect: '100-continue', 'Content-Length': photograph.length };
    const request = http.request(url('/filter'), { method: 'POST', headers });
    let continued = false;
    request.on('continue', () => {
      continued = true;
    });
    request.flushHeaders();
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    expect([response.statusCode, continued]).toEqual([503, false]);
    request.destroy();
    await Promise.all(uploads.map(finishUpload));
  });
});

describe('a client that goes away', () => {
  test('while it uploads: its place is free again', async () => {
    const { gone } = await health();
    const uploads = [await beginUpload(), await beginUpload()];
    for (const upload of uploads) upload.on('error', () => {}).destroy();
    expect(await until(({ inside }) => inside === 0)).toMatchObject({ gone: gone + 2 });
    expect((await post(photograph)).status).toBe(200);
  });

  test('while its image is worked on: counted as gone, nothing is left', async () => {
    const { gone, done } = await health();
    const large = await sharp(photograph).resize(1000, 1000, { fit: 'fill' }).webp().toBuffer();
    for (let i = 0; i < 4; i++) {
      const request = http.request(url('/filter'), { method: 'POST' });
      request.on('error', () => {}).end(large);
      await until(({ inside }) => inside === 1);
      request.destroy();
      await until(({ inside }) => inside === 0);
    }
    const now = await health();
    // It may have been faster than our word.
    expect(now.gone + now.done).toBe(gone + done + 4);
    expect(now.gone).toBeGreaterThan(gone);
  });
});
