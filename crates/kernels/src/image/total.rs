//! Sums of pixels.

use super::cell::Cell;
use corr2d_simd::Simd;

/// A sum of pixels; those of integers are exact.
pub trait Total: Cell {
    /// The sum of no pixels.
    const ZERO: Self;

    /// `a + b`, which does not overflow.
    fn plus<S: Simd>(s: S, a: Self::Register<S>, b: Self::Register<S>) -> Self::Register<S>;

    /// `a - b`, of which `b` is a part of `a`.
    fn minus<S: Simd>(s: S, a: Self::Register<S>, b: Self::Register<S>) -> Self::Register<S>;

    /// Exactly, up to 2⁵³.
    fn to_double(self) -> f64;

    /// Sums that are words, as such.
    fn words(_: &[Self]) -> Option<&[u16]> {
        None
    }
}

/// A sum that floats hold exactly.
pub trait FloatTotal: Total {
    /// Reads a vector of sums as floats; any alignment.
    ///
    /// # Safety
    /// `source` is valid for reads of a vector's lanes.
    unsafe fn floats<S: Simd>(s: S, source: *const Self) -> S::V;
}

/// A sum that `P` can be added to.
pub trait TotalOf<P>: Total {
    /// Reads a register of pixels as sums of one; any alignment.
    ///
    /// # Safety
    /// `source` is valid for reads of the register's lanes.
    unsafe fn widen<S: Simd>(s: S, source: *const P) -> Self::Register<S>;
}

impl Total for u16 {
    const ZERO: u16 = 0;

    #[inline(always)]
    fn plus<S: Simd>(s: S, a: S::I, b: S::I) -> S::I {
        s.add_words(a, b)
    }

    #[inline(always)]
    fn minus<S: Simd>(s: S, a: S::I, b: S::I) -> S::I {
        s.sub_words(a, b)
    }

    fn to_double(self) -> f64 {
        f64::from(self)
    }

    fn words(sums: &[u16]) -> Option<&[u16]> {
        Some(sums)
    }
}

impl FloatTotal for u16 {
    #[inline(always)]
    unsafe fn floats<S: Simd>(s: S, source: *const u16) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { s.load_u16(source) }
    }
}

/// Of integers up to 2²⁴.
impl Total for f32 {
    const ZERO: f32 = 0.0;

    #[inline(always)]
    fn plus<S: Simd>(s: S, a: S::V, b: S::V) -> S::V {
        s.add(a, b)
    }

    #[inline(always)]
    fn minus<S: Simd>(s: S, a: S::V, b: S::V) -> S::V {
        s.sub(a, b)
    }

    fn to_double(self) -> f64 {
        f64::from(self)
    }
}

impl FloatTotal for f32 {
    #[inline(always)]
    unsafe fn floats<S: Simd>(s: S, source: *const f32) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { s.load(source) }
    }
}

impl Total for u64 {
    const ZERO: u64 = 0;

    #[inline(always)]
    fn plus<S: Simd>(_: S, a: u64, b: u64) -> u64 {
        a.wrapping_add(b)
    }

    #[inline(always)]
    fn minus<S: Simd>(_: S, a: u64, b: u64) -> u64 {
        a.wrapping_sub(b)
    }

    fn to_double(self) -> f64 {
        self as f64
    }
}

macro_rules! total_of {
    ($($total:ty, $pixel:ty, |$s:ident, $source:ident| $widen:expr;)*) => { $(
        impl TotalOf<$pixel> for $total {
            #[inline(always)]
            unsafe fn widen<S: Simd>($s: S, $source: *const $pixel) -> <$total as Cell>::Register<S> {
                // SAFETY: the caller's promise.
                unsafe { $widen }
            }
        }
    )* };
}

total_of! {
    u16, u8, |s, source| s.load_words(source);
    u16, u16, |s, source| s.load_bytes(source.cast());
    f32, u8, |s, source| s.load_u8(source);
    f32, u16, |s, source| s.load_u16(source);
    f32, f32, |s, source| s.load(source);
    u64, u8, |_s, source| u64::from(source.read());
    u64, u16, |_s, source| u64::from(source.read());
    u64, u64, |_s, source| source.read();
}
