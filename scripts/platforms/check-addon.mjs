// node check-addon.mjs BINDING ARCH ISAS: loads a built addon and checks that it computes, for platforms where vitest can't run.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import path from 'node:path';

const [file, arch, isas] = process.argv.slice(2);
const native = createRequire(import.meta.url)(path.resolve(file));

const info = native.runtimeInfo();
assert.equal(process.arch, arch);
assert.deepEqual(info.isas, isas.split(','));
assert.equal(info.isa, info.isas[0]);

/** Stride 1, no padding, one image; `algorithm` is an index into the addon's list, -1 lets it choose. */
function conv2d(x, [cIn, h, w], weight, [cOut, kh, kw], algorithm) {
  const params = new Float64Array(32);
  params.set([1, cIn, h, w, cOut, kh, kw, 1, 1, 0, 0, 0, 0, 1, 1, 1, 0, 0, cIn, algorithm]);
  params[25] = -1; // no bias
  native.conv2dShape(params);
  const out = new Float32Array(cOut * params[26] * params[27]);
  native.conv2d(params, x, null, weight, null, out);
  return out;
}

// The seed's 5×5 by 3×3 example, by every algorithm and by choice.
const image = Float32Array.of(3, 3, 2, 1, 0, 0, 0, 1, 3, 1, 3, 1, 2, 2, 3, 2, 0, 0, 2, 2, 2, 0, 0, 0, 1);
const kernel = Float32Array.of(0, 1, 2, 2, 2, 0, 0, 1, 2);
for (let algorithm = -1; algorithm < info.algorithms.length; algorithm++) {
  const result = conv2d(image, [1, 5, 5], kernel, [1, 3, 3], algorithm);
  assert.deepEqual([...result], [12, 12, 17, 10, 17, 19, 9, 6, 14], info.algorithms[algorithm]);
}

// Large enough for the pool of threads; sums of small integers are exact in any order.
const [cIn, h, w, cOut, k] = [5, 61, 83, 11, 3];
const x = Float32Array.from({ length: cIn * h * w }, (_, i) => ((i * 7919) % 17) - 8);
const weight = Float32Array.from({ length: cOut * cIn * k * k }, (_, i) => ((i * 104729) % 13) - 6);
const [oh, ow] = [h - k + 1, w - k + 1];
const expected = Float32Array.from({ length: cOut * oh * ow }, (_, i) => {
  const [t, y, column] = [Math.floor(i / (oh * ow)), Math.floor(i / ow) % oh, i % ow];
  let sum = 0;
  for (let tap = 0; tap < cIn * k * k; tap++) {
    const [c, ky, kx] = [Math.floor(tap / (k * k)), Math.floor(tap / k) % k, tap % k];
    sum += weight[t * cIn * k * k + tap] * x[(c * h + y + ky) * w + column + kx];
  }
  return sum;
});
for (const threads of [1, 2, 3]) {
  native.setThreads(threads);
  assert.deepEqual(conv2d(x, [cIn, h, w], weight, [cOut, k, k], -1), expected, `${threads} threads`);
}

console.log(
  `${process.platform}-${process.arch}, Node ${process.version}: ${info.isa} of ${info.isas.join(', ')}`,
);
