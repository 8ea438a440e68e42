//! `depthwise-last`: one input channel for each output, channels last. Channels are in lanes of the input, the weight and the output
//! alike, so every element is read as part of a vector.

use super::Activation;
use super::activation::Stored;
use super::explain::{Lanes, RegisterTile};
use super::group_weight::{GroupWeight, WeightOrder};
use super::pixel_source::PixelSource;
use super::pixel_tile::{pack_bias, pack_weights, packed_len};
use super::registry::{Accuracy, Algorithm, PackedConv, Problem};
use crate::buffer::Aligned;
use crate::geometry::{ChannelOrder, ConvGeometry};
use crate::view::{InputView, OutputView};
use corr2d_simd::{Isa, Kernel, Simd};

pub(super) const ALGORITHM: Algorithm = Algorithm {
    name: "depthwise-last",
    supports,
    cost,
    packing: 0.0,
    accuracy: Accuracy::Direct,
    packs_by_tap: false,
    pack,
};

fn supports(g: &ConvGeometry) -> bool {
    g.order == ChannelOrder::Last && g.c_in_group() == 1 && g.c_out_group() == 1
}

fn cost(g: &ConvGeometry, isa: Isa) -> f64 {
    let vectors = g.c_out.div_ceil(isa.lanes()) as f64;
    vectors * g.plane() as f64 * (2.0 * g.taps() as f64 + 3.0) + 50.0
}

struct DepthwiseLast {
    geometry: ConvGeometry,
    isa: Isa,
    activation: Activation,
    bias: Aligned,
    /// `[vector of channels][tap][lane]`.
    weights: Aligned,
    /// Distance of each tap's pixel from its window's start.
    offsets: Vec<u32>,
    source: PixelSource,
    /// Output rows of a tile.
    rows: usize,
}

fn pack(problem: Problem<'_>) -> Box<dyn PackedConv> {
    let Problem { geometry: g, weight, bias, activation, isa, .. } = problem;
    let source = PixelSource::new(&g);
    let mut offsets = Vec::with_capacity(g.taps());
    for ky in 0..g.y.kernel {
        for kx in 0..g.x.kernel {
            offsets
                .push(u32::try_from(source.tap(ky, kx)).expect("a tile's scratch is far below 2^32 floats"));
        }
    }
    let mut weights = Aligned::of(packed_len(g.c_out, g.taps(), isa.lanes()));
    let all = GroupWeight { elements: weight, taps: g.taps(), order: WeightOrder::Channels };
    pack_weights(isa, all, isa.lanes(), weights.as_mut_slice());
    let rows = source.output_rows().min(g.y.output.div_ceil(8));
    Box::new(DepthwiseLast {
        geometry: g,
        isa,
        activation,
        bias: pack_bias(bias, g.c_out, isa.lanes()),
        weights,
        offsets,
        source,
        rows,
    })
}

impl PackedConv for DepthwiseLast {
    fn tiles(&self) -> usize {
        self.geometry.batch * self.geometry.y.output.div_ceil(self.rows)
    }

    fn scratch_len(&self) -> usize {
        // The last vector of the last pixel may reach past its channels.
        self.source.len(self.rows) + self.isa.lanes()
    }

    fn register_tile(&self) -> RegisterTile {
        RegisterTile { rows: PIXELS, vectors: 1, lanes: Lanes::Channels }
    }

    fn run_tile(&self, index: usize, input: &InputView<'_>, output: &OutputView<'_>, scratch: &mut [f32]) {
        let g = &self.geometry;
        let row_tiles = g.y.output.div_ceil(self.rows);
        let (n, first_row) = (index / row_tiles, index % row_tiles * self.rows);
        let rows = self.rows.min(g.y.output - first_row);
        self.source.fill(self.isa, input, n, first_row, rows, scratch);
        for y in 0..rows {
            let row = Row {
                offsets: &self.offsets,
                source: scratch[self.source.window(y, 0)..].as_ptr(),
                step: self.source.window(0, 1),
                weights: self.weights.as_slice(),
                bias: self.bias.as_slice(),
                target: output.at((n * g.y.output + first_row + y) * g.x.output * g.c_out),
                pixels: g.x.output,
                channels: g.c_out,
            };
            let (starts, counts) = (&[row.target], &[g.x.output * g.c_out]);
            self.isa.run(row);
            // SAFETY: these are the floats of the row that were just stored.
            unsafe {
                Stored { activation: self.activation, starts, counts, rows: 1, stride: 0 }.activate(self.isa);
            }
        }
    }
}

/// One row of output pixels; [`DepthwiseLast::run_tile`] makes it of memory that it may read and write.
struct Row<'a> {
    offsets: &'a [u32],
    /// The window of the first pixel.
    source: *const f32,
    /// Elements from one window to the next.
    step: usize,
    weights: &'a [f32],
    bias: &'a [f32],
    target: *mut f32,
    pixels: usize,
    channels: usize,
}

/// Pixels whose sums are in registers at once.
const PIXELS: usize = 8;

impl Kernel for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for first in (0..self.channels).step_by(S::LANES) {
            let mut pixel = 0;
            while pixel + PIXELS <= self.pixels {
                self.block::<S, PIXELS>(s, pixel, first);
                pixel += PIXELS;
            }
            while pixel < self.pixels {
                self.block::<S, 1>(s, pixel, first);
                pixel += 1;
            }
        }
    }
}

impl Row<'_> {
    #[inline(always)]
    fn block<S: Simd, const T: usize>(&self, s: S, pixel: usize, first: usize) {
        let count = S::LANES.min(self.channels - first);
        // SAFETY: windows and their taps lie within the scratch, which has a vector to spare; weights and bias are whole vectors;
        // `count` channels of each pixel are this tile's to write.
        unsafe {
            let mut weights = self.weights.as_ptr().add(first * self.offsets.len());
            let mut sums = [s.load(self.bias.as_ptr().add(first)); T];
            for &offset in self.offsets {
                let weight = s.load(weights);
                let source = self.source.add(pixel * self.step + first + offset as usize);
                for (t, sum) in sums.iter_mut().enumerate() {
                    *sum = s.mul_add(weight, s.load(source.add(t * self.step)), *sum);
                }
                weights = weights.add(S::LANES);
            }
            let target = self.target.add(pixel * self.channels + first);
            for (t, sum) in sums.iter().enumerate() {
                s.store_first(target.add(t * self.channels), *sum, count);
            }
        }
    }
}
