// The ES module types: names, options and results as a strict TypeScript project sees them.
import { Conv2D, corr2d, pool2d, type Tensor, type TensorInput } from 'corr2d';
import { type Backend, type BenchOptions, defineBackend, type Report, table } from 'corr2d/bench';

declare const console: { log(text: string): void };

function expectEqual(actual: Tensor, expected: unknown): void {
  if (JSON.stringify(actual.toArray()) !== JSON.stringify(expected)) {
    throw new Error(`expected ${JSON.stringify(expected)}, received ${JSON.stringify(actual.toArray())}`);
  }
}

const x: TensorInput = [
  [3, 3, 2, 1, 0],
  [0, 0, 1, 3, 1],
  [3, 1, 2, 2, 3],
  [2, 0, 0, 2, 2],
  [2, 0, 0, 0, 1],
];
const k: TensorInput = [
  [0, 1, 2],
  [2, 2, 0],
  [0, 1, 2],
];
const y: Tensor = corr2d(x, k);
expectEqual(y, [
  [12, 12, 17],
  [10, 17, 19],
  [9, 6, 14],
]);

const layer: Conv2D = new Conv2D({ inChannels: 1, outChannels: 1, kernelSize: [1, 2], bias: false });
layer.weight = [[[[1, -1]]]];
expectEqual(layer.forward([[[1, 1, 0, 0, 1]]]), [[[0, 1, 0, -1]]]);

expectEqual(
  pool2d(
    [
      [0, 1, 2],
      [3, 4, 5],
      [6, 7, 8],
    ],
    [2, 2],
    'max',
  ),
  [
    [4, 5],
    [7, 8],
  ],
);

const backend: Backend = defineBackend({
  name: 'a',
  version: '1',
  supports: (problem) => problem.kind === 'conv' && problem.groups === 1,
  prepare: () => ({ run: () => {}, output: () => new Float32Array(), dispose: () => {} }),
});
const options: BenchOptions = { suite: 'layers', backends: [backend, 'corr2d'], signal: { aborted: false } };
const show: (report: Report) => string = table;

export function neverCalled(): void {
  // @ts-expect-error a report is no text
  show(options.suite);

  // @ts-expect-error a kernel is a tensor, not a word
  corr2d(x, 'kernel');
  // @ts-expect-error there are two modes
  pool2d(x, [2, 2], 'median');
  // @ts-expect-error the kernel's size has no default
  new Conv2D({ inChannels: 3 });
}

console.log('ok');
