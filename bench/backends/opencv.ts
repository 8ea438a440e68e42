/** OpenCV of Python: filters of images and of planes. */
import type { BackendSource } from '../backend.ts';
import { pythonBackend } from '../python-child.ts';

export const opencv: BackendSource = pythonBackend({
  name: 'opencv',
  module: 'with_opencv',
  packages: 'opencv-python-headless numpy',
  supports: ({ kind }) => !kind.endsWith('grad'),
});
