//! `direct`: any geometry. The padded input rows of a tile are copied to scratch, split by the horizontal stride's phases so that
//! neighbouring outputs always read neighbouring elements; then register tiles run over them (see `tile.rs`).

use super::explain::{Lanes, RegisterTile};
use super::padded_rows::PaddedRows;
use super::panel_tile::{self, Panels, Source, runs};
use super::registry::{Accuracy, Algorithm, PackedConv, Problem};
use super::tile::{self, MOST_VECTORS, Tile};
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
        self.source.len()
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

        let lanes = self.isa.lanes();
        let block = tile::channels(self.isa);
        let last = ((channel_tile + 1) * self.channels).min(g.c_out_group());
        for first in (channel_tile * self.channels..last).step_by(block) {
            let channels = block.min(last - first);
            let channel = group * g.c_out_group() + first;
            let block = Block {
                channels,
                weights: tile::block_weights(&self.weights, g.taps(), group * g.c_out_group(), first),
                bias: &raw const self.bias[channel],
                target: output.at(((n * g.c_out + channel) * g.y.output + first_row) * g.x.output),
            };
            if g.x.output.div_ceil(lanes) >= tile::vectors(self.isa, channels) {
                self.run_rows(block, rows, scratch);
            } else {
                self.run_vectors(block, rows, scratch);
            }
        }
    }
}

/// A block of output channels of a tile.
#[derive(Clone, Copy)]
struct Block {
    channels: usize,
    weights: *const f32,
    bias: *const f32,
    /// Its first output.
    target: *mut f32,
}

impl Direct {
    /// Computes a block row by row: rows of at least a register tile's vectors.
    fn run_rows(&self, block: Block, rows: usize, scratch: &[f32]) {
        let g = &self.geometry;
        let lanes = self.isa.lanes();
        for y in 0..rows {
            let row = &scratch[self.source.row(0, y * g.y.stride)..];
            for run in runs(g.x.output.div_ceil(lanes), tile::vectors(self.isa, block.channels)) {
                if run.panels == 0 {
                    continue;
                }
                let (x, step) = (run.start * lanes, run.width * lanes);
                let tiles = Panels {
                    source: Source::Ready {
                        start: row[x..].as_ptr(),
                        step,
                        offsets: &self.offsets,
                        ahead: None,
                    },
                    weights: block.weights,
                    bias: block.bias,
                    target: block.target.wrapping_add(y * g.x.output + x),
                    plane: g.plane(),
                    taps: g.taps(),
                    count: run.panels,
                    pixels: (run.panels * step).min(g.x.output - x),
                    activation: self.activation,
                };
                // SAFETY: as in `run_vectors`.
                unsafe { panel_tile::run(self.isa, block.channels, run.width, &tiles) };
            }
        }
    }

    /// Computes a block vector by vector, those of short rows side by side.
    fn run_vectors(&self, block: Block, rows: usize, scratch: &[f32]) {
        let g = &self.geometry;
        let lanes = self.isa.lanes();
        let across = g.x.output.div_ceil(lanes);
        let vectors = rows * across;
        let most = tile::vectors(self.isa, block.channels);
        // Equal shares: 7 vectors are 3 + 2 + 2, never 3 + 3 + 1.
        let shares = vectors.div_ceil(most);
        for share in 0..shares {
            let vector = |s: usize| s * vectors / shares;
            let count = vector(share + 1) - vector(share);
            let mut bases = [std::ptr::null(); MOST_VECTORS];
            let mut targets = [std::ptr::null_mut(); MOST_VECTORS];
            let mut counts = [0; MOST_VECTORS];
            for q in 0..count {
                let (y, x) = ((vector(share) + q) / across, (vector(share) + q) % across * lanes);
                bases[q] = &raw const scratch[self.source.row(0, y * g.y.stride) + x];
                targets[q] = block.target.wrapping_add(y * g.x.output + x);
                counts[q] = lanes.min(g.x.output - x);
            }
            let tile = Tile {
                offsets: &self.offsets,
                bases,
                weights: block.weights,
                bias: block.bias,
                targets,
                counts,
                plane: g.plane(),
                activation: self.activation,
            };
            // SAFETY: a base plus a tap's offset plus a vector stays within the scratch, whose rows are `columns` long
            // (a whole number of vectors plus the taps) and whose unused rows are still scratch; weights and bias are
            // packed for these channels; targets lie in this tile's part of the output.
            unsafe { tile::run(self.isa, block.channels, count, &tile) };
        }
    }
}
