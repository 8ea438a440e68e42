// npm run instructions: counts what one run of ten kernels executes, under callgrind, and warns where it is more than the committed
// baseline, bench/instructions.json. Unlike a time, a count is the same on every busy machine. `-- --write` renews the baseline,
// `-- --strict` makes a warning a failure. On the AVX2 tier: valgrind knows no AVX-512. Needs Rust and valgrind.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { benchmarkBinary } from './lib/benchmark-binary.mjs';
import { root } from './lib/command.mjs';

const BASELINE = path.join(root, 'bench/instructions.json');
const ISA = 'avx2';
/** A compiler's whims stay below this. */
const TOLERANCE = 1.02;

/** One for each algorithm, and poolings; names of the suite `layers`. */
const KERNELS = [
  'r50.conv1',
  'r50.c2.1x1.reduce',
  'r50.c2.3x3',
  'r50.c4.1x1.reduce',
  'mnv2.dw.14',
  'img.gray.5x5',
  'resnext.g32',
  'lenet.conv1.b256',
  'pool.max.3x3.s2.p1',
  'pool.avg.2x2.s2.b256',
];

function count(binary, kernel) {
  const args = ['--tool=callgrind', '--callgrind-out-file=/dev/null', '--toggle-collect=*measured*', binary];
  const { error, stderr, status } = spawnSync('valgrind', args, {
    encoding: 'utf8',
    env: { ...process.env, CORR2D_ISA: ISA, CORR2D_THREADS: '1', CORR2D_ONCE: kernel },
  });
  if (error) throw new Error(`could not start valgrind: ${error.message}`);
  const collected = /Collected : (\d+)/.exec(stderr)?.[1];
  if (status !== 0 || collected === undefined) throw new Error(`valgrind failed on ${kernel}:\n${stderr}`);
  return Number(collected);
}

const binary = benchmarkBinary('layers');
const counts = Object.fromEntries(KERNELS.map((kernel) => [kernel, count(binary, kernel)]));
if (process.argv.includes('--write')) {
  writeFileSync(BASELINE, `${JSON.stringify({ isa: ISA, instructions: counts }, null, 2)}\n`);
}
const { instructions } = JSON.parse(readFileSync(BASELINE, 'utf8'));
let warnings = 0;
for (const [kernel, now] of Object.entries(counts)) {
  const ratio = now / instructions[kernel];
  const isMore = !(ratio <= TOLERANCE);
  if (isMore) warnings += 1;
  console.log(
    `${kernel.padEnd(24)} ${String(now).padStart(12)} ${ratio.toFixed(3)}${isMore ? '  warning: more than the baseline' : ''}`,
  );
}
console.log(`${KERNELS.length} kernels, ${warnings} with a warning`);
process.exitCode = warnings > 0 && process.argv.includes('--strict') ? 1 : 0;
