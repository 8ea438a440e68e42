//! Filters, pooling and template matching of interleaved 8-bit, 16-bit and float images.

mod box_filter;
mod filter;
mod frame;
mod gradient;
mod light;
mod parts;
mod pixel;
mod pool;
mod separable;
mod taps;
mod target;
mod template;
mod two_rows;

pub use filter::{Alpha, Border, ImageFilter, ImageRequest};
pub use frame::Frame;
pub use gradient::Gradient;
pub use pixel::{Pixel, Total};
pub use pool::{ImagePool, ImagePoolMode};
pub use template::{Best, Method, Template};
