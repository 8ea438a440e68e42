// A convolutional network of two layers, and one step of its training: 1×12×12 → 12×12×12 → pooled to 12×6×6 → 10 numbers, the
// likeliest digit having the largest.
import { Conv2D, MaxPool2D, maxPool2dBackward, Sequential, Tensor } from 'corr2d';
import { SIDE } from './data.mjs';

const FEATURES = 12;

export function createNetwork(seed) {
  return new Sequential([
    new Conv2D({ outChannels: FEATURES, kernelSize: 3, padding: 1, activation: 'relu', seed }),
    new MaxPool2D(2),
    new Conv2D({ inChannels: FEATURES, outChannels: 10, kernelSize: SIDE / 2, seed: seed + 1 }),
  ]);
}

/** Cross-entropy of the digits' probabilities (softmax), its gradient, and how many digits are right. */
function judge(scores, labels) {
  const gradient = new Float32Array(scores.size);
  let loss = 0;
  let right = 0;
  labels.forEach((label, i) => {
    const row = scores.data.subarray(10 * i, 10 * (i + 1));
    const largest = Math.max(...row);
    const powers = row.map((score) => Math.exp(score - largest));
    const sum = powers.reduce((a, b) => a + b);
    loss -= Math.log(powers[label] / sum) / labels.length;
    right += row.indexOf(largest) === label ? 1 : 0;
    powers.forEach((power, digit) => {
      gradient[10 * i + digit] = (power / sum - (digit === label ? 1 : 0)) / labels.length;
    });
  });
  return { loss, right, gradient: new Tensor(gradient, scores.shape) };
}

/** One step of gradient descent on some pictures [n, 1, SIDE, SIDE]; gives back their loss. */
export function trainStep(network, pictures, labels, lr) {
  const [features, pool, classify] = network.layers;
  const found = features.forward(pictures);
  const pooled = pool.forward(found);
  const { loss, gradient } = judge(classify.forward(pooled), labels);
  // The chain rule, from the last layer to the first.
  const ofClassify = classify.backward(pooled, gradient);
  const ofFound = maxPool2dBackward(found, ofClassify.input, pool.kernelSize);
  const ofFeatures = features.backward(pictures, ofFound);
  classify.step(ofClassify, { lr });
  features.step(ofFeatures, { lr });
  return loss;
}

/** The share of digits that the network reads right. */
export function accuracy(network, pictures, labels) {
  return judge(network.forward(pictures), labels).right / labels.length;
}
