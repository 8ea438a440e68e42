//! Filters on interleaved 8-bit, 16-bit and float images.

mod filter;
mod pixel;

pub use filter::{Alpha, Border, ImageFilter, ImageRequest};
pub use pixel::Pixel;
