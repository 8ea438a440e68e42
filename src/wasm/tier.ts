import { engine } from './engine.ts';

/** The two WebAssembly modules: by the name of their best instruction set. */
export type Tier = 'relaxed-simd' | 'simd128';

// A function with one relaxed instruction.
const RELAXED = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2,
  253, 15, 253, 128, 2, 11,
];

/** The module for this engine; `isa` may ask for a tier that both have. */
export function chooseTier(isa: string | undefined): Tier {
  return isa !== 'simd128' && engine.validate(Uint8Array.from(RELAXED)) ? 'relaxed-simd' : 'simd128';
}
