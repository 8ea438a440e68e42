import { defineConfig } from 'vitest/config';

// `scripts/test.mjs` runs `unit` once for each instruction set of the machine, `types`, `slow` and `package` once.
// The benchmark measures the addon: threads, a clock and the caches, none of which WebAssembly has.
const notOnWasm = process.env.CORR2D_BACKEND === 'wasm' ? ['test/bench/**'] : [];

export default defineConfig({
  test: {
    // By default one core is left idle, which on a machine of two halves the speed.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/package/**', 'test/onnx/**', 'test/slow/**', ...notOnWasm],
          // A busy machine is no failure.
          testTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'types',
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            include: ['test/types/**/*.test-d.ts'],
            tsconfig: './tsconfig.json',
          },
        },
      },
      {
        test: {
          // Needs a file that `scripts/test.mjs` has Python write.
          name: 'onnx',
          include: ['test/onnx/*.test.ts'],
        },
      },
      {
        test: {
          name: 'slow',
          include: ['test/slow/**/*.test.ts'],
          // Whole programs that are started, killed and started again.
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'package',
          include: ['test/package/*.test.ts'],
          // Packing, installing and compiling take seconds, on a busy machine many.
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
