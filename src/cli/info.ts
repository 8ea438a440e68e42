/** `corr2d info`: what the package runs on. */
import { Command } from 'commander';
import { info } from '../runtime.ts';

/** The command. */
export function infoCommand(): Command {
  return new Command('info')
    .description('shows version, instruction set, threads and algorithms')
    .option('--json', 'as JSON')
    .action(({ json }: { json?: boolean }) => {
      const found = info();
      if (json === true) {
        console.log(JSON.stringify(found, null, 2));
        return;
      }
      for (const [name, value] of Object.entries(found)) {
        console.log(`${name.padEnd(10)} ${Array.isArray(value) ? value.join(', ') : value}`);
      }
    });
}
