//! The register tile: T output channels × Q vectors of pixels of two output rows. A call runs it for all channels, which spares what a
//! call costs.

use super::products::STAGES;
use crate::registers::must_hold;
use corr2d_simd::{Isa, Kernel, Simd};

/// The register tiles of some vectors. The transformed input is `[product][vector]`; weights are broadcast, `[product][channel]` for each
/// block of [`channels`].
#[derive(Clone, Copy)]
pub(super) struct Tile {
    /// Products of each stage.
    pub(super) stages: [usize; STAGES],
    pub(super) input: *const f32,
    pub(super) weights: *const f32,
    /// A bias for each channel.
    pub(super) bias: *const f32,
    /// The first pixel of the first channel in the first row.
    pub(super) target: *mut f32,
    /// Channels to write.
    pub(super) channels: usize,
    /// Output elements from one channel to the next.
    pub(super) plane: usize,
    /// Rows to write, one or two, and output elements from the first to the second.
    pub(super) rows: usize,
    pub(super) row: usize,
    /// Lanes to write of the last vector at its place; the others, if it takes them back to the row's beginning, `width` before.
    pub(super) last: usize,
    pub(super) back: Option<usize>,
    /// Whether whole vectors, aligned then, are written past the caches.
    pub(super) streams: bool,
}

/// Channels of a tile, whose sums of two rows fit the registers with [`vectors`] vectors.
pub(super) const fn channels(registers: usize) -> usize {
    if registers >= 32 { 4 } else { 3 }
}

/// The most vectors of a tile.
pub(super) fn vectors(isa: Isa) -> usize {
    match isa.registers() {
        32.. => 3,
        16.. => 2,
        _ => 1,
    }
}

/// Runs tiles of `width` vectors, at most [`vectors`].
///
/// # Safety
/// `input` has `width` vectors for each product; `weights` and `bias` are those of whole blocks; for every channel and row,
/// `width` vectors are writable at the target but for the last lanes, which are where `back` says.
pub(super) unsafe fn run(isa: Isa, width: usize, tile: &Tile) {
    match width {
        1 => isa.run(Sized::<1>(tile)),
        2 => isa.run(Sized::<2>(tile)),
        3 => isa.run(Sized::<3>(tile)),
        _ => unreachable!("a tile of {width} vectors"),
    }
}

struct Sized<'a, const Q: usize>(&'a Tile);

impl<const Q: usize> Kernel for Sized<'_, Q> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        // SAFETY: all accesses are those that `run` asks its caller to allow.
        unsafe {
            match const { channels(S::REGISTERS) } {
                4 => self.0.sum::<S, 4, Q>(s),
                _ => self.0.sum::<S, 3, Q>(s),
            }
        }
    }
}

impl Tile {
    /// # Safety
    /// As [`run`].
    #[inline(always)]
    unsafe fn sum<S: Simd, const T: usize, const Q: usize>(&self, s: S) {
        must_hold::<S>(2 * T, Q);
        let mut weights = self.weights;
        for first in (0..self.channels).step_by(T) {
            // SAFETY: the caller's promise.
            unsafe { self.sum_block::<S, T, Q>(s, first, &mut weights) };
        }
        if self.streams {
            s.fence();
        }
    }

    /// # Safety
    /// As [`run`], for the block of channels from `first` on; `weights` are advanced to the next one's.
    #[inline(always)]
    unsafe fn sum_block<S: Simd, const T: usize, const Q: usize>(
        &self,
        s: S,
        first: usize,
        weights: &mut *const f32,
    ) {
        let mut sums = [[[s.splat(0.0); Q]; T]; 2];
        let mut input = self.input;
        // SAFETY: the caller's promise.
        unsafe {
            for (t, row) in sums[0].iter_mut().enumerate() {
                *row = [s.splat(*self.bias.add(first + t)); Q];
            }
            for _ in 0..self.stages[0] / 2 {
                step(s, &mut sums[0], &mut input, weights);
                step(s, &mut sums[1], &mut input, weights);
            }
            for _ in 0..self.stages[1] {
                step(s, &mut sums[0], &mut input, weights);
            }
            for t in 0..T {
                for q in 0..Q {
                    let (p, m) = (sums[0][t][q], sums[1][t][q]);
                    sums[0][t][q] = s.add(p, m);
                    sums[1][t][q] = s.sub(p, m);
                }
            }
            for _ in 0..self.stages[2] / 2 {
                step(s, &mut sums[0], &mut input, weights);
                step(s, &mut sums[1], &mut input, weights);
            }
            for t in 0..T {
                if first + t >= self.channels {
                    break;
                }
                let target = self.target.add((first + t) * self.plane);
                self.write(s, &sums[0][t], target);
                if self.rows > 1 {
                    self.write(s, &sums[1][t], target.add(self.row));
                }
            }
        }
    }

    /// # Safety
    /// As [`run`], for one row of one channel.
    #[inline(always)]
    unsafe fn write<S: Simd, const Q: usize>(&self, s: S, sums: &[S::V; Q], target: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe {
            for q in 0..Q - 1 {
                self.store(s, sums[q], target.add(q * S::LANES));
            }
            let (target, sum) = (target.add((Q - 1) * S::LANES), sums[Q - 1]);
            if self.last == S::LANES {
                self.store(s, sum, target);
                return;
            }
            s.store_first(target, sum, self.last);
            if let Some(width) = self.back {
                s.store_rest(target.wrapping_sub(width), sum, self.last);
            }
        }
    }

    /// # Safety
    /// A vector is writable at the target.
    #[inline(always)]
    unsafe fn store<S: Simd>(&self, s: S, sum: S::V, target: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe {
            if self.streams {
                s.stream(target, sum);
            } else {
                s.store(target, sum);
            }
        }
    }
}

/// Adds one product.
///
/// # Safety
/// Q vectors of input and T weights are readable.
#[inline(always)]
unsafe fn step<S: Simd, const T: usize, const Q: usize>(
    s: S,
    sums: &mut [[S::V; Q]; T],
    input: &mut *const f32,
    weights: &mut *const f32,
) {
    let mut pixels = [s.splat(0.0); Q];
    // SAFETY: the caller's promise.
    unsafe {
        for (q, pixel) in pixels.iter_mut().enumerate() {
            *pixel = s.load(input.add(q * S::LANES));
        }
        for (t, row) in sums.iter_mut().enumerate() {
            let weight = s.splat(*weights.add(t));
            for q in 0..Q {
                row[q] = s.mul_add(weight, pixels[q], row[q]);
            }
        }
        *input = input.add(Q * S::LANES);
        *weights = weights.add(T);
    }
}
