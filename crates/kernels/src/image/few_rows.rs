//! The register tile that ends in pixels: a few output rows by four vectors of columns, from rows of floats that are kept in a ring.
//! Sums are scaled, offset, rounded and stored without leaving the registers, and kernels of any height and width run on one
//! instance, as the loops over taps are no part of the tile's shape.
//!
//! Every sum is `w₀·x₀ + w₁·x₁ + …` in the kernel's order with fused products, so its bits do not depend on the tile.

use super::pixel::Pixel;
use corr2d_simd::{Isa, Kernel, Simd};

/// Output rows of the usual tile.
pub(super) const TWO: usize = 2;

/// Output rows of the tile for many registers.
pub(super) const FOUR: usize = 4;

/// Output rows of the tile for a kernel `[kh, kw]`: where its rows have several taps, a vector of pixels is loaded for each, and feeds
/// as many results as there are registers and taps down for. The passes down columns load aligned vectors, and gain nothing.
pub(super) fn tile_rows(isa: Isa, [kh, kw]: [usize; 2]) -> usize {
    if has_four(isa.registers()) && kh >= FOUR && kw > 1 { FOUR } else { TWO }
}

/// Whether there is room for four rows of four vectors, the pixels and a weight.
const fn has_four(registers: usize) -> bool {
    registers >= 32
}

/// Vectors of the tile: as many as are stored at once.
pub(super) const VECTORS: usize = 4;

/// Columns of the tile on the widest instruction set.
const MOST_COLUMNS: usize = VECTORS * 16;

/// Rows of floats of which the oldest makes room for the next: row `i` is the slot `i % slots`.
#[derive(Clone, Copy)]
pub(super) struct Ring<'a> {
    pub(super) floats: &'a [f32],
    pub(super) slots: usize,
    pub(super) columns: usize,
}

/// Rows of results, or some of them only.
pub(super) struct FewRows<'a, P, const ROWS: usize> {
    /// `[kh, kw]`.
    pub(super) weights: &'a [f32],
    pub(super) kw: usize,
    /// Elements between horizontally neighbouring taps.
    pub(super) step: usize,
    /// The factor of sums, and what is added then.
    pub(super) mapping: [f32; 2],
    pub(super) ring: Ring<'a>,
    /// The row of the ring that the first tap of the first result takes.
    pub(super) first: usize,
    pub(super) targets: [Option<&'a mut [P]>; ROWS],
}

impl<P: Pixel, const ROWS: usize> FewRows<'_, P, ROWS> {
    pub(super) fn run(self, isa: Isa) {
        let Ring { floats, slots, columns } = self.ring;
        let kh = self.weights.len() / self.kw;
        let width = self.width();
        assert_eq!(self.weights.len(), kh * self.kw);
        assert!(kh > 0 && kh - 1 + ROWS <= slots && slots * columns <= floats.len());
        assert!(ROWS == TWO || has_four(isa.registers()) && kh >= ROWS);
        assert!(width.next_multiple_of(VECTORS * isa.lanes()) + (self.kw - 1) * self.step <= columns);
        isa.run(self);
    }

    fn width(&self) -> usize {
        self.targets.iter().flatten().map(|row| row.len()).max().unwrap_or(0)
    }
}

impl<P: Pixel, const ROWS: usize> Kernel for FewRows<'_, P, ROWS> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        // Nothing is compiled for instruction sets of fewer registers.
        if ROWS > TWO && !has_four(S::REGISTERS) {
            return;
        }
        let (scale, offset) = (s.splat(self.mapping[0]), s.splat(self.mapping[1]));
        for x in (0..self.width()).step_by(VECTORS * S::LANES) {
            // SAFETY: `FewRows::run` checked that whole tiles and their taps are readable.
            let sums = unsafe { self.tile(s, x) };
            for (target, sums) in self.targets.iter_mut().zip(sums) {
                let Some(target) = target else { continue };
                let mut vectors = sums;
                for v in 0..VECTORS {
                    vectors[v] = s.add(s.mul(sums[v], scale), offset);
                }
                let left = target.len().saturating_sub(x);
                if left >= VECTORS * S::LANES {
                    // SAFETY: four vectors are left of the row.
                    unsafe { P::store(s, target.as_mut_ptr().add(x), vectors) };
                } else {
                    let mut last = [P::LEAST; MOST_COLUMNS];
                    // SAFETY: no instruction set's four vectors have more lanes.
                    unsafe { P::store(s, last.as_mut_ptr(), vectors) };
                    target[x..].copy_from_slice(&last[..left]);
                }
            }
        }
    }
}

impl<P: Pixel, const ROWS: usize> FewRows<'_, P, ROWS> {
    /// The sums of the rows from column `x` on.
    ///
    /// # Safety
    /// Four vectors and the taps from there on are readable in each row of the ring.
    #[inline(always)]
    unsafe fn tile<S: Simd>(&self, s: S, x: usize) -> [[S::V; VECTORS]; ROWS] {
        // SAFETY: the caller's promise.
        unsafe {
            if S::FUSES {
                return self.sums(s, x);
            }
            // A product that is fused by many instructions is written out as rarely as possible.
            let mut tile = [[s.splat(0.0); VECTORS]; ROWS];
            for v in (0..VECTORS).step_by(2) {
                let sums = self.sums::<S, 2>(s, x + v * S::LANES);
                for row in 0..ROWS {
                    [tile[row][v], tile[row][v + 1]] = sums[row];
                }
            }
            tile
        }
    }

    /// The sums of some vectors of the rows.
    ///
    /// # Safety
    /// They and the taps from there on are readable in each row of the ring.
    #[inline(always)]
    unsafe fn sums<S: Simd, const N: usize>(&self, s: S, x: usize) -> [[S::V; N]; ROWS] {
        let Ring { floats, slots, columns } = self.ring;
        let (kw, step) = (self.kw, self.step);
        let kh = self.weights.len() / kw;
        let mut sums = [[s.splat(0.0); N]; ROWS];
        let mut slot = self.first % slots;
        let first = self.weights.as_ptr();
        // SAFETY: the caller's promise; each result is fed by the rows from its own on, as many as the kernel has.
        unsafe {
            // The results that a row feeds must be known when this is compiled, or sums leave the registers.
            macro_rules! feed {
                ($row:expr => $($result:literal)+) => {{
                    let mut source = floats.as_ptr().add(slot * columns + x);
                    // Of the result 0; those before the kernel or behind it are not read.
                    let mut weights = first.wrapping_add($row * kw);
                    for _ in 0..kw {
                        let mut pixels = [s.splat(0.0); N];
                        for v in 0..N {
                            pixels[v] = s.load(source.add(v * S::LANES));
                        }
                        $(
                            let weight = s.splat(*weights.wrapping_sub($result * kw));
                            for v in 0..N {
                                sums[$result][v] = s.fused_mul_add(weight, pixels[v], sums[$result][v]);
                            }
                        )+
                        source = source.add(step);
                        weights = weights.wrapping_add(1);
                    }
                    slot = if slot + 1 == slots { 0 } else { slot + 1 };
                }};
            }
            feed!(0 => 0);
            if ROWS == FOUR {
                feed!(1 => 0 1);
                feed!(2 => 0 1 2);
                for row in 3..kh {
                    feed!(row => 0 1 2 3);
                }
                feed!(kh => 1 2 3);
                feed!(kh + 1 => 2 3);
                feed!(kh + 2 => 3);
            } else {
                for row in 1..kh {
                    feed!(row => 0 1);
                }
                feed!(kh => 1);
            }
        }
        let _ = slot;
        sums
    }
}
