//! The WebAssembly module: for machines that no addon fits, and for browsers.
//!
//! Its entry points are those of `crates/node`, the same files, compiled against another `napi` (see `binding/` and `export/`). So a
//! new entry point there is one here. What differs is beside them: arrays are memory into which JavaScript copied, a job runs at
//! once, and there is one thread.

// Elsewhere nothing is exported; the crate is compiled there for the lints.
#![cfg_attr(not(target_family = "wasm"), allow(dead_code))]

pub mod array;
pub mod environment;
mod job;
mod memory;
pub mod samples;

#[path = "../../node/src/backward.rs"]
pub mod backward;
#[path = "../../node/src/conv.rs"]
pub mod conv;
#[path = "../../node/src/conv_transpose.rs"]
pub mod conv_transpose;
#[path = "../../node/src/error.rs"]
mod error;
#[path = "../../node/src/explain.rs"]
pub mod explain;
#[path = "../../node/src/image.rs"]
pub mod image;
#[path = "../../node/src/native_plan.rs"]
pub mod native_plan;
#[path = "../../node/src/params.rs"]
mod params;
#[path = "../../node/src/plan.rs"]
pub mod plan;
#[path = "../../node/src/pool.rs"]
pub mod pool;
#[path = "../../node/src/recent.rs"]
mod recent;
#[path = "../../node/src/runtime.rs"]
pub mod runtime;
