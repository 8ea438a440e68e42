// The seed's examples from a CommonJS module.
const assert = require('node:assert/strict');
const { Conv2D, corr2d, pool2d } = require('corr2d');
const { parseProblem, suites } = require('corr2d/bench');

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
assert.deepEqual(suites.calls.entries[0].problem, parseProblem('conv:h3w3-o1k2'));
console.log('ok');
