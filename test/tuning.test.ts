/** `plan(shape, { tune: true })`: algorithms chosen by measurement, and kept as JSON. */
import { describe, expect, it } from 'vitest';
import {
  Conv2D,
  type Conv2DOptions,
  ConvTranspose2D,
  getThreads,
  info,
  loadTuning,
  MaxPool2D,
  saveTuning,
  Tensor,
  type Tuning,
  type TuningEntry,
} from '../index.ts';
import { type Expected, expectError, invalidType, invalidValue, outOfRange } from './support/error.ts';

const options = { inChannels: 16, outChannels: 24, kernelSize: 3, padding: 1, seed: 1 } as const;

describe('a tuned plan', () => {
  it.each<[string, Conv2DOptions, number[]]>([
    ['of many channels', options, [2, 16, 12, 13]],
    ['of one channel', { kernelSize: 5, seed: 1 }, [30, 31]],
    ['depthwise', { ...options, outChannels: 16, groups: 16, stride: 2 }, [16, 9, 9]],
    ['with channels last', { ...options, layout: 'NHWC' }, [11, 10, 16]],
    ['with reflected padding', { ...options, paddingMode: 'reflect', activation: 'relu' }, [16, 8, 9]],
  ])('%s takes the fastest candidate, and computes what that computes', (_, layerOptions, shape) => {
    const layer = new Conv2D(layerOptions);
    const plan = layer.plan(shape, { tune: true, threads: 1 });
    const { candidates, isForced, isTuned, algorithm } = plan.explain();
    expect({ isForced, isTuned, algorithm }).toEqual({
      isForced: false,
      isTuned: true,
      algorithm: plan.algorithm,
    });
    const measured = candidates.filter(({ measuredMs }) => measuredMs !== null);
    const least = Math.min(...measured.map(({ measuredMs }) => measuredMs as number));
    const own = candidates.find(({ name }) => name === algorithm);
    // The estimate's choice needs to be no more than 2 % behind.
    expect(own?.measuredMs).toBeLessThanOrEqual(1.02 * least);
    expect(own?.measuredMs).toBeGreaterThan(0);
    // What `auto` never takes is never measured.
    for (const { cost, measuredMs } of candidates) if (cost === Infinity) expect(measuredMs).toBeNull();
    expect(String(plan.explain())).toContain(`${algorithm} on ${info().isa}, the fastest that was measured`);

    const x = Tensor.rand(shape, { seed: 3 });
    const same = new Conv2D({ ...layerOptions, algorithm });
    expect(plan.run(x).data).toEqual(same.plan(shape).run(x).data);
  });

  it('may be one of a transposed convolution', () => {
    const layer = new ConvTranspose2D({ ...options, stride: 2 });
    const plan = layer.plan([16, 9, 9], { tune: true });
    expect(plan.explain().isTuned).toBe(true);
    const x = Tensor.rand([16, 9, 9], { seed: 3 });
    const [tuned, usual] = [plan.run(x).data, layer.forward(x).data];
    for (const [i, value] of tuned.entries()) expect(value).toBeCloseTo(usual[i] as number, 4);
  });

  it('is what was asked for where an algorithm was', () => {
    const plan = new Conv2D({ ...options, algorithm: 'direct' }).plan([16, 7, 7], { tune: true });
    expect(plan.explain()).toMatchObject({ algorithm: 'direct', isForced: true, isTuned: false });
  });

  it('of a pooling or an empty batch has nothing to measure', () => {
    expect(new MaxPool2D(2).plan([8, 8], { tune: true }).explain().isTuned).toBe(false);
    const empty = new Conv2D(options).plan([0, 16, 7, 7], { tune: true });
    expect(empty.run(Tensor.zeros([0, 16, 7, 7])).shape).toEqual([0, 24, 7, 7]);
    expect(empty.explain().candidates.every(({ measuredMs }) => measuredMs === null)).toBe(true);
  });

  it('takes booleans only', () => {
    const layer = new Conv2D(options);
    expectError(() => layer.plan([16, 7, 7], { tune: 1 as unknown as boolean }), invalidType('tune'));
  });
});

describe('saved and loaded', () => {
  const tune = (side: number, threads?: number) =>
    new Conv2D(options).plan([16, side, side + 1], { tune: true, threads });
  const lastEntry = () => saveTuning().entries.at(-1) as TuningEntry;

  it('as JSON: the same choice and times, without measuring', () => {
    const plan = tune(10, 1);
    const text = JSON.stringify(saveTuning());
    expect(loadTuning(text)).toBe(saveTuning().entries.length);
    expect(loadTuning(JSON.parse(text) as Tuning)).toBe(saveTuning().entries.length);
    expect(JSON.stringify(saveTuning())).toBe(text);
    const again = tune(10, 1);
    expect(again.explain()).toEqual(plan.explain());
  });

  it('any candidate that it names is taken', () => {
    tune(11, 1);
    const entry = lastEntry();
    expect(entry).toMatchObject({ isa: info().isa, threads: 1 });
    for (const algorithm of Object.keys(entry.times)) {
      loadTuning({ version: info().version, entries: [{ ...entry, algorithm }] });
      expect(tune(11, 1).algorithm).toBe(algorithm);
    }
  });

  it('for that instruction set, number of threads, problem and version only', () => {
    tune(12);
    const { version } = info();
    const entry = lastEntry();
    expect(entry.threads).toBe(getThreads());
    const marked = { ...entry, times: { direct: 12345 } };
    const load = (change: Partial<TuningEntry>, made = version) =>
      loadTuning({ version: made, entries: [{ ...marked, ...change }] });
    const measured = () =>
      tune(12)
        .explain()
        .candidates.map(({ measuredMs }) => measuredMs);
    expect(load({}, '0.0.0')).toBe(0);
    load({ isa: 'another' });
    load({ threads: entry.threads + 1 });
    load({ problem: entry.problem.replace('n1', 'n2') });
    expect(measured()).not.toContain(12345);
    load({});
    expect(measured()).toContain(12345);
  });

  it('an algorithm that cannot do the problem is measured anew', () => {
    tune(13, 1);
    const entry = lastEntry();
    loadTuning({ version: info().version, entries: [{ ...entry, algorithm: 'depthwise' }] });
    expect(tune(13, 1).algorithm).not.toBe('depthwise');
  });

  const good: TuningEntry = { isa: 'avx2', threads: 1, problem: 'x', algorithm: 'direct', times: {} };
  const entry = (change: object): unknown => ({
    version: info().version,
    entries: [good, { ...good, ...change }],
  });
  it.each<[string, unknown, Expected]>([
    ['no JSON', '{"version"', invalidValue('tuning')],
    ['JSON of something else', '[1]', invalidType('tuning')],
    ['nothing', undefined, invalidType('tuning')],
    ['no version', { entries: [] }, invalidType('tuning.version')],
    ['no entries', { version: info().version }, invalidType('tuning.entries')],
    ['an entry that is none', { version: info().version, entries: [null] }, invalidType('entries[0]')],
    ['no instruction set', entry({ isa: 1 }), invalidType('entries[1].isa')],
    ['no problem', entry({ problem: undefined }), invalidType('entries[1].problem')],
    ['no thread', entry({ threads: 0 }), outOfRange('entries[1].threads')],
    ['an unknown algorithm', entry({ algorithm: 'magic' }), invalidValue('entries[1].algorithm')],
    ['a time of an unknown algorithm', entry({ times: { magic: 1 } }), invalidValue('entries[1].times')],
    ['a time below zero', entry({ times: { direct: -1 } }), outOfRange('entries[1].times')],
    ['times that are none', entry({ times: 3 }), invalidType('entries[1].times')],
  ])('%s is refused whole', (_, tuning, expected) => {
    const before = JSON.stringify(saveTuning());
    expectError(() => loadTuning(tuning as Tuning), expected);
    expect(JSON.stringify(saveTuning())).toBe(before);
  });
});
