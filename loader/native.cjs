// Loads the addon for this machine by napi-rs's generated loader, and explains it when none loads.
//
// CommonJS with literal requires, so that bundlers and file tracers follow them from here to the binary.
'use strict';

const { explain } = require('./explain.cjs');

let binding;

/** The addon. */
exports.loadNative = function loadNative() {
  try {
    // A copy: V8 finds the properties of an object that N-API made by hashing their names, for every call.
    binding ??= { ...require('../native/binding.cjs') };
    return binding;
  } catch (error) {
    throw explain(error);
  }
};
