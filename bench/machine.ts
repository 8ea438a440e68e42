/** The machine: what it is, and its limits as native loops measure them in the same run. */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { backend, native } from '../src/native.ts';
import { info } from '../src/runtime.ts';

/** Bytes of the data caches: of one core, and of all. */
export interface Caches {
  readonly l1: number;
  readonly l2: number;
  readonly l3: number;
}

/** Where a benchmark ran. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory: number;
  readonly system: string;
  readonly node: string;
  /** The instruction set that corr2d uses, and all that this machine has. */
  readonly isa: string;
  readonly isas: readonly string[];
  readonly caches: Caches;
  /** The processors that this process may use, as Linux lists them; empty elsewhere. */
  readonly affinity: string;
  /** The cgroup's processor quota in cores; null without one. */
  readonly quota: number | null;
  /** Settings of the environment that change what libraries do. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Limits of so many threads, in operations and in bytes (read and written) per second. */
export interface Limits {
  /** Multiply-adds between registers, for each instruction set of the machine; none where they can't be measured. */
  readonly fma: Readonly<Record<string, number>>;
  /** Copying within the second and third cache and in memory. */
  readonly copy: Readonly<Record<'L2' | 'L3' | 'DRAM', number>>;
}

const MIB = 2 ** 20;

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}

/** From Linux, or else what most processors of today have at least. */
function readCaches(): Caches {
  const found = new Map<string, number>();
  for (let i = 0; i < 8; i++) {
    const folder = `/sys/devices/system/cpu/cpu0/cache/index${i}`;
    const size = /^(\d+)([KM])$/.exec(read(`${folder}/size`));
    if (size === null || read(`${folder}/type`) === 'Instruction') continue;
    found.set(read(`${folder}/level`), Number(size[1]) * (size[2] === 'M' ? MIB : 1024));
  }
  const l2 = found.get('2') ?? MIB;
  return { l1: found.get('1') ?? 32 * 1024, l2, l3: Math.max(found.get('3') ?? 8 * MIB, l2) };
}

function readQuota(): number | null {
  const [quota, period] = read('/sys/fs/cgroup/cpu.max').split(' ').map(Number);
  return quota && period ? quota / period : null;
}

const ENVIRONMENT =
  /^(CORR2D_(ISA|THREADS)|(ONEDNN|DNNL|ATEN|OMP|KMP|GOMP|MKL|OPENCV)_\w+|UV_THREADPOOL_SIZE)$/;

/** What can be told without measuring. */
export function describeMachine(): Machine {
  const { isa, isas, cpu } = info();
  return {
    cpu,
    cores: Math.min(availableParallelism(), cpus().length),
    memory: totalmem(),
    system: `${type()} ${release().split('-')[0]} ${process.arch}`,
    node: process.version,
    isa,
    isas,
    caches: readCaches(),
    affinity: /^Cpus_allowed_list:\s*(\S+)/m.exec(read('/proc/self/status'))?.[1] ?? '',
    quota: readQuota(),
    environment: Object.fromEntries(
      Object.entries(process.env).filter(([name]) => ENVIRONMENT.test(name)) as [string, string][],
    ),
  };
}

/** Bytes per second, read and written, of this thread when it copies within so many; for where there is no addon. */
function copyHere(bytes: number): number {
  const [source, target] = [new Uint8Array(bytes / 2).fill(1), new Uint8Array(bytes / 2)];
  const repeats = Math.ceil((4 * MIB) / bytes);
  let best = Number.POSITIVE_INFINITY;
  const end = performance.now() + 50;
  do {
    const start = performance.now();
    for (let i = 0; i < repeats; i++) target.set(source);
    best = Math.min(best, performance.now() - start);
  } while (performance.now() < end);
  return (bytes * repeats * 1000) / best;
}

/** Measures for about half a second. WebAssembly has no clock: multiply-adds are not measured there. */
export function measureLimits({ isas, caches }: Machine, threads: number): Limits {
  const { l2, l3 } = caches;
  const isNative = backend === 'native';
  const copy = (bytes: number): number => (isNative ? native.copyBandwidth(bytes, threads) : copyHere(bytes));
  return {
    fma: isNative ? Object.fromEntries(isas.map((isa) => [isa, native.fmaPeak(isa, threads)])) : {},
    copy: {
      L2: copy((threads * l2) / 2),
      L3: copy(Math.max((threads * l2 + l3) / 4, 1.5 * threads * l2)),
      DRAM: copy(Math.max(8 * l3, 128 * MIB)),
    },
  };
}
