/** `corr2d filter`: correlation with a kernel, or the length of a gradient. */
import { Command, Option } from 'commander';
import { kernelNames } from '../batch/kernel-spec.ts';
import type { FilterStep, PipelineStep } from '../batch/pipeline.ts';
import { isPlainObject } from '../check.ts';
import type { GradientOperator } from '../gradient-magnitude.ts';
import { anyNumber } from './arguments.ts';
import { type FolderArguments, runFolderCommand, withFolderOptions } from './folder-command.ts';
import { readJSON } from './json-file.ts';

const GRADIENTS: readonly string[] = ['sobel', 'scharr', 'prewitt'] satisfies GradientOperator[];

interface FilterArguments
  extends FolderArguments,
    Pick<FilterStep, 'border' | 'scale' | 'offset' | 'linear'> {
  kernel: string;
  alpha?: boolean;
}

/** The command. */
export function filterCommand(): Command {
  const command = new Command('filter')
    .description('correlates images with a kernel')
    .requiredOption(
      '-k, --kernel <name|file.json>',
      `${GRADIENTS.join(', ')} (both directions at once), ${kernelNames().join(', ')} (numbers as gaussian:2 or 'gaussian(2)'), or a JSON file [[...], ...]`,
    )
    .addOption(
      new Option('--border <mode>', 'what lies beyond the edges (default: reflect101)').choices([
        'reflect101',
        'reflect',
        'replicate',
        'constant',
        'wrap',
      ]),
    )
    .option('--scale <number>', 'factor on each result', anyNumber)
    .option('--offset <number>', 'added after the factor', anyNumber)
    .option('--linear', 'filter light instead of sRGB samples')
    .option('--alpha', 'filter an alpha channel, too');
  return withFolderOptions(command).action(async (inputs: string[], given: FilterArguments) =>
    runFolderCommand(inputs, [await stepOf(given)], given),
  );
}

async function stepOf({
  kernel,
  border,
  scale,
  offset,
  linear,
  alpha,
}: FilterArguments): Promise<PipelineStep> {
  const given = { border, scale, offset, linear, alpha: alpha ? ('filter' as const) : undefined };
  const options = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  if (GRADIENTS.includes(kernel)) return { op: 'gradient', operator: kernel as GradientOperator, ...options };
  if (!kernel.endsWith('.json')) return { op: 'filter', kernel, ...options };
  const content = await readJSON(kernel);
  // A file may bring its own options; those of the command line go before.
  const own = isPlainObject(content) ? content : { kernel: content };
  return { op: 'filter', ...own, ...options } as PipelineStep;
}
