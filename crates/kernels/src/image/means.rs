//! Sums of windows divided by how many pixels they are of.

use super::pixel::Pixel;
use super::total::Total;
use corr2d_simd::{Isa, Kernel, Simd};

/// The mean of each window, of integer pixels the exact one rounded half to even, for the divisors `row_count · column_counts`.
pub(super) fn means<P: Pixel, T: Total>(
    isa: Isa,
    sums: &[T],
    row_count: f32,
    column_counts: &[f32],
    target: &mut [P],
) {
    assert!(sums.len() == target.len() && column_counts.len() == target.len(), "a sum for each pixel");
    let most = column_counts.iter().fold(0.0f32, |most, count| most.max(*count)) * row_count;
    let (vectors, rest) = if most < P::EXACT_MEANS as f32 {
        let whole = target.len() / (4 * isa.lanes()) * (4 * isa.lanes());
        (whole, whole..target.len())
    } else {
        (0, 0..target.len())
    };
    isa.run(Means { sums, row_count, column_counts, target: &mut target[..vectors] });
    for i in rest {
        target[i] = P::mean(sums[i].to_double(), (row_count * column_counts[i]) as usize);
    }
}

/// Quotients of floats: four whole vectors at a time.
struct Means<'a, P, T> {
    sums: &'a [T],
    row_count: f32,
    column_counts: &'a [f32],
    target: &'a mut [P],
}

impl<P: Pixel, T: Total> Kernel for Means<'_, P, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Means { sums, row_count, column_counts, target } = self;
        let row_count = s.splat(row_count);
        for i in (0..target.len()).step_by(4 * S::LANES) {
            // SAFETY: `means` gave four whole vectors at a time, and checked that there are as many sums and counts.
            unsafe {
                let mut vectors = [row_count; 4];
                for (v, vector) in vectors.iter_mut().enumerate() {
                    let count = s.load(column_counts.as_ptr().add(i + v * S::LANES));
                    let sum = T::floats(s, sums.as_ptr().add(i + v * S::LANES));
                    *vector = s.div(sum, s.mul(row_count, count));
                }
                P::store(s, target.as_mut_ptr().add(i), vectors);
            }
        }
    }
}
