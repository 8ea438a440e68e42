//! Any window, row by row: the window's rows are reduced into one padded row in scratch, split by the horizontal stride's phases, and
//! that row is then reduced along the window's columns.

use super::reduce::Reduce;
use crate::geometry::{Axis, PoolGeometry};
use crate::view::{InputView, OutputView};
use corr2d_simd::{Isa, Kernel, Simd};
use std::ops::Range;

/// Some output rows, counted through all planes.
pub(super) struct Rows<'a, R> {
    pub(super) geometry: &'a PoolGeometry,
    pub(super) reduce: R,
    /// The divisor's factor of each output row and column; empty if the reduction needs none.
    pub(super) counts: [&'a [f32]; 2],
    pub(super) rows: Range<usize>,
    pub(super) input: &'a InputView<'a>,
    pub(super) output: &'a OutputView<'a>,
    pub(super) scratch: &'a mut [f32],
}

/// Phases of the padded row that are kept apart: neighbouring windows of stride 2 so read neighbouring elements. Larger strides
/// read with gaps.
fn phases(g: &PoolGeometry) -> usize {
    if g.x.stride == 2 { 2 } else { 1 }
}

/// Columns of one phase of the padded row.
fn columns(g: &PoolGeometry, lanes: usize) -> usize {
    let last_window = (g.x.output.next_multiple_of(lanes) - 1) * g.x.stride + g.x.span();
    let last_window = if phases(g) == 1 && g.x.stride > 1 {
        (g.x.output - 1) * g.x.stride + g.x.span()
    } else {
        last_window
    };
    last_window.max(g.x.before + g.x.input).div_ceil(phases(g)) + lanes
}

/// Floats of scratch that [`Rows`] needs.
pub(super) fn scratch_len(g: &PoolGeometry, isa: Isa) -> usize {
    columns(g, isa.lanes()) * phases(g)
}

impl<R: Reduce> Kernel for Rows<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let g = self.geometry;
        let columns = columns(g, S::LANES);
        self.scratch.fill(R::IDENTITY);
        for row in self.rows.clone() {
            let (plane, y) = (row / g.y.output, row % g.y.output);
            let (n, c) = (plane / g.channels, plane % g.channels);
            let target = self.output.at(row * g.x.output);
            let count = self.counts[0].get(y).copied().unwrap_or(1.0);
            // SAFETY: rows of the input have `x.input` elements, the output row has `x.output`; both belong to this tile.
            unsafe {
                self.reduce_columns(s, columns, n, c, y);
                self.reduce_row(s, columns, target, count);
            }
        }
    }
}

impl<R: Reduce> Rows<'_, R> {
    #[inline(always)]
    fn finish<S: Simd>(&self, s: S, reduced: S::V, count: f32, x: usize) -> S::V {
        if self.counts[1].is_empty() {
            return reduced;
        }
        // SAFETY: column counts are padded to whole vectors.
        let columns = unsafe { s.load(self.counts[1].as_ptr().add(x)) };
        self.reduce.finish(s, reduced, s.mul(s.splat(count), columns))
    }

    // No closures below: they would be compiled without the instruction set's target features.

    /// Reduces two neighbouring vectors of `rows` input rows, `row_step` apart.
    ///
    /// # Safety
    /// `source` is valid for reads of two vectors in each of those rows.
    #[inline(always)]
    unsafe fn reduce_pair<S: Simd>(
        &self,
        s: S,
        source: *const f32,
        row_step: usize,
        rows: usize,
    ) -> [S::V; 2] {
        let mut reduced = [s.splat(R::IDENTITY); 2];
        for row in 0..rows {
            for (v, reduced) in reduced.iter_mut().enumerate() {
                // SAFETY: the caller's promise.
                let element = unsafe { s.load(source.wrapping_add(row * row_step + v * S::LANES)) };
                *reduced = self.reduce.combine(s, *reduced, self.reduce.element(s, element));
            }
        }
        reduced
    }

    /// Reduces the elements `x..x + count` of `rows` input rows, `row_step` apart; identities in the lanes past `count`.
    ///
    /// # Safety
    /// `source` is valid for reads of `count` floats in each of those rows.
    #[inline(always)]
    unsafe fn reduce_part<S: Simd>(
        &self,
        s: S,
        source: *const f32,
        row_step: usize,
        rows: usize,
        count: usize,
    ) -> S::V {
        let mut reduced = s.splat(R::IDENTITY);
        for row in 0..rows {
            // SAFETY: the caller's promise.
            let element = unsafe { s.load_first(source.wrapping_add(row * row_step), count) };
            reduced = self.reduce.combine(s, reduced, self.reduce.element(s, element));
        }
        reduced
    }

    /// Reduces the window's rows that lie inside the input to the padded row in scratch, which has `columns` of each phase.
    ///
    /// # Safety
    /// `n`, `c` and `y` are within the geometry; scratch has [`scratch_len`] floats and its padding holds the identity.
    #[inline(always)]
    unsafe fn reduce_columns<S: Simd>(&mut self, s: S, columns: usize, n: usize, c: usize, y: usize) {
        let g = self.geometry;
        let width = g.x.input;
        let rows = g.y.inside(y).len();
        let first = self.input.row(n, c, g.y.first_inside(y));
        let step = self.input.row_stride() * g.y.dilation;
        let scratch = self.scratch.as_mut_ptr();
        let both = 2 * S::LANES;
        let whole = width / both * both;
        // SAFETY: of each row, the elements that are left are read; written are those, within the phase's columns.
        unsafe {
            match phases(g) {
                2 => {
                    let (even_phase, odd_phase) = (g.x.before % 2, (g.x.before + 1) % 2);
                    let even_target = scratch.add(even_phase * columns + g.x.before / 2);
                    let odd_target = scratch.add(odd_phase * columns + g.x.before.div_ceil(2));
                    for x in (0..whole).step_by(both) {
                        let [low, high] = self.reduce_pair(s, first.wrapping_add(x), step, rows);
                        let (even, odd) = s.deinterleave(low, high);
                        s.store(even_target.add(x / 2), even);
                        s.store(odd_target.add(x / 2), odd);
                    }
                    if whole < width {
                        let left = width - whole;
                        let source = first.wrapping_add(whole);
                        let low = self.reduce_part(s, source, step, rows, left.min(S::LANES));
                        let source = source.wrapping_add(S::LANES);
                        let high = self.reduce_part(s, source, step, rows, left.saturating_sub(S::LANES));
                        let (even, odd) = s.deinterleave(low, high);
                        s.store_first(even_target.add(whole / 2), even, left.div_ceil(2));
                        s.store_first(odd_target.add(whole / 2), odd, left / 2);
                    }
                }
                _ => {
                    let target = scratch.add(g.x.before);
                    for x in (0..whole).step_by(both) {
                        let [low, high] = self.reduce_pair(s, first.wrapping_add(x), step, rows);
                        s.store(target.add(x), low);
                        s.store(target.add(x + S::LANES), high);
                    }
                    for x in (whole..width).step_by(S::LANES) {
                        let count = S::LANES.min(width - x);
                        let reduced = self.reduce_part(s, first.wrapping_add(x), step, rows, count);
                        s.store_first(target.add(x), reduced, count);
                    }
                }
            }
        }
    }

    /// Reduces the padded row along the window's columns.
    ///
    /// # Safety
    /// The target is valid for writes of `x.output` floats.
    #[inline(always)]
    unsafe fn reduce_row<S: Simd>(&self, s: S, columns: usize, target: *mut f32, count: f32) {
        let g = self.geometry;
        let scratch = self.scratch.as_ptr();
        // Two vectors side by side, since each sum waits for the one before.
        for first in (0..g.x.output).step_by(2 * S::LANES) {
            let starts = [first, first + S::LANES];
            let mut reduced = [s.splat(R::IDENTITY); 2];
            // A loop for each stride: one that chooses for every column is slower.
            macro_rules! along {
                ($kx:ident, $x:ident => $elements:expr) => {
                    for $kx in 0..g.x.kernel {
                        for ($x, reduced) in starts.into_iter().zip(&mut reduced) {
                            *reduced = self.reduce.combine(s, *reduced, $elements);
                        }
                    }
                };
            }
            // SAFETY: a phase has a whole number of vectors of outputs, another one, and the taps; with gaps only the outputs are
            // read, and only those that are left in the row are written.
            unsafe {
                match g.x.stride {
                    1 => along!(kx, x => s.load(scratch.add(kx * g.x.dilation + x))),
                    2 => along!(kx, x => {
                        let column = kx * g.x.dilation;
                        s.load(scratch.add(column % 2 * columns + column / 2 + x))
                    }),
                    0 => along!(kx, x => {
                        let mut lanes = [R::IDENTITY; 16];
                        take_adaptive(&g.x, self.scratch, kx, x, &mut lanes[..S::LANES]);
                        s.load(lanes.as_ptr())
                    }),
                    stride => along!(kx, x => {
                        let mut lanes = [R::IDENTITY; 16];
                        for (x, lane) in (x..g.x.output).zip(lanes.iter_mut().take(S::LANES)) {
                            *lane = *scratch.add(x * stride + kx * g.x.dilation);
                        }
                        s.load(lanes.as_ptr())
                    }),
                }
                for (x, reduced) in starts.into_iter().zip(reduced) {
                    if x < g.x.output {
                        let v = self.finish(s, reduced, count, x);
                        s.store_first(target.add(x), v, S::LANES.min(g.x.output - x));
                    }
                }
            }
        }
    }
}

/// Element `kx` of each of the windows from `x` on, which are not all alike; a window without it keeps what is there.
#[inline(never)]
fn take_adaptive(axis: &Axis, row: &[f32], kx: usize, x: usize, lanes: &mut [f32]) {
    for (x, lane) in (x..axis.output).zip(lanes) {
        let window = axis.window(x);
        if kx < window.end - window.start {
            *lane = row[window.start + kx];
        }
    }
}
