//! Windows that are whole planes (ONNX's `GlobalMaxPool` and `GlobalAveragePool`): each plane is reduced to a vector, and as many
//! vectors as there are lanes to one, by pairs, so that a result is a lane.

use super::reduce::Reduce;
use crate::edge::inside;
use crate::geometry::PoolGeometry;
use crate::view::{InputView, OutputView};
use corr2d_simd::{Kernel, Simd};
use std::ops::Range;

/// Some planes.
pub(super) struct Planes<'a, R> {
    pub(super) geometry: &'a PoolGeometry,
    pub(super) reduce: R,
    /// The divisor; none if the reduction needs none.
    pub(super) count: Option<f32>,
    pub(super) planes: Range<usize>,
    pub(super) input: &'a InputView<'a>,
    pub(super) output: &'a OutputView<'a>,
    /// [`scratch_len`] floats.
    pub(super) scratch: &'a mut [f32],
}

/// Floats of scratch: a plane, where a view's rows have gaps.
pub(super) fn scratch_len(g: &PoolGeometry) -> usize {
    g.y.input * g.x.input
}

/// The largest plane: where a view's rows have gaps, it is copied to scratch.
const MOST_ELEMENTS: usize = 1 << 16;

/// Whether a window is its whole plane.
pub(super) fn supports(g: &PoolGeometry) -> bool {
    let is_small = g.y.input * g.x.input <= MOST_ELEMENTS;
    is_small
        && [g.y, g.x].iter().all(|axis| {
            axis.output == 1
                && axis.kernel == axis.input
                && axis.dilation == 1
                && axis.before + axis.after == 0
        })
}

/// Lanes of the widest vector.
const MOST_LANES: usize = 16;

/// Vectors that are reduced side by side, since each waits for the one before.
const CHAINS: usize = 4;

impl<R: Reduce> Kernel for Planes<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        for first in self.planes.clone().step_by(S::LANES) {
            let count = S::LANES.min(self.planes.end - first);
            let mut reduced = [s.splat(R::IDENTITY); MOST_LANES];
            for (i, plane) in reduced.iter_mut().enumerate().take(count) {
                // SAFETY: a plane of the input.
                *plane = unsafe { self.plane(s, first + i) };
            }
            // Halves the vectors by adding neighbouring lanes of neighbouring vectors.
            let mut vectors = S::LANES;
            while vectors > 1 {
                vectors /= 2;
                for i in 0..vectors {
                    let (even, odd) = s.deinterleave(reduced[2 * i], reduced[2 * i + 1]);
                    reduced[i] = self.reduce.combine(s, even, odd);
                }
            }
            let v = match self.count {
                Some(count) => self.reduce.finish(s, reduced[0], s.splat(count)),
                None => reduced[0],
            };
            // SAFETY: these planes' outputs are this tile's to write.
            unsafe { s.store_first(self.output.at(first), v, count) };
        }
    }
}

impl<R: Reduce> Planes<'_, R> {
    /// # Safety
    /// `plane` is one of the geometry's.
    #[inline(always)]
    unsafe fn plane<S: Simd>(&mut self, s: S, plane: usize) -> S::V {
        let g = self.geometry;
        let (n, c) = (plane / g.channels, plane % g.channels);
        let len = g.y.input * g.x.input;
        let mut elements = self.input.row(n, c, 0);
        if self.input.row_stride() != g.x.input {
            for (y, row) in self.scratch.chunks_exact_mut(g.x.input).take(g.y.input).enumerate() {
                // SAFETY: a row of the input.
                row.copy_from_slice(unsafe {
                    std::slice::from_raw_parts(self.input.row(n, c, y), g.x.input)
                });
            }
            elements = self.scratch.as_ptr();
        }
        let identity = s.splat(R::IDENTITY);
        let mut sums = [identity; CHAINS];
        for first in (0..len).step_by(CHAINS * S::LANES) {
            for (i, sum) in sums.iter_mut().enumerate() {
                let at = first + i * S::LANES;
                let source = elements.wrapping_add(at);
                // SAFETY: of the plane's `len` elements, those from `at` on are read.
                let v = unsafe {
                    if at + S::LANES <= len {
                        s.load(source)
                    } else {
                        s.load_masked(source, inside(0, len.saturating_sub(at)), identity)
                    }
                };
                *sum = self.reduce.combine(s, *sum, self.reduce.element(s, v));
            }
        }
        let [a, b, c, d] = sums;
        self.reduce.combine(s, self.reduce.combine(s, a, b), self.reduce.combine(s, c, d))
    }
}
