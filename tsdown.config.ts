import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig, type UserConfig } from 'tsdown';

// tsdown 0.21 is the last line for Node 20 and its declared peer range ends at TypeScript 6. Declarations come from oxc
// (isolatedDeclarations), which does not use TypeScript, so `overrides` in package.json lifts that range; it keeps the
// compiler that @arethetypeswrong/core brings for itself.
const common: UserConfig = {
  // The output stays one level deep: paths to loader/ and wasm/ are then right from src/ and from dist/ alike.
  outDir: 'dist',
  platform: 'node',
  target: 'node20',
  tsconfig: 'tsconfig.build.json',
  fixedExtension: true,
  // Stable names, so that two builds of the same sources are the same files.
  hash: false,
  report: false,
};

// Kept as it is: bundlers of programs follow its literal requires to the binary. tsdown would change the path.
const loader = {
  name: 'loader',
  resolveId: {
    order: 'pre' as const,
    filter: { id: /\/loader\/\w+\.cjs$/ },
    handler: (id: string) => ({ id: `../loader/${id.split('/').at(-1)}`, external: 'absolute' as const }),
  },
};

/** The package with another module in place of `native.ts`, which chooses what computes. */
const inPlaceOfNative = (file: string) => ({
  name: 'in-place-of-native',
  resolveId: {
    order: 'pre' as const,
    filter: { id: /\/native\.ts$/ },
    handler: () => fileURLToPath(new URL(file, import.meta.url)),
  },
});

// Programs that are bundled to ES modules often declare the same name in a banner.
const noCreateRequire = {
  name: 'no-create-require',
  renderChunk: (code: string) =>
    code
      .replace('import { createRequire } from "node:module";', 'import nodeModule from "node:module";')
      .replace(/(?<![.\w])createRequire\(/, 'nodeModule.createRequire('),
};

export default defineConfig([
  {
    ...common,
    // One line for each public entry.
    entry: {
      index: 'index.ts',
      // For the types of `corr2d/wasm`.
      portable: 'src/portable.ts',
      bench: 'bench/index.ts',
      cli: 'src/cli/main.ts',
      queue: 'src/queue/index.ts',
    },
    format: ['esm', 'cjs'],
    plugins: [loader, noCreateRequire],
    // The part that all entries share would be called after the folder that the repository is in.
    outputOptions: (options, format) => ({
      ...options,
      chunkFileNames: ({ name }) => {
        const part = name.replace(/\.d$/, '');
        const named = part === path.basename(import.meta.dirname) ? 'library' : part;
        return `${named}.${format === 'cjs' ? 'cjs' : 'mjs'}`;
      },
    }),
    dts: { oxc: true },
    clean: true,
  },
  // `corr2d/wasm`: a module that waits for the WebAssembly module, in browsers too; for CommonJS one that reads it.
  {
    ...common,
    entry: { wasm: 'src/portable.ts' },
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    plugins: [inPlaceOfNative('src/wasm/door.ts'), loader],
    dts: false,
    clean: false,
  },
  {
    ...common,
    entry: { wasm: 'src/portable.ts' },
    format: 'cjs',
    plugins: [inPlaceOfNative('src/wasm/door-common.ts'), loader],
    dts: false,
    clean: false,
  },
]);
