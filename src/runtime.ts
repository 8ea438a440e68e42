import { checkInteger } from './check.ts';
import { type Backend, backend, cpu, native } from './native.ts';

/** What the package runs on. */
export interface Info {
  /** Version of the package. */
  version: string;
  /** What computes: the addon, or the WebAssembly module (`CORR2D_BACKEND=wasm`, `corr2d/wasm`), on one thread. */
  backend: Backend;
  /** The instruction set in use: the best of `isas`, or the lower one that the environment's `CORR2D_ISA` asks for. */
  isa: string;
  /** Every instruction set of this machine that there are kernels for, best first. */
  isas: string[];
  /** Threads that a large call uses. */
  threads: number;
  /** Names for the option `algorithm`. */
  algorithms: string[];
  /** Name of the processor; in a page, what the browser says of itself. */
  cpu: string;
}

/** Beyond any machine: it guards against a mistaken unit, such as a number of elements. */
export const MAX_THREADS = 1024;

/** What the package runs on; a fresh object. */
export function info(): Info {
  const { version, isa, isas, threads, algorithms } = native.runtimeInfo();
  return { version, backend, isa, isas: [...isas], threads, algorithms: [...algorithms], cpu: cpu() };
}

/**
 * Sets how many threads a large call uses, the calling one included, for the whole process. Results have the same bits
 * for every number. At the start it is the environment's `CORR2D_THREADS`, or what affinity and cgroup limits allow.
 *
 * @param n an integer from 1 to 1024
 * @throws TypeError `ERR_INVALID_ARG_TYPE`; RangeError `ERR_OUT_OF_RANGE`
 */
export function setThreads(n: number): void {
  native.setThreads(checkInteger(n, 'n', 1, MAX_THREADS));
}

/** How many threads a large call uses. */
export function getThreads(): number {
  return native.getThreads();
}
