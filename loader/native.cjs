// Loads the addon for this machine by napi-rs's generated loader, and explains it when none loads.
//
// CommonJS with literal requires, so that bundlers and file tracers follow them from here to the binary.
'use strict';

const { explain } = require('./explain.cjs');

/** The addon. */
exports.loadNative = function loadNative() {
  try {
    return require('../native/binding.cjs');
  } catch (error) {
    throw explain(error);
  }
};
