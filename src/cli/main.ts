#!/usr/bin/env node
/** The command `corr2d`: one file for each subcommand, which parses, prints, and calls the library. */
import { Command, CommanderError } from 'commander';
import { benchCommand } from '../../bench/command.ts';
import { info } from '../runtime.ts';
import { deadCommand } from './dead.ts';
import { enqueueCommand } from './enqueue.ts';
import { EXIT_FAILED, EXIT_USAGE, isUsageError } from './exit.ts';
import { filterCommand } from './filter.ts';
import { infoCommand } from './info.ts';
import { pipelineCommand } from './pipeline.ts';
import { poolCommand } from './pool.ts';
import { workerCommand } from './worker.ts';

const commands = [
  filterCommand,
  poolCommand,
  pipelineCommand,
  enqueueCommand,
  workerCommand,
  deadCommand,
  benchCommand,
  infoCommand,
];

async function main(): Promise<void> {
  const program = new Command('corr2d')
    .description('Filters and pools image files, and measures how fast that is.')
    .version(info().version)
    .showHelpAfterError('(corr2d help COMMAND tells more)');
  for (const command of commands) program.addCommand(command());
  // A mistake in the arguments is an exception here, so that all ways out are below.
  for (const command of [program, ...program.commands]) command.exitOverride();
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = exitCodeOf(error);
  }
}

function exitCodeOf(error: unknown): number {
  // Commander has printed its own.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  console.error(`corr2d: ${error instanceof Error ? error.message : String(error)}`);
  return isUsageError(error) ? EXIT_USAGE : EXIT_FAILED;
}

void main();
