/** A layer's parameters by the names that PyTorch gives them. */
import { describe, formatShape, invalidType, invalidValue, shapeMismatch } from '../errors.ts';
import { readSafetensors, writeSafetensors } from '../safetensors.ts';
import { assertReadable, sameShape, type Tensor, type TensorInput, toTensor } from '../tensor.ts';
import type { Layer } from './layer.ts';
import { Sequential } from './sequential.ts';

interface Weighted {
  weight: Tensor;
  bias: Tensor | null;
}

// The layers with parameters, with what their names begin with.
function weightedLayers(layer: Layer, prefix: string): [prefix: string, layer: Weighted][] {
  if (layer instanceof Sequential) {
    return layer.layers.flatMap((inner, i) => weightedLayers(inner, `${prefix}${i}.`));
  }
  return 'weight' in layer ? [[prefix, layer as unknown as Weighted]] : [];
}

function checkLayer(layer: unknown): Layer {
  if (typeof (layer as Partial<Layer> | null)?.forward !== 'function') {
    throw invalidType('a layer', 'layer', layer);
  }
  return layer as Layer;
}

/**
 * A snapshot of a layer's parameters: `weight` and `bias`, in a `Sequential` behind the layer's position, as in
 * `0.weight` and `2.1.bias`. Source: PyTorch `Module.state_dict`.
 *
 * @throws TypeError `ERR_INVALID_ARG_TYPE`
 */
export function stateDict(layer: Layer): Map<string, Tensor> {
  const state = new Map<string, Tensor>();
  for (const [prefix, { weight, bias }] of weightedLayers(checkLayer(layer), '')) {
    state.set(`${prefix}weight`, weight);
    if (bias !== null) state.set(`${prefix}bias`, bias);
  }
  return state;
}

/**
 * Copies parameters into a layer that has the same names and shapes, all or none of them. Source: PyTorch
 * `Module.load_state_dict` with `strict`.
 *
 * @param state what `stateDict` or `readSafetensors` gave
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_DETACHED_BUFFER`; RangeError `ERR_INVALID_ARG_VALUE` for a name that is
 *   missing or that the layer hasn't, `ERR_SHAPE_MISMATCH`
 */
export function loadStateDict(layer: Layer, state: ReadonlyMap<string, TensorInput>): void {
  const wanted = stateDict(layer);
  if (!(state instanceof Map)) throw invalidType('a Map of tensors', 'state', state);
  for (const name of state.keys()) {
    if (!wanted.has(name)) throw invalidValue('names that the layer has', 'state', name);
  }
  const checked = new Map<string, Tensor>();
  for (const [name, { shape }] of wanted) {
    const value = state.get(name);
    if (value === undefined)
      throw invalidValue(`a tensor named ${describe(name)}`, 'state', [...state.keys()]);
    const parameter = `state, ${describe(name)}`;
    const given = toTensor(value, parameter);
    if (!sameShape(given.shape, shape)) {
      throw shapeMismatch(`shape ${formatShape(shape)}`, parameter, formatShape(given.shape));
    }
    assertReadable(given, parameter);
    checked.set(name, given);
  }
  for (const [prefix, target] of weightedLayers(layer, '')) {
    target.weight = checked.get(`${prefix}weight`) as Tensor;
    if (target.bias !== null) target.bias = checked.get(`${prefix}bias`) as Tensor;
  }
}

/**
 * A safetensors file of a layer's parameters, under the names of `stateDict`: PyTorch's `load_state_dict` takes it.
 *
 * @throws as `stateDict` and `writeSafetensors`
 */
export function saveSafetensors(layer: Layer): Uint8Array<ArrayBuffer> {
  return writeSafetensors(stateDict(layer));
}

/**
 * Loads a layer's parameters from a safetensors file that has exactly the names of `stateDict`, as PyTorch's
 * `state_dict` of the same layers has.
 *
 * @throws as `readSafetensors` and `loadStateDict`; the layer is unchanged then
 */
export function loadSafetensors(layer: Layer, bytes: Uint8Array | ArrayBuffer): void {
  loadStateDict(layer, readSafetensors(bytes));
}
