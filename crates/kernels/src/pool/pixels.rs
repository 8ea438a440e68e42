//! Pooling with channels last: each output pixel reduces whole vectors of channels, read where they lie.

use super::reduce::Reduce;
use crate::geometry::PoolGeometry;
use crate::view::{InputView, OutputView};
use corr2d_simd::{Kernel, Simd};
use std::ops::Range;

/// Some output rows, counted through all images.
pub(super) struct Pixels<'a, R> {
    pub(super) geometry: &'a PoolGeometry,
    pub(super) reduce: R,
    /// The divisor's factor of each output row and column; empty if the reduction needs none.
    pub(super) counts: [&'a [f32]; 2],
    pub(super) rows: Range<usize>,
    pub(super) input: &'a InputView<'a>,
    pub(super) output: &'a OutputView<'a>,
}

impl<R: Reduce> Kernel for Pixels<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let g = self.geometry;
        for row in self.rows.clone() {
            let (n, y) = (row / g.y.output, row % g.y.output);
            let (top, rows) = (g.y.first_inside(y), g.y.inside(y).len());
            for x in 0..g.x.output {
                let (left, columns) = (g.x.first_inside(x), g.x.inside(x).len());
                let count = match self.counts {
                    [[], _] | [_, []] => None,
                    [by_row, by_column] => Some(s.splat(by_row[y] * by_column[x])),
                };
                let first = self.input.row(n, top, left);
                let steps =
                    [self.input.plane_stride() * g.y.dilation, self.input.row_stride() * g.x.dilation];
                let target = self.output.at((row * g.x.output + x) * g.channels);
                let both = 2 * S::LANES;
                let whole = g.channels / both * both;
                // SAFETY: the window's taps inside the input are pixels of `channels` floats, as is the target, which belongs to this
                // tile.
                unsafe {
                    for channel in (0..whole).step_by(both) {
                        let source = first.wrapping_add(channel);
                        let reduced = self.window::<S, 2>(s, source, [rows, columns], steps, S::LANES);
                        for (v, reduced) in reduced.into_iter().enumerate() {
                            s.store(target.add(channel + v * S::LANES), self.finish(s, reduced, count));
                        }
                    }
                    for channel in (whole..g.channels).step_by(S::LANES) {
                        let source = first.wrapping_add(channel);
                        let lanes = S::LANES.min(g.channels - channel);
                        let [reduced] = self.window::<S, 1>(s, source, [rows, columns], steps, lanes);
                        s.store_first(target.add(channel), self.finish(s, reduced, count), lanes);
                    }
                }
            }
        }
    }
}

impl<R: Reduce> Pixels<'_, R> {
    #[inline(always)]
    fn finish<S: Simd>(&self, s: S, reduced: S::V, count: Option<S::V>) -> S::V {
        match count {
            None => reduced,
            Some(count) => self.reduce.finish(s, reduced, count),
        }
    }

    /// Reduces down the columns of a window and then along its row, as with channels first.
    ///
    /// # Safety
    /// `V` vectors, or `lanes` floats of a single one, are readable at `source` and at every multiple of the steps within `size` from
    /// it.
    #[inline(always)]
    unsafe fn window<S: Simd, const V: usize>(
        &self,
        s: S,
        source: *const f32,
        size: [usize; 2],
        steps: [usize; 2],
        lanes: usize,
    ) -> [S::V; V] {
        let mut reduced = [s.splat(R::IDENTITY); V];
        for kx in 0..size[1] {
            let mut column = [s.splat(R::IDENTITY); V];
            for ky in 0..size[0] {
                let elements = source.wrapping_add(ky * steps[0] + kx * steps[1]);
                for (v, column) in column.iter_mut().enumerate() {
                    let elements = elements.wrapping_add(v * S::LANES);
                    // SAFETY: the caller's promise.
                    let element =
                        unsafe { if V > 1 { s.load(elements) } else { s.load_first(elements, lanes) } };
                    *column = self.reduce.combine(s, *column, self.reduce.element(s, element));
                }
            }
            for (reduced, column) in reduced.iter_mut().zip(column) {
                *reduced = self.reduce.combine(s, *reduced, column);
            }
        }
        reduced
    }
}
