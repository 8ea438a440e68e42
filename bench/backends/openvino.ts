/** OpenVINO's CPU device. */
import type { BackendSource } from '../backend.ts';
import { pythonBackend } from '../python-child.ts';

export const openvino: BackendSource = pythonBackend({
  name: 'openvino',
  module: 'with_openvino',
  packages: 'openvino numpy',
  supports: ({ kind }) => kind === 'conv' || kind === 'maxpool' || kind === 'avgpool',
});
