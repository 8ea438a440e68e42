/** Every example, figure and formula of the text that the package began with, under its section's number. */
import { describe, expect, it } from 'vitest';
import {
  AvgPool2D,
  avgPool2d,
  Conv2D,
  conv2d,
  conv2dOutputShape,
  corr2d,
  corr2dMultiIn,
  corr2dMultiInOut,
  corr2dMultiInOut1x1,
  MaxPool2D,
  maxPool2d,
  pool2d,
  Tensor,
} from '../index.ts';
import { bits, expectClose } from './support/close.ts';
import { naiveCorr2d } from './support/naive.ts';

const X = Tensor.from([
  [3, 3, 2, 1, 0],
  [0, 0, 1, 3, 1],
  [3, 1, 2, 2, 3],
  [2, 0, 0, 2, 2],
  [2, 0, 0, 0, 1],
]);
const K = Tensor.from([
  [0, 1, 2],
  [2, 2, 0],
  [0, 1, 2],
]);

// The figures of sections 1.1, 2.1, 2.2 and 3.1 share this image and kernel.
const IMAGE = Tensor.from([
  [0, 1, 2],
  [3, 4, 5],
  [6, 7, 8],
]);
const KERNEL = Tensor.from([
  [0, 1],
  [2, 3],
]);

const asBatch = (t: Tensor): Tensor => t.reshape([1, 1, ...t.shape]);

describe('1.1 cross-correlation', () => {
  it('gives the result of the 5×5 by 3×3 example', () => {
    expect(corr2d(X, K).toArray()).toEqual([
      [12, 12, 17],
      [10, 17, 19],
      [9, 6, 14],
    ]);
  });

  it('gives the result of the 3×3 by 2×2 figure', () => {
    expect(corr2d(IMAGE, KERNEL).toArray()).toEqual([
      [19, 25],
      [37, 43],
    ]);
  });

  it.each([
    [5, 5, 3, 3],
    [6, 8, 1, 2],
    [7, 4, 7, 4],
    [1, 9, 1, 1],
    [20, 33, 6, 11],
  ])('output of %d×%d by %d×%d is (nh − kh + 1) × (nw − kw + 1)', (nh, nw, kh, kw) => {
    const x = Tensor.rand([nh, nw], { seed: 1 });
    const k = Tensor.rand([kh, kw], { seed: 2 });
    const y = corr2d(x, k);
    expect(y.shape).toEqual([nh - kh + 1, nw - kw + 1]);
    expectClose(y, naiveCorr2d(x, k), 1e-5);
  });
});

describe('1.2 the layer Conv2D', () => {
  it('draws its weight uniformly from [0, 1) and starts with a bias of 0', () => {
    const { data } = new Conv2D([40, 50]).weight;
    expect(Math.min(...data)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...data)).toBeLessThan(1);
    const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
    // Six standard deviations of the mean of 2000 uniform numbers.
    expect(Math.abs(mean - 0.5)).toBeLessThan((6 * Math.sqrt(1 / 12)) / Math.sqrt(2000));
    expect(new Conv2D(3).bias?.toArray()).toEqual([0]);
  });

  it('draws another weight each time', () => {
    expect(new Conv2D(3).weight.toArray()).not.toEqual(new Conv2D(3).weight.toArray());
  });

  it('gives corr2d(x, weight) + bias', () => {
    const layer = new Conv2D([2, 3]);
    layer.bias = [0.5];
    const y = layer.forward(X);
    const plain = corr2d(X, layer.weight.reshape(2, 3));
    expect(y.shape).toEqual([4, 3]);
    for (let i = 0; i < y.size; i++) expect(y.data[i]).toBeCloseTo((plain.data[i] ?? Number.NaN) + 0.5, 5);
  });
});

describe('1.3 edges of an object', () => {
  const image = Tensor.ones([6, 8]);
  for (let row = 0; row < 6; row++) image.data.fill(0, row * 8 + 2, row * 8 + 6);
  const edge = [[1, -1]];

  it('finds 1 from white to black and −1 from black to white', () => {
    expect(corr2d(image, edge).toArray()).toEqual(Array(6).fill([0, 1, 0, 0, 0, -1, 0]));
  });

  it('finds nothing on the transposed image', () => {
    const y = corr2d(image.transpose(), edge);
    expect(y.toArray()).toEqual(Array(8).fill([0, 0, 0, 0, 0]));
  });

  it('finds the edges of the transposed image with the transposed kernel', () => {
    const y = corr2d(image.transpose(), Tensor.from(edge).transpose());
    expect(y.transpose().toArray()).toEqual(corr2d(image, edge).toArray());
  });
});

describe('2.1 padding', () => {
  it('3×3 padded to 5×5 with a 2×2 kernel gives the 4×4 of the figure', () => {
    const y = conv2d(asBatch(IMAGE), asBatch(KERNEL), { padding: 1 });
    expect(y.reshape(4, 4).toArray()).toEqual([
      [0, 3, 8, 4],
      [9, 19, 25, 10],
      [21, 37, 43, 16],
      [6, 7, 8, 0],
    ]);
  });

  it.each([
    [3, 3, 2, 2, 2, 2],
    [8, 8, 3, 3, 2, 2],
    [8, 8, 5, 3, 4, 2],
    [9, 5, 4, 2, 3, 1],
  ])(
    '%d×%d by %d×%d with %d rows and %d columns gives (nh − kh + ph + 1) × (nw − kw + pw + 1)',
    (nh, nw, kh, kw, ph, pw) => {
      const padding = [
        [Math.ceil(ph / 2), Math.floor(ph / 2)],
        [Math.ceil(pw / 2), Math.floor(pw / 2)],
      ] as const;
      const y = conv2d(Tensor.ones([1, nh, nw]), Tensor.ones([1, 1, kh, kw]), { padding });
      expect(y.shape).toEqual([1, nh - kh + ph + 1, nw - kw + pw + 1]);
    },
  );

  it('8×8 with kernel 3 and padding 1 stays 8×8', () => {
    const layer = new Conv2D({ inChannels: 1, outChannels: 1, kernelSize: 3, padding: 1 });
    expect(layer.forward(asBatch(Tensor.rand([8, 8]))).shape).toEqual([1, 1, 8, 8]);
  });

  it('8×8 with kernel (5, 3) and padding (2, 1) stays 8×8', () => {
    const layer = new Conv2D({ kernelSize: [5, 3], padding: [2, 1] });
    expect(layer.forward(asBatch(Tensor.rand([8, 8]))).shape).toEqual([1, 1, 8, 8]);
  });

  it.each([1, 3, 5, 7])("'same' with an odd kernel of %d pads both sides alike", (k) => {
    const x = Tensor.rand([1, 8, 9], { seed: 3 });
    const weight = Tensor.rand([1, 1, k, k], { seed: 4 });
    const same = conv2d(x, weight, { padding: 'same' });
    expect(same.shape).toEqual([1, 8, 9]);
    expect(bits(same)).toEqual(bits(conv2d(x, weight, { padding: (k - 1) / 2 })));
  });

  it.each([2, 4, 6])(
    "'same' with an even kernel of %d puts ⌈p/2⌉ rows on top and ⌊p/2⌋ at the bottom",
    (k) => {
      const x = Tensor.rand([1, 8, 9], { seed: 3 });
      const weight = Tensor.rand([1, 1, k, k], { seed: 4 });
      const sides = [Math.ceil((k - 1) / 2), Math.floor((k - 1) / 2)] as const;
      const same = conv2d(x, weight, { padding: 'same' });
      expect(same.shape).toEqual([1, 8, 9]);
      expect(bits(same)).toEqual(bits(conv2d(x, weight, { padding: [sides, sides] })));
      expect(bits(conv2d(x, weight, { padding: 'same-lower' }))).toEqual(bits(same));
      const upper = [sides[1], sides[0]] as const;
      expect(bits(conv2d(x, weight, { padding: 'same-upper' }))).toEqual(
        bits(conv2d(x, weight, { padding: [upper, upper] })),
      );
    },
  );
});

describe('2.2 stride', () => {
  it('stride 3 and 2 gives the outputs 8 and 6 of the figure', () => {
    const y = conv2d(asBatch(IMAGE), asBatch(KERNEL), { padding: 1, stride: [3, 2] });
    expect(y.reshape(2, 2).toArray()).toEqual([
      [0, 8],
      [6, 8],
    ]);
  });

  it.each([
    [{ kernelSize: 3, padding: 1 }, [8, 8]],
    [{ kernelSize: [5, 3], padding: [2, 1] }, [8, 8]],
    [{ kernelSize: 3, padding: 1, stride: 2 }, [4, 4]],
    [{ kernelSize: [3, 5], padding: [0, 1], stride: [3, 4] }, [2, 2]],
  ] as const)('Conv2D(%o) on 8×8 gives %o', (options, shape) => {
    const layer = new Conv2D(options);
    const x = asBatch(Tensor.rand([8, 8]));
    const y = layer.forward(x);
    expect(y.reshape(y.shape.slice(2)).shape).toEqual(shape);
    expect(layer.outputShape(x.shape)).toEqual([1, 1, ...shape]);
  });

  it.each([
    [8, 8, 3, 3, 2, 2, 2, 2],
    [8, 8, 3, 5, 0, 2, 3, 4],
    [11, 7, 4, 2, 3, 1, 5, 2],
  ])(
    '%d×%d by %d×%d, %d and %d padded, stride %d and %d: ⌊(n − k + p + s) / s⌋',
    (nh, nw, kh, kw, ph, pw, sh, sw) => {
      const padding = [
        [Math.ceil(ph / 2), Math.floor(ph / 2)],
        [Math.ceil(pw / 2), Math.floor(pw / 2)],
      ] as const;
      expect(conv2dOutputShape([1, nh, nw], [1, 1, kh, kw], { padding, stride: [sh, sw] })).toEqual([
        1,
        Math.floor((nh - kh + ph + sh) / sh),
        Math.floor((nw - kw + pw + sw) / sw),
      ]);
    },
  );
});

describe('3.1 several input channels', () => {
  const x = Tensor.stack([
    IMAGE,
    Tensor.from([
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ]),
  ]);
  const k = Tensor.stack([
    KERNEL,
    Tensor.from([
      [1, 2],
      [3, 4],
    ]),
  ]);

  it('gives 56 at the first place, and the rest of the figure', () => {
    expect(corr2dMultiIn(x, k).toArray()).toEqual([
      [56, 72],
      [104, 120],
    ]);
  });

  it('is the sum of corr2d over the channels', () => {
    const channel = (t: Tensor, i: number): Tensor => t.slice([i, i + 1]).reshape(t.shape.slice(1));
    const first = corr2d(channel(x, 0), channel(k, 0));
    const second = corr2d(channel(x, 1), channel(k, 1));
    expect([...corr2dMultiIn(x, k).data]).toEqual([...first.data].map((v, i) => v + (second.data[i] ?? 0)));
  });
});

describe('3.2 several output channels', () => {
  it('gives the stack of corr2dMultiIn over the output channels', () => {
    const x = Tensor.stack([
      IMAGE,
      Tensor.from([
        [1, 2, 3],
        [4, 5, 6],
        [7, 8, 9],
      ]),
    ]);
    const k = Tensor.stack([
      KERNEL,
      Tensor.from([
        [1, 2],
        [3, 4],
      ]),
    ]);
    const kernels = [0, 1, 2].map((add) => Tensor.from({ data: k.data.map((v) => v + add), shape: k.shape }));
    const y = corr2dMultiInOut(x, Tensor.stack(kernels));
    expect(y.toArray()).toEqual(Tensor.stack(kernels.map((kernel) => corr2dMultiIn(x, kernel))).toArray());
    expect(y.toArray()).toEqual([
      [
        [56, 72],
        [104, 120],
      ],
      [
        [76, 100],
        [148, 172],
      ],
      [
        [96, 128],
        [192, 224],
      ],
    ]);
  });
});

describe('3.3 1×1 convolution', () => {
  it.each([
    [3, 2, 3, 3],
    [5, 7, 4, 6],
    [64, 48, 9, 11],
  ])('of %d channels to %d on %d×%d equals the general path', (c, o, h, w) => {
    const x = Tensor.rand([c, h, w], { seed: 5 });
    const k = Tensor.rand([o, c, 1, 1], { seed: 6 });
    const y = corr2dMultiInOut1x1(x, k);
    expect(y.shape).toEqual([o, h, w]);
    expect(bits(y)).toEqual(bits(corr2dMultiInOut(x, k)));
  });

  it('is a matrix product over the channels', () => {
    const x = Tensor.rand([3, 3, 3], { seed: 7 });
    const k = Tensor.rand([2, 3, 1, 1], { seed: 8 });
    const y = corr2dMultiInOut1x1(x, k);
    for (let o = 0; o < 2; o++) {
      for (let pixel = 0; pixel < 9; pixel++) {
        let sum = 0;
        for (let c = 0; c < 3; c++) sum += (k.data[o * 3 + c] ?? 0) * (x.data[c * 9 + pixel] ?? 0);
        expect(y.data[o * 9 + pixel]).toBeCloseTo(sum, 5);
      }
    }
  });
});

describe('4.1 maximum and average pooling', () => {
  it('gives the maxima of the figure', () => {
    expect(pool2d(IMAGE, [2, 2]).toArray()).toEqual([
      [4, 5],
      [7, 8],
    ]);
    expect(pool2d(IMAGE, [2, 2], 'max').toArray()).toEqual(pool2d(IMAGE, 2).toArray());
  });

  it('gives the averages of the same windows', () => {
    expect(pool2d(IMAGE, [2, 2], 'avg').toArray()).toEqual([
      [2, 3],
      [5, 6],
    ]);
  });

  it('moves by 1 and gives (nh − ph + 1) × (nw − pw + 1)', () => {
    expect(pool2d(Tensor.ones([9, 7]), [4, 3]).shape).toEqual([6, 5]);
  });
});

describe('4.2 padding and stride of pooling', () => {
  it('moves by the window unless told otherwise', () => {
    const x = Tensor.from({ data: Float32Array.from({ length: 16 }, (_, i) => i), shape: [4, 4] });
    expect(new MaxPool2D([3, 3]).forward(x).toArray()).toEqual([[10]]);
    expect(new MaxPool2D(2).forward(x).toArray()).toEqual([
      [5, 7],
      [13, 15],
    ]);
    expect(new AvgPool2D(2).forward(x).toArray()).toEqual([
      [2.5, 4.5],
      [10.5, 12.5],
    ]);
    expect(maxPool2d(x, 3).toArray()).toEqual([[10]]);
    expect(avgPool2d(x, 3).toArray()).toEqual([[5]]);
  });

  it('MaxPool2D([2, 3], {padding: [0, 1], stride: [2, 3]})', () => {
    const x = Tensor.from({ data: Float32Array.from({ length: 16 }, (_, i) => i), shape: [1, 1, 4, 4] });
    const layer = new MaxPool2D([2, 3], { padding: [0, 1], stride: [2, 3] });
    expect(layer.forward(x).toArray()).toEqual([
      [
        [
          [5, 7],
          [13, 15],
        ],
      ],
    ]);
  });
});

describe('4.3 pooling of several channels', () => {
  it.each(['max', 'avg'] as const)('%s pools each channel by itself', (mode) => {
    const channels = [1, 2, 3].map((seed) => Tensor.rand([5, 6], { seed }));
    const options = { padding: 1, stride: 2 } as const;
    const pooled = pool2d(Tensor.stack(channels), 3, mode, options);
    const single = mode === 'avg' ? avgPool2d : maxPool2d;
    const each = channels.map((x) => single(x, 3, options));
    expect(pooled.shape).toEqual([3, 3, 3]);
    expect(bits(pooled)).toEqual(bits(Tensor.stack(each)));
  });
});
