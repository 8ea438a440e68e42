//! `gemm`: the convolution as a matrix product, output pixels flattened over rows so that narrow planes fill whole vectors. The
//! pixels of a tile are packed tap by tap into panels (im2col of a tile only; for a 1×1 kernel that is a plain copy), each
//! panel is then read once for every block of output channels (Goto and van de Geijn, "Anatomy of high-performance matrix
//! multiplication", 2008).

use super::explain::{Lanes, RegisterTile};
use super::registry::{Accuracy, Algorithm, PackedConv, Problem};
use super::source::RowCopy;
use super::tile::{self, MOST_VECTORS, Tile};
use crate::buffer::Aligned;
use crate::geometry::{ChannelOrder, ConvGeometry};
use crate::view::{InputView, OutputView};
use corr2d_simd::Isa;

pub(super) const ALGORITHM: Algorithm = Algorithm {
    name: "gemm",
    supports: |g| g.order == ChannelOrder::First,
    cost,
    accuracy: Accuracy::Direct,
    pack,
};

/// Panels of one tile: half of a typical second-level cache.
const PANEL_FLOATS: usize = 64 * 1024;

/// Enough tiles to keep many threads busy to the end.
const ENOUGH_TILES: usize = 32;

/// Multiply-adds that a tile should keep when it is made smaller for the sake of more tiles.
const LEAST_WORK: usize = 1 << 19;

/// Splitting a tile's channels repeats the packing of its panels, so each part must keep this many channels.
const LEAST_CHANNELS: usize = 128;

fn cost(g: &ConvGeometry, isa: Isa) -> f64 {
    let vectors = g.plane().div_ceil(isa.lanes()) as f64;
    let products = vectors * (g.c_out * g.taps()) as f64;
    // Panels are aligned, so each vector of pixels costs one load for a block of channels; but they must be packed first, run by run.
    let block = g.c_out_group().min(tile::channels(isa)) as f64;
    let packed = vectors * (g.groups * g.taps()) as f64;
    let run = g.x.output.min(3 * isa.lanes()) as f64 / isa.lanes() as f64;
    let step = match (pointwise(g), g.x.stride) {
        (true, _) => 8.0,
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
    /// For each panel width in vectors, the distance of each tap from the panel's start.
    offsets: [Vec<u32>; MOST_VECTORS],
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
    let offsets = std::array::from_fn(|q| {
        let step = if q < width { (q + 1) * lanes } else { return Vec::new() };
        (0..g.taps())
            .map(|tap| u32::try_from(tap * step).expect("a tile's panel is far below 2^32 floats"))
            .collect()
    });
    Box::new(Gemm {
        geometry: g,
        isa,
        activation,
        bias: bias.to_vec(),
        weights: tile::pack_weights(isa, weight, g.taps(), g.c_out_group(), block),
        offsets,
        width,
        vectors,
        channels: blocks.div_ceil(parts) * block,
    })
}

/// The panels of one tile: vectors `first..` of a plane, in `shares` panels of nearly equal width.
#[derive(Clone, Copy)]
struct Panels {
    first: usize,
    vectors: usize,
    shares: usize,
}

impl Panels {
    /// First vector of a panel, counted from the tile's first.
    fn start(&self, share: usize) -> usize {
        share * self.vectors / self.shares
    }

    fn width(&self, share: usize) -> usize {
        self.start(share + 1) - self.start(share)
    }
}

impl Gemm {
    fn pixel_tiles(&self) -> usize {
        self.geometry.plane().div_ceil(self.isa.lanes()).div_ceil(self.vectors)
    }

    fn channel_tiles(&self) -> usize {
        self.geometry.c_out_group().div_ceil(self.channels)
    }

    fn panels(&self, tile: usize) -> Panels {
        let all = self.geometry.plane().div_ceil(self.isa.lanes());
        let first = tile * self.vectors;
        let vectors = self.vectors.min(all - first);
        Panels { first, vectors, shares: vectors.div_ceil(self.width) }
    }

    /// Packs pixels `first..first + target-width` of every tap, `[tap][pixel]`; pixels past the plane are zero.
    fn fill(&self, input: &InputView<'_>, n: usize, group: usize, first: usize, panel: &mut [f32]) {
        let g = &self.geometry;
        let width = panel.len() / g.taps();
        let pixels = width.min(g.plane() - first);
        let whole_plane = pointwise(g) && input.row_stride() == g.x.input;
        for c in 0..g.c_in_group() {
            let channel = group * g.c_in_group() + c;
            for ky in 0..g.y.kernel {
                for kx in 0..g.x.kernel {
                    let tap = (c * g.y.kernel + ky) * g.x.kernel + kx;
                    let line = &mut panel[tap * width..(tap + 1) * width];
                    let (line, past) = line.split_at_mut(pixels);
                    past.fill(0.0);
                    if whole_plane {
                        // SAFETY: rows follow each other without a gap, so a plane is `plane()` readable floats.
                        line.copy_from_slice(unsafe {
                            std::slice::from_raw_parts(input.row(n, channel, 0).add(first), pixels)
                        });
                        continue;
                    }
                    let mut pixel = first;
                    let mut rest = line;
                    while !rest.is_empty() {
                        let (y, x) = (pixel / g.x.output, pixel % g.x.output);
                        let (run, after) = rest.split_at_mut(rest.len().min(g.x.output - x));
                        match g.padding_mode.source(g.y.position(y, ky), g.y.input) {
                            None => run.fill(0.0),
                            Some(row) => {
                                let first = g.x.position(x, kx);
                                let copy =
                                    RowCopy::new(first, g.x.stride, g.x.input, run.len(), g.padding_mode);
                                // SAFETY: a row of the input has `x.input` elements, and panels are memory of their own.
                                unsafe { copy.run(self.isa, input.row(n, channel, row), run) };
                            }
                        }
                        pixel += run.len();
                        rest = after;
                    }
                }
            }
        }
    }
}

impl PackedConv for Gemm {
    fn tiles(&self) -> usize {
        self.geometry.batch * self.geometry.groups * self.pixel_tiles() * self.channel_tiles()
    }

    fn scratch_len(&self) -> usize {
        self.vectors * self.isa.lanes() * self.geometry.taps()
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
        let panels = self.panels(pixel_tile);
        let floats = lanes * g.taps();
        for share in 0..panels.shares {
            let panel = &mut scratch[panels.start(share) * floats..panels.start(share + 1) * floats];
            self.fill(input, n, group, (panels.first + panels.start(share)) * lanes, panel);
        }
        let block = tile::channels(self.isa);
        let last = ((channel_tile + 1) * self.channels).min(g.c_out_group());
        for first in (channel_tile * self.channels..last).step_by(block) {
            let channels = block.min(last - first);
            let channel = group * g.c_out_group() + first;
            for share in 0..panels.shares {
                let width = panels.width(share);
                let panel = scratch[panels.start(share) * floats..].as_ptr();
                let pixel = (panels.first + panels.start(share)) * lanes;
                let mut bases = [std::ptr::null(); MOST_VECTORS];
                let mut targets = [std::ptr::null_mut(); MOST_VECTORS];
                let mut counts = [0; MOST_VECTORS];
                for q in 0..width {
                    bases[q] = panel.wrapping_add(q * lanes);
                    targets[q] = output.at((n * g.c_out + channel) * g.plane() + pixel + q * lanes);
                    counts[q] = lanes.min(g.plane() - pixel - q * lanes);
                }
                let tile = Tile {
                    offsets: &self.offsets[width - 1],
                    bases,
                    weights: tile::block_weights(&self.weights, g.taps(), group * g.c_out_group(), first),
                    bias: &raw const self.bias[channel],
                    targets,
                    counts,
                    plane: g.plane(),
                    activation: self.activation,
                };
                // SAFETY: a panel has `taps` lines of `width` vectors; weights and bias are packed for `channels` channels;
                // targets lie in this tile's part of the output.
                unsafe { tile::run(self.isa, channels, width, &tile) };
            }
        }
    }
}
