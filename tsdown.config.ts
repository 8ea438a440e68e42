import path from 'node:path';
import { defineConfig } from 'tsdown';

// tsdown 0.21 is the last line for Node 20 and its declared peer range ends at TypeScript 6. Declarations come from oxc
// (isolatedDeclarations), which does not use TypeScript, so `overrides` in package.json lifts that range; it keeps the
// compiler that @arethetypeswrong/core brings for itself.
export default defineConfig({
  // One line for each public entry. The output stays one level deep: paths to loader/ are then right from src/ and from
  // dist/ alike.
  entry: {
    index: 'index.ts',
    bench: 'bench/index.ts',
    cli: 'src/cli/main.ts',
  },
  format: ['esm', 'cjs'],
  outDir: 'dist',
  platform: 'node',
  target: 'node20',
  tsconfig: 'tsconfig.build.json',
  plugins: [
    {
      // Programs that are bundled to ES modules often declare the same name in a banner.
      name: 'no createRequire by its name',
      renderChunk: (code) =>
        code
          .replace('import { createRequire } from "node:module";', 'import nodeModule from "node:module";')
          .replace(/(?<![.\w])createRequire\(/, 'nodeModule.createRequire('),
    },
    {
      // Kept as it is: bundlers of programs follow its literal requires to the binary. tsdown would change the path.
      name: 'loader',
      resolveId: {
        order: 'pre',
        filter: { id: /^\.\.\/loader\// },
        handler: (id) => ({ id, external: 'absolute' }),
      },
    },
  ],
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
  fixedExtension: true,
  // Stable names, so that two builds of the same sources are the same files.
  hash: false,
  clean: true,
  report: false,
});
