/** `plan.explain()`: why a plan is as it is. */
import { describe, expect, it } from 'vitest';
import {
  AdaptiveAvgPool2D,
  AvgPool2D,
  Conv2D,
  type Conv2DOptions,
  ConvTranspose2D,
  info,
  LPPool2D,
  MaxPool2D,
} from '../index.ts';

describe('of a convolution', () => {
  const options = { inChannels: 16, outChannels: 24, kernelSize: 3, padding: 1, seed: 1 } as const;

  it('is the candidate of the lowest cost', () => {
    const plan = new Conv2D(options).plan([2, 16, 20, 30]);
    const explanation = plan.explain();
    const { candidates } = explanation;
    expect(explanation.algorithm).toBe(plan.algorithm);
    expect(explanation.isa).toBe(info().isa);
    expect(explanation.isForced).toBe(false);
    expect(candidates[0]?.name).toBe(plan.algorithm);
    expect(candidates.map(({ cost }) => cost)).toEqual(
      candidates.map(({ cost }) => cost).sort((a, b) => a - b),
    );
    for (const { name } of candidates) expect(info().algorithms).toContain(name);
    expect(explanation).toMatchObject({ flops: plan.flops, bytes: plan.bytes });
  });

  it.each(info().algorithms)('says so when %s was asked for', (algorithm) => {
    const layers: Conv2DOptions[] = [
      { ...options, algorithm },
      { ...options, algorithm, stride: 2 },
      { ...options, algorithm, groups: 16, outChannels: 16 },
      { ...options, algorithm, groups: 16, outChannels: 16, layout: 'NHWC' },
      { ...options, algorithm, groups: 16, outChannels: 16, kernelSize: 11 },
    ];
    const plans = layers.flatMap((layer) => {
      try {
        return [new Conv2D(layer).plan(layer.layout === 'NHWC' ? [20, 30, 16] : [16, 20, 30])];
      } catch {
        return [];
      }
    });
    expect(plans.length).toBeGreaterThan(0);
    for (const plan of plans) {
      const explanation = plan.explain();
      expect(explanation.isForced).toBe(true);
      expect(explanation.registerTile.lanes).toBeGreaterThanOrEqual(4);
      expect(explanation.scratchBytes).toBeGreaterThanOrEqual(0);
      expect(explanation.parts).toBeGreaterThanOrEqual(1);
      expect(explanation.expectedShare).toBeGreaterThanOrEqual(0);
      expect(String(explanation)).toContain(`${algorithm} on ${info().isa}, asked for`);
    }
  });

  it('is a text of a few lines', () => {
    const text = String(new Conv2D({ kernelSize: 3, seed: 1 }).plan([1080, 1920]).explain());
    expect(text.split('\n')).toHaveLength(6);
    expect(text).toMatch(/^\S+ on \S+, of the lowest estimated cost\n/);
    expect(text).toMatch(/register tile {2}\d+ rows? × \d+ vectors? of \d+ columns/);
    expect(text).toMatch(/expected {7}\d+ % of the peak/);
  });
});

it('of a transposed convolution: its phase that has most to do', () => {
  for (const stride of [1, 2]) {
    const layer = new ConvTranspose2D({ inChannels: 8, outChannels: 4, kernelSize: 3, stride, seed: 1 });
    const plan = layer.plan([8, 20, 30]);
    const explanation = plan.explain();
    expect(explanation.algorithm).toBe(plan.algorithm);
    expect(explanation.candidates[0]?.name).toBe(plan.algorithm);
    expect(String(explanation)).toContain('% of the peak');
  }
  // A stride far beyond the kernel.
  const sparse = new ConvTranspose2D({ kernelSize: 1, stride: 3, padding: 1, seed: 1 }).plan([2, 2]);
  expect(String(sparse.explain())).toContain(sparse.algorithm);
});

describe('of a pooling', () => {
  it.each([
    new MaxPool2D(2),
    new AvgPool2D(3, { stride: 1 }),
    new LPPool2D(2, 2),
    new AdaptiveAvgPool2D(7),
    new MaxPool2D(2, { layout: 'NHWC' }),
  ])('%o', (layer) => {
    const plan = layer.plan([3, 64, 64]);
    const explanation = plan.explain();
    expect(explanation.candidates.map(({ name }) => name)).toEqual([plan.algorithm]);
    expect(explanation.expectedShare).toBeNull();
    expect(String(explanation)).toContain('bound by memory');
  });
});
