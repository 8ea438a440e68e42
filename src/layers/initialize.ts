import type { Random } from '../random.ts';

/**
 * How a new layer's weight is drawn. `'kaimingUniform'` is PyTorch's default (a = √5): weight and bias uniform within
 * ±1/√fanIn. `'uniform'` is the seed's: weight uniform in [0, 1), bias 0. `'xavierUniform'`: weight uniform within
 * ±√(6 / (fanIn + fanOut)), bias 0. `'zeros'`: both 0.
 */
export type Init = 'kaimingUniform' | 'uniform' | 'xavierUniform' | 'zeros';

/** The words of `Init`. */
export const INITS: readonly Init[] = ['kaimingUniform', 'uniform', 'xavierUniform', 'zeros'];

function fillUniform(target: Float32Array, bound: number, random: Random): void {
  for (let i = 0; i < target.length; i++) target[i] = (2 * random() - 1) * bound;
}

/**
 * Fills a weight of shape [o, c / groups, kh, kw] and then its bias. Only operations that IEEE 754 rounds correctly are
 * used, so the numbers are those of the seed on every machine. fanIn = c / groups · kh · kw, fanOut = o · kh · kw; of a
 * transposed convolution's weight [c, o / groups, kh, kw] the same axes are taken, as PyTorch does.
 */
export function initialize(
  init: Init,
  weight: Float32Array,
  shape: readonly [o: number, c: number, kh: number, kw: number],
  bias: Float32Array | undefined,
  random: Random,
): void {
  const [o, c, kh, kw] = shape;
  const fanIn = c * kh * kw;
  const fanOut = o * kh * kw;
  switch (init) {
    case 'kaimingUniform':
      fillUniform(weight, 1 / Math.sqrt(fanIn), random);
      if (bias !== undefined) fillUniform(bias, 1 / Math.sqrt(fanIn), random);
      break;
    case 'uniform':
      for (let i = 0; i < weight.length; i++) weight[i] = random();
      break;
    case 'xavierUniform':
      fillUniform(weight, Math.sqrt(6 / (fanIn + fanOut)), random);
      break;
    case 'zeros':
      break;
  }
}
