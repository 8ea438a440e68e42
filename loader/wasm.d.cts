/**
 * The bytes of the WebAssembly module of that tier.
 *
 * @throws Error `ERR_NO_BACKEND`
 */
export function readWasm(tier: 'relaxed-simd' | 'simd128'): Uint8Array<ArrayBuffer>;
