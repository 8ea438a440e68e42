//! `depthwise`: one input channel for each output with a 3×3 or 5×5 kernel, stride 1 or 2, zero padding. A strip of columns is walked
//! down the rows; each row of the input is loaded once and added to the sums of all the output rows it belongs to, which stay in
//! registers until they are complete. Padding is lanes and rows that are not read; nothing is copied.

use super::Activation;
use super::activation::Stored;
use super::explain::{Lanes, RegisterTile};
use super::registry::{Accuracy, Algorithm, PackedConv, Problem};
use crate::along::{self, Along, Loaded, STREAMED};
use crate::buffer::LINE;
use crate::geometry::{ChannelOrder, ConvGeometry, PaddingMode};
use crate::view::{InputView, OutputView};
use corr2d_simd::{Isa, Kernel, Simd};
use std::ops::Range;

pub(super) const ALGORITHM: Algorithm = Algorithm {
    name: "depthwise",
    supports,
    cost,
    packing: 0.0,
    accuracy: Accuracy::Direct,
    packs_by_tap: false,
    pack,
};

/// Columns of rows that are long enough for prefetching, and for starting at a whole cache line.
const LONG: usize = 128;

/// Multiply-adds of a tile.
const TILE_WORK: usize = 1 << 19;

fn supports(g: &ConvGeometry) -> bool {
    g.order == ChannelOrder::First
        && g.c_in_group() == 1
        && g.padding_mode == PaddingMode::Zeros
        && [g.y, g.x].iter().all(|axis| axis.dilation == 1)
        && (g.y.kernel, g.y.stride) == (g.x.kernel, g.x.stride)
        && matches!(g.x.kernel, 3 | 5)
        && matches!(g.x.stride, 1 | 2)
}

fn cost(g: &ConvGeometry, isa: Isa) -> f64 {
    let vectors = g.x.output.div_ceil(isa.lanes()) as f64 * (g.y.output + g.y.kernel / 2) as f64;
    let products = vectors * (g.c_out * g.taps()) as f64;
    // The even and odd elements of a stride are sorted out in registers. Many sums of a wide image are better off in `filter2d`.
    let share = match (g.x.kernel, g.x.stride) {
        (3, 1) => 1.1,
        (_, 1) => 1.3,
        _ => 1.8,
    };
    products * share + 100.0 * g.c_out as f64 + 50.0
}

struct Depthwise {
    geometry: ConvGeometry,
    isa: Isa,
    activation: Activation,
    bias: Vec<f32>,
    weights: Vec<f32>,
    /// Blocks of a plane.
    blocks: usize,
    /// Blocks of a tile, counted through all planes.
    tile_blocks: usize,
    /// Whether the output is written past the caches where its rows allow it.
    streams: bool,
}

fn pack(problem: Problem<'_>) -> Box<dyn PackedConv> {
    let Problem { geometry: g, weight, bias, activation, isa, .. } = problem;
    let blocks = along::blocks(&g.y, &g.x);
    let work = g.plane() * g.taps() / blocks;
    Box::new(Depthwise {
        geometry: g,
        isa,
        activation,
        bias: bias.to_vec(),
        weights: weight.to_vec(),
        blocks,
        // Strips walk down, so a vector must be a line: parts of lines would be written by themselves.
        streams: g.output_len() * size_of::<f32>() > STREAMED && isa.lanes() == LINE,
        tile_blocks: (TILE_WORK / work.max(1)).max(1),
    })
}

impl Depthwise {
    fn all_blocks(&self) -> usize {
        self.geometry.batch * self.geometry.c_out * self.blocks
    }
}

impl PackedConv for Depthwise {
    fn tiles(&self) -> usize {
        self.all_blocks().div_ceil(self.tile_blocks)
    }

    fn scratch_len(&self) -> usize {
        0
    }

    fn register_tile(&self) -> RegisterTile {
        let rows = self.geometry.y.kernel.div_ceil(self.geometry.y.stride);
        RegisterTile { rows, vectors: widest(self.isa.registers()), lanes: Lanes::Columns }
    }

    fn run_tile(&self, index: usize, input: &InputView<'_>, output: &OutputView<'_>, _: &mut [f32]) {
        let first = index * self.tile_blocks;
        let blocks = first..self.all_blocks().min(first + self.tile_blocks);
        let tile = Tile { plan: self, blocks, input, output };
        match (self.geometry.x.kernel, self.geometry.x.stride) {
            (3, 1) => self.isa.run(Sized::<3, 1>(tile)),
            (3, 2) => self.isa.run(Sized::<3, 2>(tile)),
            (5, 1) => self.isa.run(Sized::<5, 1>(tile)),
            (5, 2) => self.isa.run(Sized::<5, 2>(tile)),
            (kernel, stride) => unreachable!("a kernel of {kernel} with stride {stride}"),
        }
    }
}

/// Vectors of the widest strip: five sums of each, their pixels and a weight fit the registers.
const fn widest(registers: usize) -> usize {
    match registers {
        32.. => 4,
        16.. => 2,
        _ => 1,
    }
}

struct Tile<'a> {
    plan: &'a Depthwise,
    blocks: Range<usize>,
    input: &'a InputView<'a>,
    output: &'a OutputView<'a>,
}

/// Output rows of one plane.
struct Block {
    /// The input's plane, and how far its rows are apart.
    plane: *const f32,
    stride: usize,
    /// The channel's kernel, `[ky][kx]`.
    weights: *const f32,
    bias: f32,
    /// The first row, and how many there are.
    first: usize,
    rows: usize,
    /// Where the first row goes.
    target: *mut f32,
}

struct Sized<'a, const K: usize, const STRIDE: usize>(Tile<'a>);

impl<const K: usize, const STRIDE: usize> Kernel for Sized<'_, K, STRIDE> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Tile { plan, input, output, .. } = &self.0;
        let g = &plan.geometry;
        for block in self.0.blocks.clone() {
            let (plane, block) = (block / plan.blocks, block % plan.blocks);
            let (n, channel) = (plane / g.c_out, plane % g.c_out);
            let bound = |block: usize| block * g.y.output / plan.blocks;
            let first = bound(block);
            let block = Block {
                plane: input.row(n, channel / g.c_out_group(), 0),
                stride: input.row_stride(),
                weights: plan.weights[channel * K * K..][..K * K].as_ptr(),
                bias: plan.bias[channel],
                first,
                rows: bound(block + 1) - first,
                target: output.at((plane * g.y.output + first) * g.x.output),
            };
            // SAFETY: the block's rows are those of the geometry.
            unsafe { self.block(s, &block) };
        }
        if plan.streams {
            s.fence();
        }
    }
}

impl<const K: usize, const STRIDE: usize> Sized<'_, K, STRIDE> {
    /// # Safety
    /// The block's rows are those of the geometry.
    #[inline(always)]
    unsafe fn block<S: Simd>(&self, s: S, block: &Block) {
        let g = &self.0.plan.geometry;
        // What whole strips up to column `end` read, among it what they do not need, ends with the input's row.
        let end =
            ((g.x.input + g.x.before).saturating_sub(Along::<K, STRIDE>::REACH) / STRIDE).min(g.x.output);
        let first_whole = g.x.before.div_ceil(STRIDE);
        let widest = const { widest(S::REGISTERS) };
        let mut x = 0;
        let mut streams = false;
        // The columns before the first whole cache line of the target.
        let mut lead = 0;
        if g.x.output > LONG && g.x.output.is_multiple_of(S::LANES) {
            lead = block.target.align_offset(S::LANES * size_of::<f32>());
            streams = self.0.plan.streams && lead < S::LANES;
            lead %= S::LANES;
        }
        while x < g.x.output {
            let left = if x < lead { lead } else { g.x.output - x };
            // SAFETY: the caller's promise; strips are whole where all they read is inside the input's row, and streamed where all
            // of the target's rows are aligned.
            unsafe {
                x += if x >= lead && x >= first_whole && x + widest * S::LANES <= end {
                    match widest {
                        4 => self.strip::<S, 4, true>(s, block, x, 4 * S::LANES, streams),
                        2 => self.strip::<S, 2, true>(s, block, x, 2 * S::LANES, streams),
                        _ => self.strip::<S, 1, true>(s, block, x, S::LANES, streams),
                    }
                } else if widest > 1 && left > S::LANES {
                    self.strip::<S, 2, false>(s, block, x, left.min(2 * S::LANES), false)
                } else {
                    self.strip::<S, 1, false>(s, block, x, left.min(S::LANES), false)
                };
            }
        }
    }

    /// `count` columns of `V` vectors from `x` on, written past the caches if it `streams`; answers with that number. Unless `WHOLE`,
    /// lanes may lie outside the input or past the output's last column.
    ///
    /// # Safety
    /// If `WHOLE`, all that the strip reads is inside the input's row; if it `streams`, it is whole and the target's rows are aligned.
    /// `count` columns of them are writable.
    #[inline(always)]
    unsafe fn strip<S: Simd, const V: usize, const WHOLE: bool>(
        &self,
        s: S,
        block: &Block,
        x: usize,
        count: usize,
        streams: bool,
    ) -> usize {
        let Tile { plan: Depthwise { geometry: g, activation, isa, .. }, .. } = self.0;
        let column = (x * STRIDE) as isize - g.x.before as isize;
        let masks = if WHOLE { [[0; _]; V] } else { Along::<K, STRIDE>::masks::<S, V>(column, g.x.input) };
        // The sums of the output row that begins and of those that began before it, `K.div_ceil(STRIDE)` in all.
        let mut sums = [[s.splat(block.bias); V]; K];
        let begun = const { K.div_ceil(STRIDE) };
        let mut row = (block.first * STRIDE).wrapping_sub(g.y.before);
        // SAFETY: the caller's promise.
        unsafe {
            for y in 0..block.rows + begun - 1 {
                for i in (1..begun).rev() {
                    sums[i] = sums[i - 1];
                }
                sums[0] = [s.splat(block.bias); V];
                for phase in 0..STRIDE {
                    self.add::<S, V, WHOLE>(
                        s,
                        block,
                        row.wrapping_add(phase),
                        phase,
                        column,
                        &masks,
                        &mut sums,
                    );
                    // The last row of the kernel is in this phase.
                    if phase == (K - 1) % STRIDE && y + 1 >= begun {
                        let target = block.target.add((y + 1 - begun) * g.x.output + x);
                        for (v, sum) in sums[begun - 1].iter().enumerate() {
                            if WHOLE && streams {
                                s.stream(target.add(v * S::LANES), *sum);
                            } else if WHOLE {
                                s.store(target.add(v * S::LANES), *sum);
                            } else {
                                let count = count.saturating_sub(v * S::LANES).min(S::LANES);
                                s.store_first(target.wrapping_add(v * S::LANES), *sum, count);
                            }
                        }
                    }
                }
                row = row.wrapping_add(STRIDE);
            }
            let starts = &[block.target.add(x)];
            let stored = Stored {
                activation: *activation,
                starts,
                counts: &[count],
                rows: block.rows,
                stride: g.x.output,
            };
            stored.activate(*isa);
        }
        count
    }

    /// Adds a row of the input, of this phase of the stride, to the sums it belongs to; a row outside adds nothing.
    ///
    /// # Safety
    /// As [`Sized::strip`].
    #[inline(always)]
    unsafe fn add<S: Simd, const V: usize, const WHOLE: bool>(
        &self,
        s: S,
        block: &Block,
        row: usize,
        phase: usize,
        column: isize,
        masks: &Loaded<u32, V>,
        sums: &mut [[S::V; V]; K],
    ) {
        let g = &self.0.plan.geometry;
        if row >= g.y.input {
            return;
        }
        let source = block.plane.wrapping_add(row * block.stride).wrapping_offset(column);
        // SAFETY: the caller's promise; the kernel has `K * K` weights.
        unsafe {
            if WHOLE && g.x.input > LONG {
                // The same row of the next strip.
                for v in V * STRIDE..2 * V * STRIDE {
                    s.prefetch(source.wrapping_add(v * S::LANES));
                }
            }
            let zero = s.splat(0.0);
            for group in 0..K.div_ceil(STRIDE) {
                let mut columns = [[zero; 2]; V];
                for (v, columns) in columns.iter_mut().enumerate() {
                    *columns = Along::<K, STRIDE>::group::<S, V, WHOLE>(s, source, masks, zero, group, v);
                }
                for kx in group * STRIDE..K.min((group + 1) * STRIDE) {
                    for begun in 0..(K - phase).div_ceil(STRIDE) {
                        let weight = s.splat(*block.weights.add((begun * STRIDE + phase) * K + kx));
                        for v in 0..V {
                            sums[begun][v] =
                                s.mul_add(weight, columns[v][kx - group * STRIDE], sums[begun][v]);
                        }
                    }
                }
            }
        }
    }
}
