/** A redis-server of a test's own, on a free loopback port, that remembers everything in an append-only file. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';

/** Why there can be no server; undefined when there can. */
export const noRedis: string | undefined =
  spawnSync('redis-server', ['--version']).status === 0
    ? undefined
    : 'no redis-server on this machine (Debian: apt-get install redis-server)';

/** A running server. */
export class RedisServer {
  readonly #folder = mkdtempSync(path.join(os.tmpdir(), 'corr2d-redis-'));
  readonly #port: number;
  #process: ChildProcess | undefined;

  private constructor(port: number) {
    this.#port = port;
  }

  static async start(): Promise<RedisServer> {
    const server = new RedisServer(await freePort());
    await server.#run();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.#port}`;
  }

  /** Kills it as a crash does, and starts it again on its file. */
  async restart(): Promise<void> {
    await this.#kill();
    await this.#run();
  }

  async stop(): Promise<void> {
    await this.#kill();
    rmSync(this.#folder, { recursive: true });
  }

  async #run(): Promise<void> {
    const settings = {
      port: this.#port,
      bind: '127.0.0.1',
      dir: this.#folder,
      appendonly: 'yes',
      save: '',
      'maxmemory-policy': 'noeviction',
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const server = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#process = server;
    let log = '';
    for await (const chunk of server.stdout.iterator({ destroyOnReturn: false })) {
      log += String(chunk);
      if (log.includes('Ready to accept connections')) break;
    }
    if (server.exitCode !== null) throw new Error(`redis-server ended:\n${log}`);
    server.stdout.resume();
  }

  async #kill(): Promise<void> {
    const server = this.#process;
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    server.kill('SIGKILL');
    await once(server, 'exit');
  }
}

/** A port that nobody listens to just now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
