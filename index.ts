export {
  type AdaptivePool2dOptions,
  type AdaptivePoolOptions,
  adaptiveAvgPool2d,
  adaptiveMaxPool2d,
  globalAvgPool2d,
  globalMaxPool2d,
  type IndexedAdaptiveMaxPool2dOptions,
  type OutputSize,
} from './src/adaptive-pool2d.ts';
export type { AbortSignalLike, AsyncControl, AsyncOptions } from './src/async-call.ts';
export type { ImageFormat } from './src/batch/codec.ts';
export type { KernelSpec } from './src/batch/kernel-spec.ts';
export type {
  FilterStep,
  GradientStep,
  Pipeline,
  PipelineStep,
  PoolStep,
} from './src/batch/pipeline.ts';
export {
  type FailedImage,
  type ImageProgress,
  type ImageResult,
  type ProcessedImage,
  type ProcessImagesOptions,
  processImages,
} from './src/batch/process-images.ts';
export type { ByteStream, FileURL, ImageSource, ImageSources } from './src/batch/sources.ts';
export type { Pair } from './src/check.ts';
export type { ConvOptions } from './src/conv-settings.ts';
export {
  type ConvTranspose2dOptions,
  type ConvTransposeOptions,
  convTranspose2d,
  convTranspose2dOutputShape,
} from './src/conv-transpose2d.ts';
export { type Conv2dOptions, conv2d, conv2dOutputShape } from './src/conv2d.ts';
export { corr2d, corr2dMultiIn, corr2dMultiInOut, corr2dMultiInOut1x1 } from './src/corr2d.ts';
export {
  type CorrelateTemplateOptions,
  correlateTemplate,
  type TemplateMatch,
  type TemplateMethod,
} from './src/correlate-template.ts';
export type { Corr2dError, ErrorCode } from './src/errors.ts';
export {
  type GradientMagnitudeAsyncOptions,
  type GradientMagnitudeOptions,
  type GradientOperator,
  gradientMagnitude,
  gradientMagnitudeAsync,
} from './src/gradient-magnitude.ts';
export {
  avgPool2dBackward,
  type Conv2dBackwardOptions,
  type ConvGradients,
  type ConvTranspose2dBackwardOptions,
  conv2dBackward,
  convTranspose2dBackward,
  maxPool2dBackward,
} from './src/gradients.ts';
export {
  type FilterImageAsyncOptions,
  type FilterImageOptions,
  filterImage,
  filterImageAsync,
} from './src/image.ts';
export type { ImageBorder, ImageFilterOptions, ImageOutOption } from './src/image-call.ts';
export {
  type ImageTensorOptions,
  imageToTensor,
  type TensorImageOptions,
  tensorToImage,
} from './src/image-tensor.ts';
export type { GaborOptions } from './src/kernels.ts';
export * as kernels from './src/kernels.ts';
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
} from './src/kernels.ts';
export { AdaptiveAvgPool2D, type AdaptiveAvgPool2DJSON } from './src/layers/adaptive-avg-pool2d.ts';
export {
  AdaptiveMaxPool2D,
  type AdaptiveMaxPool2DJSON,
  type AdaptiveMaxPool2DOptions,
} from './src/layers/adaptive-max-pool2d.ts';
export { AvgPool2D, type AvgPool2DJSON } from './src/layers/avg-pool2d.ts';
export {
  ConvTranspose2D,
  type ConvTranspose2DJSON,
  type ConvTranspose2DOptions,
} from './src/layers/conv-transpose2d.ts';
export { Conv2D, type Conv2DJSON, type Conv2DOptions, type WeightOptions } from './src/layers/conv2d.ts';
export type { Convolution, StepGradients, StepOptions } from './src/layers/convolution.ts';
export type { ConvolutionJSON, JSONNumber } from './src/layers/convolution-json.ts';
export type { Init } from './src/layers/initialize.ts';
export type { Layer, LayerJSON } from './src/layers/layer.ts';
export { LPPool2D, type LPPool2DJSON } from './src/layers/lp-pool2d.ts';
export { MaxPool2D, type MaxPool2DJSON, type MaxPool2DOptions } from './src/layers/max-pool2d.ts';
export type { PlanOptions } from './src/layers/plan-options.ts';
export { layerFromJSON, Sequential, type SequentialJSON } from './src/layers/sequential.ts';
export { loadSafetensors, loadStateDict, saveSafetensors, stateDict } from './src/layers/state.ts';
export { type Limits, setLimits } from './src/limits.ts';
export { type LpPool2dOptions, lpPool2d } from './src/lp-pool2d.ts';
export type { IndexedMax } from './src/max-indices.ts';
export type { NestedArray, NestedNumbers } from './src/nested.ts';
export type { OnnxAttribute } from './src/onnx/attributes.ts';
export {
  fromOnnxNode,
  type Int64Tensor,
  type OnnxCall,
  type OnnxInputs,
  type OnnxNode,
} from './src/onnx/node.ts';
export type { Activation, Algorithm, Layout, Padding, PaddingMode } from './src/options.ts';
export type { OutOption } from './src/output.ts';
export type { Image, PixelData, SampleArrays } from './src/pixels.ts';
export type { Plan } from './src/plan.ts';
export type { PlanCandidate, PlanExplanation, RegisterTile } from './src/plan-explanation.ts';
export {
  type ImagePoolMode,
  type PoolImageAsyncOptions,
  type PoolImageOptions,
  poolImage,
  poolImageAsync,
} from './src/pool-image.ts';
export type { AvgPoolOptions, PoolMode, PoolOptions } from './src/pool-settings.ts';
export {
  type AvgPool2dOptions,
  avgPool2d,
  type IndexedMaxPool2dOptions,
  type MaxPool2dOptions,
  maxPool2d,
  pool2d,
  pool2dOutputShape,
} from './src/pool2d.ts';
export { getThreads, type Info, info, setThreads } from './src/runtime.ts';
export { readSafetensors, writeSafetensors } from './src/safetensors.ts';
export type { DimsData, ShapedData, TensorLayout } from './src/tensor.ts';
export { Tensor, type TensorInput } from './src/tensor.ts';
