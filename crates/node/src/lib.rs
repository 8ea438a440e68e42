//! The Node addon: conversions and error mapping, no arithmetic.
//!
//! Numbers cross in one `Float64Array` per call (see `params.rs`), arrays as they are. A call borrows the caller's memory only until
//! it returns; a job (`job.rs`) keeps memory that is its own. Every entry checks again what soundness needs and turns a panic into an exception.

pub mod array;
pub mod backward;
pub mod conv;
pub mod conv_transpose;
pub mod direct_call;
mod environment;
mod error;
pub mod explain;
pub mod image;
pub mod job;
pub mod native_plan;
mod params;
pub mod plan;
pub mod pool;
mod recent;
pub mod release;
pub mod runtime;
mod samples;

use array::Array;
use napi_derive::napi;

/// The address at which native code sees the first element, for tests that prove that nothing is copied.
#[napi(catch_unwind)]
pub fn address_of(#[napi(ts_arg_type = "Float32Array")] x: Array<f32>) -> f64 {
    x.read().as_ptr().addr() as f64
}
