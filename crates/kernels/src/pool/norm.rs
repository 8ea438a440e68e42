//! Reductions to a norm: sums of powers of the absolute values, and the sum's root. The divisor scales incomplete windows.

use super::reduce::Reduce;
use crate::lanes::MOST_LANES;
use corr2d_simd::Simd;

#[inline(always)]
fn abs<S: Simd>(s: S, v: S::V) -> S::V {
    s.max(v, s.sub(s.splat(0.0), v))
}

/// Calls `change` with the lanes. It is no part of the loops around, for it calls functions of the library, which are slow.
#[inline(always)]
fn by_lane<S: Simd>(s: S, v: S::V, power: f32, change: fn(&mut [f32], f32)) -> S::V {
    let mut lanes = [0.0; MOST_LANES];
    // SAFETY: no vector has more lanes.
    unsafe {
        s.store(lanes.as_mut_ptr(), v);
        change(&mut lanes[..S::LANES], power);
        s.load(lanes.as_ptr())
    }
}

#[inline(never)]
fn powers(lanes: &mut [f32], power: f32) {
    for lane in lanes {
        *lane = lane.abs().powf(power);
    }
}

#[inline(never)]
fn roots(lanes: &mut [f32], power: f32) {
    for lane in lanes {
        // The reciprocal in f64: rounded to f32, it would be as far off as the logarithm of the sum is large.
        *lane = f64::from(*lane).powf(1.0 / f64::from(power)) as f32;
    }
}

/// `p = 1`, the sum of absolute values, or `p = 2`, the root of the sum of squares. Which of them it is, is asked for every vector, for half
/// of the code.
#[derive(Clone, Copy)]
pub(super) struct UsualNorm {
    pub(super) squares: bool,
}

impl Reduce for UsualNorm {
    const IDENTITY: f32 = 0.0;

    #[inline(always)]
    fn element<S: Simd>(self, s: S, element: S::V) -> S::V {
        if self.squares { s.mul(element, element) } else { abs(s, element) }
    }

    #[inline(always)]
    fn combine<S: Simd>(self, s: S, so_far: S::V, element: S::V) -> S::V {
        s.add(so_far, element)
    }

    #[inline(always)]
    fn finish<S: Simd>(self, s: S, reduced: S::V, count: S::V) -> S::V {
        let mean = s.div(reduced, count);
        if self.squares { s.sqrt(mean) } else { mean }
    }
}

/// Any other norm, lane by lane.
#[derive(Clone, Copy)]
pub(super) struct RareNorm {
    pub(super) power: f32,
}

impl Reduce for RareNorm {
    const IDENTITY: f32 = 0.0;
    const IN_LANES: bool = false;

    #[inline(always)]
    fn element<S: Simd>(self, s: S, element: S::V) -> S::V {
        by_lane(s, element, self.power, powers)
    }

    #[inline(always)]
    fn combine<S: Simd>(self, s: S, so_far: S::V, element: S::V) -> S::V {
        s.add(so_far, element)
    }

    #[inline(always)]
    fn finish<S: Simd>(self, s: S, reduced: S::V, count: S::V) -> S::V {
        by_lane(s, s.div(reduced, count), self.power, roots)
    }
}
