//! Pooling: one plan, one file per reduction, and a walk over the output for each order of axes that serves them all.

mod indices;
mod norm;
mod pixels;
mod plan;
mod reduce;
mod rows;

pub use plan::PoolPlan;
