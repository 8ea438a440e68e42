/** onnxruntime of Python, its CPU provider (MLAS). */
import type { BackendSource } from '../backend.ts';
import { hasOnnxModel, onnxModel } from '../onnx-model.ts';
import { pythonBackend } from '../python-child.ts';

export const onnxruntime: BackendSource = pythonBackend({
  name: 'onnxruntime',
  module: 'with_onnxruntime',
  packages: 'onnxruntime numpy',
  supports: hasOnnxModel,
  model: onnxModel,
});
