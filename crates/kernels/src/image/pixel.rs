//! Pixel types: how they become floats and how floats become them.

use super::byte_part::BytePart;
use super::cell::Cell;
use super::compiled::Compiled;
use super::total::{FloatTotal, TotalOf};
use corr2d_simd::{Isa, Kernel, Simd};

/// A channel value of an image.
pub trait Pixel: Cell + Compiled {
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
    fn larger<S: Simd>(s: S, a: Self::Register<S>, b: Self::Register<S>) -> Self::Register<S>;

    /// What the smallest element of nothing is.
    const GREATEST: Self;

    /// The smaller of the two; NaN when either is NaN.
    fn smaller<S: Simd>(s: S, a: Self::Register<S>, b: Self::Register<S>) -> Self::Register<S>;

    /// Holds the sums of windows of up to [`Pixel::NARROW`] pixels, of integer ones exactly.
    type Narrow: FloatTotal + TotalOf<Self> + TotalOf<Self::Narrow>;

    /// The most pixels that [`Pixel::Narrow`] has room for.
    const NARROW: usize;

    /// Holds the sums of larger windows, of up to [`Pixel::WIDE`] pixels.
    type Wide: FloatTotal + TotalOf<Self> + TotalOf<Self::Wide>;

    /// The most pixels that [`Pixel::Wide`] has room for.
    const WIDE: usize;

    /// Holds the sums of any window.
    type Widest: TotalOf<Self> + TotalOf<Self::Widest>;

    /// The sum of `count` elements over their number: of integers the exact mean, rounded half to even.
    fn mean(sum: f64, count: usize) -> Self;

    /// Pixels that are bytes, as such.
    fn bytes(pixels: &mut [Self]) -> Option<&mut [u8]>;

    /// Whether pixels are bytes, with which [`Pixel::run_bytes`] works.
    const IS_BYTE: bool = false;

    /// Filters a part of an image of bytes.
    fn run_bytes(_: BytePart<'_, Self>, _: &mut [f32]) {
        unreachable!("only bytes are multiplied by twos");
    }

    /// Below so many pixels, a sum over their number is so accurate in `f32` that rounding it gives the exact mean rounded.
    const EXACT_MEANS: usize;

    /// Reads a vector as floats; any alignment.
    ///
    /// # Safety
    /// `source` is valid for reads of a vector's lanes.
    unsafe fn load<S: Simd>(s: S, source: *const Self) -> S::V;

    /// Writes four vectors as [`Pixel::from_float`] converts; any alignment.
    ///
    /// # Safety
    /// `target` is valid for writes of four vectors' lanes.
    unsafe fn store<S: Simd>(s: S, target: *mut Self, v: [S::V; 4]);
}

/// Whole numbers that `f32` holds exactly.
const EXACT: usize = 1 << 24;

macro_rules! integer_pixel {
    (
        $pixel:ty, $most:literal, $larger:ident, $smaller:ident, $narrow:ty, $room:expr, $exact_means:expr, $load:ident, $store:expr,
        |$pixels:ident| $bytes:expr $(, $more:item)*
    ) => {
        impl Pixel for $pixel {
            const MOST: Option<f32> = Some($most);
            const LEAST: $pixel = <$pixel>::MIN;
            const GREATEST: $pixel = <$pixel>::MAX;
            type Narrow = $narrow;
            const NARROW: usize = $room / <$pixel>::MAX as usize;
            type Wide = f32;
            const WIDE: usize = EXACT / <$pixel>::MAX as usize;
            type Widest = u64;
            const EXACT_MEANS: usize = $exact_means;
            $($more)*

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
            fn larger<S: Simd>(s: S, a: S::I, b: S::I) -> S::I {
                s.$larger(a, b)
            }

            #[inline(always)]
            fn smaller<S: Simd>(s: S, a: S::I, b: S::I) -> S::I {
                s.$smaller(a, b)
            }

            fn mean(sum: f64, count: usize) -> $pixel {
                let (sum, count) = (sum as u64, count as u64);
                let (whole, rest) = (sum / count, sum % count);
                let up = 2 * rest > count || 2 * rest == count && whole % 2 == 1;
                (whole + u64::from(up)).min(<$pixel>::MAX.into()) as $pixel
            }

            fn bytes($pixels: &mut [$pixel]) -> Option<&mut [u8]> {
                $bytes
            }

            #[inline(always)]
            unsafe fn load<S: Simd>(s: S, source: *const $pixel) -> S::V {
                // SAFETY: the caller's promise.
                unsafe { s.$load(source) }
            }

            #[inline(always)]
            unsafe fn store<S: Simd>(s: S, target: *mut $pixel, v: [S::V; 4]) {
                // SAFETY: the caller's promise.
                unsafe { $store(s, target, v) }
            }
        }
    };
}

// Means: two that differ have a distance of 1 / (2 · count) from a half, which must be more than half of the last place of a float
// as large as the largest pixel.
integer_pixel!(
    u8,
    255.0,
    max_bytes,
    min_bytes,
    u16,
    u16::MAX as usize,
    1 << 16,
    load_u8,
    store_bytes,
    |pixels| Some(pixels),
    const IS_BYTE: bool = true;,
    fn run_bytes(part: BytePart<'_, u8>, scratch: &mut [f32]) {
        part.run(scratch);
    }
);
integer_pixel!(
    u16,
    65535.0,
    max_words,
    min_words,
    f32,
    EXACT,
    1 << 8,
    load_u16,
    store_two_halves,
    |_pixels| None
);

/// # Safety
/// `target` is valid for writes of four vectors' lanes.
#[inline(always)]
unsafe fn store_bytes<S: Simd>(s: S, target: *mut u8, v: [S::V; 4]) {
    // SAFETY: the caller's promise.
    unsafe { s.store_u8(target, v) }
}

/// # Safety
/// `target` is valid for writes of four vectors' lanes.
#[inline(always)]
unsafe fn store_two_halves<S: Simd>(s: S, target: *mut u16, [a, b, c, d]: [S::V; 4]) {
    // SAFETY: the caller's promise.
    unsafe {
        s.store_u16(target, [a, b]);
        s.store_u16(target.add(2 * S::LANES), [c, d]);
    }
}

impl Pixel for f32 {
    const MOST: Option<f32> = None;
    const LEAST: f32 = f32::NEG_INFINITY;
    const GREATEST: f32 = f32::INFINITY;
    type Narrow = f32;
    const NARROW: usize = usize::MAX;
    type Wide = f32;
    const WIDE: usize = usize::MAX;
    type Widest = f32;
    const EXACT_MEANS: usize = usize::MAX;

    #[inline(always)]
    fn to_float(self) -> f32 {
        self
    }

    #[inline(always)]
    fn from_float(x: f32) -> f32 {
        x
    }

    #[inline(always)]
    fn code(self) -> Option<usize> {
        None
    }

    #[inline(always)]
    fn larger<S: Simd>(s: S, a: S::V, b: S::V) -> S::V {
        s.max(a, b)
    }

    #[inline(always)]
    fn smaller<S: Simd>(s: S, a: S::V, b: S::V) -> S::V {
        s.min(a, b)
    }

    fn mean(sum: f64, count: usize) -> f32 {
        sum as f32 / count as f32
    }

    fn bytes(_: &mut [f32]) -> Option<&mut [u8]> {
        None
    }

    #[inline(always)]
    unsafe fn load<S: Simd>(s: S, source: *const f32) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { s.load(source) }
    }

    #[inline(always)]
    unsafe fn store<S: Simd>(s: S, target: *mut f32, v: [S::V; 4]) {
        for (i, vector) in v.into_iter().enumerate() {
            // SAFETY: the caller's promise.
            unsafe { s.store(target.add(i * S::LANES), vector) };
        }
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

/// Converts a run of pixels to floats; others are asked for meanwhile.
pub(super) fn to_floats<P: Pixel>(isa: Isa, source: &[P], later: &[P], target: &mut [f32]) {
    assert_eq!(source.len(), target.len(), "a float for each pixel");
    isa.run(ToFloats { source, later, target });
}

/// Converts `scale · x + offset`, rounded twice on every instruction set, to pixels.
pub(super) fn from_floats<P: Pixel>(isa: Isa, source: &[f32], scale: f32, offset: f32, target: &mut [P]) {
    assert_eq!(source.len(), target.len(), "a float for each pixel");
    isa.run(FromFloats { source, scale, offset, target });
}

/// Bytes of a cache line.
const LINE_BYTES: usize = 64;

struct ToFloats<'a, P> {
    source: &'a [P],
    later: &'a [P],
    target: &'a mut [f32],
}

impl<P: Pixel> Kernel for ToFloats<'_, P> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let whole = self.source.len() / S::LANES * S::LANES;
        for line in self.later.chunks(LINE_BYTES / size_of::<P>()) {
            s.prefetch(line.as_ptr().cast());
        }
        for i in (0..whole).step_by(S::LANES) {
            // SAFETY: a whole vector is left of both.
            unsafe { s.store(self.target.as_mut_ptr().add(i), P::load(s, self.source.as_ptr().add(i))) };
        }
        for i in whole..self.source.len() {
            self.target[i] = self.source[i].to_float();
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
    fn run<S: Simd>(self, s: S) {
        let (scale, offset) = (s.splat(self.scale), s.splat(self.offset));
        let whole = self.source.len() / (4 * S::LANES) * (4 * S::LANES);
        for i in (0..whole).step_by(4 * S::LANES) {
            // SAFETY: four whole vectors are left of both.
            unsafe {
                let mut vectors = [scale; 4];
                for (v, vector) in vectors.iter_mut().enumerate() {
                    let x = s.load(self.source.as_ptr().add(i + v * S::LANES));
                    *vector = s.add(s.mul(x, scale), offset);
                }
                P::store(s, self.target.as_mut_ptr().add(i), vectors);
            }
        }
        for i in whole..self.source.len() {
            self.target[i] = P::from_float(self.source[i] * self.scale + self.offset);
        }
    }
}
