/** What `native.ts` is for `corr2d/wasm`: WebAssembly in browsers and everywhere else, without the addon. */
import type { loadNative } from '../../loader/native.cjs';
import type { Backend } from '../native.ts';
import { engine } from './engine.ts';
import { bindModule } from './module.ts';
import { chooseTier } from './tier.ts';

// Addresses relative to `dist/wasm.mjs`, spelled out for bundlers.
const ADDRESSES = {
  'relaxed-simd': new URL('../wasm/corr2d.relaxed-simd.wasm', import.meta.url),
  simd128: new URL('../wasm/corr2d.simd128.wasm', import.meta.url),
};

async function readModule(address: URL): Promise<Uint8Array<ArrayBuffer> | ArrayBuffer> {
  if (address.protocol === 'file:') {
    // Only where there are files, so browsers never see it and bundlers must not look for it.
    const fs = await import(/* webpackIgnore: true */ /* @vite-ignore */ 'node:fs/promises');
    return Uint8Array.from(await fs.readFile(address));
  }
  const response = await fetch(address);
  if (!response.ok) throw new Error(`corr2d could not fetch ${address.href}: ${response.status}`);
  return response.arrayBuffer();
}

const isa = (globalThis as { process?: NodeJS.Process }).process?.env.CORR2D_ISA;

export const backend: Backend = 'wasm';
export const native: ReturnType<typeof loadNative> = bindModule(
  await engine.compile(await readModule(ADDRESSES[chooseTier(isa)])),
  isa,
);
export const algorithms: readonly string[] = native.runtimeInfo().algorithms;

/** A page is not told the processor. */
export function cpu(): string {
  return (globalThis as { navigator?: { userAgent: string } }).navigator?.userAgent ?? 'unknown';
}
