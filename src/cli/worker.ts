/** `corr2d worker`: takes images from a queue until it is told to stop. */
import { Command } from 'commander';
import { createImageWorker, type ImageWorkerEvent } from '../queue/worker.ts';
import { positiveInteger } from './arguments.ts';
import { useSharpSparingly } from './codec-settings.ts';
import { EXIT_INTERRUPTED } from './exit.ts';
import { type QueueArguments, withQueueOptions } from './queue-options.ts';

interface WorkerArguments extends QueueArguments {
  jobs?: number;
  rate?: number;
  lock?: number;
  json?: boolean;
}

/** The command. */
export function workerCommand(): Command {
  const command = new Command('worker').description(
    'does the jobs that `corr2d enqueue`, or enqueueImages of corr2d/queue, has put into a queue',
  );
  return withQueueOptions(command)
    .option('-j, --jobs <count>', 'images at once (default: one for each thread)', positiveInteger)
    .option('--rate <count>', 'at most so many images a second, by all workers together', positiveInteger)
    .option(
      '--lock <seconds>',
      'silence after which a worker is taken for dead (default: 30)',
      positiveInteger,
    )
    .option('--json', 'print a JSON line for each event')
    .action(runWorker);
}

async function runWorker({ redis, queue, jobs, rate, lock, json }: WorkerArguments): Promise<void> {
  useSharpSparingly();
  const worker = await createImageWorker({
    redis,
    queue,
    concurrency: jobs,
    rateLimit: rate === undefined ? undefined : { max: rate, perMs: 1000 },
    lockMs: lock === undefined ? undefined : lock * 1000,
    onEvent: (event) => {
      if (json === true) console.log(JSON.stringify(event));
      else if (event.type !== 'progress') console.error(lineOf(event));
    },
  });
  if (json !== true) console.error('waiting for images (Ctrl-C finishes those in flight and ends)');
  await interrupted();
  await worker.close();
}

function lineOf(event: Exclude<ImageWorkerEvent, { type: 'progress' }>): string {
  switch (event.type) {
    case 'completed':
      return `${event.input} -> ${event.output} (${event.ms.toFixed(0)} ms)`;
    case 'retried':
      return `to be tried again: ${event.reason}`;
    case 'dead':
      return `failed: ${event.reason}`;
    case 'stalled':
      return `taken over from a worker that is gone: ${event.id}`;
    case 'connection':
      return `no connection: ${event.reason}`;
  }
}

/** Resolves at the first Ctrl-C or SIGTERM; the second one ends the process. */
function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    let received = false;
    const listener = (): void => {
      if (received) process.exit(EXIT_INTERRUPTED);
      received = true;
      console.error('finishing what is in flight (once more to end at once)');
      resolve();
    };
    process.on('SIGINT', listener).on('SIGTERM', listener);
  });
}
