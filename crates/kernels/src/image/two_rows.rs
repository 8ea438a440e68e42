//! The register tile that ends in pixels: two output rows by four vectors of columns, from rows of floats that are kept in a ring.
//! Sums are scaled, offset, rounded and stored without leaving the registers, and kernels of any height and width run on one
//! instance, as the loops over taps are no part of the tile's shape.
//!
//! Every sum is `w₀·x₀ + w₁·x₁ + …` in the kernel's order with fused products, so its bits do not depend on the tile.

use super::pixel::Pixel;
use corr2d_simd::{Isa, Kernel, Simd};

/// Output rows of the tile.
pub(super) const TILE_ROWS: usize = 2;

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

/// Two rows of results, or the first of them only.
pub(super) struct TwoRows<'a, P> {
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
    pub(super) targets: [Option<&'a mut [P]>; TILE_ROWS],
}

impl<P: Pixel> TwoRows<'_, P> {
    pub(super) fn run(self, isa: Isa) {
        let Ring { floats, slots, columns } = self.ring;
        let kh = self.weights.len() / self.kw;
        let width = self.targets.iter().flatten().map(|row| row.len()).max().unwrap_or(0);
        assert_eq!(self.weights.len(), kh * self.kw);
        assert!(kh > 0 && kh < slots && slots * columns <= floats.len());
        assert!(width.next_multiple_of(VECTORS * isa.lanes()) + (self.kw - 1) * self.step <= columns);
        isa.run(self);
    }
}

impl<P: Pixel> Kernel for TwoRows<'_, P> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let width = self.targets.iter().flatten().map(|row| row.len()).max().unwrap_or(0);
        let (scale, offset) = (s.splat(self.mapping[0]), s.splat(self.mapping[1]));
        for x in (0..width).step_by(VECTORS * S::LANES) {
            // SAFETY: `TwoRows::run` checked that whole tiles and their taps are readable.
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

impl<P: Pixel> TwoRows<'_, P> {
    /// The sums of both rows from column `x` on.
    ///
    /// # Safety
    /// Four vectors and the taps from there on are readable in each row of the ring.
    #[inline(always)]
    unsafe fn tile<S: Simd>(&self, s: S, x: usize) -> [[S::V; VECTORS]; TILE_ROWS] {
        // SAFETY: the caller's promise.
        unsafe {
            if S::FUSES {
                return self.sums(s, x);
            }
            // A product that is fused by many instructions is written out as rarely as possible.
            let mut tile = [[s.splat(0.0); VECTORS]; TILE_ROWS];
            for v in (0..VECTORS).step_by(2) {
                let sums = self.sums::<S, 2>(s, x + v * S::LANES);
                for row in 0..TILE_ROWS {
                    [tile[row][v], tile[row][v + 1]] = sums[row];
                }
            }
            tile
        }
    }

    /// The sums of some vectors of both rows.
    ///
    /// # Safety
    /// They and the taps from there on are readable in each row of the ring.
    #[inline(always)]
    unsafe fn sums<S: Simd, const N: usize>(&self, s: S, x: usize) -> [[S::V; N]; TILE_ROWS] {
        let Ring { floats, slots, columns } = self.ring;
        let (kw, step) = (self.kw, self.step);
        let kh = self.weights.len() / kw;
        let mut sums = [[s.splat(0.0); N]; TILE_ROWS];
        let mut slot = self.first % slots;
        // SAFETY: the caller's promise; weights of the rows before the last are followed by another row's.
        unsafe {
            // A row feeds one result or both; which must be known when this is compiled, or sums leave the registers.
            macro_rules! row {
                ($weights:expr => $($row:literal $back:expr),+) => {{
                    let mut source = floats.as_ptr().add(slot * columns + x);
                    let mut weights = $weights;
                    for _ in 0..kw {
                        let mut pixels = [s.splat(0.0); N];
                        for v in 0..N {
                            pixels[v] = s.load(source.add(v * S::LANES));
                        }
                        $(
                            let weight = s.splat(*weights.sub($back));
                            for v in 0..N {
                                sums[$row][v] = s.fused_mul_add(weight, pixels[v], sums[$row][v]);
                            }
                        )+
                        source = source.add(step);
                        weights = weights.add(1);
                    }
                    slot = if slot + 1 == slots { 0 } else { slot + 1 };
                }};
            }
            let first = self.weights.as_ptr();
            row!(first => 0 0);
            for ky in 1..kh {
                row!(first.add(ky * kw) => 0 0, 1 kw);
            }
            row!(first.add((kh - 1) * kw) => 1 0);
        }
        let _ = slot;
        sums
    }
}
