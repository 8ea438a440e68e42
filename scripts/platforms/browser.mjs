// node scripts/platforms/browser.mjs: loads `dist/wasm.mjs` as a page does, in headless Chromium, and checks that it computes.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { root } from '../lib/command.mjs';

const fixture = () => gunzipSync(readFileSync(path.join(root, 'test/fixtures/conv2d.json.gz')));
const types = { '.mjs': 'text/javascript', '.wasm': 'application/wasm', '.html': 'text/html' };

const page = `<!doctype html><title>corr2d</title>
<script type="module">
  const show = (value) => fetch('/result', { method: 'POST', body: JSON.stringify(value) });
  try {
    const { conv2d, corr2d, Conv2D, filterImage, sobelX, Tensor, info } = await import('/dist/wasm.mjs');
    const decode = ({ shape, f32 }) =>
      new Tensor(new Float32Array(Uint8Array.from(atob(f32), (c) => c.charCodeAt(0)).buffer), shape);
    // Every case of PyTorch's convolutions; the largest difference as a share of the output's scale.
    let worst = 0;
    const cases = await (await fetch('/conv2d.json')).json();
    for (const { x, weight, bias, y, stride, padding, dilation, groups, paddingMode } of cases) {
      const result = conv2d(decode(x), decode(weight), {
        stride, padding, dilation, groups, paddingMode, bias: bias === null ? undefined : decode(bias),
      }).data;
      const expected = decode(y).data;
      const scale = expected.reduce((a, b) => Math.max(a, Math.abs(b)), 0) || 1;
      expected.forEach((value, i) => { worst = Math.max(worst, Math.abs(value - result[i]) / scale); });
    }
    const { backend, isa } = info();
    const layer = new Conv2D({ kernelSize: 3, seed: 1 });
    const x = Tensor.rand([9, 9], { seed: 2 });
    const later = await layer.forwardAsync(x);
    const image = new ImageData(16, 16);
    const filtered = filterImage({ data: image.data, width: 16, height: 16, channels: 4 }, sobelX);
    show({
      backend, isa, cases: cases.length, worst,
      book: corr2d([[3,3,2,1,0],[0,0,1,3,1],[3,1,2,2,3],[2,0,0,2,2],[2,0,0,0,1]], [[0,1,2],[2,2,0],[0,1,2]]).toArray(),
      sameAsync: later.data.every((value, i) => value === layer.forward(x).data[i]),
      pixels: filtered.data.length,
    });
  } catch (error) { show({ error: String(error.stack ?? error) }); }
</script>`;

const { promise, resolve, reject } = withResolvers();

// `Promise.withResolvers` is newer than Node 20.
function withResolvers() {
  const all = {};
  all.promise = new Promise((...settle) => {
    [all.resolve, all.reject] = settle;
  });
  return all;
}

async function answer(request, response) {
  const name = new URL(request.url, 'http://localhost').pathname;
  if (name === '/result') {
    resolve(JSON.parse(Buffer.concat(await request.toArray())));
    return response.end();
  }
  if (name === '/') return response.setHeader('content-type', 'text/html').end(page);
  if (name === '/conv2d.json') return response.setHeader('content-type', 'application/json').end(fixture());
  const file = path.join(root, path.normalize(name));
  if (!/^\/(dist|wasm)\//.test(name) || !existsSync(file)) return response.writeHead(404).end();
  response.setHeader('content-type', types[path.extname(name)] ?? 'application/octet-stream');
  return createReadStream(file).pipe(response);
}

const server = createServer(answer);
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));

const profile = mkdtempSync(path.join(tmpdir(), 'corr2d-chromium-'));
const address = `http://127.0.0.1:${server.address().port}/`;
// Root can't have the sandbox; the port keeps a headless browser running until it is ended.
const flags = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--no-first-run',
];
const browser = spawn(
  process.env.CHROMIUM ?? 'chromium',
  [...flags, `--user-data-dir=${profile}`, '--remote-debugging-port=0', address],
  { stdio: 'ignore' },
);
browser.on('error', reject).on('exit', (code) => reject(new Error(`the browser ended with ${code}`)));
const timer = setTimeout(() => reject(new Error('the page did not answer within 120 s')), 120_000);
try {
  const result = await promise;
  assert.equal(result.error, undefined, result.error);
  assert.equal(result.backend, 'wasm');
  assert.equal(result.isa, 'relaxed-simd');
  assert.equal(result.cases, 156);
  assert(result.worst <= 2e-5, `worst error ${result.worst}`);
  assert.deepEqual(result.book, [
    [12, 12, 17],
    [10, 17, 19],
    [9, 6, 14],
  ]);
  assert.equal(result.sameAsync, true);
  assert.equal(result.pixels, 16 * 16 * 4);
  console.log(JSON.stringify(result));
} finally {
  clearTimeout(timer);
  const ended = new Promise((end) => browser.once('exit', end));
  if (browser.exitCode === null && browser.kill()) await ended;
  server.close();
  server.closeAllConnections();
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
}
