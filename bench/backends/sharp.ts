/** sharp, which filters raw pixels by libvips. */
import { type BackendSource, defineBackend, type Prepared } from '../backend.ts';
import type { Data, Weights } from '../data.ts';
import { loadPackage } from '../optional.ts';
import { type FilterProblem, isFilter, type Problem } from '../problem.ts';

interface Pipeline {
  convolve(options: Record<string, unknown>): Pipeline;
  toColourspace(space: string): Pipeline;
  raw(): Pipeline;
  toBuffer(): Promise<Buffer>;
}

interface Sharp {
  (data: Data, options: { raw: { width: number; height: number; channels: number } }): Pipeline;
  versions: { sharp: string };
  concurrency(threads: number): number;
  cache(on: boolean): unknown;
}

function prepare(sharp: Sharp, problem: FilterProblem, weights: Weights): Prepared {
  const { w: width, h: height, c: channels, kernel } = problem;
  const options = { width: kernel[1], height: kernel[0], kernel: [...weights.weight], scale: 1 };
  const raw = { width, height, channels };
  let last: Buffer = Buffer.alloc(0);
  return {
    run: async () => {
      const filtered = sharp(weights.x, { raw }).convolve(options);
      const coloured = channels === 1 ? filtered.toColourspace('b-w') : filtered;
      last = await coloured.raw().toBuffer();
    },
    output: () => last,
    dispose: () => {},
  };
}

/** Float pixels it makes bytes of on the way, an alpha channel it would premultiply; its kernel has 3 to 1001 taps a side. */
function supports(problem: Problem): boolean {
  if (!isFilter(problem) || problem.kind === 'gauss' || problem.kind === 'dilate') return false;
  const { c, kernel, pixels } = problem;
  return pixels === 'u8' && (c === 1 || c === 3) && Math.min(...kernel) >= 3 && Math.max(...kernel) <= 1001;
}

/** `convolve` from raw pixels to raw pixels. */
export const sharp: BackendSource = {
  name: 'sharp',
  install: 'npm install sharp',
  async load({ threads }) {
    const loaded = loadPackage<Sharp>('sharp');
    const before = loaded.concurrency(0);
    loaded.concurrency(threads);
    // Otherwise it would remember the result of the first run.
    loaded.cache(false);
    return defineBackend({
      name: 'sharp',
      version: loaded.versions.sharp,
      supports,
      prepare: (problem, weights) => prepare(loaded, problem as FilterProblem, weights),
      close: () => {
        loaded.concurrency(before);
      },
    });
  },
};
