//! Cross-correlation: one plan, a registry of algorithms, one file per algorithm.

mod activation;
mod direct;
mod filter2d;
mod gemm;
mod plan;
mod registry;
mod source;
pub(crate) mod strip;
mod tile;

pub use activation::Activation;
pub use plan::{ConvPlan, Layout};
pub use registry::{ALGORITHMS, Algorithm};

pub(crate) use registry::PackedConv;
