//! What is done across the lanes of vectors.

use corr2d_simd::Simd;

/// Lanes of the widest vector.
pub(crate) const MOST_LANES: usize = 16;

/// Reduces as many vectors as they have lanes to one, whose lane `i` is the reduction of vector `i`: by pairs of neighbouring lanes.
#[inline(always)]
pub(crate) fn fold<S: Simd>(
    s: S,
    mut vectors: [S::V; MOST_LANES],
    combine: impl Fn(S::V, S::V) -> S::V,
) -> S::V {
    const { assert!(S::LANES <= MOST_LANES) };
    let mut count = S::LANES;
    while count > 1 {
        count /= 2;
        for i in 0..count {
            let (even, odd) = s.deinterleave(vectors[2 * i], vectors[2 * i + 1]);
            vectors[i] = combine(even, odd);
        }
    }
    vectors[0]
}
