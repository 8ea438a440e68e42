//! The register tile that ends in pixels: a few output rows by four vectors of columns, from rows that are kept in a ring.
//! Sums are scaled, offset, rounded and stored without leaving the registers, and kernels of any height and width run on one
//! instance, as the loops over taps are no part of the tile's shape.
//!
//! Every sum is `w₀·x₀ + w₁·x₁ + …` in the kernel's order with fused products, so its bits do not depend on the tile.

use super::pixel::Pixel;
use super::terms::{FOUR, Mapping, THREE, Terms, VECTORS};
use corr2d_simd::{Isa, Kernel, Simd};
use std::mem::MaybeUninit;
use std::slice;

/// Columns of the tile on the widest instruction set.
const MOST_COLUMNS: usize = VECTORS * 2 * 16;

/// Rows of which the oldest makes room for the next: row `i` is the slot `i % slots`.
#[derive(Clone, Copy)]
pub(super) struct Ring<'a, E> {
    pub(super) elements: &'a [E],
    pub(super) slots: usize,
    pub(super) columns: usize,
}

/// Rows of results, or some of them only.
pub(super) struct FewRows<'a, P: Pixel, T: Terms<P>, const ROWS: usize> {
    /// `[kh, kw]`.
    pub(super) weights: &'a [T::Weight],
    pub(super) kw: usize,
    /// Elements between horizontally neighbouring weights.
    pub(super) step: usize,
    pub(super) mapping: Mapping,
    pub(super) ring: Ring<'a, T::Element>,
    /// The row of the ring that the first weight of the first result takes.
    pub(super) first: usize,
    pub(super) targets: [Option<&'a mut [P]>; ROWS],
    /// Rows of pixels that will be read next, from the first column on: the tile of [`THREE`] rows asks for them meanwhile.
    pub(super) ahead: [*const P; ROWS],
}

impl<P: Pixel, T: Terms<P>, const ROWS: usize> FewRows<'_, P, T, ROWS> {
    pub(super) fn run(self, isa: Isa) {
        let Ring { elements, slots, columns } = self.ring;
        let kh = self.weights.len() / self.kw;
        let width = self.width();
        assert_eq!(self.weights.len(), kh * self.kw);
        assert!(kh > 0 && kh - 1 + ROWS <= slots && slots * columns <= elements.len());
        assert!(ROWS == T::rows(isa, [kh, self.kw]));
        assert!(
            width.next_multiple_of(VECTORS * T::PER_LANE * isa.lanes()) + (self.kw - 1) * self.step
                <= columns
        );
        isa.run(self);
    }

    fn width(&self) -> usize {
        self.targets.iter().flatten().map(|row| row.len()).max().unwrap_or(0)
    }
}

impl<P: Pixel, T: Terms<P>, const ROWS: usize> Kernel for FewRows<'_, P, T, ROWS> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        if !T::takes::<S>(ROWS) {
            return;
        }
        let taps = Taps::<P, T> {
            first: self.weights.as_ptr(),
            size: [self.weights.len() / self.kw, self.kw],
            step: self.step,
            ring: self.ring,
            slot: self.first % self.ring.slots,
            mapping: self.mapping,
        };
        // Elements of a register.
        let lanes = T::PER_LANE * S::LANES;
        for x in (0..self.width()).step_by(VECTORS * lanes) {
            // SAFETY: `FewRows::run` checked that whole tiles and their taps are readable.
            unsafe {
                if T::is_whole::<S>() {
                    // Spread over the products, so that none of them waits.
                    if ROWS == THREE || T::PER_LANE > 1 {
                        for row in self.ahead {
                            s.prefetch(row.wrapping_add(x).cast());
                        }
                    }
                    self.sums::<S, VECTORS>(s, &taps, x);
                    continue;
                }
                let mut tile = [[T::zero(s); VECTORS]; ROWS];
                for v in (0..VECTORS).step_by(2) {
                    let sums = self.sums::<S, 2>(s, &taps, x + v * lanes);
                    for row in 0..ROWS {
                        [tile[row][v], tile[row][v + 1]] = sums[row];
                    }
                }
                for row in 0..ROWS {
                    self.finish(s, &taps.mapping, row, x, tile[row]);
                }
            }
        }
    }
}

/// What is multiplied: copies that no stored pixel can be thought to change.
struct Taps<'a, P: Pixel, T: Terms<P>> {
    /// The kernel's first weight.
    first: *const T::Weight,
    size: [usize; 2],
    step: usize,
    ring: Ring<'a, T::Element>,
    /// Of the first row that is read; the others follow it, around the ring's end.
    slot: usize,
    mapping: Mapping,
}

impl<P: Pixel, T: Terms<P>, const ROWS: usize> FewRows<'_, P, T, ROWS> {
    /// The sums of a row from column `x` on become pixels.
    #[inline(always)]
    fn finish<S: Simd>(
        &mut self,
        s: S,
        mapping: &Mapping,
        row: usize,
        x: usize,
        sums: [T::Register<S>; VECTORS],
    ) {
        let Some(target) = &mut self.targets[row] else { return };
        // The last vectors of a row may reach beyond it.
        let left = target.len().saturating_sub(x);
        let whole = left >= VECTORS * T::PER_LANE * S::LANES;
        let mut last = MaybeUninit::<[P; MOST_COLUMNS]>::uninit();
        let place = if whole { target.as_mut_ptr().wrapping_add(x) } else { last.as_mut_ptr().cast() };
        // SAFETY: four vectors are left of the row, or no instruction set's have more lanes than there is room for. In the latter case
        // fewer pixels are copied than were stored.
        unsafe {
            T::store(s, sums, mapping, place);
            if !whole {
                target[x..].copy_from_slice(slice::from_raw_parts(place, left));
            }
        }
    }

    /// The sums of some vectors of the rows; where these are all of the tile's, they have become pixels.
    ///
    /// # Safety
    /// They and the taps from there on are readable in each row of the ring.
    #[inline(always)]
    unsafe fn sums<S: Simd, const N: usize>(
        &mut self,
        s: S,
        taps: &Taps<'_, P, T>,
        x: usize,
    ) -> [[T::Register<S>; N]; ROWS] {
        let Taps { first, size: [kh, kw], step, ring: Ring { elements, slots, columns }, slot, .. } = *taps;
        // Pointers instead of slots: where rows are all that is run over, a product for each would take as long as theirs.
        let start = elements.as_ptr().wrapping_add(x);
        let end = start.wrapping_add(slots * columns);
        let mut next = start.wrapping_add(slot * columns);
        // Elements of a register.
        let lanes = T::PER_LANE * S::LANES;
        let mut sums = [[T::zero(s); N]; ROWS];
        // SAFETY: the caller's promise; each result is fed by the rows from its own on, as many as the kernel has.
        unsafe {
            // The results that a row feeds must be known when this is compiled, or sums leave the registers.
            macro_rules! feed {
                ($row:expr => $($result:literal)+) => {{
                    let mut source = next;
                    // Of the result 0; those before the kernel or behind it are not read.
                    let mut weights = first.wrapping_add($row * kw);
                    for _ in 0..kw {
                        if ROWS == THREE {
                            // Vectors of pixels are more than weights, and there is no register for all of them.
                            let mut factors = [T::zero(s); ROWS];
                            $(factors[$result] = T::splat(s, *weights.wrapping_sub($result * kw));)+
                            for v in 0..N {
                                let pixels = T::load(s, source.add(v * lanes));
                                $(sums[$result][v] = T::add(s, factors[$result], pixels, sums[$result][v]);)+
                            }
                        } else {
                            let mut pixels = [T::zero(s); N];
                            for v in 0..N {
                                pixels[v] = T::load(s, source.add(v * lanes));
                            }
                            $(
                                let weight = T::splat(s, *weights.wrapping_sub($result * kw));
                                for v in 0..N {
                                    sums[$result][v] = T::add(s, weight, pixels[v], sums[$result][v]);
                                }
                            )+
                        }
                        source = source.add(step);
                        weights = weights.wrapping_add(1);
                    }
                    next = next.wrapping_add(columns);
                    next = if next == end { start } else { next };
                }};
            }
            // With few registers, what is summed up leaves them at once: the compiler would spill sums that are still added to.
            macro_rules! finish {
                ($($row:literal)+) => { $(
                    if N == VECTORS {
                        let mut whole = [T::zero(s); VECTORS];
                        for v in 0..N {
                            whole[v] = sums[$row][v];
                        }
                        self.finish(s, &taps.mapping, $row, x, whole);
                    }
                )+ };
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
                finish!(0 1 2 3);
            } else if ROWS == THREE {
                feed!(1 => 0 1);
                for row in 2..kh {
                    feed!(row => 0 1 2);
                }
                finish!(0);
                feed!(kh => 1 2);
                finish!(1);
                feed!(kh + 1 => 2);
                finish!(2);
            } else {
                for row in 1..kh {
                    feed!(row => 0 1);
                }
                feed!(kh => 1);
                finish!(0 1);
            }
        }
        let _ = next;
        sums
    }
}
