#!/usr/bin/env node
// Speaks as bench/python/child.py does, without Python: arrays of zeros are its results. Its module is given as argv[3].
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

let elements = 0;
const calls = {
  load: ({ threads }) => ({
    version: `${process.argv[3]} on ${threads}, OMP_NUM_THREADS=${process.env.OMP_NUM_THREADS}`,
  }),
  prepare({ problem, files }) {
    if (problem.kind === 'conv') return { supported: false };
    if (problem.kind === 'avgpool') process.exit(3);
    elements = problem.n * problem.c * problem.outputSides[0] * problem.outputSides[1];
    return { supported: files.length === 3, details: { variant: 'fake' } };
  },
  output({ files }) {
    writeFileSync(files[0], new Float32Array(elements).fill(process.env.FAKE_VALUE));
    return { count: 1 };
  },
  sample: ({ minSamples }) =>
    process.env.FAKE_ENDS ? process.exit(4) : { samples: Array(minSamples).fill(0.125) },
  dispose: () => ({}),
};

createInterface({ input: process.stdin }).on('line', (line) => {
  const { call, ...request } = JSON.parse(line);
  process.stdout.write(`${JSON.stringify({ ...calls[call](request), resident: 1000 })}\n`);
});
