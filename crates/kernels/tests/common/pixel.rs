//! Pixel types as tests see them.

use super::Random;
use corr2d_kernels::image::Pixel;
use std::fmt::Debug;

/// What the tests must know about a pixel type besides what the filter does.
pub(crate) trait TestPixel: Pixel + PartialEq + Debug {
    /// The largest value, if there is one.
    const LIMIT: Option<f64>;

    fn random(random: &mut Random) -> Self;

    fn value(self) -> f64;
}

impl TestPixel for u8 {
    const LIMIT: Option<f64> = Some(255.0);

    fn random(random: &mut Random) -> u8 {
        random.next() as u8
    }

    fn value(self) -> f64 {
        f64::from(self)
    }
}

impl TestPixel for u16 {
    const LIMIT: Option<f64> = Some(65535.0);

    fn random(random: &mut Random) -> u16 {
        random.next() as u16
    }

    fn value(self) -> f64 {
        f64::from(self)
    }
}

impl TestPixel for f32 {
    const LIMIT: Option<f64> = None;

    fn random(random: &mut Random) -> f32 {
        random.float()
    }

    fn value(self) -> f64 {
        f64::from(self)
    }
}
