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
    'bench-main': 'bench/main.ts',
    cli: 'src/cli/main.ts',
  },
  format: ['esm', 'cjs'],
  outDir: 'dist',
  platform: 'node',
  target: 'node20',
  tsconfig: 'tsconfig.build.json',
  plugins: [
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
  // What entries share, under a name of its own: it would be called after the folder that the repository is in.
  outputOptions: { advancedChunks: { groups: [{ name: 'library', minShareCount: 2 }] } },
  dts: { oxc: true },
  fixedExtension: true,
  // Stable names, so that two builds of the same sources are the same files.
  hash: false,
  clean: true,
  report: false,
});
