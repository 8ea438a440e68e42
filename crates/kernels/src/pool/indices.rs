//! Max pooling that also tells where each maximum was found. Window taps are the outer loops, in row-major order, and outputs the
//! inner one, over plain arrays that the compiler turns into vectors: the instruction set has no comparison of its own.

use crate::geometry::{ChannelOrder, PoolGeometry};
use crate::view::{InputView, OutputView};
use corr2d_simd::{Kernel, Simd};
use std::ops::Range;

/// Some output rows, counted through all planes, or through all images where channels are last.
pub(super) struct IndexedRows<'a> {
    pub(super) geometry: &'a PoolGeometry,
    pub(super) rows: Range<usize>,
    pub(super) input: &'a InputView<'a>,
    pub(super) output: &'a OutputView<'a>,
    pub(super) indices: &'a OutputView<'a, i32>,
}

/// No element has been seen.
const NONE: i32 = -1;

impl Kernel for IndexedRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let g = self.geometry;
        let row_len = match g.order {
            ChannelOrder::First => g.x.output,
            ChannelOrder::Last => g.x.output * g.channels,
        };
        for row in self.rows.clone() {
            let start = row * row_len;
            // SAFETY: this row of both outputs belongs to this tile.
            let (best, indices) = unsafe {
                (
                    std::slice::from_raw_parts_mut(self.output.at(start), row_len),
                    std::slice::from_raw_parts_mut(self.indices.at(start), row_len),
                )
            };
            best.fill(f32::NEG_INFINITY);
            indices.fill(NONE);
            let (plane, y) = (row / g.y.output, row % g.y.output);
            let (top, rows) = (g.y.first_inside(y), g.y.inside(y).len());
            for input_row in (0..rows).map(|tap| top + tap * g.y.dilation) {
                match g.order {
                    ChannelOrder::First if g.x.stride == 0 => {
                        self.adaptive_row(plane, input_row, best, indices);
                    }
                    ChannelOrder::First => self.row(plane, input_row, best, indices),
                    ChannelOrder::Last => self.pixels(plane, input_row, best, indices),
                }
            }
        }
    }
}

impl IndexedRows<'_> {
    /// Takes in the taps of one input row, each for all the outputs that have it inside.
    #[inline(always)]
    fn row(&self, plane: usize, input_row: usize, best: &mut [f32], indices: &mut [i32]) {
        let g = self.geometry;
        let source = self.input.row(plane / g.channels, plane % g.channels, input_row);
        for kx in 0..g.x.kernel {
            let windows = g.x.windows_with(kx);
            if windows.is_empty() {
                continue;
            }
            let column = windows.start * g.x.stride + kx * g.x.dilation - g.x.before;
            let elements = Elements {
                source: source.wrapping_add(column),
                index: (input_row * g.x.input + column) as i32,
                index_step: g.x.stride as i32,
            };
            let (best, indices) = (&mut best[windows.clone()], &mut indices[windows]);
            // SAFETY: the columns of these outputs are inside the row.
            unsafe {
                match g.x.stride {
                    1 => elements.take(best, indices, 1),
                    2 => elements.take(best, indices, 2),
                    stride => elements.take(best, indices, stride),
                }
            }
        }
    }

    /// The same where the windows are not all alike.
    #[inline(always)]
    fn adaptive_row(&self, plane: usize, input_row: usize, best: &mut [f32], indices: &mut [i32]) {
        let g = self.geometry;
        let source = self.input.row(plane / g.channels, plane % g.channels, input_row);
        for x in 0..g.x.output {
            for column in g.x.window(x) {
                let elements = Elements {
                    source: source.wrapping_add(column),
                    index: (input_row * g.x.input + column) as i32,
                    index_step: 0,
                };
                // SAFETY: the window is inside the row.
                unsafe { elements.take(&mut best[x..=x], &mut indices[x..=x], 1) };
            }
        }
    }

    /// Takes in the taps of one input row, each for all the channels of an output.
    #[inline(always)]
    fn pixels(&self, n: usize, input_row: usize, best: &mut [f32], indices: &mut [i32]) {
        let g = self.geometry;
        let outputs = best.chunks_exact_mut(g.channels).zip(indices.chunks_exact_mut(g.channels));
        for (x, (best, indices)) in outputs.enumerate() {
            for tap in 0..g.x.inside(x).len() {
                let column = g.x.first_inside(x) + tap * g.x.dilation;
                let elements = Elements {
                    source: self.input.row(n, input_row, column),
                    index: (input_row * g.x.input + column) as i32,
                    index_step: 0,
                };
                // SAFETY: a pixel of the input has as many channels.
                unsafe { elements.take(best, indices, 1) };
            }
        }
    }
}

/// Neighbouring elements of the input, and where they are in their planes.
#[derive(Clone, Copy)]
struct Elements {
    source: *const f32,
    index: i32,
    index_step: i32,
}

impl Elements {
    /// Takes over each element that is larger than the best one, is NaN, or is the first.
    ///
    /// # Safety
    /// As many floats as `best` has, `step` apart, are readable at the source, and none of them is in `best`.
    #[inline(always)]
    unsafe fn take(self, best: &mut [f32], indices: &mut [i32], step: usize) {
        let mut index = self.index;
        for (i, (best, place)) in best.iter_mut().zip(indices).enumerate() {
            // SAFETY: the caller's promise.
            let element = unsafe { *self.source.add(i * step) };
            let is_taken = (element > *best) | element.is_nan() | (*place == NONE);
            *best = if is_taken { element } else { *best };
            *place = if is_taken { index } else { *place };
            index = index.wrapping_add(self.index_step);
        }
    }
}
