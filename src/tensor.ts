import { checkInteger, checkOptions } from './check.ts';
import {
  formatShape,
  invalidType,
  invalidValue,
  outOfBounds,
  outOfRange,
  shapeMismatch,
  typedArrayName,
} from './errors.ts';
import { allocate, allocateResult, checkFloat32, isDetached, unreadable } from './memory.ts';
import { MAX_RANK, type NestedArray, type NestedNumbers, readNested, writeNested } from './nested.ts';
import { seededRandom } from './random.ts';
import { copyStrided } from './strided-copy.ts';
import { firstIndex, lastIndex, reshapedStrides, rowMajorSize, rowMajorStrides, sizeOf } from './strides.ts';

/** Where the elements of a view lie in its data; all in elements, not bytes. */
export interface TensorLayout {
  /** Distance between neighbours along each axis, possibly 0 or negative. Default: row-major without gaps. */
  strides?: readonly number[] | undefined;
  /** Position of the first element. Default 0. */
  offset?: number | undefined;
}

/** Memory with a shape, as scijs' ndarray (`stride`) and other libraries give it; row-major without strides. */
export interface ShapedData extends TensorLayout {
  data: Float32Array;
  shape: readonly number[];
  /** The name that scijs' ndarray has for `strides`. */
  stride?: readonly number[] | undefined;
}

/** onnxruntime's tensor, or anything else with `data` and `dims`. */
export interface DimsData {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/**
 * What every function of this package takes as a tensor. Only nested arrays are copied; the other forms are read where
 * they lie.
 */
export type TensorInput = Tensor | NestedArray | ShapedData | DimsData;

const CHECKED = Symbol('checked layout');

/** The buffer of a tensor's data. */
export let bufferOf: (tensor: Tensor) => ArrayBufferLike;

/**
 * A row-major float32 array of any number of axes (at most 32): a view of a `Float32Array`, without a copy.
 *
 * `reshape`, `transpose` and `slice` give views of the same memory. Several tensors may share memory; whoever writes
 * into `data` writes into all of them.
 */
export class Tensor {
  /** The memory; elements outside of the view may belong to others. */
  readonly data: Float32Array;
  /** Length of each axis. */
  readonly shape: readonly number[];
  /** Distance in elements between neighbours along each axis. */
  readonly strides: readonly number[];
  /** Position in `data` of the first element. */
  readonly offset: number;
  /** Number of elements: the product of `shape`. */
  readonly size: number;
  // Asked for once: it is the same as long as the array lives, and V8 answers slowly. The field's presence tells a
  // constructed tensor from an object that only has this prototype.
  #buffer: ArrayBufferLike | undefined;

  static {
    bufferOf = (tensor) => (tensor.#buffer ??= tensor.data.buffer);
  }

  /**
   * Wraps `data` without copying it.
   *
   * @param data a `Float32Array`; its `byteOffset` is honoured
   * @param shape integers of at least 0. Without a layout, their product must be `data.length`
   * @param layout strides and offset; the view must stay inside `data`
   * @throws TypeError `ERR_INVALID_ARG_TYPE` (naming another typed array's type), `ERR_DETACHED_BUFFER`;
   *   RangeError `ERR_SHAPE_MISMATCH`, `ERR_OUT_OF_RANGE`
   */
  constructor(data: Float32Array, shape: readonly number[], layout?: TensorLayout);
  constructor(
    data: Float32Array,
    shape: readonly number[],
    layout: TensorLayout | typeof CHECKED | undefined,
    strides?: readonly number[],
    offset?: number,
    size?: number,
  ) {
    if (layout === CHECKED) {
      this.data = data;
      this.shape = shape;
      this.strides = strides as readonly number[];
      this.offset = offset as number;
      this.size = size as number;
    } else {
      const given = checkOptions(layout, 'layout', ['strides', 'offset']);
      const view = checkLayout(data, shape, given?.strides, given?.offset, '');
      this.data = view.data;
      this.shape = view.shape;
      this.strides = view.strides;
      this.offset = view.offset;
      this.size = view.size;
    }
  }

  /** Whether `value` was made by this constructor, and isn't merely shaped like it. */
  static isTensor(value: unknown): value is Tensor {
    return typeof value === 'object' && value !== null && #buffer in value;
  }

  /**
   * A tensor of any `TensorInput`: nested arrays are copied, every other form is wrapped.
   *
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_DETACHED_BUFFER`; RangeError `ERR_SHAPE_MISMATCH` (ragged rows),
   *   `ERR_OUT_OF_RANGE`, `ERR_LIMIT_EXCEEDED`
   */
  static from(value: TensorInput): Tensor {
    return toTensor(value, 'value');
  }

  /** Zeros. @throws TypeError, RangeError for a bad shape, `ERR_LIMIT_EXCEEDED` over `setLimits` */
  static zeros(shape: readonly number[]): Tensor {
    const checked = checkShape(shape, 'shape');
    return fromChecked(allocate(sizeOf(checked), 'shape'), checked);
  }

  /** Ones. @throws as `zeros` */
  static ones(shape: readonly number[]): Tensor {
    return Tensor.full(shape, 1);
  }

  /** `value` everywhere (any number, NaN included). @throws as `zeros` */
  static full(shape: readonly number[], value: number): Tensor {
    if (typeof value !== 'number') throw invalidType('a number', 'value', value);
    const result = Tensor.zeros(shape);
    result.data.fill(value);
    return result;
  }

  /**
   * Uniform in [0, 1). A seed (an integer from 0 to 2⁵³ − 1) gives the same numbers on every machine: xoshiro128++ seeded
   * through SplitMix32, its upper 24 bits times 2⁻²⁴. Source: seed 1.2 (`torch.rand`; the numbers are not PyTorch's).
   *
   * @throws as `zeros`
   */
  static rand(shape: readonly number[], options?: { seed?: number | undefined }): Tensor {
    const seed = checkOptions(options, 'options', ['seed'])?.seed;
    const random = seededRandom(seed === undefined ? undefined : checkInteger(seed, 'seed', 0));
    const result = Tensor.zeros(shape);
    const { data } = result;
    for (let i = 0; i < data.length; i++) data[i] = random();
    return result;
  }

  /**
   * Copies tensors of one shape into a new one with a leading axis, as `torch.stack(list, 0)`.
   *
   * @throws RangeError `ERR_INVALID_ARG_VALUE` for an empty list, `ERR_SHAPE_MISMATCH` for unlike shapes
   */
  static stack(list: readonly TensorInput[]): Tensor {
    if (!Array.isArray(list)) throw invalidType('an array of tensors', 'list', list);
    const tensors: Tensor[] = [];
    for (let i = 0; i < list.length; i++) tensors.push(toTensor(list[i], `list[${i}]`));
    const first = tensors[0];
    if (first === undefined) throw invalidValue('at least one tensor', 'list', list);
    for (const [i, tensor] of tensors.entries()) {
      if (!sameShape(tensor.shape, first.shape)) {
        throw shapeMismatch(`shape ${formatShape(first.shape)}`, `list[${i}]`, formatShape(tensor.shape));
      }
      assertReadable(tensor, `list[${i}]`);
    }
    const data = allocateResult(first.size * tensors.length, 'list');
    for (const [i, tensor] of tensors.entries()) {
      copyStrided(tensor.data, tensor.shape, tensor.strides, tensor.offset, data, i * first.size);
    }
    return fromChecked(data, [tensors.length, ...first.shape]);
  }

  /**
   * One element. A negative index counts from the end, as `Array.prototype.at` does.
   *
   * @param indices one integer for each axis
   * @throws TypeError `ERR_INVALID_ARG_TYPE`; RangeError `ERR_SHAPE_MISMATCH` for another number of indices,
   *   `ERR_OUT_OF_RANGE` for one outside of its axis
   */
  at(...indices: number[]): number {
    const { shape } = this;
    if (indices.length !== shape.length) {
      throw shapeMismatch(`${shape.length} indices`, 'indices', `${indices.length}`);
    }
    assertReadable(this, 'the tensor');
    let position = this.offset;
    for (let axis = 0; axis < shape.length; axis++) {
      const index = checkPosition(indices[axis], `indices[${axis}]`, shape[axis] as number, -1);
      position += index * (this.strides[axis] as number);
    }
    return this.data[position] as number;
  }

  /** The elements as nested arrays of numbers. @throws TypeError `ERR_DETACHED_BUFFER` */
  toArray(): NestedNumbers {
    assertReadable(this, 'the tensor');
    return writeNested(this.data, this.shape, this.strides, this.offset);
  }

  /**
   * The same elements in row-major order under another shape, given as an array or as arguments; one length may be −1
   * and is then computed. A view where strides allow it (always where the tensor is contiguous), else a copy, as in
   * PyTorch.
   *
   * @throws RangeError `ERR_SHAPE_MISMATCH` for another number of elements, `ERR_OUT_OF_RANGE` for a bad length
   */
  reshape(shape: readonly number[]): Tensor;
  reshape(...shape: number[]): Tensor;
  reshape(...args: number[] | [readonly number[]]): Tensor {
    const wanted = Array.isArray(args[0]) && args.length === 1 ? args[0] : args;
    const shape = inferShape(wanted, this);
    assertReadable(this, 'the tensor');
    const strides =
      this.size === 0 ? rowMajorStrides(shape) : reshapedStrides(this.shape, this.strides, shape);
    if (strides === undefined) return fromChecked(this.contiguous().data, shape);
    return fromTrusted(this.data, shape, strides, this.offset, this.size);
  }

  /**
   * A view with the axes in another order; without arguments in reverse order, like NumPy's `.T`.
   *
   * @param axes each axis once
   * @throws TypeError `ERR_INVALID_ARG_TYPE`; RangeError `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`
   */
  transpose(...axes: number[]): Tensor {
    const rank = this.shape.length;
    const order = axes.length === 0 ? this.shape.map((_, axis) => rank - 1 - axis) : axes;
    if (order.length !== rank) throw invalidValue(`${rank} axes`, 'axes', order);
    for (let i = 0; i < rank; i++) checkInteger(order[i], `axes[${i}]`, 0, rank - 1);
    if (new Set(order).size !== rank) throw invalidValue('each axis once', 'axes', order);
    const shape = order.map((axis) => this.shape[axis] as number);
    const strides = order.map((axis) => this.strides[axis] as number);
    return fromTrusted(this.data, shape, strides, this.offset, this.size);
  }

  /**
   * A view of a region: for each axis a `[start, end)`, `[start]` up to the end, or undefined for the whole axis; missing
   * ones are whole. Negative positions count from the end. No axis is dropped.
   *
   * @throws TypeError `ERR_INVALID_ARG_TYPE`; RangeError `ERR_OUT_OF_RANGE` for a position outside of its axis (a crop is
   *   never silently smaller than asked for), `ERR_INVALID_ARG_VALUE` for too many ranges
   */
  slice(...ranges: (readonly [start: number, end?: number] | undefined)[]): Tensor {
    const rank = this.shape.length;
    if (ranges.length > rank) throw invalidValue(`at most ${rank} ranges`, 'ranges', ranges);
    const shape = [...this.shape];
    let { offset } = this;
    for (let axis = 0; axis < ranges.length; axis++) {
      const range: unknown = ranges[axis];
      if (range === undefined) continue;
      const parameter = `ranges[${axis}]`;
      if (!Array.isArray(range)) throw invalidType('[start, end] or undefined', parameter, range);
      if (range.length !== 1 && range.length !== 2) throw invalidValue('[start, end]', parameter, range);
      const length = shape[axis] as number;
      const start = checkPosition(range[0], `${parameter}[0]`, length, 0);
      const end = range.length === 1 ? length : checkPosition(range[1], `${parameter}[1]`, length, 0);
      if (end < start) throw outOfRange(`a position of at least ${start}`, `${parameter}[1]`, range[1]);
      shape[axis] = end - start;
      offset += start * (this.strides[axis] as number);
    }
    const size = sizeOf(shape);
    return fromTrusted(this.data, shape, this.strides, size === 0 ? 0 : offset, size);
  }

  /**
   * The tensor itself where its elements fill `data` exactly, in row-major order; else a copy of which that is true.
   *
   * @throws TypeError `ERR_DETACHED_BUFFER`; RangeError `ERR_LIMIT_EXCEEDED`
   */
  contiguous(): Tensor {
    assertReadable(this, 'the tensor');
    if (isDense(this)) return this;
    const data = allocateResult(this.size, 'the tensor');
    copyStrided(this.data, this.shape, this.strides, this.offset, data, 0);
    return fromChecked(data, [...this.shape]);
  }
}

const Trusted = Tensor as unknown as new (
  data: Float32Array,
  shape: readonly number[],
  token: typeof CHECKED,
  strides: readonly number[],
  offset: number,
  size: number,
) => Tensor;

/** A tensor of parts that are known to fit; nothing is checked or copied. */
export function fromTrusted(
  data: Float32Array,
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
  size: number,
): Tensor {
  return new Trusted(data, shape, CHECKED, strides, offset, size);
}

/** A tensor of the whole of `data`, which is known to have the shape's size. */
export function fromChecked(data: Float32Array, shape: readonly number[]): Tensor {
  return new Trusted(data, shape, CHECKED, rowMajorStrides(shape), 0, data.length);
}

/** Whether the elements fill `data` exactly, in row-major order: told from the fields as they are now. */
export function isDense({ data, shape, strides, offset }: Tensor): boolean {
  return offset === 0 && rowMajorSize(shape, strides) === data.length;
}

/** Whether two shapes are equal. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let axis = 0; axis < a.length; axis++) if (a[axis] !== b[axis]) return false;
  return true;
}

/** Throws unless the whole view lies in its memory now: buffers can be detached or shrunk after construction. */
export function assertReadable(tensor: Tensor, parameter: string): void {
  const { data, shape, strides, offset } = tensor;
  const length = data.length;
  if (length > 0 && isDense(tensor)) return;
  if (tensor.size === 0) {
    if (length === 0 && isDetached(data)) throw unreadable(data, parameter);
    return;
  }
  const inside = firstIndex(shape, strides, offset) >= 0 && lastIndex(shape, strides, offset) < length;
  if (!inside) throw unreadable(data, parameter);
}

/** The one normal form of every `TensorInput`; `parameter` names it in errors. */
export function toTensor(value: unknown, parameter: string): Tensor {
  return Tensor.isTensor(value) ? value : convert(value, parameter);
}

const FORMS = 'a Tensor, nested number arrays, {data, shape} or {data, dims}';

function convert(value: unknown, parameter: string): Tensor {
  if (Array.isArray(value)) {
    const { data, shape } = readNested(value, parameter);
    return fromChecked(data, shape);
  }
  if (typeof value !== 'object' || value === null || typedArrayName(value) !== undefined) {
    throw invalidType(FORMS, parameter, value);
  }
  const foreign = value as Record<string, unknown>;
  const data = foreign.data;
  const shape = foreign.shape ?? foreign.dims;
  if (data === undefined || shape === undefined) throw invalidType(FORMS, parameter, value);
  const strides = foreign.strides ?? foreign.stride;
  const view = checkLayout(data, shape, strides, foreign.offset, `${parameter}.`);
  return fromTrusted(view.data, view.shape, view.strides, view.offset, view.size);
}

/** A copy of a shape whose lengths are integers of at least 0. */
export function checkShape(shape: unknown, parameter: string): number[] {
  const lengths = copyIntegers(shape, parameter, 0);
  if (!(sizeOf(lengths) <= Number.MAX_SAFE_INTEGER)) {
    throw outOfRange('a product below 2**53', parameter, sizeOf(lengths));
  }
  return lengths;
}

function copyIntegers(value: unknown, parameter: string, min: number): number[] {
  if (!Array.isArray(value)) throw invalidType('an array of integers', parameter, value);
  const { length } = value;
  if (length > MAX_RANK) throw invalidValue(`at most ${MAX_RANK} axes`, parameter, value);
  const result: number[] = [];
  for (let i = 0; i < length; i++) result.push(checkInteger(value[i], `${parameter}[${i}]`, min));
  return result;
}

// From the start, or from the end where negative; `end` is 0 where one past the last is allowed, else -1.
function checkPosition(value: unknown, parameter: string, length: number, end: 0 | -1): number {
  if (typeof value !== 'number') throw invalidType('an integer', parameter, value);
  const position = value < 0 ? value + length : value;
  if (!Number.isInteger(position) || position < 0 || position > length + end) {
    throw outOfRange(`a position on an axis of length ${length}`, parameter, value);
  }
  return position;
}

interface CheckedLayout {
  data: Float32Array;
  shape: number[];
  strides: number[];
  offset: number;
  size: number;
}

// Copies what the caller could change later, and proves that the view stays inside its data.
function checkLayout(
  data: unknown,
  shape: unknown,
  strides: unknown,
  offset: unknown,
  prefix: string,
): CheckedLayout {
  const memory = checkFloat32(data, `${prefix}data`);
  const lengths = checkShape(shape, `${prefix}shape`);
  const size = sizeOf(lengths);
  const start = offset === undefined ? 0 : checkInteger(offset, `${prefix}offset`, 0);
  const steps =
    strides === undefined
      ? rowMajorStrides(lengths)
      : copyIntegers(strides, `${prefix}strides`, Number.MIN_SAFE_INTEGER);
  if (steps.length !== lengths.length) {
    throw shapeMismatch(`${lengths.length} strides`, `${prefix}strides`, `${steps.length}`);
  }
  if (isDetached(memory)) throw unreadable(memory, `${prefix}data`);
  if (strides === undefined && offset === undefined && size !== memory.length) {
    const what = `${size} elements, the product of shape ${formatShape(lengths)},`;
    throw shapeMismatch(what, `${prefix}data`, `${memory.length}`);
  }
  if (size > 0) {
    const inside = firstIndex(lengths, steps, start) >= 0 && lastIndex(lengths, steps, start) < memory.length;
    if (!inside) throw outOfBounds(`${prefix}data`, memory.length);
  }
  return { data: memory, shape: lengths, strides: steps, offset: start, size };
}

function inferShape(wanted: unknown, tensor: Tensor): number[] {
  const shape = copyIntegers(wanted, 'shape', -1);
  const unknownAxis = shape.indexOf(-1);
  if (unknownAxis >= 0) {
    shape[unknownAxis] = 1;
    if (shape.includes(-1)) throw invalidValue('at most one length of -1', 'shape', wanted);
    const known = sizeOf(shape);
    if (known === 0) throw invalidValue('no length of -1 beside one of 0', 'shape', wanted);
    shape[unknownAxis] = Math.floor(tensor.size / known);
  }
  if (sizeOf(shape) !== tensor.size) {
    throw shapeMismatch(`${tensor.size} elements`, 'shape', formatShape(shape));
  }
  return shape;
}
