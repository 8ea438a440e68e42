/** `corr2d pipeline`: several steps, written in a JSON file. */
import { Command } from 'commander';
import type { Pipeline } from '../batch/pipeline.ts';
import { type FolderArguments, runFolderCommand, withFolderOptions } from './folder-command.ts';
import { readJSON } from './json-file.ts';

interface PipelineArguments extends FolderArguments {
  steps: string;
}

/** The command. */
export function pipelineCommand(): Command {
  const command = new Command('pipeline')
    .description('takes images through several steps')
    .requiredOption(
      '-s, --steps <file.json>',
      'an array of steps, such as [{"op": "filter", "kernel": "gaussian(2)"}, {"op": "pool", "size": 2}]',
    );
  return withFolderOptions(command).action(async (inputs: string[], given: PipelineArguments) =>
    runFolderCommand(inputs, (await readJSON(given.steps)) as Pipeline, given),
  );
}
