// Learn what a convolution is: find an edge by hand, then let the computer find the kernel that found it (seed 1.3).
import { corr2d, Tensor } from 'corr2d';

const image = Array.from({ length: 6 }, () => [1, 1, 0, 0, 0, 0, 1, 1]);
const edges = corr2d(image, [[1, -1]]);
console.log('edges of a row:', edges.toArray()[0]);

let kernel = Tensor.rand([1, 2], { seed: 1 });
for (let step = 1; step <= 20; step++) {
  const error = corr2d(image, kernel).data.map((value, i) => 2 * (value - edges.data[i]));
  const gradient = corr2d(image, new Tensor(error, edges.shape)); // how each weight moves the squared error
  kernel = new Tensor(
    kernel.data.map((weight, i) => weight - 0.03 * gradient.data[i]),
    kernel.shape,
  );
}
console.log(
  'learned kernel:',
  kernel
    .toArray()[0]
    .map((weight) => weight.toFixed(3))
    .join(', '),
);
