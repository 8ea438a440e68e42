/** Backends that are Python packages: one child process each, which keeps its tensors and takes its own time. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  type Backend,
  type BackendSettings,
  type BackendSource,
  defineBackend,
  MissingBackend,
  type Prepared,
} from './backend.ts';
import type { Data, Weights } from './data.ts';
import { isFilter, outputSides, type Problem, sizesOf } from './problem.ts';
import type { Timing } from './timing.ts';

/** What tells one such backend from another. */
export interface PythonBackendOptions {
  readonly name: string;
  /** The file in `python/`, without its ending. */
  readonly module: string;
  /** The packages for `pip install`. */
  readonly packages: string;
  readonly layout?: Backend['layout'];
  /** What keeps a problem from the child for sure; the rest is its own to refuse. */
  supports(problem: Problem): boolean;
  /** Makes a file that the child is given as `problem["model"]`. */
  model?(problem: Problem, weights: Weights): Uint8Array;
}

// Right from `bench/` and from `dist/` alike. Read when it is needed: a bundled program may have no such file.
const childProgram = (): string => fileURLToPath(new URL('../bench/python/child.py', import.meta.url));

/** A backend in a Python child. */
export function pythonBackend(options: PythonBackendOptions): BackendSource {
  const { name, packages } = options;
  const install = `pip install ${packages}`;
  return {
    name,
    install,
    async load(settings) {
      const child = new PythonChild(settings, options.module);
      const answer = await child.call({ call: 'load', threads: settings.threads }).catch((error: Error) => {
        child.end();
        throw error;
      });
      return defineBackend({
        name,
        version: String(answer.version),
        layout: options.layout,
        supports: (problem) => options.supports(problem),
        prepare: (problem, weights) => child.prepare(problem, weights, options.model?.(problem, weights)),
        resident: () => child.resident,
        close: () => child.end(),
      });
    },
  };
}

interface Answer {
  missing?: string;
  error?: string;
  supported?: boolean;
  version?: string;
  samples?: number[];
  details?: Record<string, string | number>;
  resident?: number | null;
}

/** So many threads everywhere, and memory that is reused from call to call as `out` is elsewhere. */
function environment(threads: number): NodeJS.ProcessEnv {
  const count = String(threads);
  const names = ['OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'TBB_NUM_THREADS'];
  const most = String(2 ** 32);
  return {
    ...process.env,
    ...Object.fromEntries(names.map((name) => [name, count])),
    // glibc gives large blocks back to the system at every free, which costs a page fault per 4 KiB at the next call.
    MALLOC_MMAP_THRESHOLD_: most,
    MALLOC_TRIM_THRESHOLD_: most,
    PYTHONUNBUFFERED: '1',
  };
}

class PythonChild {
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly #waiting: { resolve(answer: Answer): void; reject(error: Error): void }[] = [];
  #errors = '';
  /** Bytes of resident memory at the last answer. */
  resident: number | undefined;

  constructor({ python, threads }: BackendSettings, module: string) {
    // Files in memory where the system has them.
    this.#folder = mkdtempSync(path.join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'corr2d-bench-'));
    const child = spawn(python, [childProgram(), module], {
      env: environment(threads),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#process = child;
    const fail = (error: Error): void => {
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    };
    child.on('error', (error) => fail(new MissingBackend(`${python} can't be started: ${error.message}`)));
    child.on('close', (code, signal) => {
      fail(new Error(`its process ended (${signal ?? `exit code ${code}`})${lastLine(this.#errors)}`));
    });
    child.stdin?.on('error', () => {});
    child.stderr?.on('data', (text) => {
      this.#errors = (this.#errors + text).slice(-2000);
    });
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.#waiting.shift()?.resolve(JSON.parse(line) as Answer);
    });
  }

  /** Asks the child; rejects with what it could not do. */
  async call(request: Record<string, unknown>): Promise<Answer> {
    const answer = await new Promise<Answer>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      if (this.#process.exitCode !== null) reject(new Error('its process has ended'));
      else this.#process.stdin?.write(`${JSON.stringify(request)}\n`);
    });
    if (answer.missing !== undefined) throw new MissingBackend(answer.missing);
    if (answer.error !== undefined) throw new Error(answer.error);
    this.resident = answer.resident ?? undefined;
    return answer;
  }

  async prepare(problem: Problem, weights: Weights, model?: Uint8Array): Promise<Prepared | undefined> {
    const files = (['x', 'weight', 'gradOutput'] as const).map((name) => {
      const file = path.join(this.#folder, name);
      writeFileSync(file, weights[name]);
      return [file, weights[name] instanceof Uint8Array ? 'u8' : 'f32'];
    });
    const request = {
      ...problem,
      outputSides: outputSides(problem),
      model: path.join(this.#folder, 'model'),
    };
    if (model !== undefined) writeFileSync(request.model, model);
    const answer = await this.call({ call: 'prepare', problem: request, files });
    if (answer.supported !== true) return undefined;
    const bytes = isFilter(problem) && problem.pixels === 'u8' ? 1 : 4;
    return {
      run: () => {
        throw new Error('is measured in its own process');
      },
      output: () => this.#output(sizesOf(problem).outputs, bytes),
      dispose: async () => {
        await this.call({ call: 'dispose' });
      },
      details: () => answer.details ?? {},
      sample: async (timing: Timing) => (await this.call({ call: 'sample', ...timing })).samples ?? [],
    };
  }

  async #output(sizes: readonly number[], bytes: number): Promise<Data[]> {
    const files = sizes.map((_, i) => path.join(this.#folder, `output-${i}`));
    await this.call({ call: 'output', files });
    return files.map((file) => {
      const { buffer, byteOffset, length } = readFileSync(file);
      const contents = buffer.slice(byteOffset, byteOffset + length) as ArrayBuffer;
      return bytes === 1 ? new Uint8Array(contents) : new Float32Array(contents);
    });
  }

  end(): void {
    this.#process.stdin?.end();
    this.#process.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function lastLine(text: string): string {
  const line = text.trimEnd().split('\n').at(-1);
  return line ? `: ${line}` : '';
}
