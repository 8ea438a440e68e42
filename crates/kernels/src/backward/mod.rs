//! Gradients. Those of a convolution's input are a transposed convolution, those of a transposed one's a convolution, on the same
//! plans as ever; those of a weight are matrix products over pixels (`weight.rs`, `planes.rs`). Every sum is taken in an order that
//! depends on the geometry alone, so the bits are the same for every number of threads.

mod bias;
mod conv;
mod fold;
mod planes;
mod pool;
mod weight;
mod weight_tile;

pub use conv::{ConvGradients, ConvOperands, conv_transpose2d, conv2d};
pub use pool::{avg_pool2d, max_pool2d};
