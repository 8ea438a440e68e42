//! `gemm`: the convolution as a matrix product, output pixels flattened over rows so that narrow planes fill whole vectors. The
//! pixels of a tile are packed tap by tap into panels (im2col of a tile only), each panel is then read once for every block of
//! output channels (Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", 2008). A 1×1 kernel without stride
//! multiplies the first block straight from the input, packing its panels as it goes.

use super::explain::{Lanes, RegisterTile};
use super::panel_tile::{self, Panels, Run, Source, runs};
use super::registry::{Accuracy, Algorithm, PackedConv, Problem};
use super::source::RowCopy;
use super::tile;
use crate::buffer::Aligned;
use crate::geometry::{ChannelOrder, ConvGeometry};
use crate::view::{InputView, OutputView};
use corr2d_simd::Isa;

pub(super) const ALGORITHM: Algorithm = Algorithm {
    name: "gemm",
    supports: |g| g.order == ChannelOrder::First,
    cost,
    packing: 0.0,
    accuracy: Accuracy::Direct,
    pack,
};

/// Panels of one tile: half of a typical second-level cache.
const PANEL_FLOATS: usize = 64 * 1024;

/// Enough tiles to keep many threads busy to the end.
const ENOUGH_TILES: usize = 32;

/// Multiply-adds that a tile should keep when it is made smaller for the sake of more tiles.
const LEAST_WORK: usize = 1 << 20;

/// Splitting a tile's channels repeats the packing of its panels, so each part must keep this many channels.
const LEAST_CHANNELS: usize = 128;

fn cost(g: &ConvGeometry, isa: Isa) -> f64 {
    let vectors = g.plane().div_ceil(isa.lanes()) as f64;
    let products = vectors * (g.c_out * g.taps()) as f64;
    // Panels are aligned, so each vector of pixels costs one load for a block of channels; but they must be packed, row by row.
    let block = g.c_out_group().min(tile::channels(isa)) as f64;
    let packed = vectors * (g.groups * g.taps()) as f64;
    let run = g.x.output.min(3 * isa.lanes()) as f64 / isa.lanes() as f64;
    let step = match (pointwise(g), g.x.stride) {
        (true, _) => 1.5,
        (_, 1) => 4.0 + 45.0 / run,
        _ => 12.0 + 45.0 / run,
    };
    products * (1.0 + 0.6 / block) + packed * step + 50.0
}

/// Whether an output pixel reads exactly the input pixel at its own place, so that whole planes are copied as they are.
fn pointwise(g: &ConvGeometry) -> bool {
    [g.y, g.x].iter().all(|axis| axis.kernel == 1 && axis.stride == 1 && axis.before == 0 && axis.after == 0)
}

struct Gemm {
    geometry: ConvGeometry,
    isa: Isa,
    activation: super::Activation,
    bias: Vec<f32>,
    weights: Aligned,
    /// For each panel width in vectors, less 1, the distance of each tap from the panel's start.
    offsets: Vec<Vec<u32>>,
    /// How a row of pixels is copied for each column of the kernel.
    copies: Vec<RowCopy>,
    /// Vectors of a full panel.
    width: usize,
    /// Vectors of a tile.
    vectors: usize,
    /// Output channels of a tile, within one group.
    channels: usize,
}

fn pack(problem: Problem<'_>) -> Box<dyn PackedConv> {
    let Problem { geometry: g, weight, bias, activation, isa } = problem;
    let lanes = isa.lanes();
    let block = tile::channels(isa);
    let width = tile::vectors(isa, block.min(g.c_out_group()));
    let all = g.plane().div_ceil(lanes);
    let wanted = ENOUGH_TILES.div_ceil(g.batch.max(1) * g.groups);
    let work = |vectors: usize| vectors * lanes * g.c_out_group() * g.taps();
    let mut vectors = (PANEL_FLOATS / (lanes * g.taps())).next_multiple_of(width).clamp(1, all);
    while vectors > width && all.div_ceil(vectors) < wanted && work(vectors / 2) >= LEAST_WORK {
        vectors = (vectors / 2).next_multiple_of(width);
    }
    let blocks = g.c_out_group().div_ceil(block);
    let parts = wanted.div_ceil(all.div_ceil(vectors)).min(g.c_out_group() / LEAST_CHANNELS).clamp(1, blocks);
    let tap_offsets = |q: usize| {
        let offset = |tap| u32::try_from(tap * q * lanes).expect("a tile's panel is far below 2^32 floats");
        (0..g.taps()).map(offset).collect()
    };
    let copies = (0..g.x.kernel)
        .map(|kx| RowCopy::new(g.x.position(0, kx), g.x.stride, g.x.input, g.x.output, g.padding_mode));
    Box::new(Gemm {
        geometry: g,
        isa,
        activation,
        bias: bias.to_vec(),
        weights: tile::pack_weights(isa, weight, g.taps(), g.c_out_group(), block),
        offsets: (1..=width).map(tap_offsets).collect(),
        copies: copies.collect(),
        width,
        vectors,
        channels: blocks.div_ceil(parts) * block,
    })
}

/// The pixels of a tile.
struct Pixels {
    n: usize,
    group: usize,
    first: usize,
    count: usize,
    runs: [Run; 2],
}

impl Gemm {
    fn pixel_tiles(&self) -> usize {
        self.geometry.plane().div_ceil(self.isa.lanes()).div_ceil(self.vectors)
    }

    fn channel_tiles(&self) -> usize {
        self.geometry.c_out_group().div_ceil(self.channels)
    }

    fn panels_len(&self) -> usize {
        self.vectors * self.isa.lanes() * self.geometry.taps()
    }

    /// Packs the panels, from pixel `from` of the tile on.
    fn fill(&self, input: &InputView<'_>, pixels: &Pixels, from: usize, scratch: &mut [f32]) {
        let g = &self.geometry;
        let (panels, line) = scratch.split_at_mut(self.panels_len());
        let first = pixels.first + from;
        let count = pixels.count - from;
        let rows = first / g.x.output..(first + count).div_ceil(g.x.output);
        let lead = first - rows.start * g.x.output;
        let mut tap = 0;
        for c in 0..g.c_in_group() {
            let channel = pixels.group * g.c_in_group() + c;
            for ky in 0..g.y.kernel {
                for copy in &self.copies {
                    for (y, row) in rows.clone().zip(line.chunks_exact_mut(g.x.output)) {
                        match g.padding_mode.source(g.y.position(y, ky), g.y.input) {
                            None => row.fill(0.0),
                            // SAFETY: a row of the input has `x.input` elements, and scratch is memory of its own.
                            Some(y) => unsafe { copy.run(self.isa, input.row(pixels.n, channel, y), row) },
                        }
                    }
                    self.distribute(&line[lead..lead + count], &pixels.runs, [from, tap], panels);
                    tap += 1;
                }
            }
        }
    }

    /// Copies the pixels of a tap from pixel `from` of the tile on; those past the plane are zero.
    fn distribute(&self, mut line: &[f32], runs: &[Run; 2], [from, tap]: [usize; 2], panels: &mut [f32]) {
        let lanes = self.isa.lanes();
        for run in runs {
            for panel in 0..run.panels {
                let start = (run.start + panel * run.width) * lanes;
                if start < from {
                    continue;
                }
                let width = run.width * lanes;
                let target = &mut panels[start * self.geometry.taps() + tap * width..][..width];
                let (pixels, rest) = line.split_at(width.min(line.len()));
                target[..pixels.len()].copy_from_slice(pixels);
                target[pixels.len()..].fill(0.0);
                line = rest;
            }
        }
    }
}

impl PackedConv for Gemm {
    fn tiles(&self) -> usize {
        self.geometry.batch * self.geometry.groups * self.pixel_tiles() * self.channel_tiles()
    }

    fn scratch_len(&self) -> usize {
        let row = self.geometry.x.output;
        self.panels_len() + (self.vectors * self.isa.lanes()).next_multiple_of(row) + row
    }

    fn register_tile(&self) -> RegisterTile {
        let block = tile::channels(self.isa).min(self.geometry.c_out_group());
        RegisterTile { rows: block, vectors: tile::vectors(self.isa, block), lanes: Lanes::Pixels }
    }

    fn run_tile(&self, index: usize, input: &InputView<'_>, output: &OutputView<'_>, scratch: &mut [f32]) {
        let g = &self.geometry;
        let (index, channel_tile) = (index / self.channel_tiles(), index % self.channel_tiles());
        let (index, pixel_tile) = (index / self.pixel_tiles(), index % self.pixel_tiles());
        let (n, group) = (index / g.groups, index % g.groups);
        let lanes = self.isa.lanes();
        let first = pixel_tile * self.vectors * lanes;
        let count = (self.vectors * lanes).min(g.plane() - first);
        let pixels = Pixels { n, group, first, count, runs: runs(count.div_ceil(lanes), self.width) };
        let in_place = pointwise(g) && input.row_stride() == g.x.input;
        // A panel that ends past the plane can't be read in place.
        let last = pixels.runs[1].width * lanes;
        let whole = match in_place {
            true if count.is_multiple_of(lanes) => count,
            true => count.next_multiple_of(lanes) - last,
            false => 0,
        };
        if whole < count {
            self.fill(input, &pixels, whole, scratch);
        }
        let block = tile::channels(self.isa);
        let channels =
            channel_tile * self.channels..((channel_tile + 1) * self.channels).min(g.c_out_group());
        for channel in channels.clone().step_by(block) {
            let pack = channel == channels.start;
            for run in pixels.runs {
                let packable = (whole / lanes).saturating_sub(run.start) / run.width;
                let packed = if pack { packable.min(run.panels) } else { 0 };
                for (panels, from) in [(0..packed, true), (packed..run.panels, false)] {
                    let start = (run.start + panels.start * run.width) * lanes;
                    if panels.is_empty() {
                        continue;
                    }
                    let panel = scratch[start * g.taps()..].as_mut_ptr();
                    let source = if from {
                        let pixels = input.row(n, group * g.c_in_group(), 0).wrapping_add(first + start);
                        Source::Pack { start: pixels, stride: input.plane_stride(), target: panel }
                    } else {
                        let step = run.width * lanes * g.taps();
                        Source::Ready { start: panel, step, offsets: &self.offsets[run.width - 1] }
                    };
                    let tiles = Panels {
                        source,
                        taps: g.taps(),
                        weights: tile::block_weights(
                            &self.weights,
                            g.taps(),
                            group * g.c_out_group(),
                            channel,
                        ),
                        bias: &raw const self.bias[group * g.c_out_group() + channel],
                        target: output.at((n * g.c_out + group * g.c_out_group() + channel) * g.plane()
                            + first
                            + start),
                        plane: g.plane(),
                        count: panels.len(),
                        pixels: (panels.len() * run.width * lanes).min(count - start),
                        activation: self.activation,
                    };
                    let block = block.min(channels.end - channel);
                    // SAFETY: panels have `taps` lines of `width` vectors, and whole ones their pixels in the input; weights and
                    // bias are packed for these channels; targets lie in this tile's part of the output.
                    unsafe { panel_tile::run(self.isa, block, run.width, &tiles) };
                }
            }
        }
    }
}
