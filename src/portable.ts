/** Everything that runs in browsers, too: what `corr2d/wasm` gives. */
export {
  type AdaptivePool2dOptions,
  type AdaptivePoolOptions,
  adaptiveAvgPool2d,
  adaptiveMaxPool2d,
  globalAvgPool2d,
  globalMaxPool2d,
  type IndexedAdaptiveMaxPool2dOptions,
  type OutputSize,
} from './adaptive-pool2d.ts';
export type { AbortSignalLike, AsyncControl, AsyncOptions } from './async-call.ts';
export type { Pair } from './check.ts';
export type { ConvOptions } from './conv-settings.ts';
export {
  type ConvTranspose2dOptions,
  type ConvTransposeOptions,
  convTranspose2d,
  convTranspose2dOutputShape,
} from './conv-transpose2d.ts';
export { type Conv2dOptions, conv2d, conv2dOutputShape } from './conv2d.ts';
export { corr2d, corr2dMultiIn, corr2dMultiInOut, corr2dMultiInOut1x1 } from './corr2d.ts';
export {
  type CorrelateTemplateOptions,
  correlateTemplate,
  type TemplateMatch,
  type TemplateMethod,
} from './correlate-template.ts';
export type { Corr2dError, ErrorCode } from './errors.ts';
export {
  type GradientMagnitudeAsyncOptions,
  type GradientMagnitudeOptions,
  type GradientOperator,
  gradientMagnitude,
  gradientMagnitudeAsync,
} from './gradient-magnitude.ts';
export {
  avgPool2dBackward,
  type Conv2dBackwardOptions,
  type ConvGradients,
  type ConvTranspose2dBackwardOptions,
  conv2dBackward,
  convTranspose2dBackward,
  maxPool2dBackward,
} from './gradients.ts';
export {
  type FilterImageAsyncOptions,
  type FilterImageOptions,
  filterImage,
  filterImageAsync,
} from './image.ts';
export type { ImageBorder, ImageFilterOptions, ImageOutOption } from './image-call.ts';
export {
  type ImageTensorOptions,
  imageToTensor,
  type TensorImageOptions,
  tensorToImage,
} from './image-tensor.ts';
export type { GaborOptions } from './kernels.ts';
export * as kernels from './kernels.ts';
export {
  box,
  emboss,
  gabor,
  gaussian,
  laplacian,
  log,
  prewittX,
  prewittY,
  scharrX,
  scharrY,
  sharpen,
  sobelX,
  sobelY,
  unsharp,
} from './kernels.ts';
export { AdaptiveAvgPool2D, type AdaptiveAvgPool2DJSON } from './layers/adaptive-avg-pool2d.ts';
export {
  AdaptiveMaxPool2D,
  type AdaptiveMaxPool2DJSON,
  type AdaptiveMaxPool2DOptions,
} from './layers/adaptive-max-pool2d.ts';
export { AvgPool2D, type AvgPool2DJSON } from './layers/avg-pool2d.ts';
export {
  ConvTranspose2D,
  type ConvTranspose2DJSON,
  type ConvTranspose2DOptions,
} from './layers/conv-transpose2d.ts';
export { Conv2D, type Conv2DJSON, type Conv2DOptions, type WeightOptions } from './layers/conv2d.ts';
export type { Convolution, StepGradients, StepOptions } from './layers/convolution.ts';
export type { ConvolutionJSON, JSONNumber } from './layers/convolution-json.ts';
export type { Init } from './layers/initialize.ts';
export type { Layer, LayerJSON } from './layers/layer.ts';
export { LPPool2D, type LPPool2DJSON } from './layers/lp-pool2d.ts';
export { MaxPool2D, type MaxPool2DJSON, type MaxPool2DOptions } from './layers/max-pool2d.ts';
export type { PlanOptions } from './layers/plan-options.ts';
export { layerFromJSON, Sequential, type SequentialJSON } from './layers/sequential.ts';
export { loadSafetensors, loadStateDict, saveSafetensors, stateDict } from './layers/state.ts';
export { type Limits, setLimits } from './limits.ts';
export { type LpPool2dOptions, lpPool2d } from './lp-pool2d.ts';
export type { IndexedMax } from './max-indices.ts';
export type { NestedArray, NestedNumbers } from './nested.ts';
export type { OnnxAttribute } from './onnx/attributes.ts';
export {
  fromOnnxNode,
  type Int64Tensor,
  type OnnxCall,
  type OnnxInputs,
  type OnnxNode,
} from './onnx/node.ts';
export type { Activation, Algorithm, Layout, Padding, PaddingMode } from './options.ts';
export type { OutOption } from './output.ts';
export type { Image, PixelData, SampleArrays } from './pixels.ts';
export type { Plan } from './plan.ts';
export type { PlanCandidate, PlanExplanation, RegisterTile } from './plan-explanation.ts';
export {
  type ImagePoolMode,
  type PoolImageAsyncOptions,
  type PoolImageOptions,
  poolImage,
  poolImageAsync,
} from './pool-image.ts';
export type { AvgPoolOptions, PoolMode, PoolOptions } from './pool-settings.ts';
export {
  type AvgPool2dOptions,
  avgPool2d,
  type IndexedMaxPool2dOptions,
  type MaxPool2dOptions,
  maxPool2d,
  pool2d,
  pool2dOutputShape,
} from './pool2d.ts';
export { getThreads, type Info, info, setThreads } from './runtime.ts';
export { readSafetensors, writeSafetensors } from './safetensors.ts';
export type { DimsData, ShapedData, TensorLayout } from './tensor.ts';
export { Tensor, type TensorInput } from './tensor.ts';
export { loadTuning, saveTuning, type Tuning, type TuningEntry } from './tuning.ts';
