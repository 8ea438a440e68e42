/** The part of the global `WebAssembly` that is used, since neither Node's types nor plain ECMAScript's have it. */
export interface Module {
  readonly [Symbol.toStringTag]: string;
}

export interface Memory {
  readonly buffer: ArrayBuffer;
}

interface Engine {
  readonly Module: {
    new (bytes: Uint8Array<ArrayBuffer>): Module;
    customSections(module: Module, name: string): ArrayBuffer[];
  };
  readonly Instance: new (module: Module, imports: object) => { readonly exports: Record<string, unknown> };
  compile(bytes: Uint8Array<ArrayBuffer> | ArrayBuffer): Promise<Module>;
  validate(bytes: Uint8Array<ArrayBuffer>): boolean;
}

export const engine: Engine = (globalThis as unknown as { WebAssembly: Engine }).WebAssembly;
