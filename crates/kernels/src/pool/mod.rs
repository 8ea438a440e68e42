//! Pooling: one plan, one file per reduction, one walk over rows that serves them all.

mod norm;
mod plan;
mod reduce;
mod rows;

pub use plan::PoolPlan;
