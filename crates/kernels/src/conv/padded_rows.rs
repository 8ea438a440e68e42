//! The padded input rows of a tile in scratch, split by the horizontal stride's phases, so that neighbouring outputs always read
//! neighbouring elements.

use super::source::{PlaneRows, RowCopy};
use crate::geometry::{Axis, ConvGeometry};
use crate::view::InputView;
use corr2d_simd::Isa;

/// The scratch memory of one tile: `[channel][row][phase][column]`, the channels of one group. Phase `p` holds the padded row's elements
/// whose distance from its start, modulo the stride, is `phases[p]`; only phases that some tap reads are kept.
pub(crate) struct PaddedRows {
    geometry: ConvGeometry,
    /// Input rows of a tile.
    rows: usize,
    phases: Vec<usize>,
    columns: usize,
    /// How each phase of a row is copied.
    copies: Vec<RowCopy>,
}

impl PaddedRows {
    /// The scratch of a tile of one output row.
    pub(crate) fn new(g: &ConvGeometry, lanes: usize) -> PaddedRows {
        let stride = g.x.stride;
        let phases = phases(&g.x);
        let columns = g.x.output.next_multiple_of(lanes) + (g.x.span() - 1) / stride;
        let copies = phases.iter().map(|phase| {
            let first = *phase as isize - g.x.before as isize;
            RowCopy::new(first, stride, g.x.input, columns, g.padding_mode)
        });
        PaddedRows { geometry: *g, rows: g.y.span(), copies: copies.collect(), phases, columns }
    }

    /// The most output rows whose input fits so many floats, at least one.
    pub(crate) fn output_rows(&self, floats: usize) -> usize {
        let y = self.geometry.y;
        let rows = floats / (self.geometry.c_in_group() * self.line());
        (rows.saturating_sub(y.span()) / y.stride + 1).clamp(1, y.output)
    }

    /// The scratch of a tile of so many output rows.
    pub(crate) fn of_output_rows(self, output_rows: usize) -> PaddedRows {
        let y = self.geometry.y;
        PaddedRows { rows: (output_rows - 1) * y.stride + y.span(), ..self }
    }

    /// Floats of a row with its phases.
    #[inline]
    pub(crate) fn line(&self) -> usize {
        self.phases.len() * self.columns
    }

    /// The start of a row of a channel; its phases follow each other.
    #[inline]
    pub(crate) fn row(&self, channel: usize, row: usize) -> usize {
        (channel * self.rows + row) * self.line()
    }

    /// How far a tap's element is from the start of the row, for the first output; `column` counts from the window's first.
    pub(crate) fn tap(&self, column: usize) -> usize {
        let stride = self.geometry.x.stride;
        let phase = self.phases.iter().position(|phase| *phase == column % stride);
        phase.expect("every tap's phase is kept") * self.columns + column / stride
    }

    /// The same of every tap of a group, from the start of the scratch, in the weight's order.
    pub(crate) fn tap_offsets(&self) -> Vec<u32> {
        let g = &self.geometry;
        let mut offsets = Vec::with_capacity(g.taps());
        for c in 0..g.c_in_group() {
            for ky in 0..g.y.kernel {
                for kx in 0..g.x.kernel {
                    let offset = self.row(c, ky * g.y.dilation) + self.tap(kx * g.x.dilation);
                    offsets.push(u32::try_from(offset).expect("a tile's scratch is far below 2^32 floats"));
                }
            }
        }
        offsets
    }

    /// Floats of the scratch.
    pub(crate) fn len(&self) -> usize {
        self.row(self.geometry.c_in_group(), 0)
    }

    /// Copies the input of the output rows `first_row..first_row + rows` of a group's channels of image `n`.
    #[inline]
    pub(crate) fn fill(
        &self,
        isa: Isa,
        input: &InputView<'_>,
        n: usize,
        group: usize,
        first_row: usize,
        rows: usize,
        scratch: &mut [f32],
    ) {
        let g = &self.geometry;
        let (columns, line) = (self.columns, self.line());
        let top = (first_row * g.y.stride) as isize - g.y.before as isize;
        let all = (rows - 1) * g.y.stride + g.y.span();
        let lines = PlaneRows { top, step: 1, height: g.y.input };
        for c in 0..g.c_in_group() {
            let channel = group * g.c_in_group() + c;
            let plane = &mut scratch[self.row(c, 0)..self.row(c, all)];
            for (phase, copy) in self.copies.iter().enumerate() {
                // SAFETY: scratch is memory of its own.
                unsafe {
                    copy.run_plane(isa, input, [n, channel], &lines, &mut plane[phase * columns..], line)
                };
            }
        }
    }
}

/// The distances of an axis' taps from the start of their window, modulo the stride, in order.
pub(crate) fn phases(axis: &Axis) -> Vec<usize> {
    let mut phases: Vec<usize> = (0..axis.kernel).map(|k| k * axis.dilation % axis.stride).collect();
    phases.sort_unstable();
    phases.dedup();
    phases
}
