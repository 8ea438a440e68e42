/** OpenCV compiled to WebAssembly, on one thread. */
import { type BackendSource, defineBackend, type Prepared } from '../backend.ts';
import { type Data, sigmaOf, type Weights } from '../data.ts';
import { loadPackage } from '../optional.ts';
import type { FilterProblem } from '../problem.ts';

interface Mat {
  readonly data: Uint8Array;
  readonly data32F: Float32Array;
  delete(): void;
}

interface OpenCV {
  Mat: { new (rows: number, columns: number, type: number): Mat };
  Point: new (x: number, y: number) => unknown;
  Size: new (width: number, height: number) => unknown;
  BORDER_REPLICATE: number;
  filter2D(
    x: Mat,
    out: Mat,
    depth: number,
    kernel: Mat,
    anchor: unknown,
    delta: number,
    border: number,
  ): void;
  GaussianBlur(x: Mat, out: Mat, size: unknown, sigmaX: number, sigmaY: number, border: number): void;
  getBuildInformation(): string;
}

const CV_8U = 0;
const CV_32F = 5;

function prepare(cv: OpenCV, problem: FilterProblem, weights: Weights): Prepared {
  const { h, w, c, kernel, pixels, kind } = problem;
  const mat = (data: Data, rows: number, columns: number, channels: number): Mat => {
    const isBytes = data instanceof Uint8Array;
    const made = new cv.Mat(rows, columns, (isBytes ? CV_8U : CV_32F) + ((channels - 1) << 3));
    (isBytes ? made.data : made.data32F).set(data);
    return made;
  };
  const x = mat(weights.x, h, w, c);
  const out = mat(pixels === 'u8' ? new Uint8Array(h * w * c) : new Float32Array(h * w * c), h, w, c);
  const taps = mat(weights.weight, ...kernel, 1);
  const [anchor, size] = [new cv.Point(-1, -1), new cv.Size(kernel[1], kernel[0])];
  return {
    run: () =>
      kind === 'gauss'
        ? cv.GaussianBlur(x, out, size, sigmaOf(kernel[1]), sigmaOf(kernel[0]), cv.BORDER_REPLICATE)
        : cv.filter2D(x, out, -1, taps, anchor, 0, cv.BORDER_REPLICATE),
    output: () => (pixels === 'u8' ? out.data.slice() : out.data32F.slice()),
    dispose: () => {
      for (const one of [x, out, taps]) one.delete();
    },
    details: () => ({ threads: 1 }),
  };
}

/** The package `opencv-wasm`. */
export const opencvWasm: BackendSource = {
  name: 'opencv-wasm',
  install: 'npm install opencv-wasm',
  async load() {
    const { cv } = loadPackage<{ cv: OpenCV }>('opencv-wasm');
    return defineBackend({
      name: 'opencv-wasm',
      version: /Version control:\s*(\S+)/.exec(cv.getBuildInformation())?.[1] ?? 'unknown',
      supports: ({ kind }) => ['filter', 'sharpen', 'gauss'].includes(kind),
      prepare: (problem, weights) => prepare(cv, problem as FilterProblem, weights),
    });
  },
};
