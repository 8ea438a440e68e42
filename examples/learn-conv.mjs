// Learn what a convolution is: find edges with a kernel made by hand, then let a layer learn the kernel that found them, from nothing
// but the image and its edges (seed 1.3).
import { Conv2D, corr2d, Tensor } from 'corr2d';

const image = Array.from({ length: 6 }, () => [1, 1, 0, 0, 0, 0, 1, 1]);
const edges = corr2d(image, [[1, -1]]);
console.log('edges of a row:', edges.toArray()[0]);

const layer = new Conv2D({ kernelSize: [1, 2], bias: false, init: 'uniform', seed: 1 });
let loss = Number.POSITIVE_INFINITY;
let steps = 0;
while (loss > 1e-6 && steps < 100) {
  const error = layer.forward(image).data.map((value, i) => value - edges.data[i]);
  loss = error.reduce((sum, e) => sum + e * e, 0);
  const gradOutput = new Tensor(
    error.map((e) => 2 * e),
    edges.shape,
  );
  layer.step(layer.backward(image, gradOutput), { lr: 0.03 });
  steps += 1;
  if (steps % 5 === 0)
    console.log(`step ${String(steps).padStart(2)}: squared error ${loss.toExponential(1)}`);
}
const learned = [...layer.weight.data].map((weight) => weight.toFixed(3));
console.log(`learned kernel: ${learned.join(', ')} in ${steps} steps`);
