/** The command line of the benchmark. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { invalidValue } from '../src/errors.ts';
import { getThreads } from '../src/runtime.ts';
import { backends } from './backends/index.ts';
import { table } from './report/table.ts';
import { run } from './run.ts';
import { entryOf, suite } from './suites.ts';

/** Runs the command; gives its exit code. */
export async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      suite: { type: 'string' },
      only: { type: 'string' },
      backends: { type: 'string' },
      threads: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      'max-time': { type: 'string', default: '0.05' },
      'min-time': { type: 'string', default: '0.005' },
      cold: { type: 'boolean', default: false },
      full: { type: 'boolean', default: false },
      json: { type: 'string' },
      python: { type: 'string', default: process.env.CORR2D_BENCH_PYTHON ?? 'python3' },
    },
  });
  const only = new RegExp(values.only ?? '');
  const named = positionals.map((text) => entryOf(text));
  const suites = values.suite?.split(',') ?? (named.length > 0 ? [] : ['layers']);
  const entries = [...suites.flatMap((name) => suite(name).entries), ...named].filter(
    ({ name, class: className }) => only.test(name) || only.test(className),
  );
  const names = values.backends?.split(',') ?? backends.map(({ name }) => name);
  const sources = names.map((name) => {
    const source = backends.find((candidate) => candidate.name === name);
    if (source === undefined)
      throw invalidValue(`one of ${backends.map((b) => b.name).join(', ')}`, 'backend', name);
    return source;
  });
  const threads = values.threads === undefined ? getThreads() : Number(values.threads);
  const report = await run({
    entries,
    sources,
    settings: { threads, python: values.python },
    rounds: Number(values.rounds),
    timing: {
      minTime: Number(values['min-time']),
      maxTime: Number(values['max-time']),
      minSamples: 3,
      cold: values.cold,
    },
    check: values.full ? 'full' : 'sample',
    progress: (done, total, what) => {
      if (process.stderr.isTTY) process.stderr.write(`\r${done.toFixed(1)}/${total} ${what}\x1b[K`);
    },
  });
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(report));
  console.log(table(report));
  return 0;
}
