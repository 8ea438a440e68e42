//! Memory that is freed before the garbage collection finds it.

use napi::bindgen_prelude::ArrayBuffer;
use napi_derive::napi;

/// Detaches a buffer, which frees its memory at once, whoever allocated it. One that can't be detached is left to the garbage
/// collection.
#[napi(catch_unwind)]
pub fn release(buffer: ArrayBuffer) {
    // Refused for what is detached already, and for memory that an engine keeps.
    let _ = buffer.detach();
}
