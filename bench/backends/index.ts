/** The table of backends: a new one is a file and a row. */
import type { BackendSource } from '../backend.ts';
import { corr2d } from './corr2d.ts';
import { corr2dAsync } from './corr2d-async.ts';
import { corr2dChannelsLast } from './corr2d-channels-last.ts';
import { onnxruntime } from './onnxruntime.ts';
import { onnxruntimeNode } from './onnxruntime-node.ts';
import { opencv } from './opencv.ts';
import { opencvWasm } from './opencv-wasm.ts';
import { openvino } from './openvino.ts';
import { plain } from './plain.ts';
import { pytorch } from './pytorch.ts';
import { pytorchChannelsLast } from './pytorch-channels-last.ts';
import { sharp } from './sharp.ts';
import { tfjsCpu } from './tfjs-cpu.ts';
import { tfjsWasm } from './tfjs-wasm.ts';

/** Every backend that comes with the package. */
export const backends: readonly BackendSource[] = [
  corr2d,
  corr2dAsync,
  corr2dChannelsLast,
  plain,
  onnxruntimeNode,
  tfjsWasm,
  tfjsCpu,
  sharp,
  opencvWasm,
  pytorch,
  pytorchChannelsLast,
  onnxruntime,
  openvino,
  opencv,
];
