import { describe, expectTypeOf, test } from 'vitest';
import {
  type AdaptiveAvgPool2D,
  type AdaptiveMaxPool2D,
  type Algorithm,
  AvgPool2D,
  adaptiveAvgPool2d,
  adaptiveMaxPool2d,
  avgPool2d,
  avgPool2dBackward,
  Conv2D,
  type Conv2DJSON,
  type ConvGradients,
  ConvTranspose2D,
  type ConvTranspose2DJSON,
  conv2d,
  conv2dBackward,
  conv2dOutputShape,
  convTranspose2d,
  convTranspose2dBackward,
  convTranspose2dOutputShape,
  corr2d,
  correlateTemplate,
  filterImage,
  filterImageAsync,
  globalAvgPool2d,
  globalMaxPool2d,
  gradientMagnitude,
  type Image,
  type IndexedMax,
  info,
  type Layer,
  type Limits,
  type LPPool2D,
  layerFromJSON,
  loadStateDict,
  lpPool2d,
  MaxPool2D,
  maxPool2d,
  maxPool2dBackward,
  type Pair,
  type Plan,
  pool2d,
  poolImage,
  readSafetensors,
  Sequential,
  saveSafetensors,
  setLimits,
  stateDict,
  Tensor,
  type TensorInput,
} from '../../index.ts';

const x = Tensor.ones([1, 1, 4, 4]);

describe('inputs', () => {
  test('every form is a TensorInput', () => {
    expectTypeOf<Tensor>().toExtend<TensorInput>();
    expectTypeOf<number[][]>().toExtend<TensorInput>();
    expectTypeOf<readonly (readonly number[])[]>().toExtend<TensorInput>();
    expectTypeOf<number[][][][]>().toExtend<TensorInput>();
    expectTypeOf<{ data: Float32Array; shape: number[] }>().toExtend<TensorInput>();
    expectTypeOf<{
      data: Float32Array;
      shape: number[];
      stride: number[];
      offset: number;
    }>().toExtend<TensorInput>();
    expectTypeOf<{
      readonly data: Float32Array;
      readonly dims: readonly number[];
      type: string;
    }>().toExtend<TensorInput>();
  });

  test('other things are not', () => {
    expectTypeOf<Float32Array>().not.toExtend<TensorInput>();
    expectTypeOf<string[][]>().not.toExtend<TensorInput>();
    expectTypeOf<{ data: Float64Array; shape: number[] }>().not.toExtend<TensorInput>();
  });

  test('a pair is a number or two', () => {
    expectTypeOf<[number, number]>().toExtend<Pair>();
    expectTypeOf<[number, number, number]>().not.toExtend<Pair>();
  });
});

describe('functions', () => {
  test('give tensors', () => {
    expectTypeOf(corr2d).returns.toEqualTypeOf<Tensor>();
    expectTypeOf(conv2d).returns.toEqualTypeOf<Tensor>();
    expectTypeOf(pool2d).returns.toEqualTypeOf<Tensor>();
    expectTypeOf(conv2dOutputShape).returns.toEqualTypeOf<number[]>();
    expectTypeOf(convTranspose2d(x, x, { outputPadding: [1, 0], bias: [1] })).toEqualTypeOf<Tensor>();
    expectTypeOf(convTranspose2dOutputShape).returns.toEqualTypeOf<number[]>();
    expectTypeOf(maxPool2d(x, 2)).toEqualTypeOf<Tensor>();
    expectTypeOf(adaptiveMaxPool2d(x, [3, null])).toEqualTypeOf<Tensor>();
    expectTypeOf(adaptiveAvgPool2d(x, 3, { out: x })).toEqualTypeOf<Tensor>();
    expectTypeOf(globalMaxPool2d(x)).toEqualTypeOf<Tensor>();
    expectTypeOf(lpPool2d(x, 2, [2, 3], { ceilMode: true })).toEqualTypeOf<Tensor>();
    expectTypeOf(globalAvgPool2d(x)).toEqualTypeOf<Tensor>();
    expectTypeOf(x.shape).toEqualTypeOf<readonly number[]>();
  });

  test('take the options that they have', () => {
    conv2d(x, x, { padding: 'same', activation: { clamp: [0, 1] }, algorithm: 'auto', bias: [1], out: x });
    conv2d(x, x, {
      padding: [
        [1, 0],
        [0, 1],
      ],
      stride: [1, 2],
      layout: 'NCHW',
    });
    maxPool2d(x, [2, 2], { ceilMode: 'onnx' });
    avgPool2d(x, 2, { countIncludePad: false });
    pool2d(x, 2, 'avg', { divisorOverride: 3 });
    expectTypeOf<string>().toExtend<Algorithm>();
  });

  test('refuse others', () => {
    // @ts-expect-error unknown word
    conv2d(x, x, { padding: 'full' });
    // @ts-expect-error unknown word
    conv2d(x, x, { layout: 'CHWN' });
    // @ts-expect-error an option of ordinary convolution
    convTranspose2d(x, x, { paddingMode: 'reflect' });
    // @ts-expect-error an option of average pooling
    maxPool2d(x, 2, { countIncludePad: false });
    // @ts-expect-error an option of average pooling
    pool2d(x, 2, 'max', { divisorOverride: 3 });
    // @ts-expect-error the wrong type of memory
    corr2d(x, x, { out: new Float64Array(4) });
    // @ts-expect-error unknown mode
    pool2d(x, 2, 'min');
  });
});

test('gradients', () => {
  expectTypeOf(
    conv2dBackward(x, x, x, { padding: 1, activation: 'relu', bias: [1] }),
  ).toEqualTypeOf<ConvGradients>();
  expectTypeOf(
    convTranspose2dBackward(x, x, x, { outputPadding: 1, stride: 2 }),
  ).toEqualTypeOf<ConvGradients>();
  expectTypeOf(maxPool2dBackward(x, x, 2, { stride: 1 })).toEqualTypeOf<Tensor>();
  expectTypeOf(avgPool2dBackward(x, x, [2, 2], { divisorOverride: 3 })).toEqualTypeOf<Tensor>();
  const layer = new Conv2D(1);
  expectTypeOf(layer.backward(x, x)).toEqualTypeOf<ConvGradients>();
  expectTypeOf(layer.step(layer.backward(x, x), { lr: 0.1 })).toEqualTypeOf<void>();
  // @ts-expect-error a learning rate is needed
  layer.step(layer.backward(x, x));
  // @ts-expect-error the gradients have no choice of algorithm
  conv2dBackward(x, x, x, { algorithm: 'direct' });
});

describe('layers', () => {
  test('Conv2D has two forms', () => {
    expectTypeOf(Conv2D).toBeConstructibleWith(3);
    expectTypeOf(Conv2D).toBeConstructibleWith([3, 5]);
    expectTypeOf(Conv2D).toBeConstructibleWith({ kernelSize: 3, init: 'zeros', seed: 1 });
    // @ts-expect-error the kernel's size is needed
    new Conv2D({ inChannels: 3 });
  });

  test('ConvTranspose2D is a layer with a weight', () => {
    const layer = new ConvTranspose2D({ kernelSize: 2, stride: 2, outputShape: [8, 8], bias: false });
    layer.weight = [[1]];
    expectTypeOf(layer).toExtend<Layer>();
    expectTypeOf(layer.weight).toEqualTypeOf<Tensor>();
    expectTypeOf(layer.toJSON()).toEqualTypeOf<ConvTranspose2DJSON>();
    // @ts-expect-error the kernel's size is needed
    new ConvTranspose2D({ inChannels: 3 });
  });

  test('weight is set with any input and read as a tensor', () => {
    const layer = new Conv2D(1);
    layer.weight = [[1]];
    layer.bias = { data: new Float32Array(1), dims: [1] };
    expectTypeOf(layer.weight).toEqualTypeOf<Tensor>();
    expectTypeOf(new Conv2D(1).bias).toEqualTypeOf<Tensor | null>();
    expectTypeOf(layer.toJSON()).toEqualTypeOf<Conv2DJSON>();
    expectTypeOf(layer.parameters).toBeNumber();
  });

  test('every layer is a Layer, and so is a list of them', () => {
    expectTypeOf<Conv2D>().toExtend<Layer>();
    expectTypeOf<MaxPool2D>().toExtend<Layer>();
    expectTypeOf<AvgPool2D>().toExtend<Layer>();
    expectTypeOf<AdaptiveAvgPool2D>().toExtend<Layer>();
    expectTypeOf<LPPool2D>().toExtend<Layer>();
    expectTypeOf<AdaptiveMaxPool2D>().toExtend<Layer>();
    expectTypeOf<Sequential>().toExtend<Layer>();
    expectTypeOf(Sequential).toBeConstructibleWith([new Conv2D(1), new Sequential([new MaxPool2D(2)])]);
    expectTypeOf(layerFromJSON(new MaxPool2D(2).toJSON())).toEqualTypeOf<Layer>();
    // @ts-expect-error it gives no tensor
    new Sequential([new MaxPool2D(2, { returnIndices: true })]);
    // @ts-expect-error no layer
    new Sequential([(input: Tensor) => input]);
  });

  test('weights travel as safetensors', () => {
    expectTypeOf(readSafetensors(new Uint8Array(8))).toEqualTypeOf<Map<string, Tensor>>();
    expectTypeOf(saveSafetensors(new Conv2D(1))).toExtend<Uint8Array>();
    expectTypeOf(loadStateDict).toBeCallableWith(new Conv2D(1), stateDict(new Conv2D(1)));
  });

  test('plans', () => {
    expectTypeOf(new MaxPool2D(2).plan([2, 2], { threads: 1 })).toEqualTypeOf<Plan>();
    expectTypeOf(new AvgPool2D(2).forward(x, { out: x })).toEqualTypeOf<Tensor>();
    expectTypeOf(new AvgPool2D(2).plan([2, 2]).runAsync(x, { out: x })).toEqualTypeOf<Promise<Tensor>>();
    expectTypeOf(new MaxPool2D(2, { returnIndices: true }).forward(x)).toEqualTypeOf<IndexedMax>();
    expectTypeOf(new MaxPool2D(2, { stride: 1 }).forward(x)).toEqualTypeOf<Tensor>();
    expectTypeOf(maxPool2d(x, 2, { returnIndices: true }).indices).toEqualTypeOf<Int32Array>();
    expectTypeOf(maxPool2d(x, 2, { returnIndices: false })).toEqualTypeOf<Tensor>();
    const { signal } = new AbortController();
    expectTypeOf(new Conv2D(1).forwardAsync(x, { signal, transfer: true })).toEqualTypeOf<Promise<Tensor>>();
    // @ts-expect-error a controller is not its signal
    new MaxPool2D(2).forwardAsync(x, { signal: new AbortController() });
  });
});

test('runtime', () => {
  expectTypeOf(info().backend).toEqualTypeOf<'native' | 'wasm'>();
  expectTypeOf(setLimits({ maxElements: 1 })).toEqualTypeOf<Limits>();
});

describe('images', () => {
  const image = { data: new Uint16Array(12), width: 2, height: 2, channels: 3 };

  test('the result has the samples of the image', () => {
    expectTypeOf(filterImage(image, x)).toEqualTypeOf<Image<Uint16Array<ArrayBuffer>>>();
    expectTypeOf(gradientMagnitude(image).data).toEqualTypeOf<Uint16Array<ArrayBuffer>>();
    expectTypeOf(poolImage(image, 2, 'min', { stride: 1 }).data).toEqualTypeOf<Uint16Array<ArrayBuffer>>();
    const buffer = { ...image, data: Buffer.alloc(12) };
    expectTypeOf(filterImageAsync(buffer, x, { transfer: true })).toEqualTypeOf<
      Promise<Image<Buffer<ArrayBuffer>>>
    >();
    expectTypeOf(correlateTemplate(image, image).best).toEqualTypeOf<{
      x: number;
      y: number;
      score: number;
    }>();
  });

  test('words and types are checked', () => {
    // @ts-expect-error There is no such border.
    filterImage(image, x, { border: 'zeros' });
    // @ts-expect-error out has other samples.
    filterImage(image, x, { out: new Uint8Array(12) });
    // @ts-expect-error A signal is for asynchronous calls.
    filterImage(image, x, { signal: AbortSignal.timeout(1) });
    // @ts-expect-error There is no such operator.
    gradientMagnitude(image, 'canny');
    // @ts-expect-error There is no such mode.
    poolImage(image, 2, 'median');
    // @ts-expect-error There is no such method.
    correlateTemplate(image, image, { method: 'sqdiff' });
  });
});
