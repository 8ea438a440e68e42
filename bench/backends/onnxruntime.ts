/** onnxruntime of Python, its CPU provider (MLAS). */
import type { BackendSource } from '../backend.ts';
import { pythonBackend } from '../python-child.ts';

export const onnxruntime: BackendSource = pythonBackend({
  name: 'onnxruntime',
  module: 'with_onnxruntime',
  packages: 'onnxruntime onnx numpy',
  supports: ({ kind }) => kind === 'conv' || kind === 'maxpool' || kind === 'avgpool',
});
