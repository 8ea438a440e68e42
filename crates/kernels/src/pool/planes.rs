//! Windows that are whole planes (ONNX's `GlobalMaxPool` and `GlobalAveragePool`): each plane is reduced to a vector, and as many
//! vectors as there are lanes to one, by pairs, so that a result is a lane.

use super::reduce::Reduce;
use crate::edge::inside;
use crate::geometry::PoolGeometry;
use crate::lanes::{MOST_LANES, fold};
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

/// Vectors that are reduced side by side, since each waits for the one before.
const CHAINS: usize = 4;

impl<R: Reduce> Kernel for Planes<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let channels = self.geometry.channels;
        let (mut n, mut c) = (self.planes.start / channels, self.planes.start % channels);
        for first in self.planes.clone().step_by(S::LANES) {
            let count = S::LANES.min(self.planes.end - first);
            let mut reduced = [s.splat(R::IDENTITY); MOST_LANES];
            for plane in &mut reduced[..count] {
                // SAFETY: a plane of the input.
                *plane = unsafe { self.plane(s, n, c) };
                c += 1;
                if c == channels {
                    (n, c) = (n + 1, 0);
                }
            }
            let reduced = fold(s, reduced, |a, b| self.reduce.combine(s, a, b));
            let v = match self.count {
                Some(count) => self.reduce.finish(s, reduced, s.splat(count)),
                None => reduced,
            };
            // SAFETY: these planes' outputs are this tile's to write.
            unsafe { s.store_first(self.output.at(first), v, count) };
        }
    }
}

impl<R: Reduce> Planes<'_, R> {
    /// # Safety
    /// The plane is one of the geometry's.
    #[inline(always)]
    unsafe fn plane<S: Simd>(&mut self, s: S, n: usize, c: usize) -> S::V {
        let g = self.geometry;
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
        let vectors = len / S::LANES;
        let rest = inside(0, len % S::LANES);
        // SAFETY: whole vectors of the plane's `len` elements, and the lanes that are left.
        unsafe {
            for first in (0..vectors / CHAINS * CHAINS).step_by(CHAINS) {
                for (i, sum) in sums.iter_mut().enumerate() {
                    let v = s.load(elements.add((first + i) * S::LANES));
                    *sum = self.reduce.combine(s, *sum, self.reduce.element(s, v));
                }
            }
            let first = vectors / CHAINS * CHAINS;
            for i in 0..CHAINS {
                let source = elements.wrapping_add((first + i) * S::LANES);
                if first + i < vectors {
                    sums[i] = self.reduce.combine(s, sums[i], self.reduce.element(s, s.load(source)));
                } else if first + i == vectors && rest != 0 {
                    let v = s.load_masked(source, rest, identity);
                    sums[i] = self.reduce.combine(s, sums[i], self.reduce.element(s, v));
                }
            }
        }
        let [a, b, c, d] = sums;
        self.reduce.combine(s, self.reduce.combine(s, a, b), self.reduce.combine(s, c, d))
    }
}
