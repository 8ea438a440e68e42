//! What a pooling window does with its elements. A new pooling is a new [`Reduce`].

use corr2d_simd::Simd;

/// A reduction by elements, applied down the columns of a window and then along its rows.
pub(super) trait Reduce: Copy + Send + Sync {
    /// What padding counts as.
    const IDENTITY: f32;

    /// Whether [`super::windows`] is compiled for it: much code, for what is used much.
    const IN_WINDOWS: bool = false;

    /// Whether vectors make it faster; if not, it is compiled for any CPU only.
    const IN_LANES: bool = true;

    /// What is reduced in place of an element of the input.
    #[inline(always)]
    fn element<S: Simd>(self, _: S, element: S::V) -> S::V {
        element
    }

    /// Adds `element` to `so_far`.
    fn combine<S: Simd>(self, s: S, so_far: S::V, element: S::V) -> S::V;

    /// The result of a window whose divisor is `count`.
    fn finish<S: Simd>(self, s: S, reduced: S::V, count: S::V) -> S::V;
}

/// The largest element; NaN if there is one.
#[derive(Clone, Copy)]
pub(super) struct Max;

impl Reduce for Max {
    const IDENTITY: f32 = f32::NEG_INFINITY;
    const IN_WINDOWS: bool = true;

    #[inline(always)]
    fn combine<S: Simd>(self, s: S, so_far: S::V, element: S::V) -> S::V {
        s.max(so_far, element)
    }

    #[inline(always)]
    fn finish<S: Simd>(self, _: S, reduced: S::V, _: S::V) -> S::V {
        reduced
    }
}

/// The sum over the divisor.
#[derive(Clone, Copy)]
pub(super) struct Mean;

impl Reduce for Mean {
    const IDENTITY: f32 = 0.0;
    const IN_WINDOWS: bool = true;

    #[inline(always)]
    fn combine<S: Simd>(self, s: S, so_far: S::V, element: S::V) -> S::V {
        s.add(so_far, element)
    }

    #[inline(always)]
    fn finish<S: Simd>(self, s: S, reduced: S::V, count: S::V) -> S::V {
        s.div(reduced, count)
    }
}
