/** `corr2d pool`: the largest, smallest or mean sample of each window. */
import { Command, Option } from 'commander';
import type { PoolStep } from '../batch/pipeline.ts';
import type { Pair } from '../check.ts';
import { pair } from './arguments.ts';
import { type FolderArguments, runFolderCommand, withFolderOptions } from './folder-command.ts';

interface PoolArguments extends FolderArguments {
  size: Pair;
  mode: 'max' | 'avg' | 'min';
  stride?: Pair;
  padding?: Pair;
}

/** The command. */
export function poolCommand(): Command {
  const command = new Command('pool')
    .description('pools images: the largest, smallest or mean sample of each window')
    .requiredOption('-s, --size <side|height,width>', 'the window', pair)
    .addOption(
      new Option('-m, --mode <mode>', 'max (dilation), min (erosion) or avg')
        .choices(['max', 'min', 'avg'])
        .default('max'),
    )
    .option('--stride <step|down,across>', 'step of the window (default: the window)', pair)
    .option('--padding <pixels|height,width>', 'rows and columns around the image (default: 0)', pair);
  return withFolderOptions(command).action((inputs: string[], given: PoolArguments) => {
    const { size, mode, stride, padding } = given;
    const step: PoolStep = { op: 'pool', size, mode };
    if (stride !== undefined) step.stride = stride;
    if (padding !== undefined) step.padding = padding;
    return runFolderCommand(inputs, [step], given);
  });
}
