/** `returnIndices: true`: where each maximum was, as PyTorch and its `max_unpool2d` count. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AdaptiveMaxPool2D,
  adaptiveMaxPool2d,
  globalMaxPool2d,
  layerFromJSON,
  MaxPool2D,
  maxPool2d,
  Tensor,
} from '../index.ts';
import { bits, expectSameBits } from './support/close.ts';

/** The elements at the indices of each plane. */
function gathered(x: Tensor, indices: Int32Array): number[] {
  const [n = 1, c = 1, h = 1, w = 1] = x.shape;
  const { data } = x.contiguous();
  const perPlane = indices.length / (n * c);
  return Array.from(indices, (index, i) => data[Math.floor(i / perPlane) * h * w + index] as number);
}

describe('maxPool2d', () => {
  it('finds the first of equal elements, and the last NaN', () => {
    const ties = maxPool2d([[1, 1, 1, 1]], [1, 2], { returnIndices: true });
    expect([...ties.indices]).toEqual([0, 2]);
    const nan = Tensor.from([
      [1, Number.NaN],
      [Number.NaN, 5],
    ]);
    const { output, indices } = maxPool2d(nan, 2, { returnIndices: true });
    expect(output.at(0, 0)).toBeNaN();
    expect([...indices]).toEqual([2]);
    const low = Tensor.full([2, 2], Number.NEGATIVE_INFINITY);
    expect([...maxPool2d(low, 2, { returnIndices: true }).indices]).toEqual([0]);
  });

  it('counts without the padding', () => {
    const x = Tensor.from([
      [9, 1, 2],
      [3, 4, 5],
      [6, 7, 8],
    ]);
    const { output, indices } = maxPool2d(x, 3, { stride: 2, padding: 1, returnIndices: true });
    expect(output.toArray()).toEqual([
      [9, 5],
      [7, 8],
    ]);
    expect([...indices]).toEqual([0, 5, 7, 8]);
    const dilated = maxPool2d(x, 2, { dilation: 2, stride: 1, returnIndices: true });
    expect([...dilated.indices]).toEqual([0]);
    const ceil = maxPool2d(x, 2, { ceilMode: true, returnIndices: true });
    expect([...ceil.indices]).toEqual([0, 5, 7, 8]);
  });

  it('gives the values that it gives without, and their places', () => {
    const side = fc.integer({ min: 1, max: 5 });
    fc.assert(
      fc.property(
        fc.tuple(side, side, side, side, fc.integer({ min: 0, max: 1e6 }), fc.boolean(), fc.boolean()),
        ([kh, kw, sh, sw, seed, isLast, isCeil]) => {
          const options = {
            stride: [sh, sw],
            padding: [Math.floor(kh / 2), Math.floor(kw / 2)],
            ceilMode: isCeil,
          } as const;
          const x = Tensor.rand([2, 3, 6, 9], { seed });
          const input = isLast ? x.transpose(0, 2, 3, 1) : x;
          const layout = isLast ? 'NHWC' : 'NCHW';
          const plain = maxPool2d(x, [kh, kw], options);
          const result = maxPool2d(input, [kh, kw], { ...options, layout, returnIndices: true });
          const shape = result.output.shape;
          const inOrder = new Tensor(Float32Array.from(result.indices), shape);
          const [output, indices] = isLast
            ? [result.output.transpose(0, 3, 1, 2), inOrder.transpose(0, 3, 1, 2)]
            : [result.output, inOrder];
          expect(output.toArray()).toEqual(plain.toArray());
          expect(gathered(x, Int32Array.from(indices.contiguous().data))).toEqual([
            ...plain.contiguous().data,
          ]);
        },
      ),
    );
  });

  it('writes the maxima into out, reads views, and takes an empty batch', () => {
    const x = Tensor.rand([3, 8, 8], { seed: 1 });
    const out = Tensor.zeros([3, 4, 4]);
    const result = maxPool2d(x, 2, { out, returnIndices: true });
    expect(result.output).toBe(out);
    expectSameBits(bits(out), bits(maxPool2d(x, 2)));
    const crop = x.slice([1, 3], [1, 7], [2, 6]);
    expect(maxPool2d(crop, 2, { returnIndices: true })).toEqual(
      maxPool2d(crop.contiguous(), 2, { returnIndices: true }),
    );
    const none = maxPool2d(Tensor.zeros([0, 3, 8, 8]), 2, { returnIndices: true });
    expect(none.output.shape).toEqual([0, 3, 4, 4]);
    expect(none.indices).toHaveLength(0);
  });

  it('returnIndices: false gives a tensor', () => {
    expect(maxPool2d([[1, 2]], [1, 2], { returnIndices: false }).toArray()).toEqual([[2]]);
  });
});

describe('adaptiveMaxPool2d', () => {
  it('tells places too', () => {
    const x = Tensor.rand([2, 3, 7, 10], { seed: 4 });
    const { output, indices } = adaptiveMaxPool2d(x, [3, 4], { returnIndices: true });
    expectSameBits(bits(output), bits(adaptiveMaxPool2d(x, [3, 4])));
    expect(gathered(x, indices)).toEqual([...output.data]);
    expect(adaptiveMaxPool2d(x, 1, { returnIndices: true }).output).toEqual(globalMaxPool2d(x));
  });
});

describe('layers', () => {
  const x = Tensor.rand([2, 9, 11], { seed: 3 });

  it.each([
    ['MaxPool2D', new MaxPool2D(2, { returnIndices: true }), maxPool2d(x, 2, { returnIndices: true })],
    [
      'AdaptiveMaxPool2D',
      new AdaptiveMaxPool2D([4, 3], { returnIndices: true }),
      adaptiveMaxPool2d(x, [4, 3], { returnIndices: true }),
    ],
  ] as const)('%s', async (_, layer, expected) => {
    expect(layer.forward(x)).toEqual(expected);
    expect(await layer.forwardAsync(x)).toEqual(expected);
    const out = Tensor.zeros(expected.output.shape);
    expect((await layer.forwardAsync(x, { out })).output).toBe(out);
    expect(out).toEqual(expected.output);
    const reason = new Error('mine');
    await expect(layer.forwardAsync(x, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const copy = layerFromJSON(JSON.parse(JSON.stringify(layer)));
    expect(copy.forward(x)).toEqual(expected);
    expect(layer.plan(x.shape).run(x)).toEqual(expected.output);
  });
});
