/** The types of `corr2d/bench`, as an author of a backend sees them. */
import { expectTypeOf, test } from 'vitest';
import {
  type Backend,
  type BenchOptions,
  bench,
  type Data,
  defineBackend,
  type Problem,
  parseProblem,
  type Report,
  type Result,
  type Suite,
  suites,
  type Weights,
} from '../../bench/index.ts';

test('a backend says what it can, and prepares', () => {
  const backend = defineBackend({
    name: 'mine',
    version: '1',
    supports: (problem) => {
      expectTypeOf(problem).toEqualTypeOf<Problem>();
      return problem.kind === 'conv' && problem.groups === 1;
    },
    prepare(problem, weights) {
      expectTypeOf(problem).toEqualTypeOf<Problem>();
      expectTypeOf(weights).toEqualTypeOf<Weights>();
      expectTypeOf(weights.weight).toEqualTypeOf<Float32Array>();
      return { run: () => {}, output: () => new Float32Array(), dispose: () => {} };
    },
  });
  expectTypeOf(backend).toEqualTypeOf<Backend>();
  // @ts-expect-error it has to prepare
  defineBackend({ name: 'mine', version: '1', supports: () => true });
  defineBackend({
    name: 'mine',
    version: '1',
    supports: () => true,
    // @ts-expect-error there is no result
    prepare: () => ({ run: () => {}, dispose: () => {} }),
  });
});

test('what is measured, and what comes of it', () => {
  expectTypeOf(bench).parameter(0).toEqualTypeOf<BenchOptions | undefined>();
  expectTypeOf(bench).returns.resolves.toEqualTypeOf<Report>();
  expectTypeOf(suites.layers).toEqualTypeOf<Suite>();
  expectTypeOf<Data>().toEqualTypeOf<Float32Array | Uint8Array>();
  // @ts-expect-error no such suite
  suites.layer;
  const problem = parseProblem('conv:h5w5-o1k3');
  if (problem.kind === 'filter') expectTypeOf(problem.pixels).toEqualTypeOf<'u8' | 'f32'>();
  const result = {} as Result;
  // @ts-expect-error what was refused has no times
  result.statistics;
  if (result.status === 'measured') expectTypeOf(result.samples).toEqualTypeOf<readonly number[]>();
});
