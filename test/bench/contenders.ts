/** Backends for tests of the harness: what they lack in speed or truth is their purpose. */
import { type Backend, defineBackend, type Prepared } from '../../bench/backend.ts';
import { plain } from '../../bench/backends/plain.ts';
import type { Data } from '../../bench/data.ts';

const settings = { threads: 1, python: 'python3' };

/** The plain backend under another name, with parts of what it prepares replaced. */
export async function variant(
  name: string,
  change: (prepared: Prepared) => Partial<Prepared>,
  more: Partial<Backend> = {},
): Promise<Backend> {
  const backend = await plain.load(settings);
  return defineBackend({
    ...backend,
    name,
    ...more,
    prepare: async (problem, weights) => {
      const prepared = await backend.prepare(problem, weights);
      return prepared === undefined ? undefined : { ...prepared, ...change(prepared) };
    },
  });
}

/** Takes three milliseconds longer than it needs. */
export const slow = (): Promise<Backend> =>
  variant('slow', ({ run }) => ({
    run: () => {
      const end = performance.now() + 3;
      while (performance.now() < end) {}
      return run();
    },
  }));

/** Changes the results of the plain backend by `change`, which works on a copy. */
export const wrong = (change: (data: Float32Array) => Data): Promise<Backend> =>
  variant('wrong', ({ output }) => ({
    output: async () => change(Float32Array.from((await output()) as Data)),
  }));
