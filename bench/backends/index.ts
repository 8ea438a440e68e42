/** The table of backends: a new one is a file and a row. */
import type { BackendSource } from '../backend.ts';
import { corr2d } from './corr2d.ts';
import { onnxruntime } from './onnxruntime.ts';
import { opencv } from './opencv.ts';
import { openvino } from './openvino.ts';
import { plain } from './plain.ts';
import { pytorch } from './pytorch.ts';
import { pytorchChannelsLast } from './pytorch-channels-last.ts';

/** Every backend that comes with the package, in the order of reports. */
export const backends: readonly BackendSource[] = [
  corr2d,
  plain,
  pytorch,
  pytorchChannelsLast,
  onnxruntime,
  openvino,
  opencv,
];
