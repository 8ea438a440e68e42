//! `direct`: any geometry. The padded input rows of a tile are copied to scratch, split by the horizontal stride's phases so that
//! neighbouring outputs always read neighbouring elements; then register tiles run over them (see `tile.rs`).

use super::activation::Stored;
use super::explain::{Lanes, RegisterTile};
use super::padded_rows::PaddedRows;
use super::panel_tile::runs;
use super::registry::{Accuracy, Algorithm, PackedConv, Problem};
use super::tile::{self, Tiles};
use crate::buffer::Aligned;
use crate::geometry::{ChannelOrder, ConvGeometry};
use crate::view::{InputView, OutputView};
use corr2d_simd::Isa;

pub(super) const ALGORITHM: Algorithm = Algorithm {
    name: "direct",
    supports: |g| g.order == ChannelOrder::First,
    cost,
    packing: 0.0,
    accuracy: Accuracy::Direct,
    packs_by_tap: true,
    pack,
};

/// Scratch for one tile's input: half of a typical second-level cache.
const SOURCE_FLOATS: usize = 64 * 1024;

/// Vectors beside a tile's own from its first to where others that write beyond the rows' end may reach.
const BEYOND: usize = 3;

/// Vectors of the largest register tile with those.
const MOST_BEYOND: usize = 48;

/// Enough tiles to keep many threads busy to the end.
const ENOUGH_TILES: usize = 32;

/// Splitting a tile's channels repeats the copy of its input, so each part must keep this many multiply-adds.
const LEAST_WORK: usize = 1 << 19;

fn cost(g: &ConvGeometry, isa: Isa) -> f64 {
    let lanes = isa.lanes() as f64;
    let vectors = g.x.output.div_ceil(isa.lanes()) as f64 * g.y.output as f64;
    let products = vectors * (g.c_out * g.taps()) as f64;
    // Each vector of pixels is loaded, across two cache lines, for one block of channels.
    let channels = g.c_out_group().min(tile::channels(isa));
    let block = channels as f64;
    // A tile of one channel has few products beside what starts and ends it.
    let tiles = if channels == 1 { vectors * g.c_out as f64 / tile::vectors(isa, 1) as f64 } else { 0.0 };
    let copied = g.c_in as f64 * (g.y.output * g.y.stride) as f64 * (g.x.output * g.x.stride) as f64 / lanes;
    let step = if g.x.stride == 1 { 3.0 } else { 8.0 };
    products * (1.0 + 1.1 / block)
        + 3.0 * vectors * g.c_out as f64
        + copied * step
        + 150.0 * tiles
        + 400.0 * g.groups as f64
        + 60.0 * (g.c_in * g.x.stride) as f64
        + 50.0
}

struct Direct {
    geometry: ConvGeometry,
    isa: Isa,
    activation: super::Activation,
    bias: Vec<f32>,
    weights: Aligned,
    /// Distance of each tap from the place of its output in the scratch.
    offsets: Vec<u32>,
    source: PaddedRows,
    /// Output rows of a tile.
    rows: usize,
    /// Output channels of a tile, within one group.
    channels: usize,
}

fn pack(problem: Problem<'_>) -> Box<dyn PackedConv> {
    let Problem { geometry: g, bias, activation, isa, .. } = problem;
    let source = PaddedRows::new(&g, isa.lanes());
    let mut rows = source.output_rows(SOURCE_FLOATS);
    let images = g.batch.max(1) * g.groups;
    let wanted = ENOUGH_TILES.div_ceil(images);
    let work = |rows: usize| rows * g.x.output * g.c_out_group() * g.taps();
    while rows > 1 && g.y.output.div_ceil(rows) < wanted && work(rows / 2) >= LEAST_WORK {
        rows = rows.div_ceil(2);
    }
    rows = g.y.output.div_ceil(g.y.output.div_ceil(rows));
    let block = tile::channels(isa);
    let blocks = g.c_out_group().div_ceil(block);
    let parts = (work(rows) / LEAST_WORK).min(wanted.div_ceil(g.y.output.div_ceil(rows))).clamp(1, blocks);
    let source = source.of_output_rows(rows);
    let offsets = source.tap_offsets();
    Box::new(Direct {
        geometry: g,
        isa,
        activation,
        bias: bias.to_vec(),
        weights: tile::pack_weights(isa, problem.groups(), block),
        offsets,
        source,
        rows,
        channels: blocks.div_ceil(parts) * block,
    })
}

impl Direct {
    fn row_tiles(&self) -> usize {
        self.geometry.y.output.div_ceil(self.rows)
    }

    fn channel_tiles(&self) -> usize {
        self.geometry.c_out_group().div_ceil(self.channels)
    }
}

impl PackedConv for Direct {
    fn tiles(&self) -> usize {
        self.geometry.batch * self.geometry.groups * self.row_tiles() * self.channel_tiles()
    }

    fn scratch_len(&self) -> usize {
        self.source.len() + MOST_BEYOND * self.isa.lanes()
    }

    fn register_tile(&self) -> RegisterTile {
        let block = tile::channels(self.isa).min(self.geometry.c_out_group());
        RegisterTile { rows: block, vectors: tile::vectors(self.isa, block), lanes: Lanes::Pixels }
    }

    fn run_tile(&self, index: usize, input: &InputView<'_>, output: &OutputView<'_>, scratch: &mut [f32]) {
        let g = &self.geometry;
        let (index, channel_tile) = (index / self.channel_tiles(), index % self.channel_tiles());
        let (index, row_tile) = (index / self.row_tiles(), index % self.row_tiles());
        let (n, group) = (index / g.groups, index % g.groups);
        let first_row = row_tile * self.rows;
        let rows = self.rows.min(g.y.output - first_row);
        self.source.fill(self.isa, input, n, group, first_row, rows, scratch);

        let (source, beyond) = scratch.split_at_mut(self.source.len());
        let block = tile::channels(self.isa);
        let last = ((channel_tile + 1) * self.channels).min(g.c_out_group());
        for first in (channel_tile * self.channels..last).step_by(block) {
            let channels = block.min(last - first);
            let channel = group * g.c_out_group() + first;
            let target = output.at(((n * g.c_out + channel) * g.y.output + first_row) * g.x.output);
            let tiles = Tiles {
                offsets: &self.offsets,
                source: source.as_ptr(),
                line: self.source.row(0, g.y.stride),
                weights: tile::block_weights(&self.weights, g.taps(), group * g.c_out_group(), first),
                bias: &raw const self.bias[channel],
                target,
                plane: g.plane(),
                width: g.x.output,
                first: 0,
                count: 0,
            };
            self.run_block(&tiles, channels, rows, beyond);
            let stored = Stored {
                activation: self.activation,
                starts: &[target],
                counts: &[rows * g.x.output],
                rows: channels,
                stride: g.plane(),
            };
            // SAFETY: these are the floats that the tiles have stored.
            unsafe { stored.activate(self.isa) };
        }
    }
}

impl Direct {
    /// Computes `rows` rows of a block of channels. Tiles that write beyond the rows' end, which is not this tile's, go to scratch first.
    fn run_block(&self, tiles: &Tiles<'_>, channels: usize, rows: usize, beyond: &mut [f32]) {
        let (lanes, width) = (self.isa.lanes(), tiles.width);
        let across = width.div_ceil(lanes);
        let place = |vector: usize| vector / across * width + vector % across * lanes;
        for run in runs(rows * across, tile::vectors(self.isa, channels)) {
            let mut inside = run.panels;
            while inside > 0 && place(run.start + inside * run.width - 1) + lanes > rows * width {
                inside -= 1;
            }
            let first = run.start + inside * run.width;
            let start = place(first);
            let stride = (run.width + BEYOND) * lanes;
            let apart = Tiles { target: beyond.as_mut_ptr().wrapping_sub(start), plane: stride, ..*tiles };
            for (tiles, first, count) in [(tiles, run.start, inside), (&apart, first, run.panels - inside)] {
                if count > 0 {
                    // SAFETY: a window plus a tap's offset plus a vector stays within the scratch, whose rows are `columns` long (a
                    // whole number of vectors plus the taps) and whose unused rows are still scratch; weights and bias are packed for
                    // these channels; targets are this tile's part of the output, or in scratch less than a tile and two vectors.
                    unsafe { tile::run(self.isa, channels, run.width, &Tiles { first, count, ..*tiles }) };
                }
            }
            if inside < run.panels {
                for (t, sums) in beyond.chunks_exact(stride).take(channels).enumerate() {
                    let target = tiles.target.wrapping_add(t * tiles.plane + start);
                    // SAFETY: from the first of these tiles to the end of the rows.
                    unsafe { target.copy_from_nonoverlapping(sums.as_ptr(), rows * width - start) };
                }
            }
        }
    }
}
