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
                for channel in (0..g.channels).step_by(S::LANES) {
                    let lanes = S::LANES.min(g.channels - channel);
                    // SAFETY: the window's taps inside the input are pixels of `channels` floats, as is the target, which belongs to
                    // this tile.
                    unsafe {
                        let source = first.wrapping_add(channel);
                        let reduced = self.window(s, source, [rows, columns], steps, lanes);
                        let v = match count {
                            None => reduced,
                            Some(count) => self.reduce.finish(s, reduced, count),
                        };
                        if lanes == S::LANES {
                            s.store(target.add(channel), v);
                        } else {
                            s.store_first(target.add(channel), v, lanes);
                        }
                    }
                }
            }
        }
    }
}

impl<R: Reduce> Pixels<'_, R> {
    /// Reduces down the columns of a window and then along its row, as with channels first.
    ///
    /// # Safety
    /// `lanes` floats are readable at `source` and at every multiple of the steps within `size` from it.
    #[inline(always)]
    unsafe fn window<S: Simd>(
        &self,
        s: S,
        source: *const f32,
        size: [usize; 2],
        steps: [usize; 2],
        lanes: usize,
    ) -> S::V {
        let mut reduced = s.splat(R::IDENTITY);
        for kx in 0..size[1] {
            let mut column = s.splat(R::IDENTITY);
            for ky in 0..size[0] {
                let element = source.wrapping_add(ky * steps[0] + kx * steps[1]);
                // SAFETY: the caller's promise.
                let v =
                    unsafe { if lanes == S::LANES { s.load(element) } else { s.load_first(element, lanes) } };
                column = self.reduce.combine(s, column, self.reduce.element(s, v));
            }
            reduced = self.reduce.combine(s, reduced, column);
        }
        reduced
    }
}
