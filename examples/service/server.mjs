/** The HTTP side of the service: routes, who is let in, what errors become. */
import { createServer } from 'node:http';
import PQueue from 'p-queue';
import { readBody } from './body.mjs';
import { HttpError } from './http-error.mjs';
import { KERNELS, transform } from './transform.mjs';

/**
 * A server with `POST /filter?kernel=NAME`, which takes the bytes of an image and answers with the filtered image in the same
 * format, and `GET /health`, which tells how busy it is.
 *
 * @param options.concurrency images that are worked on at once; each takes one thread to decode and encode, and all to filter
 * @param options.maxQueued further requests that may upload or wait; the next one gets 503
 * @param options.maxBytes largest upload
 * @param options.maxPixels largest image, by its header
 * @param options.retryAfter seconds that a refused client is told to wait
 */
export function createFilterServer({
  concurrency = 2,
  maxQueued = 16,
  maxBytes = 20 * 2 ** 20,
  maxPixels = 25_000_000,
  retryAfter = 1,
} = {}) {
  const queue = new PQueue({ concurrency });
  const counts = { inside: 0, done: 0, refused: 0, gone: 0, failed: 0 };

  async function filter(request, response, url) {
    const kernel = KERNELS[url.searchParams.get('kernel') ?? 'sharpen'];
    if (kernel === undefined)
      throw new HttpError(400, `kernel must be one of ${Object.keys(KERNELS).join(', ')}`);
    // Counted before the body is read: what is in memory is at most (concurrency + maxQueued) uploads.
    if (counts.inside >= concurrency + maxQueued) {
      counts.refused += 1;
      throw new HttpError(503, 'busy', { 'Retry-After': String(retryAfter) });
    }
    counts.inside += 1;
    try {
      const client = signalOf(response);
      const upload = await readBody(request, response, maxBytes);
      const work = () => transform(upload, kernel, { maxPixels, signal: client });
      const { data, type } = await enqueue(work, client);
      response.writeHead(200, { 'Content-Type': type, 'Content-Length': data.length }).end(data);
      counts.done += 1;
    } finally {
      counts.inside -= 1;
    }
  }

  /** Waits for a place and does the work. A client that goes away gives up its place in the queue at once. */
  function enqueue(work, client) {
    // Once begun, a job keeps its place until it has really ended: aborting it must not let more than `concurrency` run.
    const waiting = new AbortController();
    let begun = false;
    client.addEventListener('abort', () => begun || waiting.abort(client.reason));
    return queue.add(
      () => {
        begun = true;
        return work();
      },
      { signal: waiting.signal },
    );
  }

  async function answer(request, response) {
    const url = new URL(request.url, 'http://localhost');
    try {
      if (url.pathname === '/health' && request.method === 'GET') {
        response.setHeader('Content-Type', 'application/json');
        response.end(JSON.stringify({ ...counts, running: queue.pending, waiting: queue.size }));
      } else if (url.pathname !== '/filter')
        throw new HttpError(404, 'there is POST /filter and GET /health');
      else if (request.method !== 'POST') throw new HttpError(405, 'use POST', { Allow: 'POST' });
      else await filter(request, response, url);
    } catch (error) {
      if (response.destroyed) counts.gone += 1;
      else {
        const known = error instanceof HttpError;
        if (!known) console.error(error);
        if (!known || error.status !== 503) counts.failed += 1;
        const body = `${known ? error.message : 'internal error'}\n`;
        response
          .writeHead(known ? error.status : 500, { 'Content-Type': 'text/plain', ...error.headers })
          .end(body);
      }
    }
  }

  const server = createServer(answer);
  // A client that asks before it sends a large body (curl does) is refused before it has sent it; `readBody` says go on.
  server.on('checkContinue', answer);
  // An upload that trickles in may not hold its place for long.
  server.requestTimeout = 30_000;
  server.headersTimeout = 10_000;
  return server;
}

/** A signal that is aborted when the connection ends before the answer is out. */
function signalOf(response) {
  const controller = new AbortController();
  response.on('close', () => {
    if (!response.writableFinished) controller.abort(new Error('the client has gone'));
  });
  return controller.signal;
}
