/** What the commands about a queue share. */
import type { Command } from 'commander';

/** The options that `withQueueOptions` adds. */
export interface QueueArguments {
  redis: string;
  queue?: string;
}

/** Adds `--redis` and `--queue`. */
export function withQueueOptions(command: Command): Command {
  return command
    .requiredOption('--redis <url>', 'the Redis or Valkey server, such as redis://localhost:6379')
    .option('--queue <name>', "the queue's name (default: corr2d-images)");
}
