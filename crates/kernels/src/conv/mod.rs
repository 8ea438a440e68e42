//! Cross-correlation: one plan, a registry of algorithms, one file per algorithm.

mod activation;
mod bf16x3;
mod channels_last;
mod depthwise;
mod depthwise_last;
mod direct;
mod explain;
mod fft;
mod filter2d;
mod gemm;
mod group_weight;
pub(crate) mod padded_rows;
mod panel_tile;
pub(crate) mod pixel_source;
mod pixel_tile;
mod plan;
mod registry;
pub(crate) mod source;
pub(crate) mod strip;
pub(crate) mod swap_axes;
mod tile;
mod transposed;
mod winograd;
mod winograd_1d;

pub use activation::Activation;
pub use explain::{Candidate, Explanation, Lanes, RegisterTile};
pub use plan::{ConvPlan, Layout};
pub use registry::{ALGORITHMS, Accuracy, Algorithm};
pub use transposed::TransposedPlan;

pub(crate) use plan::choose_once;
pub(crate) use registry::PackedConv;
