//! `channels-last`: any geometry with channels last. The padded input rows of a tile are copied to scratch; register tiles then hold
//! some pixels × some vectors of output channels (see `pixel_tile.rs`).

use super::pixel_source::PixelSource;
use super::pixel_tile::{self, PIXELS, PixelTile, aligned, pack_bias, pack_weights};
use super::registry::{Algorithm, PackedConv, Problem};
use crate::buffer::Aligned;
use crate::geometry::{ChannelOrder, ConvGeometry};
use crate::view::{InputView, OutputView};
use corr2d_simd::Isa;

pub(super) const ALGORITHM: Algorithm =
    Algorithm { name: "channels-last", supports: |g| g.order == ChannelOrder::Last, cost, pack };

/// Enough tiles to keep many threads busy to the end.
const ENOUGH_TILES: usize = 32;

/// Multiply-adds that a tile should keep when it is made smaller for the sake of more tiles.
const LEAST_WORK: usize = 1 << 19;

fn cost(g: &ConvGeometry, isa: Isa) -> f64 {
    let vectors = (g.groups * g.c_out_group().div_ceil(isa.lanes())) as f64;
    let products = vectors * (g.plane() * g.taps()) as f64;
    let copied = (g.c_in * g.y.output * g.y.stride * g.x.output * g.x.stride) as f64 / isa.lanes() as f64;
    products * 1.1 + 3.0 * copied + 50.0
}

struct ChannelsLast {
    geometry: ConvGeometry,
    isa: Isa,
    activation: super::Activation,
    /// Channels of each group, whole vectors.
    bias: Aligned,
    weights: Aligned,
    /// Distance of each product's input element from its window's start, in the first group.
    offsets: Vec<u32>,
    source: PixelSource,
    /// Output rows of a tile.
    rows: usize,
}

fn pack(problem: Problem<'_>) -> Box<dyn PackedConv> {
    let Problem { geometry: g, weight, bias, activation, isa } = problem;
    let lanes = isa.lanes();
    let source = PixelSource::new(&g);
    let mut rows = source.output_rows();
    let wanted = ENOUGH_TILES.div_ceil(g.batch.max(1));
    while rows > 1
        && g.y.output.div_ceil(rows) < wanted
        && rows / 2 * g.x.output * g.c_out * g.taps() >= LEAST_WORK
    {
        rows = rows.div_ceil(2);
    }
    // In the weight's order, so that sums are those of every other algorithm.
    let mut offsets = Vec::with_capacity(g.taps());
    for c in 0..g.c_in_group() {
        for ky in 0..g.y.kernel {
            for kx in 0..g.x.kernel {
                let offset = source.tap(ky, kx) + c;
                offsets.push(u32::try_from(offset).expect("a tile's scratch is far below 2^32 floats"));
            }
        }
    }
    let order: Vec<usize> = (0..g.taps()).collect();
    let (mut weights, mut biases) = (Vec::new(), Vec::new());
    for (weight, bias) in
        weight.chunks_exact(g.c_out_group() * g.taps()).zip(bias.chunks_exact(g.c_out_group()))
    {
        pack_weights(weight, &order, lanes, pixel_tile::vectors(isa) * lanes, &mut weights);
        pack_bias(bias, lanes, &mut biases);
    }
    Box::new(ChannelsLast {
        geometry: g,
        isa,
        activation,
        bias: aligned(&biases),
        weights: aligned(&weights),
        offsets,
        source,
        rows,
    })
}

impl PackedConv for ChannelsLast {
    fn tiles(&self) -> usize {
        self.geometry.batch * self.geometry.y.output.div_ceil(self.rows)
    }

    fn scratch_len(&self) -> usize {
        self.source.len(self.rows)
    }

    fn run_tile(&self, index: usize, input: &InputView<'_>, output: &OutputView<'_>, scratch: &mut [f32]) {
        let g = &self.geometry;
        let row_tiles = g.y.output.div_ceil(self.rows);
        let (n, first_row) = (index / row_tiles, index % row_tiles * self.rows);
        let rows = self.rows.min(g.y.output - first_row);
        self.source.fill(input, n, first_row, rows, scratch);

        let lanes = self.isa.lanes();
        let block = pixel_tile::vectors(self.isa) * lanes;
        let group_channels = g.c_out_group().next_multiple_of(lanes);
        let pixels = rows * g.x.output;
        // Equal shares: 13 pixels are 5 + 4 + 4, never 6 + 6 + 1.
        let shares = pixels.div_ceil(PIXELS);
        for group in 0..g.groups {
            for first in (0..g.c_out_group()).step_by(block) {
                let channels = block.min(g.c_out_group() - first);
                let packed = group * group_channels + first;
                for share in 0..shares {
                    let pixel = |share: usize| share * pixels / shares;
                    let count = pixel(share + 1) - pixel(share);
                    let mut bases = [std::ptr::null(); PIXELS];
                    let mut targets = [std::ptr::null_mut(); PIXELS];
                    for t in 0..count {
                        let (y, x) = ((pixel(share) + t) / g.x.output, (pixel(share) + t) % g.x.output);
                        bases[t] = &raw const scratch[self.source.window(y, x) + group * g.c_in_group()];
                        let place = (n * g.y.output + first_row + y) * g.x.output + x;
                        targets[t] = output.at(place * g.c_out + group * g.c_out_group() + first);
                    }
                    let tile = PixelTile {
                        offsets: &self.offsets,
                        bases,
                        weights: &raw const self.weights.as_slice()[packed * g.taps()],
                        bias: &raw const self.bias.as_slice()[packed],
                        targets,
                        channels,
                        activation: self.activation,
                    };
                    // SAFETY: a window and its taps lie within the scratch; weights and bias are packed in whole vectors for
                    // these channels; targets lie in this tile's part of the output.
                    unsafe { pixel_tile::run(self.isa, count, channels.div_ceil(lanes), &tile) };
                }
            }
        }
    }
}
