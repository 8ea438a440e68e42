//! `channels-last`: any geometry, computed with channels in lanes. The padded input rows of a tile are copied to scratch; register
//! tiles then hold some pixels × some vectors of output channels (see `pixel_tile.rs`). Tensors that have their channels first are
//! transposed on the way in and out, which pays where each element is used often enough: many channels, small planes. A 1×1 kernel
//! without padding reads its input where it is.

use super::explain::{Lanes, RegisterTile};
use super::pixel_source::PixelSource;
use super::pixel_tile::{
    self, AHEAD_FLOATS, Ahead, NEAR_FLOATS, PIXELS, PixelTile, pack_bias, pack_weights, packed_len,
};
use super::registry::{Accuracy, Algorithm, PackedConv, Problem, share};
use super::swap_axes::SwapAxes;
use crate::buffer::{Aligned, LINE};
use crate::geometry::{ChannelOrder, ConvGeometry};
use crate::view::{InputView, OutputView};
use corr2d_simd::Isa;
use std::ops::Range;

pub(super) const ALGORITHM: Algorithm = Algorithm {
    name: "channels-last",
    supports: |_| true,
    cost,
    packing: 0.0,
    accuracy: Accuracy::Direct,
    packs_by_tap: true,
    pack,
};

/// Enough tiles to keep many threads busy to the end.
const ENOUGH_TILES: usize = 32;

/// Parts for each thread that keep all busy to the end.
const ENOUGH_PARTS: usize = 4;

/// Multiply-adds that a tile should keep when it is made smaller for the sake of more tiles.
const LEAST_WORK: usize = 1 << 20;

/// Pixels that it should keep: the weight is read once for each register tile of pixels, and those should be full.
const LEAST_PIXELS: usize = 8 * PIXELS;

/// A tile's input is copied again for each part of the channels: so many multiply-adds with each element make up for it.
const LEAST_USES: usize = 256;

/// Pixels whose results wait in scratch to be transposed: they and their channels stay in the first-level cache.
const CHUNK: usize = 96;

/// Floats of a page of memory.
const PAGE_FLOATS: f64 = 1024.0;

fn cost(g: &ConvGeometry, isa: Isa) -> f64 {
    let lanes = isa.lanes() as f64;
    let vectors = (g.groups * g.c_out_group().div_ceil(isa.lanes())) as f64;
    let products = vectors * (g.plane() * g.taps()) as f64;
    let source = (g.c_in * g.y.output * g.y.stride * g.x.output * g.x.stride) as f64;
    let (copy, store) = match g.order {
        ChannelOrder::First => (0.6, 8.0 / lanes * (g.c_out * g.plane()) as f64),
        ChannelOrder::Last => (3.0 / lanes, 0.0),
    };
    // Planes read in place are so many pages at the same time that finding them takes longer than reading what was copied.
    let far_apart = (g.y.input * g.x.input) as f64 / PAGE_FLOATS;
    let (copy, products) = match (in_place(g, isa), g.order) {
        (true, ChannelOrder::First) => (0.0, products * (1.06 + 0.3 * far_apart.min(1.0))),
        (true, ChannelOrder::Last) => (0.0, products * 1.06),
        (false, _) => (copy, products * 1.06),
    };
    let blocks = g.c_out_group().div_ceil(isa.lanes()).div_ceil(pixel_tile::vectors(isa));
    let tiles = (g.plane().div_ceil(PIXELS) * g.groups * blocks) as f64;
    products + 100.0 * tiles + copy * source + store + 150.0 * g.groups as f64 + 100.0
}

struct ChannelsLast {
    geometry: ConvGeometry,
    isa: Isa,
    activation: super::Activation,
    /// Channels of each group, whole vectors.
    bias: Aligned,
    weights: Aligned,
    /// Distance of each product's input element from its window's start in scratch, in the first group.
    offsets: Vec<u32>,
    /// The same in a contiguous input, where it can be read in place.
    offsets_in_place: Option<Vec<u32>>,
    source: PixelSource,
    /// Output rows of a tile.
    rows: usize,
    /// Parts that a tile's channels may be split into.
    most_parts: usize,
}

fn pack(problem: Problem<'_>) -> Box<dyn PackedConv> {
    let Problem { geometry: g, bias, activation, isa, .. } = problem;
    let lanes = isa.lanes();
    let source = PixelSource::new(&g);
    let offsets_in_place = offsets_in_place(&g, isa);
    let row_work = g.x.output * g.c_out * g.taps();
    let (mut rows, mut parts) = (source.output_rows(), 1);
    let wanted = ENOUGH_TILES.div_ceil(g.batch.max(1));
    let missing = |rows: usize| wanted.div_ceil(g.y.output.div_ceil(rows));
    // Parts of the channels first, since each then reads only its own part of the weight.
    let blocks = g.groups * g.c_out_group().div_ceil(pixel_tile::vectors(isa) * lanes);
    let uses = g.c_out_group() * g.y.kernel * g.x.kernel / (g.y.stride * g.x.stride);
    let most_parts = if offsets_in_place.is_some() { blocks } else { (uses / LEAST_USES).clamp(1, blocks) };
    parts = missing(rows).min(rows * row_work / LEAST_WORK).clamp(parts, most_parts);
    while missing(rows) > parts
        && rows / 2 * row_work / parts >= LEAST_WORK
        && rows / 2 * g.x.output >= LEAST_PIXELS
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
    let group_len = packed_len(g.c_out_group(), g.taps(), lanes);
    let mut weights = Aligned::of(g.groups * group_len);
    for (group, target) in problem.groups().zip(weights.as_mut_slice().chunks_exact_mut(group_len)) {
        pack_weights(isa, group, pixel_tile::vectors(isa) * lanes, target);
    }
    Box::new(ChannelsLast {
        geometry: g,
        isa,
        activation,
        bias: pack_bias(bias, g.c_out_group(), lanes),
        weights,
        offsets,
        offsets_in_place,
        source,
        rows,
        most_parts: parts,
    })
}

/// Whether the input is read where it is: a window is one pixel, never in the padding, and copying does not pay.
fn in_place(g: &ConvGeometry, isa: Isa) -> bool {
    [g.y, g.x].iter().all(|axis| axis.kernel == 1 && axis.before == 0 && axis.after == 0)
        && !copying_pays(g, isa)
}

/// Whether each channel has a line of its own and a tile's take half of a first-level cache, many blocks of channels read them again, and
/// what is fetched serves few products, since there are few registers.
fn copying_pays(g: &ConvGeometry, isa: Isa) -> bool {
    let blocks = g.c_out_group().div_ceil(pixel_tile::vectors(isa) * isa.lanes());
    g.order == ChannelOrder::First
        && (16..32).contains(&isa.registers())
        && g.c_in_group() * LINE > NEAREST_FLOATS / 2
        && blocks >= MANY_BLOCKS
}

/// Floats of the smallest first-level cache.
const NEAREST_FLOATS: usize = 8 << 10;

/// A far block's weight that is too large to be fetched ahead is read in parts of so many floats, if there are so many register tiles.
const PART_FLOATS: usize = 12 * 1024;
const LEAST_TILES: usize = 4;

/// Blocks of channels that make up for a copy of what they read.
const MANY_BLOCKS: usize = 32;

/// The distance of each channel of a pixel of a contiguous input that can be read in place.
fn offsets_in_place(g: &ConvGeometry, isa: Isa) -> Option<Vec<u32>> {
    let step = match g.order {
        ChannelOrder::First => g.y.input * g.x.input,
        ChannelOrder::Last => 1,
    };
    let offsets = || (0..g.c_in_group()).map(|c| u32::try_from(c * step).ok()).collect();
    in_place(g, isa).then(offsets).flatten()
}

/// Where the windows of a tile's pixels start, in scratch or in the input.
#[derive(Clone, Copy)]
struct Windows<'a> {
    start: *const f32,
    /// Floats from one output row to the next, from one output pixel to the next, and from one group to the next.
    row: usize,
    pixel: usize,
    group: usize,
    /// Distance of each product's input element.
    offsets: &'a [u32],
}

/// A block of output channels within its group.
#[derive(Clone, Copy)]
struct Block {
    group: usize,
    /// First channel and number of channels.
    first: usize,
    channels: usize,
}

impl ChannelsLast {
    /// Channels of a full block.
    fn width(&self) -> usize {
        pixel_tile::vectors(self.isa) * self.isa.lanes()
    }

    fn block(&self, index: usize) -> Block {
        let g = &self.geometry;
        let per_group = g.c_out_group().div_ceil(self.width());
        let first = index % per_group * self.width();
        Block { group: index / per_group, first, channels: self.width().min(g.c_out_group() - first) }
    }

    /// The windows from output row `first` on in the input itself, if that is possible.
    fn windows_in_place(&self, input: &InputView<'_>, n: usize, first: usize) -> Option<Windows<'_>> {
        let g = &self.geometry;
        let offsets = self.offsets_in_place.as_deref()?;
        let (start, row, pixel, channel) = match g.order {
            ChannelOrder::First => {
                (input.row(n, 0, first * g.y.stride), input.row_stride(), 1, input.plane_stride())
            }
            ChannelOrder::Last => {
                (input.row(n, first * g.y.stride, 0), input.plane_stride(), input.row_stride(), 1)
            }
        };
        // The offsets are those of a contiguous input.
        let fits = offsets.get(1).is_none_or(|distance| *distance as usize == channel);
        let (row, pixel) = (row * g.y.stride, pixel * g.x.stride);
        fits.then_some(Windows { start, row, pixel, group: g.c_in_group() * channel, offsets })
    }

    /// The weight of a block from a product on.
    fn block_weights(&self, block: Block, product: usize) -> *const f32 {
        let g = &self.geometry;
        let lanes = self.isa.lanes();
        let group = packed_len(g.c_out_group(), g.taps(), lanes);
        let within = block.first * g.taps() + product * block.channels.next_multiple_of(lanes);
        &raw const self.weights.as_slice()[block.group * group + within]
    }

    /// Whether the weight is read from beyond a second-level cache.
    fn is_far(&self) -> bool {
        self.weights.as_slice().len() > NEAR_FLOATS
    }

    /// Parts that the products of a block are cut into, of which each serves all of the `tiles` register tiles before the next one, while
    /// their sums wait in memory.
    fn product_parts(&self, block: Block, tiles: usize) -> usize {
        let floats = self.geometry.taps() * block.channels;
        let pays = self.is_far() && floats > AHEAD_FLOATS && tiles >= LEAST_TILES;
        // Sums are read in whole vectors.
        if pays && block.channels.is_multiple_of(self.isa.lanes()) { floats.div_ceil(PART_FLOATS) } else { 1 }
    }

    /// Computes `block` of the pixels `pixels`, counted from the tile's first row. Meanwhile the weight of its next part is fetched, at
    /// last of the block `next`, if it is far.
    fn run_block(
        &self,
        block: Block,
        next: Option<Block>,
        pixels: Range<usize>,
        windows: Windows<'_>,
        target: Target,
    ) {
        let g = &self.geometry;
        let lanes = self.isa.lanes();
        let packed = block.group * g.c_out_group().next_multiple_of(lanes) + block.first;
        let tiles = pixels.len().div_ceil(PIXELS);
        let parts = self.product_parts(block, tiles);
        for part in 0..parts {
            let products = share(g.taps(), parts, part);
            let (is_first, is_last) = (part == 0, part + 1 == parts);
            let following = if is_last { next } else { Some(block) };
            for index in 0..tiles {
                // Equal shares: 13 pixels are 5 + 4 + 4, never 6 + 6 + 1.
                let own = share(pixels.len(), tiles, index);
                let mut bases = [std::ptr::null(); PIXELS];
                let mut targets = [std::ptr::null_mut(); PIXELS];
                for (t, p) in own.clone().enumerate() {
                    let q = pixels.start + p;
                    let window = q / g.x.output * windows.row + q % g.x.output * windows.pixel;
                    bases[t] = windows.start.wrapping_add(window + block.group * windows.group);
                    targets[t] = target.start.wrapping_add(p * target.step);
                }
                let bias = &raw const self.bias.as_slice()[packed];
                let tile = PixelTile {
                    offsets: &windows.offsets[products.clone()],
                    bases,
                    weights: self.block_weights(block, products.start),
                    ahead: following.and_then(|following| {
                        let width = following.channels.next_multiple_of(lanes);
                        let first = if is_last { 0 } else { products.end };
                        Ahead::new(
                            self.block_weights(following, first),
                            [products.len(), width],
                            index,
                            tiles,
                        )
                    }),
                    start: if is_first { bias } else { targets[0].cast_const() },
                    start_step: if is_first { 0 } else { target.step },
                    targets,
                    channels: block.channels,
                    activation: if is_last { self.activation } else { super::Activation::None },
                };
                // SAFETY: a window and its taps lie within the scratch or the input; weights and bias are packed in whole vectors for
                // these channels; the targets are memory of this tile for `channels` floats, whole vectors of sums where they are read.
                unsafe { pixel_tile::run(self.isa, own.len(), block.channels.div_ceil(lanes), &tile) };
            }
        }
    }
}

/// Where the channels of some pixels go, `step` floats apart.
#[derive(Clone, Copy)]
struct Target {
    start: *mut f32,
    step: usize,
}

impl PackedConv for ChannelsLast {
    fn tiles(&self) -> usize {
        self.geometry.batch * self.geometry.y.output.div_ceil(self.rows)
    }

    /// Parts of the channels, each of which copies the tile's input again.
    fn parts(&self, threads: usize) -> usize {
        let wanted = if threads > 1 { (ENOUGH_PARTS * threads).div_ceil(self.tiles().max(1)) } else { 1 };
        wanted.min(self.most_parts)
    }

    fn scratch_len(&self) -> usize {
        self.source.len(self.rows) + CHUNK * self.width()
    }

    fn register_tile(&self) -> RegisterTile {
        RegisterTile { rows: PIXELS, vectors: pixel_tile::vectors(self.isa), lanes: Lanes::Channels }
    }

    fn run_part(
        &self,
        index: usize,
        [part, parts]: [usize; 2],
        input: &InputView<'_>,
        output: &OutputView<'_>,
        scratch: &mut [f32],
    ) {
        let g = &self.geometry;
        let row_tiles = g.y.output.div_ceil(self.rows);
        let (n, first_row) = (index / row_tiles, index % row_tiles * self.rows);
        let rows = self.rows.min(g.y.output - first_row);
        let (source, results) = scratch.split_at_mut(self.source.len(self.rows));
        let windows = self.windows_in_place(input, n, first_row).unwrap_or_else(|| {
            self.source.fill(self.isa, input, n, first_row, rows, source);
            Windows {
                start: source.as_ptr(),
                row: self.source.window(1, 0),
                pixel: self.source.window(0, 1),
                group: g.c_in_group(),
                offsets: &self.offsets,
            }
        });

        let blocks = g.groups * g.c_out_group().div_ceil(self.width());
        let first_pixel = first_row * g.x.output;
        let pixels = rows * g.x.output;
        let blocks = share(blocks, parts, part);
        for index in blocks.clone() {
            let block = self.block(index);
            let next = (self.is_far() && index + 1 < blocks.end).then(|| self.block(index + 1));
            let channel = block.group * g.c_out_group() + block.first;
            match g.order {
                ChannelOrder::Last => {
                    let start = output.at((n * g.plane() + first_pixel) * g.c_out + channel);
                    let target = Target { start, step: g.c_out };
                    self.run_block(block, next, 0..pixels, windows, target);
                }
                ChannelOrder::First => {
                    for first in (0..pixels).step_by(CHUNK) {
                        let chunk = first..pixels.min(first + CHUNK);
                        let results = &mut results[..chunk.len() * block.channels];
                        let target = Target { start: results.as_mut_ptr(), step: block.channels };
                        let next = next.filter(|_| first == 0);
                        self.run_block(block, next, chunk.clone(), windows, target);
                        let plane = output.at((n * g.c_out + channel) * g.plane() + first_pixel + first);
                        let to_planes = SwapAxes {
                            source: results.as_ptr(),
                            source_stride: block.channels,
                            target: plane,
                            target_stride: g.plane(),
                            size: [chunk.len(), block.channels],
                        };
                        // SAFETY: these pixels of these channels' planes are this tile's to write.
                        unsafe { to_planes.run(self.isa) };
                    }
                }
            }
        }
    }
}
