// Reads the WebAssembly modules where there is a file system.
//
// CommonJS with literal paths, so that file tracers take the modules along.
'use strict';

const { readFileSync } = require('node:fs');
const path = require('node:path');

const read = {
  'relaxed-simd': () => readFileSync(path.join(__dirname, '../wasm/corr2d.relaxed-simd.wasm')),
  simd128: () => readFileSync(path.join(__dirname, '../wasm/corr2d.simd128.wasm')),
};

/** The module of that tier. */
exports.readWasm = function readWasm(tier) {
  try {
    return read[tier]();
  } catch (cause) {
    const message =
      `corr2d could not read its WebAssembly module: ${cause.message}\n` +
      'Published packages have it; in a clone, scripts/build-wasm.sh builds it.';
    throw Object.assign(new Error(message, { cause }), { code: 'ERR_NO_BACKEND' });
  }
};
