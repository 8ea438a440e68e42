/** PyTorch's CPU operators (oneDNN), tensors in [n, c, h, w]. */
import type { BackendSource } from '../backend.ts';
import { isFilter } from '../problem.ts';
import { pythonBackend } from '../python-child.ts';

export const pytorch: BackendSource = pythonBackend({
  name: 'pytorch',
  module: 'with_torch',
  packages: 'torch numpy',
  supports: (problem) => !isFilter(problem),
});
