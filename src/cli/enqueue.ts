/** `corr2d enqueue`: puts image files into a queue for workers on any machine. */
import { Command, Option } from 'commander';
import { FORMATS, type ImageFormat } from '../batch/codec.ts';
import type { Pipeline } from '../batch/pipeline.ts';
import { enqueueImages } from '../queue/enqueue.ts';
import { positiveInteger } from './arguments.ts';
import { EXIT_FAILED } from './exit.ts';
import { readJSON } from './json-file.ts';
import { type QueueArguments, withQueueOptions } from './queue-options.ts';

interface EnqueueArguments extends QueueArguments {
  steps: string;
  out: string;
  format?: ImageFormat;
  quality?: number;
  recursive?: boolean;
  skipExisting?: boolean;
}

/** The command. */
export function enqueueCommand(): Command {
  const command = new Command('enqueue')
    .description('puts images into a queue, whose workers (corr2d worker) take them through several steps')
    .argument('<inputs...>', 'files, folders and patterns')
    .requiredOption('-s, --steps <file.json>', 'an array of steps, as for corr2d pipeline')
    .requiredOption('-o, --out <dir>', 'folder of the results, which every worker sees by this path');
  return withQueueOptions(command)
    .addOption(
      new Option('--format <name>', 'format of the results (default: as each input)').choices(
        Object.keys(FORMATS),
      ),
    )
    .option('--quality <1-100>', 'quality of lossy formats', positiveInteger)
    .option('-r, --recursive', 'take the images in subfolders, too')
    .option('--skip-existing', 'leave out images whose result is there')
    .action(async (inputs: string[], given: EnqueueArguments) => {
      const { steps, skipExisting, ...options } = given;
      const existing = skipExisting === true ? 'skip' : 'overwrite';
      const pipeline = (await readJSON(steps)) as Pipeline;
      const { queued, skipped, refused } = await enqueueImages(inputs, pipeline, { ...options, existing });
      console.error(`${queued} queued, ${skipped} skipped, ${refused.length} refused`);
      for (const { error } of refused) console.error(`  ${error.message} [${error.code}]`);
      if (refused.length > 0) process.exitCode = EXIT_FAILED;
    });
}
