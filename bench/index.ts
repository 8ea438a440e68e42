/** `corr2d/bench`: measures any backend against the others, checked and interleaved. */
export {
  type Backend,
  type BackendSettings,
  type BackendSource,
  defineBackend,
  MissingBackend,
  type Prepared,
} from './backend.ts';
export { backends } from './backends/index.ts';
export { type BenchOptions, bench } from './bench.ts';
export { boundOf, type CheckMode, type CheckResult } from './check.ts';
export type { Data, Weights } from './data.ts';
export type { Caches, Limits, Machine } from './machine.ts';
export {
  bytesOf,
  type ConvProblem,
  classOf,
  type FilterProblem,
  flopsOf,
  outputSides,
  type PoolProblem,
  type Problem,
  type ProblemKind,
  type Sides,
  type Sizes,
  sizesOf,
} from './problem.ts';
export { formatProblem, parseProblem } from './problem-text.ts';
export { type Comparison, compare } from './report/compare.ts';
export { markdown } from './report/markdown.ts';
export { svg } from './report/svg.ts';
export { table } from './report/table.ts';
export {
  bestPeer,
  type Measured,
  type Memory,
  type Refused,
  type Report,
  type Result,
  type Row,
  ranked,
  ratioOf,
  type Skipped,
  type Summary,
  summaryOf,
} from './report.ts';
export type { Statistics } from './statistics.ts';
export { type Suite, type SuiteEntry, type SuiteName, suite, suites } from './suites.ts';
export type { Timing } from './timing.ts';
