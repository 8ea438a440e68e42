/**
 * The WebAssembly module behind the addon's interface: the only place that knows that arrays are copied into its memory
 * and back. What it exports, and which arguments are written, the module says itself (crates/wasm/export).
 */
import type { loadNative } from '../../loader/native.cjs';
import { limitExceeded, nativeFailure } from '../errors.ts';
import { engine, type Memory, type Module } from './engine.ts';

type Binding = ReturnType<typeof loadNative>;
type TypedArray = Float64Array | Float32Array | Int32Array | Uint16Array | Uint8Array;
type Done = (code: string | null, message: string | null) => void;

/** How an argument is passed. */
interface Kind {
  isText: boolean;
  /** Whether the array's element type is told too. */
  isSamples: boolean;
  /** Bytes of an element, 0 for what is no array. */
  elementBytes: number;
  isWritten: boolean;
  /** Whether what is there before the call matters. */
  isRead: boolean;
  /** Whether the array is the job's from the start. */
  isKept: boolean;
}

interface Entry {
  what: string;
  name: string;
  kinds: Kind[];
  isJob: boolean;
}

const ELEMENT_BYTES: Readonly<Record<string, number>> = { f64: 8, f32: 4, i32: 4, u16: 2, u8: 1 };

// The order of the outcomes in crates/wasm/binding.
const [NUMBER, JSON_TEXT, RANGE_ERROR] = [0, 1, 2];

function parseKind(text: string): Kind {
  const element = /(?:Array|Kept)<(\w+)>/.exec(text)?.[1] ?? '';
  const isWritten = text.startsWith('mut ') || text.includes('Kept');
  const isSamples = text.includes('Samples');
  return {
    isText: text.includes('String'),
    isSamples,
    elementBytes: isSamples ? 1 : (ELEMENT_BYTES[element] ?? 0),
    isWritten,
    isKept: text.includes('Kept'),
    // Numbers are read and written back; other memory is filled.
    isRead: element === 'f64' || !text.startsWith('mut '),
  };
}

function parseEntry(line: string): Entry {
  const [, what = '', name = '', list = ''] = /^(\w+) ([\w.]+)\((.*)\)$/.exec(line) ?? [];
  const words = list === '' ? [] : list.split(',');
  return {
    what,
    name,
    kinds: words.filter((word) => word !== 'Done').map(parseKind),
    isJob: words.includes('Done'),
  };
}

interface Exports {
  memory: Memory;
  frame(): number;
  number(): number;
  text(): number;
  text_length(): number;
  allocate(bytes: number): number;
  release(address: number, bytes: number): void;
  [entry: string]: unknown;
}

/** Calls entries by frame. */
class Caller {
  readonly #exports: Exports;
  readonly #frame: number;

  constructor(exports: Exports) {
    this.#exports = exports;
    this.#frame = exports.frame();
  }

  call(name: string, kinds: readonly Kind[], args: readonly unknown[], object?: number): unknown {
    const { memory, release } = this.#exports;
    const numbers: number[] = object === undefined ? [] : [object];
    const copies: { array: TypedArray; address: number; kind: Kind }[] = [];
    try {
      for (const [i, kind] of kinds.entries()) {
        let value = args[i];
        if (kind.isText && typeof value === 'string') value = new TextEncoder().encode(value);
        if (kind.elementBytes === 0 && !kind.isText) {
          numbers.push(value === undefined || value === null ? Number.NaN : Number(value));
        } else if (value === undefined || value === null) {
          numbers.push(...(kind.isSamples ? [Number.NaN, 0, 0] : [Number.NaN, 0]));
        } else {
          const array = value as TypedArray;
          const address = this.#allocate(array.byteLength);
          copies.push({ array, address, kind });
          if (kind.isSamples) numbers.push(array.BYTES_PER_ELEMENT);
          numbers.push(address, array.length);
        }
      }
      // Only now: an allocation may have moved the memory.
      for (const { array, address, kind } of copies) {
        if (kind.isRead || kind.isText) bytesAt(memory, address, array.byteLength).set(bytesOf(array));
      }
      new Float64Array(memory.buffer, this.#frame, numbers.length).set(numbers);
      const result = this.#finish(this.#run(name));
      for (const { array, address, kind } of copies) {
        if (kind.isWritten) bytesOf(array).set(bytesAt(memory, address, array.byteLength));
      }
      return result;
    } finally {
      for (const { array, address } of copies) release(address, array.byteLength);
    }
  }

  // A panic is a trap here.
  #run(name: string): number {
    try {
      return (this.#exports[name] as () => number)();
    } catch (cause) {
      throw new Error('the computation panicked', { cause });
    }
  }

  #allocate(bytes: number): number {
    const address = this.#exports.allocate(bytes);
    if (address === 0) throw limitExceeded('a size that WebAssembly can allocate', 'an array', bytes);
    // Addresses above 2 GiB arrive as negative numbers.
    return address >>> 0;
  }

  #finish(outcome: number): unknown {
    if (outcome === NUMBER) return this.#exports.number();
    const { memory } = this.#exports;
    const bytes = bytesAt(memory, this.#exports.text() >>> 0, this.#exports.text_length());
    const text = new TextDecoder().decode(bytes);
    // As napi-rs has it: what is not there is undefined.
    if (outcome === JSON_TEXT) return JSON.parse(text, (_, value: unknown) => value ?? undefined);
    if (outcome !== RANGE_ERROR) throw new Error(text);
    const end = text.indexOf('\n');
    throw nativeFailure(text.slice(0, end), text.slice(end + 1));
  }
}

const bytesAt = (memory: Memory, address: number, bytes: number): Uint8Array =>
  new Uint8Array(memory.buffer, address, bytes);

const bytesOf = (array: TypedArray): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

const ARRAYS = { 1: Uint8Array, 2: Uint16Array, 4: Float32Array, 8: Float64Array } as const;

/** What a job reads when its turn comes: a copy of what is not its own, for the caller may change that meanwhile. */
function ofJob(value: unknown, { isKept, elementBytes }: Kind): unknown {
  if (isKept || elementBytes === 0 || value === undefined || value === null) return value;
  const array = value as TypedArray;
  // The elements' type does not matter, only their size.
  return new ARRAYS[array.BYTES_PER_ELEMENT as keyof typeof ARRAYS](bytesOf(array).slice().buffer);
}

/** Jobs wait for their turn in the event loop, since there is no other thread. */
class Jobs {
  #last = 0;
  readonly #waiting = new Map<number, ReturnType<typeof setTimeout>>();

  start(work: () => void, done: Done): number {
    const job = ++this.#last;
    const run = (): void => {
      this.#waiting.delete(job);
      try {
        work();
      } catch (error) {
        const { code, message } = error as Error & { code?: string };
        done(code ?? null, message);
        return;
      }
      done(null, null);
    };
    this.#waiting.set(job, setTimeout(run, 0));
    return job;
  }

  cancel(job: number): void {
    clearTimeout(this.#waiting.get(job));
    this.#waiting.delete(job);
  }
}

function makeClass(caller: Caller, name: string, entries: readonly Entry[]): unknown {
  const addresses = new WeakMap<object, number>();
  const registry = new FinalizationRegistry<number>((address) => {
    caller.call(`${name}.drop`, [], [], address);
  });
  const kinds = entries.find(({ what }) => what === 'constructor')?.kinds ?? [];
  const made = class {
    constructor(...args: unknown[]) {
      const address = caller.call(name, kinds, args) as number;
      addresses.set(this, address);
      registry.register(this, address);
    }
  };
  for (const { what, name: full, kinds: ofMember } of entries) {
    if (what !== 'getter' && what !== 'method') continue;
    function member(this: object, ...args: unknown[]): unknown {
      return caller.call(full, ofMember, args, addresses.get(this));
    }
    const property = what === 'getter' ? { get: member } : { value: member };
    Object.defineProperty(made.prototype, full.slice(name.length + 1), property);
  }
  return made;
}

/**
 * A compiled module as the addon.
 *
 * @param isa the instruction set to use, where not the module's best
 */
export function bindModule(module: Module, isa: string | undefined): Binding {
  const { exports } = new engine.Instance(module, {});
  const caller = new Caller(exports as unknown as Exports);
  const text = engine.Module.customSections(module, 'entries')
    .map((section) => new TextDecoder().decode(section))
    .join('');
  const entries = text.trimEnd().split('\n').map(parseEntry);
  const jobs = new Jobs();
  const binding: Record<string, unknown> = { cancelJob: (job: number) => jobs.cancel(job) };
  for (const { what, name, kinds, isJob } of entries) {
    if (what === 'constructor') {
      const ofClass = entries.filter((entry) => entry.name === name || entry.name.startsWith(`${name}.`));
      binding[name] = makeClass(caller, name, ofClass);
    } else if (what === 'function' && isJob) {
      binding[name] = (...args: unknown[]) => {
        const own = kinds.map((kind, i) => ofJob(args[i], kind));
        return jobs.start(() => caller.call(name, kinds, own), args[kinds.length] as Done);
      };
    } else if (what === 'function') {
      binding[name] = (...args: unknown[]) => caller.call(name, kinds, args);
    }
  }
  if (isa !== undefined && isa !== '') {
    const encode = (word: string): Uint8Array => new TextEncoder().encode(word);
    (binding.setVariable as (name: Uint8Array, value: Uint8Array) => void)(encode('CORR2D_ISA'), encode(isa));
  }
  return binding as unknown as Binding;
}
