//! Pooling: one plan, one file per reduction, and walks that serve them all: over whole planes, over the usual windows, over the rows
//! of any window, and over pixels where channels are last.

mod indices;
mod norm;
mod pixels;
mod plan;
mod planes;
mod reduce;
mod rows;
mod windows;

pub use plan::PoolPlan;
pub(crate) use plan::divisors;
