/** examples/filter-service.mjs in a process of its own, with the monitor inside. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** Starts the service on a free port with settings in environment variables. */
export async function startService(settings) {
  const child = spawn(
    process.execPath,
    ['--import', here('./monitor.mjs'), here('../../examples/filter-service.mjs')],
    { env: { ...process.env, PORT: '0', ...settings }, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] },
  );
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const origin = /http:\/\/localhost:\d+/.exec(line)[0];
  return {
    url: `${origin}/filter`,
    health: async () => (await fetch(`${origin}/health`)).json(),
    /** What the monitor sees; `'reset'` begins the lag's histogram anew. */
    async look(message = 'look') {
      child.send(message);
      const [seen] = await once(child, 'message');
      return seen;
    },
    async stop() {
      child.kill('SIGTERM');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}
