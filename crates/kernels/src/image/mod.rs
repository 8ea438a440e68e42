//! Filters, pooling and template matching of interleaved 8-bit, 16-bit and float images.

mod beyond;
mod box_filter;
mod byte_kernel;
mod byte_part;
mod cell;
mod compiled;
mod few_rows;
mod filter;
mod fold;
mod frame;
mod gradient;
mod halos;
mod light;
mod load;
mod means;
mod parts;
mod pick;
mod pixel;
mod pool;
mod quotient;
mod separable;
mod target;
mod template;
mod terms;
mod total;

pub use cell::Cell;
pub use compiled::Compiled;
pub use filter::{Alpha, Border, ImageFilter, ImageRequest};
pub use frame::Frame;
pub use gradient::Gradient;
pub use pixel::Pixel;
pub use pool::{ImagePool, ImagePoolMode};
pub use template::{Best, Method, Template};
pub use total::{FloatTotal, Total, TotalOf};
