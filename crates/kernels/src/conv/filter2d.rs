//! `filter2d`: one input channel for each output (image filters, depthwise layers), vertical stride and dilation 1, horizontal
//! stride 1. The inside of a wide plane is filtered in place; only the columns that touch the padding at the left and right are
//! copied to scratch, and rows of zero padding are one shared row of zeros. A narrow plane is copied, with its padding, as a whole.

use super::Activation;
use super::explain::{Lanes, RegisterTile};
use super::padded_rows::PaddedRows;
use super::registry::{Accuracy, Algorithm, PackedConv, Problem};
use super::source::RowCopy;
use super::strip::{self, BLOCK_ROWS, Filter, Target, pack_passes};
use crate::geometry::{ChannelOrder, ConvGeometry};
use crate::view::{InputView, OutputView};
use corr2d_simd::Isa;
use std::ops::Range;

pub(super) const ALGORITHM: Algorithm = Algorithm {
    name: "filter2d",
    supports,
    cost,
    packing: 0.0,
    accuracy: Accuracy::Direct,
    packs_by_tap: false,
    pack,
};

/// Output rows of a tile: a multiple of every block's, many tiles in a photograph, and little is copied twice.
const TILE_ROWS: usize = 60;

/// The widest input whose rows are copied as a whole.
const NARROW: usize = 1024;

fn supports(g: &ConvGeometry) -> bool {
    g.order == ChannelOrder::First
        && g.c_in_group() == 1
        && g.y.stride == 1
        && g.y.dilation == 1
        && g.x.stride == 1
}

fn cost(g: &ConvGeometry, isa: Isa) -> f64 {
    let vectors = g.x.output.div_ceil(isa.lanes()) as f64 * g.y.output as f64;
    let channels = g.c_out as f64;
    let products = vectors * channels * g.taps() as f64;
    // A narrow plane is copied, and its few rows are calls of their own.
    let rows = 100.0 * g.y.kernel as f64 + 20.0 * g.y.output as f64;
    let copied = if g.x.input <= NARROW { 400.0 + rows + 25.0 * vectors } else { 0.0 };
    // Fewer rows than a block are a call for each row of the output and of the kernel.
    let single = if g.y.output < BLOCK_ROWS { 50.0 * (g.y.output * g.y.kernel) as f64 } else { 0.0 };
    products * 1.2 + channels * (copied + single + 400.0 + 2.0 * vectors) + 50.0
}

struct Filter2d {
    geometry: ConvGeometry,
    isa: Isa,
    activation: Activation,
    bias: Vec<f32>,
    /// Each channel's passes, one after the other.
    weights: Vec<f32>,
    /// Output columns that are filtered in place: none of a narrow plane.
    inside: Range<usize>,
    /// The rows of a tile of a narrow plane, which are copied.
    padded: Option<PaddedRows>,
}

fn pack(problem: Problem<'_>) -> Box<dyn PackedConv> {
    let Problem { geometry, weight, bias, activation, isa, .. } = problem;
    let mut weights = Vec::with_capacity(weight.len());
    for kernel in weight.chunks_exact(geometry.taps()) {
        pack_passes(kernel, geometry.x.kernel, &mut weights);
    }
    let rows = geometry.y.output.min(TILE_ROWS);
    let padded = || PaddedRows::new(&geometry, isa.lanes()).of_output_rows(rows);
    let inside = inside(&geometry, isa);
    let padded = inside.is_empty().then(padded);
    Box::new(Filter2d { geometry, isa, activation, bias: bias.to_vec(), weights, inside, padded })
}

/// Output columns whose windows lie inside the input and that are filtered in place; the others are copied.
fn inside(g: &ConvGeometry, isa: Isa) -> Range<usize> {
    let x = &g.x;
    let start = x.before.min(x.output);
    let end = (x.input + x.before + 1).saturating_sub(x.span()).clamp(start, x.output);
    if x.input <= NARROW || end - start < isa.lanes() { 0..0 } else { start..end }
}

impl Filter2d {
    fn row_tiles(&self) -> usize {
        self.geometry.y.output.div_ceil(TILE_ROWS)
    }

    /// Elements of a copied row for so many output columns: whole vectors plus the taps.
    fn copied_columns(&self, columns: usize) -> usize {
        columns.next_multiple_of(self.isa.lanes()) + self.geometry.x.span() - 1
    }

    /// The most output columns that are copied at once at the left and right of a wide plane.
    fn most_copied(&self) -> usize {
        self.inside.start.max(self.geometry.x.output - self.inside.end)
    }
}

impl PackedConv for Filter2d {
    fn tiles(&self) -> usize {
        self.geometry.batch * self.geometry.c_out * self.row_tiles()
    }

    fn scratch_len(&self) -> usize {
        let g = &self.geometry;
        if let Some(padded) = &self.padded {
            return padded.len();
        }
        let copied = self.copied_columns(self.most_copied()) * (g.y.output.min(TILE_ROWS) + g.y.kernel - 1);
        // Either the row of zeros or a copy is in use.
        copied.max(g.x.input)
    }

    fn register_tile(&self) -> RegisterTile {
        let [rows, vectors] = strip::sums(self.isa);
        RegisterTile { rows, vectors, lanes: Lanes::Columns }
    }

    fn run_tile(&self, index: usize, input: &InputView<'_>, output: &OutputView<'_>, scratch: &mut [f32]) {
        let g = &self.geometry;
        let (index, row_tile) = (index / self.row_tiles(), index % self.row_tiles());
        let (n, channel) = (index / g.c_out, index % g.c_out);
        let c_in = channel / g.c_out_group();
        let first_row = row_tile * TILE_ROWS;
        let rows = TILE_ROWS.min(g.y.output - first_row);
        let filter = Filter {
            passes: &self.weights[channel * g.taps()..][..g.taps()],
            size: [g.y.kernel, g.x.kernel],
            step: g.x.dilation,
            bias: self.bias[channel],
            activation: self.activation,
            fused: false,
        };
        let source_row = |row: usize| {
            let position = (first_row + row) as isize - g.y.before as isize;
            g.padding_mode.source(position, g.y.input).map(|y| input.row(n, c_in, y))
        };
        let target = |columns: &Range<usize>| Target {
            start: output.at(((n * g.c_out + channel) * g.y.output + first_row) * g.x.output + columns.start),
            stride: g.x.output,
            rows,
            columns: columns.len(),
        };
        if let Some(padded) = &self.padded {
            padded.fill(self.isa, input, n, c_in, first_row, rows, scratch);
            let row = |row: usize| scratch[padded.row(0, row)..].as_ptr();
            // SAFETY: padded rows are a whole number of vectors plus the taps.
            return unsafe { filter.run(self.isa, &row, &target(&(0..g.x.output))) };
        }
        let inside = &self.inside;
        let zeros = &mut scratch[..g.x.input];
        zeros.fill(0.0);
        let zeros = zeros.as_ptr();
        let left = inside.start - g.x.before;
        let row = |row: usize| source_row(row).unwrap_or(zeros).wrapping_add(left);
        // SAFETY: the windows of these columns lie inside rows of `x.input` elements.
        unsafe { filter.run(self.isa, &row, &target(inside)) };
        for columns in [0..inside.start, inside.end..g.x.output] {
            if columns.is_empty() {
                continue;
            }
            let width = self.copied_columns(columns.len());
            let first = columns.start as isize - g.x.before as isize;
            let copy = RowCopy::new(first, 1, g.x.input, width, g.padding_mode);
            for (row, copied) in scratch.chunks_exact_mut(width).take(rows + g.y.kernel - 1).enumerate() {
                match source_row(row) {
                    None => copied.fill(0.0),
                    // SAFETY: a row of the input has `x.input` elements, and scratch is memory of its own.
                    Some(source) => unsafe { copy.run(self.isa, source, copied) },
                }
            }
            // SAFETY: copied rows are a whole number of vectors plus the taps.
            unsafe { filter.run(self.isa, &|row| scratch[row * width..].as_ptr(), &target(&columns)) };
        }
    }
}
