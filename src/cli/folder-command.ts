/** What `filter`, `pool` and `pipeline` share: files in, a folder out. */
import { createInterface } from 'node:readline';
import { type Command, Option } from 'commander';
import { FORMATS, type ImageFormat } from '../batch/codec.ts';
import type { Pipeline } from '../batch/pipeline.ts';
import { type FileResult, processToFolder } from '../batch/to-folder.ts';
import { positiveInteger } from './arguments.ts';
import { useSharpSparingly } from './codec-settings.ts';
import { EXIT_FAILED, EXIT_INTERRUPTED } from './exit.ts';
import { startProgress } from './progress.ts';

/** The options that `withFolderOptions` adds. */
export interface FolderArguments {
  out: string;
  format?: ImageFormat;
  quality?: number;
  jobs?: number;
  recursive?: boolean;
  overwrite?: boolean;
  skipExisting?: boolean;
  maxPixels?: number;
  dryRun?: boolean;
  json?: boolean;
}

/** Adds inputs, `--out` and what goes with them. */
export function withFolderOptions(command: Command): Command {
  return command
    .argument(
      '<inputs...>',
      'files, folders and patterns; - reads their names from standard input, one a line',
    )
    .requiredOption('-o, --out <dir>', 'folder of the results')
    .addOption(
      new Option('--format <name>', 'format of the results (default: as each input)').choices(
        Object.keys(FORMATS),
      ),
    )
    .option('--quality <1-100>', 'quality of lossy formats', positiveInteger)
    .option('-j, --jobs <count>', 'images at once (default: one for each thread)', positiveInteger)
    .option('-r, --recursive', 'take the images in subfolders, too')
    .addOption(new Option('--overwrite', 'replace files that another job wrote').conflicts('skipExisting'))
    .option('--skip-existing', 'leave them alone')
    .option('--max-pixels <count>', 'refuse larger images (default: 100 million pixels)', positiveInteger)
    .option('-n, --dry-run', 'only say what would be done')
    .option('--json', 'print a JSON line for each file');
}

/** Runs a pipeline over the inputs and prints what became of them. */
export async function runFolderCommand(
  inputs: readonly string[],
  pipeline: Pipeline,
  given: FolderArguments,
): Promise<void> {
  useSharpSparingly();
  const interrupt = listenForInterrupt();
  const job = await processToFolder(withStandardInput(inputs), pipeline, {
    out: given.out,
    format: given.format,
    quality: given.quality,
    concurrency: given.jobs,
    recursive: given.recursive,
    existing: given.overwrite ? 'overwrite' : given.skipExisting ? 'skip' : 'error',
    dryRun: given.dryRun,
    maxPixels: given.maxPixels,
    isStopped: () => interrupt.received,
  });
  // The reader of JSON gets every line, failed ones too, so a progress display would only repeat them.
  const progress = given.json ? undefined : startProgress(job.total);
  const failed: FileResult[] = [];
  const counts = new Map<FileResult['status'], number>();
  try {
    for await (const result of job.run()) {
      counts.set(result.status, (counts.get(result.status) ?? 0) + 1);
      if (result.status === 'failed') failed.push(result);
      if (given.json) console.log(JSON.stringify(asJSON(result)));
      progress?.step(result);
    }
  } finally {
    progress?.stop();
    interrupt.stop();
  }
  const done = [...counts.values()].reduce((a, b) => a + b, 0);
  const summary = [...counts].map(([status, count]) => `${count} ${status}`).join(', ');
  console.error(`${job.total} files: ${summary === '' ? 'none' : summary}`);
  for (const { error } of failed) console.error(`  ${error?.message} [${error?.code}]`);
  if (interrupt.received) {
    console.error(
      `interrupted with ${job.total - done} files left: the same command again goes on from here`,
    );
    process.exitCode = EXIT_INTERRUPTED;
  } else if (failed.length > 0) process.exitCode = EXIT_FAILED;
}

function asJSON({ error, ...result }: FileResult): object {
  return { ...result, error: error === null ? null : { code: error.code, message: error.message } };
}

async function* withStandardInput(inputs: readonly string[]): AsyncGenerator<string, void, undefined> {
  for (const input of inputs) {
    if (input !== '-') yield input;
    else for await (const line of createInterface({ input: process.stdin })) if (line !== '') yield line;
  }
}

/** The first Ctrl-C lets what is in flight come to its end; the second one ends the process. */
function listenForInterrupt(): { readonly received: boolean; stop(): void } {
  const state = { received: false, stop: () => process.off('SIGINT', listener).off('SIGTERM', listener) };
  const listener = (): void => {
    if (state.received) process.exit(EXIT_INTERRUPTED);
    state.received = true;
    process.stderr.write('\nfinishing what is in flight (once more to end at once)\n');
  };
  process.on('SIGINT', listener).on('SIGTERM', listener);
  return state;
}
