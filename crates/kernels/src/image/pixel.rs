//! Pixel types: how they become floats and how floats become them.

use corr2d_simd::{Isa, Kernel, Simd};

/// A channel value of an image.
pub trait Pixel: Copy + Send + Sync + 'static {
    /// As a float, exactly.
    fn to_float(self) -> f32;

    /// From a float: rounded half to even and saturated; NaN is 0. A float is left as it is.
    fn from_float(x: f32) -> Self;

    /// The largest value; a float has none.
    const MOST: Option<f32>;

    /// An integer pixel as a place in a table.
    fn code(self) -> Option<usize>;

    /// What the largest element of nothing is.
    const LEAST: Self;

    /// The larger of the two; NaN when either is NaN.
    fn larger(self, other: Self) -> Self;

    /// What the smallest element of nothing is.
    const GREATEST: Self;

    /// The smaller of the two; NaN when either is NaN.
    fn smaller(self, other: Self) -> Self;

    /// Holds the sum of a window, of integer pixels exactly.
    type Sum: Copy + Default + Send;

    /// The sum and this pixel.
    fn add_to(self, sum: Self::Sum) -> Self::Sum;

    /// The sum of two sums.
    fn add_sums(a: Self::Sum, b: Self::Sum) -> Self::Sum;

    /// The sum over `count` elements: of integer pixels the exact mean, rounded half to even.
    fn mean(sum: Self::Sum, count: usize) -> Self;
}

macro_rules! integer_pixel {
    ($pixel:ty, $most:literal, $sum:ty) => {
        impl Pixel for $pixel {
            const MOST: Option<f32> = Some($most);
            const LEAST: $pixel = <$pixel>::MIN;
            const GREATEST: $pixel = <$pixel>::MAX;
            type Sum = $sum;

            #[inline(always)]
            fn to_float(self) -> f32 {
                f32::from(self)
            }

            #[inline(always)]
            fn from_float(x: f32) -> $pixel {
                round_saturate(x, $most) as $pixel
            }

            #[inline(always)]
            fn code(self) -> Option<usize> {
                Some(usize::from(self))
            }

            #[inline(always)]
            fn larger(self, other: $pixel) -> $pixel {
                self.max(other)
            }

            #[inline(always)]
            fn smaller(self, other: $pixel) -> $pixel {
                self.min(other)
            }

            #[inline(always)]
            fn add_to(self, sum: $sum) -> $sum {
                sum + <$sum>::from(self)
            }

            #[inline(always)]
            fn add_sums(a: $sum, b: $sum) -> $sum {
                a + b
            }

            #[inline(always)]
            fn mean(sum: $sum, count: usize) -> $pixel {
                let count = count as $sum;
                let (whole, rest) = (sum / count, sum % count);
                let up = 2 * rest > count || 2 * rest == count && whole % 2 == 1;
                (whole + <$sum>::from(up)) as $pixel
            }
        }
    };
}

// The sums of windows of up to 2²⁴ and 2⁴⁸ elements.
integer_pixel!(u8, 255.0, u32);
integer_pixel!(u16, 65535.0, u64);

impl Pixel for f32 {
    const MOST: Option<f32> = None;
    const LEAST: f32 = f32::NEG_INFINITY;
    const GREATEST: f32 = f32::INFINITY;
    type Sum = f32;

    #[inline(always)]
    fn code(self) -> Option<usize> {
        None
    }

    #[inline(always)]
    fn larger(self, other: f32) -> f32 {
        if self > other || self.is_nan() { self } else { other }
    }

    #[inline(always)]
    fn smaller(self, other: f32) -> f32 {
        if self < other || self.is_nan() { self } else { other }
    }

    #[inline(always)]
    fn add_to(self, sum: f32) -> f32 {
        sum + self
    }

    #[inline(always)]
    fn add_sums(a: f32, b: f32) -> f32 {
        a + b
    }

    #[inline(always)]
    fn mean(sum: f32, count: usize) -> f32 {
        sum / count as f32
    }

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
