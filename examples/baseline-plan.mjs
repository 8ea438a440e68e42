// A baseline to measure other backends against: the weight is packed once, run() only computes.
import { Conv2D, info, Tensor } from 'corr2d';

const layer = new Conv2D({
  inChannels: 64,
  outChannels: 64,
  kernelSize: 3,
  padding: 1,
  bias: false,
  seed: 1,
});
const x = Tensor.rand([1, 64, 56, 56], { seed: 2 });
const plan = layer.plan(x.shape, { threads: 1 });
const out = Tensor.zeros(plan.outputShape);

const times = Array.from({ length: 50 }, () => {
  const start = performance.now();
  plan.run(x, { out });
  return performance.now() - start;
});
const ms = Math.min(...times);
const rate = plan.flops / ms / 1e6;
console.log(`${info().isa} ${plan.algorithm}: ${ms.toFixed(3)} ms, ${rate.toFixed(0)} GFLOP/s on one thread`);
