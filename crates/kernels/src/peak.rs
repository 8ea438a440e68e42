//! What this core can do at most, measured: the yardstick of every share-of-peak figure.

use corr2d_simd::{Isa, Kernel, Simd};
use std::hint::black_box;
use std::sync::Barrier;
use std::time::{Duration, Instant};

/// Independent sums: more than the latency of a multiply-add times the units that do it, fewer than any tier's registers.
const CHAINS: usize = 12;

/// Rounds of one timing, about half a millisecond.
const ROUNDS: usize = 100_000;

/// Floating-point operations per second of one core that does nothing but multiply-adds between registers; the best of a few
/// timings, about 20 ms in all.
pub fn fma_peak(isa: Isa) -> f64 {
    (0..30).map(|_| isa.run(MultiplyAdds)).fold(0.0, f64::max)
}

/// [`fma_peak`] of several threads at the same time, added up.
pub fn fma_peak_of(isa: Isa, threads: usize) -> f64 {
    at_once(threads, |_| fma_peak(isa))
}

/// Bytes per second, read and written ones added up, of threads that do nothing but copy within `bytes` of memory: each has its
/// share of it, half source and half target. The best of many copies, about 60 ms in all; the sources are in the cache that holds
/// them all, if there is one.
pub fn copy_bandwidth(bytes: usize, threads: usize) -> f64 {
    let half = (bytes / 2 / threads.max(1)).max(64);
    at_once(threads, |start| {
        let (source, mut target) = (vec![1_u8; half], vec![2_u8; half]);
        // Short copies are timed many at a time, so that reading the clock counts for nothing.
        let repeats = (LEAST_COPIED / half).max(1);
        start.wait();
        let begin = Instant::now();
        let mut best = Duration::MAX;
        while begin.elapsed() < COPYING {
            let start = Instant::now();
            for _ in 0..repeats {
                target.copy_from_slice(black_box(&source));
                black_box(&mut target);
            }
            best = best.min(start.elapsed());
        }
        (2 * half * repeats) as f64 / best.as_secs_f64()
    })
}

/// Bytes of one timing at least.
const LEAST_COPIED: usize = 4 << 20;

/// Time for copying.
const COPYING: Duration = Duration::from_millis(50);

/// Calls `measure` on each of `threads` threads and adds up what they give. All begin together; what takes a while to prepare waits
/// for the others once more.
fn at_once(threads: usize, measure: impl Fn(&Barrier) -> f64 + Sync) -> f64 {
    let threads = threads.max(1);
    let (start, ready) = (Barrier::new(threads), Barrier::new(threads));
    std::thread::scope(|scope| {
        let measure = || {
            start.wait();
            measure(&ready)
        };
        let cores: Vec<_> = (0..threads).map(|_| scope.spawn(measure)).collect();
        cores.into_iter().map(|core| core.join().expect("no panic")).sum()
    })
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
