/** The way from an image to a tensor, and back. */
import { checkBoolean, checkOptions, checkWord } from './check.ts';
import { formatShape, shapeMismatch } from './errors.ts';
import { allocate } from './memory.ts';
import {
  allocateSamples,
  FULL_SCALE,
  type Image,
  readImage,
  type SampleArrays,
  sampleType,
} from './pixels.ts';
import { fromChecked, type Tensor, type TensorInput, toTensor } from './tensor.ts';

/** The options of `imageToTensor`. */
export interface ImageTensorOptions {
  /** Divides 8-bit samples by 255 and 16-bit ones by 65535 (the default); float samples stay as they are. */
  normalize?: boolean | undefined;
  /** `'NCHW'` (the default) gives `[channels, height, width]`, `'NHWC'` gives `[height, width, channels]`. */
  layout?: 'NCHW' | 'NHWC' | undefined;
}

/** The options of `tensorToImage`; `normalize` and `layout` are to be those that `imageToTensor` was called with. */
export interface TensorImageOptions<T extends keyof SampleArrays = keyof SampleArrays> {
  /** Multiplies by 255 (by 65535 for 16 bits, by 1 for floats), so that 1 becomes white. Default true. */
  normalize?: boolean | undefined;
  /** `'NCHW'` (the default) reads `[channels, height, width]`, `'NHWC'` reads `[height, width, channels]`. */
  layout?: 'NCHW' | 'NHWC' | undefined;
  /** The samples' type, default `'uint8'`. */
  type?: T | undefined;
}

const LAYOUTS = ['NCHW', 'NHWC'] as const;
const TYPES = ['uint8', 'uint16', 'float32'] as const;

/**
 * The samples of an image as a float32 tensor, one plane per channel: `[channels, height, width]`, as `conv2d`,
 * `maxPool2d` and PyTorch's models take it. 8-bit samples become 0 to 1 (torchvision's `ToTensor`).
 *
 * @throws as `filterImage`
 */
export function imageToTensor(image: Image, options?: ImageTensorOptions): Tensor {
  const { data, width, height, channels, rowStride } = readImage(image);
  const given = checkOptions(options, 'options', ['normalize', 'layout']) ?? {};
  const normalize = checkBoolean(given.normalize ?? true, 'normalize');
  const layout = checkWord(given.layout ?? 'NCHW', 'layout', LAYOUTS);
  const full = normalize ? FULL_SCALE[sampleType(data)] : 1;

  const samples = allocate(width * height * channels, 'image.data');
  const { pixelStep, channelStep } = steps(layout, width * height, channels);
  for (let channel = 0; channel < channels; channel++) {
    let to = channel * channelStep;
    for (let row = 0; row < height; row++) {
      const start = row * rowStride + channel;
      for (let from = start; from < start + width * channels; from += channels, to += pixelStep) {
        samples[to] = (data[from] as number) / full;
      }
    }
  }
  return fromChecked(samples, layout === 'NCHW' ? [channels, height, width] : [height, width, channels]);
}

/**
 * The image of a tensor of one to four channels, the inverse of `imageToTensor`: scaled, rounded half to even and
 * saturated to the sample type (NaN gives 0); float samples are only copied.
 *
 * @param tensor `[channels, height, width]` (or `[height, width, channels]`, see `layout`); `[height, width]` is gray
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` (unknown option), `ERR_DETACHED_BUFFER`; RangeError
 *   `ERR_INVALID_ARG_VALUE` (unknown word), `ERR_SHAPE_MISMATCH`, `ERR_LIMIT_EXCEEDED`
 */
export function tensorToImage<T extends keyof SampleArrays = 'uint8'>(
  tensor: TensorInput,
  options?: TensorImageOptions<T>,
): Image<SampleArrays[T]> {
  const given = checkOptions(options, 'options', ['normalize', 'layout', 'type']) ?? {};
  const normalize = checkBoolean(given.normalize ?? true, 'normalize');
  const layout = checkWord(given.layout ?? 'NCHW', 'layout', LAYOUTS);
  const type = checkWord(given.type ?? 'uint8', 'type', TYPES);
  const view = toTensor(tensor, 'tensor');
  const { channels, height, width } = imageShape(view.shape, layout);
  const samples = view.contiguous().data;

  const data = allocateSamples(type, samples.length);
  const full = FULL_SCALE[type];
  const scale = normalize ? full : 1;
  const { pixelStep, channelStep } = steps(layout, width * height, channels);
  for (let channel = 0; channel < channels; channel++) {
    for (
      let to = channel, from = channel * channelStep;
      to < data.length;
      to += channels, from += pixelStep
    ) {
      const value = (samples[from] as number) * scale;
      data[to] = type === 'float32' ? value : Math.min(Math.max(roundHalfEven(value), 0), full);
    }
  }
  return { data: data as SampleArrays[T], width, height, channels };
}

/** Distance in a tensor between neighbouring pixels of one channel, and between the channels of one pixel. */
function steps(layout: 'NCHW' | 'NHWC', pixels: number, channels: number) {
  return layout === 'NCHW' ? { pixelStep: 1, channelStep: pixels } : { pixelStep: channels, channelStep: 1 };
}

function imageShape(shape: readonly number[], layout: 'NCHW' | 'NHWC') {
  const what =
    layout === 'NCHW'
      ? 'shape [channels, height, width] with 1 to 4 channels or [height, width]'
      : 'shape [height, width, channels] with 1 to 4 channels or [height, width]';
  const full = shape.length !== 2 ? shape : layout === 'NCHW' ? [1, ...shape] : [...shape, 1];
  const [channels = 0, height = 0, width = 0] = layout === 'NCHW' ? full : [full[2], full[0], full[1]];
  if (full.length !== 3 || channels < 1 || channels > 4 || height < 1 || width < 1) {
    throw shapeMismatch(what, 'tensor', formatShape(shape));
  }
  return { channels, height, width };
}

// Adding and taking away 1.5 * 2**52 leaves no room for a fraction, so float64 itself rounds, half to even.
const ROUNDER = 1.5 * 2 ** 52;

function roundHalfEven(value: number): number {
  return value + ROUNDER - ROUNDER;
}
