// The seed's examples from an ES module.
import assert from 'node:assert/strict';
import { Conv2D, corr2d, pool2d } from 'corr2d';
import { bench, defineBackend, formatProblem, parseProblem, suites } from 'corr2d/bench';

const x = [
  [3, 3, 2, 1, 0],
  [0, 0, 1, 3, 1],
  [3, 1, 2, 2, 3],
  [2, 0, 0, 2, 2],
  [2, 0, 0, 0, 1],
];
const k = [
  [0, 1, 2],
  [2, 2, 0],
  [0, 1, 2],
];
// Seed 1.1.
const y = [
  [12, 12, 17],
  [10, 17, 19],
  [9, 6, 14],
];
assert.deepEqual(corr2d(x, k).toArray(), y);

// Seed 1.2: the layer is corr2d with its weight, plus its bias.
const layer = new Conv2D([1, 2]);
layer.weight = [[[[1, -1]]]];
layer.bias = [0.5];
const edges = layer.forward([[[1, 1, 0, 0, 1]]]);
assert.deepEqual(edges.shape, [1, 1, 4]);
assert.deepEqual(edges.toArray(), [[[0.5, 1.5, 0.5, -0.5]]]);

// Seed 4.1, with stride 1.
const small = [
  [0, 1, 2],
  [3, 4, 5],
  [6, 7, 8],
];
assert.deepEqual(pool2d(small, [2, 2]).toArray(), [
  [4, 5],
  [7, 8],
]);
assert.deepEqual(pool2d(small, [2, 2], 'avg').toArray(), [
  [2, 3],
  [5, 6],
]);

assert.throws(() => corr2d(x, 'kernel'), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });

// The benchmark, whose one peer package is not installed here.
const backend = defineBackend({ name: 'a', version: '1', supports: () => true, prepare: () => undefined });
assert.equal(formatProblem(parseProblem('conv:h5w5-o1k3')), 'conv:n1c1h5w5-o1k3s1');
assert.equal(suites.layers.entries.length, 39);
await assert.rejects(bench({ backends: [backend] }), {
  code: 'ERR_MISSING_PACKAGE',
  message: /npm install benchmark$/,
});
console.log('ok');
