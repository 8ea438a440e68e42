/** `npm run bench`: the command by itself. */
import { benchCommand } from './command.ts';

/** Runs the command; gives its exit code: 2 for arguments that are wrong. */
export async function main(args: readonly string[]): Promise<number> {
  let code = 0;
  const command = benchCommand((result) => {
    code = result;
  });
  command.exitOverride();
  try {
    await command.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    const { message, code: kind, exitCode } = error as { message: string; code?: string; exitCode?: number };
    // Commander has said what it found.
    if (kind?.startsWith('commander.')) return exitCode === 0 ? 0 : 2;
    if (!kind?.startsWith('ERR_')) throw error;
    console.error(message);
    return 2;
  }
}
