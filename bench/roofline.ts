/** The roofline: which limit of the machine binds a problem, and how near to it a time is. */
import type { Limits, Machine } from './machine.ts';
import { bytesOf, flopsOf, multiplies, type Problem } from './problem.ts';

/** A limit with the least time that it allows. */
export interface Roof {
  readonly limit: 'FMA' | 'L2' | 'L3' | 'DRAM';
  readonly seconds: number;
}

/** The level of memory that holds all that a problem reads and writes. */
export function levelOf(bytes: number, { caches }: Machine, threads: number): 'L2' | 'L3' | 'DRAM' {
  if (bytes <= threads * caches.l2) return 'L2';
  return bytes <= caches.l3 ? 'L3' : 'DRAM';
}

/**
 * The limit that binds a problem: multiply-adds of the direct method on the instruction set in use, or moving every array once
 * through the level of memory that holds them. (A method that needs fewer operations can go beyond it.) Poolings, means and
 * dilations have no multiply-adds.
 */
export function roofOf(problem: Problem, machine: Machine, limits: Limits, threads: number): Roof {
  const bytes = bytesOf(problem);
  const level = levelOf(bytes, machine, threads);
  const moving: Roof = { limit: level, seconds: bytes / limits.copy[level] };
  const peak = limits.fma[machine.isa];
  if (peak === undefined || !multiplies(problem)) return moving;
  const computing: Roof = { limit: 'FMA', seconds: flopsOf(problem) / peak };
  return computing.seconds > moving.seconds ? computing : moving;
}
