//! What this core can do at most, measured: the yardstick of every share-of-peak figure.

use corr2d_simd::{Isa, Kernel, Simd};
use std::hint::black_box;
use std::time::Instant;

/// Independent sums: more than the latency of a multiply-add times the units that do it, fewer than any tier's registers.
const CHAINS: usize = 12;

/// Rounds of one timing, about half a millisecond.
const ROUNDS: usize = 100_000;

/// Floating-point operations per second of one core that does nothing but multiply-adds between registers; the best of a few
/// timings, about 20 ms in all.
pub fn fma_peak(isa: Isa) -> f64 {
    (0..30).map(|_| isa.run(MultiplyAdds)).fold(0.0, f64::max)
}

struct MultiplyAdds;

impl Kernel for MultiplyAdds {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f64 {
        let (factor, addend) = (s.splat(black_box(0.999)), s.splat(black_box(0.001)));
        let mut sums = [s.splat(1.0); CHAINS];
        let start = Instant::now();
        for _ in 0..ROUNDS {
            for sum in &mut sums {
                *sum = s.mul_add(*sum, factor, addend);
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        black_box(&sums);
        (2 * ROUNDS * CHAINS * S::LANES) as f64 / seconds
    }
}
