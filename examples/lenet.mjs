// The convolutional part of LeNet, layer by layer, with the shape after each (Dive into Deep Learning, section 7.6).
import { AvgPool2D, Conv2D, Sequential, Tensor } from 'corr2d';

const net = new Sequential([
  // The book's sigmoid keeps the shape, as this ReLU does in the same pass.
  new Conv2D({
    outChannels: 6,
    kernelSize: 5,
    padding: 2,
    activation: 'relu',
    init: 'xavierUniform',
    seed: 1,
  }),
  new AvgPool2D(2, { stride: 2 }),
  new Conv2D({
    inChannels: 6,
    outChannels: 16,
    kernelSize: 5,
    activation: 'relu',
    init: 'xavierUniform',
    seed: 2,
  }),
  new AvgPool2D(2, { stride: 2 }),
]);

let x = Tensor.rand([1, 1, 28, 28], { seed: 3 });
for (const layer of net.layers) {
  x = layer.forward(x);
  console.log(`${layer.constructor.name} output shape: [${x.shape.join(', ')}]`);
}
const features = x.reshape(x.shape[0], -1);
console.log(`Flatten output shape: [${features.shape.join(', ')}]`);
console.log(`${net.parameters} parameters`);
