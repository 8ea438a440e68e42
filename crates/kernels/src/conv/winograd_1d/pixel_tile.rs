//! The register tile with channels in lanes: T pixels of two output rows × one vector of output channels. Neighbouring pixels are
//! neighbours in the transformed rows, so one pointer serves them all.

use super::products::STAGES;
use crate::registers::must_hold;
use corr2d_simd::{Isa, Kernel, Simd};

/// One register tile. Product `k` of pixel `t` reads its input at `input + offsets[k] + t`.
#[derive(Clone, Copy)]
pub(super) struct PixelTile<'a> {
    /// Products of each stage.
    pub(super) stages: [usize; STAGES],
    pub(super) input: *const f32,
    pub(super) offsets: &'a [u32],
    /// Weights `[product][channel]`, a vector of channels.
    pub(super) weights: *const f32,
    pub(super) bias: *const f32,
    /// Where the first pixel of the first row goes; pixels are vectors that follow each other.
    pub(super) target: *mut f32,
    /// Floats from the first row to the second.
    pub(super) row: usize,
}

/// Pixels of a tile, the most first.
const WIDTHS: [[usize; 3]; 3] = [[12, 10, 8], [6, 5, 4], [3, 3, 3]];

/// Which of the widths a row is computed with the least waste by, and the width; none if the row is shorter.
pub(super) fn width(isa: Isa, pixels: usize) -> Option<(usize, usize)> {
    let widths = match isa.registers() {
        32.. => WIDTHS[0],
        16.. => WIDTHS[1],
        _ => WIDTHS[2],
    };
    let fitting = widths.into_iter().enumerate().filter(|(_, width)| *width <= pixels);
    fitting.min_by_key(|(_, width)| pixels.next_multiple_of(*width))
}

/// Runs a tile of the width that [`width`] numbers `index`.
///
/// # Safety
/// For every product as many floats as the tile has pixels are readable, `weights` has a vector for each product and `bias` one; as
/// many vectors as pixels are writable at the target, and `row` farther.
pub(super) unsafe fn run(isa: Isa, index: usize, tile: &PixelTile<'_>) {
    match index {
        0 => isa.run(Sized::<{ WIDTHS[0][0] }, { WIDTHS[1][0] }>(tile)),
        1 => isa.run(Sized::<{ WIDTHS[0][1] }, { WIDTHS[1][1] }>(tile)),
        _ => isa.run(Sized::<{ WIDTHS[0][2] }, { WIDTHS[1][2] }>(tile)),
    }
}

/// Pixels where there are 32 registers, and where there are 16.
struct Sized<'a, const MANY: usize, const SOME: usize>(&'a PixelTile<'a>);

impl<const MANY: usize, const SOME: usize> Kernel for Sized<'_, MANY, SOME> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        // SAFETY: all accesses are those that `run` asks its caller to allow.
        unsafe {
            match S::REGISTERS {
                32.. => self.0.sum::<S, MANY>(s),
                16.. => self.0.sum::<S, SOME>(s),
                _ => self.0.sum::<S, { WIDTHS[2][0] }>(s),
            }
        }
    }
}

impl PixelTile<'_> {
    /// # Safety
    /// As [`run`].
    #[inline(always)]
    unsafe fn sum<S: Simd, const T: usize>(&self, s: S) {
        must_hold::<S>(2 * T, 1);
        let [both, shared, own] = self.stages;
        let mut sums = [[s.splat(0.0); T]; 2];
        // SAFETY: the caller's promise.
        unsafe {
            sums[0] = [s.load(self.bias); T];
            for k in (0..both).step_by(2) {
                self.step(s, &mut sums[0], k);
                self.step(s, &mut sums[1], k + 1);
            }
            for k in both..both + shared {
                self.step(s, &mut sums[0], k);
            }
            for t in 0..T {
                let (p, m) = (sums[0][t], sums[1][t]);
                sums[0][t] = s.add(p, m);
                sums[1][t] = s.sub(p, m);
            }
            for k in (both + shared..both + shared + own).step_by(2) {
                self.step(s, &mut sums[0], k);
                self.step(s, &mut sums[1], k + 1);
            }
            for (r, row) in sums.iter().enumerate() {
                for (t, sum) in row.iter().enumerate() {
                    s.store(self.target.add(r * self.row + t * S::LANES), *sum);
                }
            }
        }
    }

    /// Adds product `k`.
    ///
    /// # Safety
    /// As [`run`].
    #[inline(always)]
    unsafe fn step<S: Simd, const T: usize>(&self, s: S, sums: &mut [S::V; T], k: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            let weights = s.load(self.weights.add(k * S::LANES));
            let input = self.input.add(*self.offsets.get_unchecked(k) as usize);
            for (t, sum) in sums.iter_mut().enumerate() {
                *sum = s.mul_add(weights, s.splat(*input.add(t)), *sum);
            }
        }
    }
}
