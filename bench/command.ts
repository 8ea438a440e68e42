/** The command `bench`: reads arguments, shows progress, writes reports. */
import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import cliProgress from 'cli-progress';
import { Command, InvalidArgumentError, Option } from 'commander';
import { anyNumber, positiveInteger } from '../src/cli/arguments.ts';
import { EXIT_FAILED, EXIT_INTERRUPTED } from '../src/cli/exit.ts';
import { invalidValue } from '../src/errors.ts';
import type { Backend, BackendSource } from './backend.ts';
import { type BenchOptions, bench } from './bench.ts';
import { compare, comparisonText } from './report/compare.ts';
import { markdown } from './report/markdown.ts';
import { loadVega, svg } from './report/svg.ts';
import { table } from './report/table.ts';
import type { Report } from './report.ts';
import { suites } from './suites.ts';

/** What commander makes of the arguments. */
interface Flags {
  suite?: string;
  only?: RegExp;
  backends?: string[];
  backend: string[];
  threads?: number;
  rounds: number;
  time: number;
  cold?: true;
  full?: true;
  python?: string;
  json?: string;
  svg?: string;
  markdown?: string;
  compare?: string;
}

function seconds(text: string): number {
  const value = anyNumber(text);
  if (value <= 0) throw new InvalidArgumentError('It must be more than 0.');
  return value;
}

function pattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch {
    throw new InvalidArgumentError('It must be a regular expression.');
  }
}

const list = (text: string): string[] => text.split(',');
const more = (text: string, before: string[]): string[] => [...before, text];

/** The command. */
export function benchCommand(): Command {
  return new Command('bench')
    .description('measure corr2d and every other backend that is installed')
    .argument('[problems...]', 'problems on one line, such as conv:c64h56w56-o64k3p1')
    .option('--suite <name|file>', `${Object.keys(suites).join(', ')}, or a JSON file (default: layers)`)
    .option('--only <regex>', 'only problems whose name or class matches', pattern)
    .option('--backends <list>', 'names, separated by commas (default: all that are installed)', list)
    .option('--backend <module>', 'a backend of your own: a module whose default export is one', more, [])
    .option('--threads <n>', 'threads of every backend', positiveInteger)
    .option('--rounds <n>', 'rounds over all backends', positiveInteger, 5)
    .option('--time <seconds>', 'time of a round of one backend', seconds, 0.05)
    .option('--cold', 'empty the caches before each run')
    .option('--full', 'compare all elements with the reference, not a sample')
    .option('--python <program>', 'the Python that has PyTorch and others')
    .option('--json <file>', 'write the whole report')
    .option('--svg <file>', 'draw a roofline and the ratios')
    .option('--markdown <file>', 'write a report for documents')
    .addOption(
      new Option('--compare <file>', 'list what got slower since a report of --json; then exit with 1'),
    )
    .action(async (problems: string[], flags: Flags) => {
      process.exitCode = await runBench(problems, flags);
    });
}

/** The module of a third party. */
async function loadModule(file: string): Promise<Backend | BackendSource> {
  let module: { default?: Backend | BackendSource };
  try {
    module = await import(pathToFileURL(path.resolve(file)).href);
  } catch (error) {
    throw invalidValue(`a module that can be loaded (${(error as Error).message})`, 'backend', file);
  }
  if (typeof module.default !== 'object' || module.default === null) {
    throw invalidValue('a module whose default export is a backend', 'backend', file);
  }
  return module.default;
}

function readReport(file: string): Report {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    throw invalidValue('a report written by --json', 'compare', file);
  }
}

function checkWritable(option: string, file: string | undefined): void {
  if (file === undefined) return;
  try {
    accessSync(path.dirname(path.resolve(file)), constants.W_OK);
  } catch {
    throw invalidValue('a file in a folder that can be written to', option, file);
  }
}

async function runBench(problems: string[], flags: Flags): Promise<number> {
  // All checked before the measurement, so that a mistake doesn't cost minutes.
  for (const option of ['json', 'svg', 'markdown'] as const) checkWritable(option, flags[option]);
  if (flags.svg !== undefined) loadVega();
  const before = flags.compare === undefined ? undefined : readReport(flags.compare);
  if (before !== undefined) compare(before, before);
  const own = await Promise.all(flags.backend.map(loadModule));
  const named = flags.backends ?? (own.length > 0 ? ['corr2d', 'plain'] : undefined);
  const interrupt = new AbortController();
  const stop = (): void => interrupt.abort();
  process.once('SIGINT', stop);
  const progress = new Progress();
  const options: BenchOptions = {
    suite: flags.suite,
    problems,
    only: flags.only,
    backends: named === undefined ? undefined : [...named, ...own],
    threads: flags.threads,
    rounds: flags.rounds,
    maxTime: flags.time,
    cold: flags.cold ?? false,
    check: flags.full ? 'full' : 'sample',
    python: flags.python,
    signal: interrupt.signal,
    onProgress: (done, total, name) => progress.show(done, total, name),
  };
  let report: Report;
  try {
    report = await bench(options);
  } finally {
    progress.stop();
    process.off('SIGINT', stop);
  }
  if (flags.json !== undefined) writeFileSync(flags.json, `${JSON.stringify(report)}\n`);
  if (flags.markdown !== undefined) writeFileSync(flags.markdown, markdown(report));
  if (flags.svg !== undefined) writeFileSync(flags.svg, await svg(report));
  console.log(table(report));
  if (before !== undefined) {
    const comparison = compare(before, report);
    console.log(`\n${comparisonText(comparison)}`);
    if (comparison.slower.length > 0) return EXIT_FAILED;
  }
  return report.interrupted ? EXIT_INTERRUPTED : 0;
}

/** A bar on standard error, on terminals only. */
class Progress {
  readonly #bar = new cliProgress.SingleBar(
    { format: '{bar} {percentage} % {name} {eta_formatted}', hideCursor: true, clearOnComplete: true },
    cliProgress.Presets.shades_classic,
  );
  #started = false;

  show(done: number, total: number, name: string): void {
    if (!this.#started) this.#bar.start(total, 0, { name });
    this.#started = true;
    this.#bar.update(done, { name });
  }

  stop(): void {
    if (this.#started) this.#bar.stop();
  }
}
