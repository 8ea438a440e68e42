import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { conv2d, corr2d, getThreads, info, setLimits, setThreads, Tensor } from '../index.ts';
import { onWasm } from './support/backend.ts';
import { expectError, limitExceeded } from './support/error.ts';

const threadsBefore = getThreads();

afterEach(() => {
  setThreads(threadsBefore);
  setLimits({ maxElements: 2 ** 31 - 1, maxFlops: Number.POSITIVE_INFINITY });
});

describe('info', () => {
  it('tells what the package runs on', () => {
    const { version, backend, isa, isas, threads, algorithms, cpu } = info();
    expect(version).toMatch(/^\d+\.\d+\.\d+/);
    expect(backend).toBe(process.env.CORR2D_BACKEND === 'wasm' ? 'wasm' : 'native');
    expect(isas).toContain(isa);
    expect(isas.at(-1)).toBe('scalar');
    expect(threads).toBe(getThreads());
    expect(new Set(algorithms).size).toBe(algorithms.length);
    expect(algorithms).toContain('direct');
    expect(typeof cpu).toBe('string');
  });

  it('gives a fresh object', () => {
    info().algorithms.length = 0;
    expect(info().algorithms.length).toBeGreaterThan(0);
  });

  it('follows CORR2D_ISA to a lower tier', () => {
    const wanted = process.env.CORR2D_ISA;
    expect(info().isa).toBe(wanted === undefined || wanted === '' ? info().isas[0] : wanted);
  });

  it('names each algorithm that `algorithm` takes', () => {
    const x = Tensor.ones([1, 6, 6]);
    for (const algorithm of ['auto', ...info().algorithms]) {
      try {
        expect(conv2d(x, Tensor.ones([1, 1, 1, 1]), { algorithm }).toArray()).toEqual(x.toArray());
      } catch (error) {
        expect(error).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
      }
    }
  });
});

describe('setThreads', () => {
  it.each([1, 2, 3, 7])('%d', (threads) => {
    setThreads(threads);
    // WebAssembly stays at its one thread.
    expect(getThreads()).toBe(onWasm ? 1 : threads);
    expect(info().threads).toBe(getThreads());
    expect(conv2d(Tensor.ones([2, 3, 90, 90]), Tensor.ones([8, 3, 3, 3])).at(1, 7, 87, 87)).toBe(27);
  });

  // An emulated Node can't start itself.
  it.skipIf(process.env.CORR2D_TEST_EMULATED || onWasm)('starts from CORR2D_THREADS', () => {
    const program = "console.log(require('./native/binding.cjs').getThreads())";
    const env = { ...process.env, CORR2D_THREADS: '3' };
    const cwd = new URL('..', import.meta.url);
    expect(execFileSync(process.execPath, ['-e', program], { cwd, env }).toString().trim()).toBe('3');
  });
});

describe('setLimits', () => {
  it('returns the limits in force, and keeps what isn’t given', () => {
    expect(setLimits({})).toEqual({ maxElements: 2 ** 31 - 1, maxFlops: Number.POSITIVE_INFINITY });
    expect(setLimits({ maxFlops: 100 })).toEqual({ maxElements: 2 ** 31 - 1, maxFlops: 100 });
    expect(setLimits({ maxElements: 50 })).toEqual({ maxElements: 50, maxFlops: 100 });
    expect(setLimits()).toEqual({ maxElements: 50, maxFlops: 100 });
  });

  it('lets through what just fits', () => {
    const x = Tensor.ones([5, 5]);
    const k = Tensor.ones([3, 3]);
    setLimits({ maxElements: 9, maxFlops: 162 });
    expect(corr2d(x, k).size).toBe(9);
    setLimits({ maxFlops: 161 });
    expectError(() => corr2d(x, k), limitExceeded('162'));
    setLimits({ maxElements: 8, maxFlops: 162 });
    expectError(() => corr2d(x, k), limitExceeded('9'));
  });
});
