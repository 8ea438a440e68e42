/** PyTorch's CPU operators with tensors in its memory format channels_last. */
import type { BackendSource } from '../backend.ts';
import { isFilter } from '../problem.ts';
import { pythonBackend } from '../python-child.ts';

export const pytorchChannelsLast: BackendSource = pythonBackend({
  name: 'pytorch-channels-last',
  module: 'with_torch_channels_last',
  packages: 'torch numpy',
  layout: 'NHWC',
  supports: (problem) => !isFilter(problem),
});
