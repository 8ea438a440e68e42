//! `winograd-1d` with channels in lanes, for rows that would not fill vectors of pixels: whole rows are transformed, register tiles
//! read them element by element, and results are transposed to their planes.

use super::super::activation::Stored;
use super::super::explain::{Lanes, RegisterTile};
use super::super::padded_rows::PaddedRows;
use super::super::pixel_tile::pack_bias;
use super::super::registry::{PackedConv, Problem};
use super::super::swap_axes::SwapAxes;
use super::pixel_tile::{self, PixelTile};
use super::products::{self, Products};
use super::rows::{self, Rows};
use super::{FAR_FLOATS, NEAR_FLOATS, pairs_of_tile};
use crate::buffer::{Aligned, LINE};
use crate::geometry::ConvGeometry;
use crate::view::{InputView, OutputView};
use corr2d_simd::Isa;

/// As in the registry; infinite where rows are too short.
pub(super) fn cost(g: &ConvGeometry, isa: Isa, step: usize) -> f64 {
    let Some((_, width)) = pixel_tile::width(isa, g.x.output) else { return f64::INFINITY };
    let products = products::count(g, step);
    let pairs = (g.groups * g.y.output.div_ceil(2)) as f64;
    let blocks = g.c_out_group().div_ceil(isa.lanes()) as f64;
    let tiles = g.x.output.div_ceil(width) as f64;
    // Each tile reads the weights of all products.
    let near = match products * isa.lanes() {
        FAR_FLOATS.. => 1.8,
        NEAR_FLOATS.. => 1.5,
        _ => 1.2,
    };
    let sums = tiles * (products * width) as f64 * near;
    let stored = (2 * g.x.output * isa.lanes().min(g.c_out_group())) as f64;
    let rows = (products / g.x.kernel) as f64;
    let line = (g.x.output + (g.x.span() - 1) / g.x.stride) * g.x.stride.min(g.x.kernel);
    let transformed = rows * line.div_ceil(isa.lanes()) as f64 * 6.0;
    let copied = (2 * g.y.stride * g.c_in_group() * line.div_ceil(isa.lanes())) as f64;
    pairs * (blocks * (sums + 80.0 * tiles + stored) + transformed + 8.0 * copied)
}

struct Channels {
    geometry: ConvGeometry,
    isa: Isa,
    activation: super::super::Activation,
    /// Channels of each group, whole vectors.
    bias: Aligned,
    weights: Aligned,
    products: Products,
    /// Distance of each product's element in the transformed rows, which are `stride` floats apart.
    offsets: Vec<u32>,
    stride: usize,
    source: PaddedRows,
    /// Pairs of output rows of a tile.
    pairs: usize,
    /// The width of register tiles, and its number.
    index: usize,
    width: usize,
}

pub(super) fn pack(problem: Problem<'_>, step: usize) -> Box<dyn PackedConv> {
    let Problem { geometry: g, weight, bias, activation, isa, .. } = problem;
    let lanes = isa.lanes();
    let (index, width) = pixel_tile::width(isa, g.x.output).expect("a row of a finite cost");
    let source = PaddedRows::new(&g, 1);
    let pairs = pairs_of_tile(&g, &source);
    let source = source.of_output_rows(2 * pairs);
    let products = Products::new(&g, step, &source);
    let stride = source.line().next_multiple_of(lanes);
    Box::new(Channels {
        geometry: g,
        isa,
        activation,
        bias: pack_bias(bias, g.c_out_group(), lanes),
        weights: products.pack_weights(&g, weight, lanes),
        offsets: products.offsets(stride),
        products,
        stride,
        source,
        pairs,
        index,
        width,
    })
}

impl Channels {
    /// Floats of the scratch's three parts: input rows with a vector beyond the last, transformed rows, results.
    fn parts(&self) -> [usize; 3] {
        [
            (self.source.len() + self.isa.lanes()).next_multiple_of(LINE),
            self.products.rows.len() * self.stride,
            2 * self.geometry.x.output * self.isa.lanes(),
        ]
    }

    fn row_tiles(&self) -> usize {
        self.geometry.y.output.div_ceil(2 * self.pairs)
    }

    /// Computes the channels from `first` on of a pair of rows, `[row][pixel][channel]`.
    fn run_block(&self, group: usize, first: usize, input: &[f32], results: &mut [f32]) {
        let g = &self.geometry;
        let lanes = self.isa.lanes();
        let packed = group * g.c_out_group().next_multiple_of(lanes) + first;
        let width = g.x.output;
        for x in (0..width).step_by(self.width) {
            // The last tile is shifted back: what two tiles write is the same.
            let x = x.min(width - self.width);
            let tile = PixelTile {
                stages: self.products.stages,
                input: input[x..].as_ptr(),
                offsets: &self.offsets,
                weights: &raw const self.weights.as_slice()[packed * self.offsets.len()],
                bias: &raw const self.bias.as_slice()[packed],
                target: results[x * lanes..].as_mut_ptr(),
                row: width * lanes,
            };
            // SAFETY: rows have an element for each tap of each pixel; weights and bias are packed in whole vectors; results have
            // room for two rows.
            unsafe { pixel_tile::run(self.isa, self.index, &tile) };
        }
    }

    /// Transposes the results of `rows` output rows to the planes of their channels, the first of which begin at `target`.
    fn store(&self, rows: usize, channels: usize, results: &[f32], target: *mut f32) {
        let g = &self.geometry;
        let pixels = rows * g.x.output;
        let to_planes = SwapAxes {
            source: results.as_ptr(),
            source_stride: self.isa.lanes(),
            target,
            target_stride: g.plane(),
            size: [pixels, channels],
        };
        let stored = Stored {
            activation: self.activation,
            starts: &[target],
            counts: &[pixels],
            rows: channels,
            stride: g.plane(),
        };
        // SAFETY: these pixels of these channels' planes are this tile's to write.
        unsafe {
            to_planes.run(self.isa);
            stored.activate(self.isa);
        }
    }
}

impl PackedConv for Channels {
    fn tiles(&self) -> usize {
        self.geometry.batch * self.geometry.groups * self.row_tiles()
    }

    fn scratch_len(&self) -> usize {
        self.parts().iter().sum()
    }

    fn register_tile(&self) -> RegisterTile {
        RegisterTile { rows: 2 * self.width, vectors: 1, lanes: Lanes::Channels }
    }

    fn run_tile(&self, index: usize, input: &InputView<'_>, output: &OutputView<'_>, scratch: &mut [f32]) {
        let g = &self.geometry;
        let (index, row_tile) = (index / self.row_tiles(), index % self.row_tiles());
        let (n, group) = (index / g.groups, index % g.groups);
        let first_row = row_tile * 2 * self.pairs;
        let rows = (2 * self.pairs).min(g.y.output - first_row);
        let (source, rest) = scratch.split_at_mut(self.parts()[0]);
        self.source.fill(self.isa, input, n, group, first_row, rows, source);
        let source = source.as_ptr();
        for y in (0..rows).step_by(2) {
            let (transformed, results) = rest.split_at_mut(self.parts()[1]);
            let pair = Rows {
                elements: &self.products.rows,
                source: source.wrapping_add(self.source.row(0, y * g.y.stride)),
                target: transformed.as_mut_ptr(),
                stride: self.stride,
            };
            // SAFETY: less than a vector is read beyond the input rows.
            unsafe { rows::transform(self.isa, &pair) };
            for first in (0..g.c_out_group()).step_by(self.isa.lanes()) {
                self.run_block(group, first, transformed, results);
                let channel = n * g.c_out + group * g.c_out_group() + first;
                let target = output.at((channel * g.y.output + first_row + y) * g.x.output);
                let channels = self.isa.lanes().min(g.c_out_group() - first);
                self.store(2.min(rows - y), channels, results, target);
            }
        }
    }
}
