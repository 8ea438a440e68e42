/** Bounded concurrency: order, bound, and the end by every way out. */
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inFlight } from '../../src/batch/in-flight.ts';

/** The numbers below `count`; tells whether it was closed. */
function source(count: number) {
  const state = { read: 0, closed: false };
  async function* items() {
    try {
      for (let i = 0; i < count; i++) {
        state.read += 1;
        yield i;
      }
    } finally {
      state.closed = true;
    }
  }
  return { state, items: items() };
}

async function ticks(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await setImmediate();
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('inFlight', () => {
  it('yields everything once, in either order, within the bound', async () => {
    const delays = fc.array(fc.nat(6), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(
        delays,
        fc.integer({ min: 1, max: 5 }),
        fc.boolean(),
        async (waits, limit, ordered) => {
          let running = 0;
          let most = 0;
          const work = async (item: number) => {
            running += 1;
            most = Math.max(most, running);
            await ticks(waits[item] as number);
            running -= 1;
            return item;
          };
          const results = await collect(
            inFlight(source(waits.length).items, limit, ordered ? 'input' : 'completion', work),
          );
          const all = waits.map((_, index) => index);
          expect(ordered ? results : results.toSorted((a, b) => a - b)).toEqual(all);
          expect(most).toBeLessThanOrEqual(limit);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('does not read ahead of a slow reader', async () => {
    const { state, items } = source(100);
    const results = inFlight(items, 3, 'input', async (item) => item);
    await results.next();
    await ticks(20);
    expect(state.read).toBeLessThanOrEqual(4);
    await results.return();
    expect(state.closed).toBe(true);
  });

  it('yields what is ready while its source keeps it waiting', async () => {
    async function* slow() {
      yield 1;
      await new Promise(() => {});
    }
    const results = inFlight(slow(), 4, 'completion', async (item) => item);
    expect(await results.next()).toEqual({ done: false, value: 1 });
  });

  it('waits for what has begun, and closes its source, when the work fails', async () => {
    const { state, items } = source(10);
    let begun = 0;
    let finished = 0;
    const results = inFlight(items, 3, 'completion', async (item) => {
      begun += 1;
      await ticks(item === 0 ? 3 : 10);
      if (item === 0) throw new RangeError('no');
      finished += 1;
      return item;
    });
    await expect(collect(results)).rejects.toThrow('no');
    expect([begun, finished]).toEqual([3, 2]);
    expect(state.closed).toBe(true);
  });

  it('passes on what its source throws', async () => {
    async function* broken() {
      yield 1;
      throw new TypeError('broken');
    }
    await expect(collect(inFlight(broken(), 2, 'input', async (item) => item))).rejects.toThrow('broken');
  });
});
