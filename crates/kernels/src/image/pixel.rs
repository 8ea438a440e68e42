//! Pixel types: how they become floats and how floats become them.

use corr2d_simd::{Isa, Kernel, Simd};

/// A channel value of an image.
pub trait Pixel: Copy + Send + Sync + 'static {
    /// As a float, exactly.
    fn to_float(self) -> f32;

    /// From a float: rounded half to even and saturated; NaN is 0. A float is left as it is.
    fn from_float(x: f32) -> Self;
}

impl Pixel for u8 {
    #[inline(always)]
    fn to_float(self) -> f32 {
        f32::from(self)
    }

    #[inline(always)]
    fn from_float(x: f32) -> u8 {
        round_saturate(x, 255.0) as u8
    }
}

impl Pixel for u16 {
    #[inline(always)]
    fn to_float(self) -> f32 {
        f32::from(self)
    }

    #[inline(always)]
    fn from_float(x: f32) -> u16 {
        round_saturate(x, 65535.0) as u16
    }
}

impl Pixel for f32 {
    #[inline(always)]
    fn to_float(self) -> f32 {
        self
    }

    #[inline(always)]
    fn from_float(x: f32) -> f32 {
        x
    }
}

/// Floats from here to twice as much have no fraction, so adding and subtracting it rounds half to even, without an instruction of
/// its own.
const INTEGERS: f32 = 8_388_608.0;

#[inline(always)]
fn round_saturate(x: f32, most: f32) -> i32 {
    // The comparisons are false for NaN, which so becomes 0.
    let x = if x > 0.0 { x } else { 0.0 };
    let x = if x < most { x } else { most };
    // SAFETY: `0 <= x <= 65535`.
    unsafe { ((x + INTEGERS) - INTEGERS).to_int_unchecked() }
}

/// Converts a run of pixels to floats, compiled for the instruction set.
pub(super) fn to_floats<P: Pixel>(isa: Isa, source: &[P], target: &mut [f32]) {
    isa.run(ToFloats { source, target });
}

/// Converts `scale · x + offset` to pixels, compiled for the instruction set.
pub(super) fn from_floats<P: Pixel>(isa: Isa, source: &[f32], scale: f32, offset: f32, target: &mut [P]) {
    isa.run(FromFloats { source, scale, offset, target });
}

struct ToFloats<'a, P> {
    source: &'a [P],
    target: &'a mut [f32],
}

impl<P: Pixel> Kernel for ToFloats<'_, P> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        for (target, source) in self.target.iter_mut().zip(self.source) {
            *target = source.to_float();
        }
    }
}

struct FromFloats<'a, P> {
    source: &'a [f32],
    scale: f32,
    offset: f32,
    target: &'a mut [P],
}

impl<P: Pixel> Kernel for FromFloats<'_, P> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        for (target, source) in self.target.iter_mut().zip(self.source) {
            *target = P::from_float(source * self.scale + self.offset);
        }
    }
}
