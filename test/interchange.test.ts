/** Tensors of other packages as inputs, read where they lie: the packages themselves, no imitations. */
import ndarray from 'ndarray';
import { Tensor as OnnxTensor } from 'onnxruntime-common';
import { describe, expect, it } from 'vitest';
import { Conv2D, conv2d, corr2d, maxPool2d, pool2d, Tensor } from '../index.ts';
import { bits, expectSameBits } from './support/close.ts';
import { expectError, invalidType } from './support/error.ts';

const x = Tensor.rand([2, 3, 8, 10], { seed: 1 });
const weight = Tensor.rand([4, 3, 3, 3], { seed: 2 });
const expected = conv2d(x, weight);

describe('scijs ndarray', () => {
  it('of 2 to 4 axes', () => {
    const image = ndarray(x.data, [...x.shape]);
    const kernel = ndarray(weight.data, [...weight.shape]);
    expectSameBits(bits(conv2d(image, kernel)), bits(expected));
    const plane = ndarray(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9), [3, 3]);
    expect(corr2d(plane, ndarray(Float32Array.of(1, 0, 0, 1), [2, 2])).toArray()).toEqual([
      [6, 8],
      [12, 14],
    ]);
    expect(pool2d(plane, 2).toArray()).toEqual([
      [5, 6],
      [8, 9],
    ]);
  });

  it('and its views: hi, lo, step, transpose, pick', () => {
    const image = ndarray(x.data, [...x.shape]);
    const tensor = (view: ndarray.NdArray<Float32Array>): Tensor => Tensor.from(view);
    expectSameBits(
      bits(conv2d(image.lo(1, 0, 2, 3).hi(1, 3, 5, 6), weight)),
      bits(conv2d(x.slice([1, 2], [0, 3], [2, 7], [3, 9]).contiguous(), weight)),
    );
    expectSameBits(
      bits(conv2d(image.transpose(0, 1, 3, 2), weight)),
      bits(conv2d(x.transpose(0, 1, 3, 2), weight)),
    );
    const plane = image.pick(1, 2, null, null);
    expect(tensor(plane).toArray()).toEqual(x.slice([1, 2], [2, 3]).reshape(8, 10).toArray());
    const reversed = maxPool2d(plane.step(-2, -1), 2);
    expect(reversed).toEqual(maxPool2d(tensor(plane.step(-2, -1)).contiguous(), 2));
    expect(reversed.at(0, 0)).toBe(
      Math.max(plane.get(7, 9), plane.get(7, 8), plane.get(5, 9), plane.get(5, 8)),
    );
  });

  it('of another type of numbers is refused', () => {
    expectError(() => corr2d(ndarray(new Float64Array(9), [3, 3]) as never, [[1]]), invalidType('x.data'));
  });
});

describe('onnxruntime', () => {
  it('its tensors go in, and results go out into its memory', async () => {
    const input = new OnnxTensor('float32', x.data.slice(), x.shape);
    const kernel = new OnnxTensor('float32', weight.data, weight.shape);
    const result = new OnnxTensor('float32', new Float32Array(expected.size), expected.shape);
    const data = result.data as Float32Array;
    const layer = new Conv2D({ inChannels: 3, outChannels: 4, kernelSize: 3, bias: false });
    layer.weight = kernel;
    expectSameBits(bits(layer.forward(input, { out: data })), bits(expected));
    expectSameBits(new Uint32Array(data.buffer), bits(expected));
    expectSameBits(bits(await layer.forwardAsync(input, { transfer: true })), bits(expected));
  });

  it('of another type of numbers are refused', () => {
    const doubles = new OnnxTensor('float64', new Float64Array(4), [2, 2]);
    expectError(() => corr2d(doubles as never, [[1]]), invalidType('x.data'));
  });
});
