/** `corr2d dead`: the images of a queue that failed for good. */
import { Command } from 'commander';
import { deadImages, retryDeadImages } from '../queue/dead-images.ts';
import { type QueueArguments, withQueueOptions } from './queue-options.ts';

/** The command. */
export function deadCommand(): Command {
  const command = new Command('dead').description(
    'lists the images of a queue that failed for good, a JSON line for each',
  );
  return withQueueOptions(command)
    .option('--retry', 'puts them back into the queue')
    .action(async ({ redis, queue, retry }: QueueArguments & { retry?: boolean }) => {
      if (retry === true) console.error(`${await retryDeadImages({ redis, queue })} images put back`);
      else for (const image of await deadImages({ redis, queue })) console.log(JSON.stringify(image));
    });
}
