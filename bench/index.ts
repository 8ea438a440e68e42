/** `corr2d/bench`: measures any backend against the others. */
export {
  type Backend,
  type BackendSettings,
  type BackendSource,
  defineBackend,
  MissingBackend,
  type Prepared,
} from './backend.ts';
export { backends } from './backends/index.ts';
export { main } from './main.ts';
export { type RunOptions, run } from './run.ts';
