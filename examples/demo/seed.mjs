// The worked examples of the text that corr2d began with, by its section numbers. Each result is printed, and compared
// with the one that the text gives: a wrong one ends the demo.
import assert from 'node:assert/strict';
import {
  Conv2D,
  conv2d,
  corr2d,
  corr2dMultiIn,
  corr2dMultiInOut,
  corr2dMultiInOut1x1,
  MaxPool2D,
  maxPool2d,
  pool2d,
  Tensor,
} from 'corr2d';

const counting = (shape) =>
  Tensor.from({ data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i), shape });

export function runSeedExamples() {
  const X = [
    [3, 3, 2, 1, 0],
    [0, 0, 1, 3, 1],
    [3, 1, 2, 2, 3],
    [2, 0, 0, 2, 2],
    [2, 0, 0, 0, 1],
  ];
  const K = [
    [0, 1, 2],
    [2, 2, 0],
    [0, 1, 2],
  ];
  example('1.1', 'corr2d(X, K)', corr2d(X, K), [
    [12, 12, 17],
    [10, 17, 19],
    [9, 6, 14],
  ]);

  const layer = new Conv2D([3, 3]);
  layer.weight = K;
  example('1.2', 'new Conv2D([3, 3]) with that kernel: forward(X)', layer.forward(X), corr2d(X, K).toArray());

  const stripes = Tensor.from(Array.from({ length: 6 }, () => [1, 1, 0, 0, 0, 0, 1, 1]));
  const edge = [[1, -1]];
  const found = Array.from({ length: 6 }, () => [0, 1, 0, 0, 0, -1, 0]);
  example('1.3', 'corr2d(stripes, [[1, -1]])', corr2d(stripes, edge), found);
  const none = Array.from({ length: 8 }, () => [0, 0, 0, 0, 0]);
  example('1.3', 'corr2d(stripes.transpose(), [[1, -1]])', corr2d(stripes.transpose(), edge), none);

  const image = counting([1, 3, 3]);
  const kernel = counting([1, 1, 2, 2]);
  example('2.1', '3×3 padded to 5×5, kernel 2×2', conv2d(image, kernel, { padding: 1 }).reshape(4, 4), [
    [0, 3, 8, 4],
    [9, 19, 25, 10],
    [21, 37, 43, 16],
    [6, 7, 8, 0],
  ]);
  const shapes = [
    ['2.1', { kernelSize: 3, padding: 1 }, [8, 8]],
    ['2.1', { kernelSize: [5, 3], padding: [2, 1] }, [8, 8]],
    ['2.2', { kernelSize: 3, padding: 1, stride: 2 }, [4, 4]],
    ['2.2', { kernelSize: [3, 5], padding: [0, 1], stride: [3, 4] }, [2, 2]],
  ];
  for (const [section, options, shape] of shapes) {
    const result = new Conv2D({ ...options, seed: 1 }).forward(Tensor.rand([8, 8], { seed: 2 }));
    example(section, `Conv2D(${JSON.stringify(options)}) on 8×8: shape`, result.shape, shape);
  }
  const strided = conv2d(image, kernel, { padding: 1, stride: [3, 2] }).reshape(2, 2);
  example('2.2', 'stride 3 down and 2 across', strided, [
    [0, 8],
    [6, 8],
  ]);

  const pair = Tensor.stack(
    [counting([3, 3]), [1, 2, 3, 4, 5, 6, 7, 8, 9].map((value) => [value])].map((x) =>
      Tensor.from(x).reshape(3, 3),
    ),
  );
  const kernels = Tensor.stack([
    [
      [0, 1],
      [2, 3],
    ],
    [
      [1, 2],
      [3, 4],
    ],
  ]);
  const both = [
    [56, 72],
    [104, 120],
  ];
  example('3.1', 'corr2dMultiIn(X, K)', corr2dMultiIn(pair, kernels), both);
  const plusOne = Tensor.from(
    kernels.toArray().map((plane) => plane.map((row) => row.map((value) => value + 1))),
  );
  const outputs = Tensor.stack([kernels, plusOne]);
  example('3.2', 'corr2dMultiInOut(X, [K, K + 1])', corr2dMultiInOut(pair, outputs), [
    both,
    [
      [76, 100],
      [148, 172],
    ],
  ]);
  const x = Tensor.rand([3, 3, 3], { seed: 3 });
  const mix = Tensor.rand([2, 3, 1, 1], { seed: 4 });
  const apart = corr2dMultiInOut(x, mix).data.map((value, i) => value - corr2dMultiInOut1x1(x, mix).data[i]);
  example(
    '3.3',
    '1×1: the general path and the matrix product agree',
    apart.every((value) => Math.abs(value) < 1e-6),
    true,
  );

  const small = counting([3, 3]);
  example('4.1', "pool2d(X, [2, 2], 'max')", pool2d(small, [2, 2], 'max'), [
    [4, 5],
    [7, 8],
  ]);
  example('4.1', "pool2d(X, [2, 2], 'avg')", pool2d(small, [2, 2], 'avg'), [
    [2, 3],
    [5, 6],
  ]);
  const pool = new MaxPool2D([2, 3], { padding: [0, 1], stride: [2, 3] });
  example('4.2', 'MaxPool2D([2, 3], padding [0, 1], stride [2, 3]) on 4×4', pool.forward(counting([4, 4])), [
    [5, 7],
    [13, 15],
  ]);
  example('4.3', 'max pooling keeps the channels apart', maxPool2d(pair, 3), [[[8]], [[9]]]);
  console.log();
}

function example(section, title, result, expected) {
  const value = result instanceof Tensor ? result.toArray() : result;
  assert.deepEqual(value, expected, `section ${section}: ${title}`);
  console.log(`seed ${section}  ${title}\n          ${JSON.stringify(value)}`);
}
