//! 2-D correlation, convolution and pooling on `f32`, free of any binding: plan once, run often.
//!
//! A geometry ([`geometry`]) is valid by construction; a plan ([`conv::ConvPlan`], [`pool::PoolPlan`]) picks an algorithm from a
//! registry, packs what it needs and then runs without allocating. The same plan gives the same bits for every number of threads
//! and every split of the batch.

mod along;
pub mod backward;
pub mod buffer;
pub mod conv;
mod edge;
pub mod error;
pub mod geometry;
pub mod image;
mod lanes;
mod pages;
pub mod parallel;
pub mod peak;
pub mod pool;
pub mod reference;
mod registers;
pub mod view;

pub use corr2d_simd::Isa;
pub use error::{Error, ErrorKind};
