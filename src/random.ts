/** A source of numbers that are uniform in [0, 1). */
export type Random = () => number;

// SplitMix32: spreads a seed over the generator's state, so that neighbouring seeds give unlike sequences.
function splitMix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = state ^ (state >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
}

/**
 * xoshiro128++ seeded through SplitMix32 (low, then high half of the seed): integer arithmetic only, so a seed gives the
 * same numbers on every machine. Each number is one of the 2²⁴ multiples of 2⁻²⁴ in [0, 1), exact in float32.
 * Without a seed, one is drawn from `Math.random`.
 */
export function seededRandom(seed: number | undefined): Random {
  const value = seed ?? Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
  const low = splitMix32(value % 2 ** 32);
  const high = splitMix32(Math.floor(value / 2 ** 32));
  let a = low();
  let b = low();
  let c = (low() ^ high()) >>> 0;
  let d = (low() ^ high()) >>> 0;
  return () => {
    const sum = (a + d) | 0;
    const result = (((sum << 7) | (sum >>> 25)) + a) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return (result >>> 8) / 2 ** 24;
  };
}
