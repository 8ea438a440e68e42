/** The public interface. What needs files stands here, the rest in `src/portable.ts`. */
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
export * from './src/portable.ts';
