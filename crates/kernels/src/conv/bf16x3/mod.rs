//! `bf16x3`: on processors with a unit that multiplies matrices of bfloat16 many times faster than their vectors multiply floats. Input
//! and weight are split into three bfloat16 each; six products of such parts, summed as floats, are as exact as a float's own (see
//! [`corr2d_simd::matrix`]).
//!
//! The padded input rows of a band are split into planes of pairs of channels, one for each phase of the strides. A tap's pixels of a
//! block follow each other there, also from one output row to the next: what lies between rows is computed and left out.

mod planes;
mod store;
mod vectors;
mod weights;

use super::activation::Stored;
use super::explain::{Lanes, RegisterTile};
use super::registry::{Accuracy, Algorithm, PackedConv, Problem, least_parts, share};
use crate::buffer::{Aligned, LINE};
use crate::geometry::{ChannelOrder, ConvGeometry};
use crate::view::{InputView, OutputView};
use corr2d_simd::Isa;
use corr2d_simd::matrix::{Block, COLUMNS, MatrixUnit, PAIRS, PARTS, SIDE};
use planes::Planes;
use std::ops::Range;
use store::Segments;
use vectors::Used;

pub(super) const ALGORITHM: Algorithm = Algorithm {
    name: "bf16x3",
    supports: |g| g.order == ChannelOrder::First && g.c_in_group() >= LEAST_CHANNELS,
    cost,
    packing: 50.0,
    // Six sums of as many products, and what the three products below them leave out.
    accuracy: Accuracy::Transformed { amplification: 4.0, exact: true },
    packs_by_tap: true,
    pack,
};

/// Floats of a band's planes, a part of a second-level cache: more where each band reads a weight that takes some of it, too.
const PLANES_FLOATS: [usize; 2] = [128 * 1024, 320 * 1024];

/// Floats of a weight that is read again for each band at little cost.
const SMALL_WEIGHT: usize = 32 * 1024;

/// Channels that a step sums.
const CHANNELS: usize = 2 * PAIRS;

/// Below this many channels of a group, most of what the unit multiplies would be padding.
const LEAST_CHANNELS: usize = 12;

/// Slots of a vector multiply-add that the unit takes for a step of a block: with a single tap, whose pixels follow each other as they are
/// read; with more; and with more in planes for each phase of a stride. It is slowed down by its power.
const STEP: [f64; 3] = [1000.0, 1580.0, 2200.0];

/// The same beside the steps of a block.
const BLOCK: f64 = 600.0;

/// What it has to be faster by: a core's threads share the unit, and beside a busy one it was found up to four times as slow where vectors
/// lost a fifth.
const RESERVE: f64 = 1.35;

fn cost(g: &ConvGeometry, isa: Isa) -> f64 {
    if isa.matrix_unit().is_none() {
        return f64::INFINITY;
    }
    let planes = Planes::new(g).band(g.y.output);
    let steps = (g.taps() / g.c_in_group() * g.c_in_group().div_ceil(CHANNELS)) as f64;
    let pixels = (g.y.output - 1) * planes.columns + g.x.output;
    let blocks = (g.groups * g.c_out_group().div_ceil(SIDE) * pixels.div_ceil(SIDE)) as f64;
    let split = (g.c_in * planes.plane()) as f64 / LINE as f64;
    let weights = (g.weight_len() * PARTS / 2 / LINE) as f64;
    let step = match (g.y.kernel * g.x.kernel, g.y.stride * g.x.stride) {
        (1, _) => STEP[0],
        (_, 1) => STEP[1],
        _ => STEP[2],
    };
    RESERVE * (blocks * (step * steps + BLOCK) + 20.0 * split + 8.0 * weights + 2000.0)
}

struct Bf16x3 {
    geometry: ConvGeometry,
    isa: Isa,
    activation: super::Activation,
    planes: Planes,
    /// Output rows of a band.
    rows: usize,
    /// Where each step's columns start in the planes.
    steps: Vec<u32>,
    /// Of each group, whole blocks of rows.
    weights: Aligned,
    has_finite_weights: bool,
    /// A bias for each row of a block, as many times as a tile has columns.
    bias: Aligned,
}

fn pack(problem: Problem<'_>) -> Box<dyn PackedConv> {
    let Problem { geometry: g, bias, activation, isa, .. } = problem;
    let mut planes = Planes::new(&g);
    let most = PLANES_FLOATS[usize::from(g.weight_len() / g.groups * PARTS / 2 > SMALL_WEIGHT)];
    // The most rows that fit.
    let (mut rows, mut too_many) = (1, g.y.output + 1);
    while too_many - rows > 1 {
        let middle = rows.midpoint(too_many);
        planes = planes.band(middle);
        if planes.len() <= most {
            rows = middle;
        } else {
            too_many = middle;
        }
    }
    // Bands of nearly equal size.
    let rows = g.y.output.div_ceil(g.y.output.div_ceil(rows));
    let planes = planes.band(rows);
    let wide = g.c_out_group().next_multiple_of(SIDE);
    let mut starts = Aligned::zeros(g.groups * wide * COLUMNS);
    for (channel, bias) in bias.iter().enumerate() {
        let row = channel / g.c_out_group() * wide + channel % g.c_out_group();
        starts.as_mut_slice()[row * COLUMNS..][..COLUMNS].fill(*bias);
    }
    Box::new(Bf16x3 {
        steps: planes.steps(),
        weights: weights::pack(problem),
        has_finite_weights: problem.weight.iter().all(|weight| weight.is_finite()),
        bias: starts,
        geometry: g,
        isa,
        activation,
        planes,
        rows,
    })
}

impl Bf16x3 {
    /// Blocks of channels of a group.
    fn blocks(&self) -> usize {
        self.geometry.c_out_group().div_ceil(SIDE)
    }

    /// Bands of an image. They are the same for any number of threads: one with an infinity or NaN is computed in another way.
    fn bands(&self) -> usize {
        self.geometry.y.output.div_ceil(self.rows)
    }

    /// Parts that a tile's bands and its channels are cut into, powers of two so that threads have equal shares.
    fn cut(&self, parts: usize) -> [usize; 2] {
        let below = |most: usize| 1 << most.max(1).ilog2();
        let parts = parts.next_power_of_two();
        let bands = parts.min(below(self.bands()));
        [bands, (parts / bands).min(below(self.blocks()))]
    }
}

impl PackedConv for Bf16x3 {
    fn tiles(&self) -> usize {
        self.geometry.batch * self.geometry.groups
    }

    fn parts(&self, threads: usize) -> usize {
        let wanted = if threads > 1 { threads.div_ceil(self.tiles()) } else { 1 };
        let [bands, channels] = self.cut(wanted.max(least_parts(&self.geometry)));
        bands * channels
    }

    fn scratch_len(&self) -> usize {
        self.planes.scratch_len() + SIDE * SIDE
    }

    fn register_tile(&self) -> RegisterTile {
        let [rows, vectors] =
            if self.isa.matrix_unit().is_some() { [SIDE, 2] } else { [vectors::TOGETHER, 1] };
        RegisterTile { rows, vectors, lanes: Lanes::Pixels }
    }

    fn run_part(
        &self,
        tile: usize,
        [part, parts]: [usize; 2],
        input: &InputView<'_>,
        output: &OutputView<'_>,
        scratch: &mut [f32],
    ) {
        let g = &self.geometry;
        let (n, group) = (tile / g.groups, tile % g.groups);
        let [band_parts, channel_parts] = self.cut(parts);
        let blocks = share(self.blocks(), channel_parts, part % channel_parts);
        let (scratch, sums) = scratch.split_at_mut(self.planes.scratch_len());
        for band in share(self.bands(), band_parts, part / channel_parts) {
            let rows = share(g.y.output, self.bands(), band);
            let (pairs, is_finite) = self.planes.fill(self.isa, input, [n, group], &rows, scratch);
            let piece = Piece { plan: self, n, group, rows, pairs, sums: sums.as_mut_ptr(), output };
            match self.isa.matrix_unit().filter(|_| is_finite && self.has_finite_weights) {
                Some(unit) => unit.configured(|| piece.run(blocks.clone(), Some(unit))),
                None => piece.run(blocks.clone(), None),
            }
        }
    }
}

/// Some rows of the output of one group, whose input is split.
struct Piece<'a> {
    plan: &'a Bf16x3,
    n: usize,
    group: usize,
    rows: Range<usize>,
    pairs: *const u32,
    /// Room for a block.
    sums: *mut f32,
    output: &'a OutputView<'a>,
}

impl Piece<'_> {
    /// The pixels of each block, counted through the rows of the planes.
    fn pixels(&self) -> impl ExactSizeIterator<Item = Range<usize>> {
        let all = (self.rows.len() - 1) * self.plan.planes.columns + self.plan.geometry.x.output;
        (0..all.div_ceil(SIDE)).map(move |index| index * SIDE..all.min((index + 1) * SIDE))
    }

    /// Computes some blocks of channels, by the unit if it is given, which is configured then.
    fn run(&self, blocks: Range<usize>, unit: Option<MatrixUnit>) {
        let plan = self.plan;
        let g = &plan.geometry;
        for index in blocks.clone() {
            let channel = self.n * g.c_out + self.group * g.c_out_group() + index * SIDE;
            let channels = SIDE.min(g.c_out_group() - index * SIDE);
            let target = self.output.at((channel * g.y.output + self.rows.start) * g.x.output);
            for pixels in self.pixels() {
                self.block(index, channels, target, &pixels, unit);
            }
            let stored = Stored {
                activation: plan.activation,
                starts: &[target],
                counts: &[self.rows.len() * g.x.output],
                rows: channels,
                stride: g.plane(),
            };
            // SAFETY: these are the floats that were stored.
            unsafe { stored.activate(plan.isa) };
        }
    }

    fn block(
        &self,
        index: usize,
        channels: usize,
        target: *mut f32,
        pixels: &Range<usize>,
        unit: Option<MatrixUnit>,
    ) {
        let plan = self.plan;
        let g = &plan.geometry;
        let columns = plan.planes.columns;
        let is_whole = columns == g.x.output && channels == SIDE && pixels.len() == SIDE;
        let packed = plan.blocks() * self.group + index;
        let block = Block {
            steps: &plan.steps,
            rows: (&raw const plan.weights.as_slice()[packed * plan.steps.len() * weights::STEP]).cast(),
            columns: self.pairs.wrapping_add(pixels.start / SIDE * plan.planes.block()),
            part: plan.planes.part(),
            pair: plan.planes.pair(),
            start: &raw const plan.bias.as_slice()[packed * SIDE * COLUMNS],
            target: if is_whole { target.wrapping_add(pixels.start) } else { self.sums },
            stride: if is_whole { g.plane() } else { SIDE },
        };
        // SAFETY: rows and columns are packed for all steps, the columns' with as many as a block has beyond the last; the target is
        // this piece's part of the output, or has room for a block.
        unsafe {
            match unit {
                Some(unit) => unit.multiply(&block),
                None => {
                    let used = Used { rows: channels, pairs: g.c_in_group().div_ceil(2) };
                    vectors::multiply(&block, used);
                }
            }
        }
        if !is_whole {
            let segments = Segments::new([columns, g.x.output], pixels.clone());
            // SAFETY: these outputs are this piece's to write, and the block's sums are complete.
            unsafe { segments.store(plan.isa, self.sums, target, channels, g.plane()) };
        }
    }
}
