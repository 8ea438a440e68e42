//! `bf16x3`: on processors with a unit that multiplies matrices of bfloat16 many times faster than their vectors multiply floats. Input
//! and weight are split into three bfloat16 each; six products of such parts, summed as floats, are as exact as a float's own (see
//! [`corr2d_simd::matrix`]).
//!
//! The padded input rows of a band are split into planes of pairs of channels, one for each phase of the strides. From there the pixels
//! of some blocks are copied as the unit reads them, for as many steps as fit a cache; a single tap's are split to where it reads them.

mod columns;
mod planes;
mod vectors;
mod weights;

use super::activation::Stored;
use super::explain::{Lanes, RegisterTile};
use super::registry::{Accuracy, Algorithm, PackedConv, Problem, least_parts, share};
use crate::buffer::{Aligned, LINE};
use crate::geometry::{ChannelOrder, ConvGeometry};
use crate::view::{InputView, OutputView};
use columns::Columns;
use corr2d_simd::Isa;
use corr2d_simd::matrix::{Block, COLUMNS, MatrixUnit, PAIRS, PARTS, SIDE, STEP};
use planes::Planes;
use std::ops::Range;
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

/// Floats of a band's planes, a part of a second-level cache: beside the columns that are copied from them, beside a weight that takes
/// some of it, and beside one that does not.
const PLANES_BESIDE_COLUMNS: usize = 224 * 1024;
const PLANES_BESIDE_WEIGHT: usize = 128 * 1024;
const PLANES_ALONE: usize = 320 * 1024;

/// Floats of a weight that is read again for each band at little cost.
const SMALL_WEIGHT: usize = 32 * 1024;

/// Floats of columns that are copied at once, and steps of a block of these.
const COLUMNS_FLOATS: usize = 80 * 1024;
const CHUNK: usize = 9;

/// Channels that a step sums.
const CHANNELS: usize = 2 * PAIRS;

/// Below this many channels of a group, most of what the unit multiplies would be padding.
const LEAST_CHANNELS: usize = 12;

/// Slots of a vector multiply-add that the unit takes for a step of a block, with a single tap and with more. It is slowed down by its
/// power.
const STEP_COST: [f64; 2] = [1000.0, 1250.0];

/// The same to copy the columns of a step.
const COPY_COST: f64 = 1300.0;

/// The same beside the steps of a block.
const BLOCK: f64 = 600.0;

/// What it has to be faster by: a core's threads share the unit, and beside a busy one it was found up to four times as slow where vectors
/// lost a fifth.
const RESERVE: f64 = 1.35;

fn cost(g: &ConvGeometry, isa: Isa) -> f64 {
    if isa.matrix_unit().is_none() {
        return f64::INFINITY;
    }
    let mut planes = Planes::new(g);
    planes.set_output_rows(g.y.output);
    let steps = (g.taps() / g.c_in_group() * g.c_in_group().div_ceil(CHANNELS)) as f64;
    let columns = (g.groups * g.plane().div_ceil(SIDE)) as f64;
    let blocks = columns * g.c_out_group().div_ceil(SIDE) as f64;
    let (step, copy) =
        if planes.is_blocked() { (STEP_COST[0], 0.0) } else { (STEP_COST[1], COPY_COST * steps) };
    let split = (g.c_in * planes.plane()) as f64 / LINE as f64;
    let line = if g.x.stride == 1 { 20.0 } else { 50.0 };
    let weights = (g.weight_len() * PARTS / 2 / LINE) as f64;
    RESERVE * (blocks * (step * steps + BLOCK) + copy * columns + line * split + 8.0 * weights + 2000.0)
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
    /// Steps of which the columns are there at once.
    chunk: usize,
    /// Blocks of pixels of which they are.
    together: usize,
    /// Of each group, whole blocks of rows.
    weights: Aligned,
    has_finite_weights: bool,
    /// A bias for each row of a block, as many times as a tile has columns.
    bias: Aligned,
}

fn pack(problem: Problem<'_>) -> Box<dyn PackedConv> {
    let Problem { geometry: g, bias, activation, isa, .. } = problem;
    let mut planes = Planes::new(&g);
    let weight_len = g.weight_len() / g.groups * PARTS / 2;
    let most = match (planes.is_blocked(), weight_len > SMALL_WEIGHT) {
        (false, _) => PLANES_BESIDE_COLUMNS,
        (true, true) => PLANES_BESIDE_WEIGHT,
        (true, false) => PLANES_ALONE,
    };
    // The most rows that fit.
    let (mut rows, mut too_many) = (1, g.y.output + 1);
    while too_many - rows > 1 {
        let middle = rows.midpoint(too_many);
        planes.set_output_rows(middle);
        if planes.len() <= most {
            rows = middle;
        } else {
            too_many = middle;
        }
    }
    // Of up to half as many those whose blocks are the fewest.
    let blocks = |rows: usize| (rows * g.x.output).div_ceil(SIDE);
    let all = |rows: usize| g.y.output / rows * blocks(rows) + blocks(g.y.output % rows);
    let rows = (rows.div_ceil(2)..=rows).rev().min_by_key(|rows| all(*rows)).expect("a row");
    planes.set_output_rows(rows);
    let steps = planes.steps();
    let (chunk, together) = if planes.is_blocked() {
        (steps.len(), blocks(rows))
    } else {
        let chunk = steps.len().min(CHUNK);
        (chunk, blocks(rows).min(COLUMNS_FLOATS / (chunk * STEP)))
    };
    let wide = g.c_out_group().next_multiple_of(SIDE);
    let mut starts = Aligned::zeros(g.groups * wide * COLUMNS);
    for (channel, bias) in bias.iter().enumerate() {
        let row = channel / g.c_out_group() * wide + channel % g.c_out_group();
        starts.as_mut_slice()[row * COLUMNS..][..COLUMNS].fill(*bias);
    }
    Box::new(Bf16x3 {
        steps,
        chunk,
        together,
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

/// Elements of so many steps of a block's columns, and a line so that blocks do not compete for the same places of a cache.
fn block_len(steps: usize) -> usize {
    steps * STEP + LINE
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

    /// Floats of the columns that are copied at once.
    fn columns_len(&self) -> usize {
        if self.planes.is_blocked() { 0 } else { self.together * block_len(self.chunk) }
    }

    /// Floats of the sums of blocks that are not complete.
    fn sums_len(&self) -> usize {
        let blocks = if self.chunk < self.steps.len() { self.blocks() * self.together } else { 1 };
        blocks * SIDE * SIDE
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
        self.planes.scratch_len() + self.columns_len() + self.sums_len()
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
        let (planes, scratch) = scratch.split_at_mut(self.planes.scratch_len());
        let (columns, sums) = scratch.split_at_mut(self.columns_len());
        for band in share(self.bands(), band_parts, part / channel_parts) {
            let rows = band * self.rows..g.y.output.min((band + 1) * self.rows);
            let is_finite = self.planes.fill(self.isa, input, [n, group], &rows, planes);
            let piece = Piece {
                plan: self,
                channel: n * g.c_out + group * g.c_out_group(),
                group,
                blocks: blocks.clone(),
                rows,
                planes: planes.as_ptr(),
                columns: if self.planes.is_blocked() { planes.as_mut_ptr() } else { columns.as_mut_ptr() },
                sums: sums.as_mut_ptr(),
                output,
            };
            match self.isa.matrix_unit().filter(|_| is_finite && self.has_finite_weights) {
                Some(unit) => unit.configured(|| piece.run(Some(unit))),
                None => piece.run(None),
            }
        }
    }
}

/// Some rows of the output of some channels of one group, whose input is split.
struct Piece<'a> {
    plan: &'a Bf16x3,
    /// The group's first, counted through all images.
    channel: usize,
    group: usize,
    /// Blocks of channels.
    blocks: Range<usize>,
    rows: Range<usize>,
    planes: *const f32,
    /// Those of the blocks that are computed together.
    columns: *mut f32,
    sums: *mut f32,
    output: &'a OutputView<'a>,
}

impl Piece<'_> {
    /// Computes it, by the unit if it is given, which is configured then.
    fn run(&self, unit: Option<MatrixUnit>) {
        let plan = self.plan;
        let all = self.pixels().div_ceil(SIDE);
        for first in (0..all).step_by(plan.together) {
            let together = first..all.min(first + plan.together);
            for step in (0..plan.steps.len()).step_by(plan.chunk) {
                let steps = step..plan.steps.len().min(step + plan.chunk);
                if !plan.planes.is_blocked() {
                    self.copy(&together, &steps);
                }
                for index in self.blocks.clone() {
                    for (place, column) in together.clone().enumerate() {
                        self.block(index, [place, column], &steps, unit);
                    }
                }
            }
        }
    }

    /// Its pixels, those of all rows in order.
    fn pixels(&self) -> usize {
        self.rows.len() * self.plan.geometry.x.output
    }

    /// The pixels of a block.
    fn pixels_of(&self, column: usize) -> Range<usize> {
        column * SIDE..self.pixels().min((column + 1) * SIDE)
    }

    /// Copies the columns of some blocks for some steps.
    fn copy(&self, together: &Range<usize>, steps: &Range<usize>) {
        let plan = self.plan;
        for (place, column) in together.clone().enumerate() {
            let columns = Columns::new(&plan.planes, plan.geometry.x.output, self.pixels_of(column));
            let target = self.columns.wrapping_add(place * block_len(plan.chunk));
            // SAFETY: the planes are filled, and there is room for a chunk's steps of all blocks that are computed together.
            unsafe { columns.copy(plan.isa, &plan.steps[steps.clone()], self.planes, target) };
        }
    }

    /// Adds the products of some steps to the sums of the block of channels `index` and of pixels `column`, whose columns are at `place`.
    fn block(
        &self,
        index: usize,
        [place, column]: [usize; 2],
        steps: &Range<usize>,
        unit: Option<MatrixUnit>,
    ) {
        let plan = self.plan;
        let g = &plan.geometry;
        let channels = SIDE.min(g.c_out_group() - index * SIDE);
        let pixels = self.pixels_of(column);
        let (is_first, is_last) = (steps.start == 0, steps.end == plan.steps.len());
        let is_whole = channels == SIDE && pixels.len() == SIDE;
        let first = self.channel + index * SIDE;
        let output = self.output.at((first * g.y.output + self.rows.start) * g.x.output + pixels.start);
        let kept = if is_first && is_last { 0 } else { (index - self.blocks.start) * plan.together + place };
        let sums = self.sums.wrapping_add(kept * SIDE * SIDE);
        let packed = plan.blocks() * self.group + index;
        let rows = &raw const plan.weights.as_slice()[(packed * plan.steps.len() + steps.start) * STEP];
        let block = Block {
            steps: steps.len(),
            rows: rows.cast(),
            columns: self.columns.wrapping_add(place * block_len(plan.chunk)).cast_const().cast(),
            start: if is_first { &raw const plan.bias.as_slice()[packed * SIDE * COLUMNS] } else { sums },
            start_strides: if is_first { [COLUMNS, 0] } else { [SIDE, COLUMNS] },
            target: if is_last && is_whole { output } else { sums },
            stride: if is_last && is_whole { g.plane() } else { SIDE },
        };
        // SAFETY: rows and columns are there for these steps; what is not written to this piece's part of the output has room for a
        // block. The rows of an output that is not whole are as long as there are pixels.
        unsafe {
            match unit {
                Some(unit) => unit.multiply(&block),
                None => {
                    let (pairs, taps) = (g.c_in_group().div_ceil(2), g.taps() / g.c_in_group());
                    vectors::multiply(&block, Used { rows: channels, pairs, taps, step: steps.start });
                }
            }
            if !is_last {
                return;
            }
            if !is_whole {
                for channel in 0..channels {
                    let target = output.add(channel * g.plane());
                    sums.add(channel * SIDE).copy_to_nonoverlapping(target, pixels.len());
                }
            }
            let stored = Stored {
                activation: plan.activation,
                starts: &[output],
                counts: &[pixels.len()],
                rows: channels,
                stride: g.plane(),
            };
            stored.activate(plan.isa);
        }
    }
}
