//! `winograd-…`: 3×3 kernels by minimal filtering, F(2×2), F(3×3) and F(4×4) outputs at once, also dilated or with stride 2. Pixels of
//! a few tiles go to scratch with their channels last and are transformed; each of the N² elements then is a matrix product of tiles ×
//! channels with the transformed weight (the register tile of `pixel_tile.rs`), whose results are transformed back.
//!
//! It takes 2.25 to 4 times fewer multiplications than the direct method, for an error that is larger by a factor (see
//! [`Accuracy`]), and an infinity or NaN spreads over the whole of its tile. `auto` takes it from 16 channels up.

mod stages;
mod tiling;
mod transform;
mod weights;

use super::activation::Stored;
use super::explain::{Lanes, RegisterTile};
use super::group_weight::GroupWeight;
use super::pixel_source::PixelSource;
use super::pixel_tile::{self, Ahead, NEAR_FLOATS, PIXELS, PixelTile, pack_bias};
use super::registry::{Accuracy, Algorithm, PackedConv, Problem, share};
use super::swap_axes::SwapAxes;
use crate::buffer::{Aligned, LINE};
use crate::geometry::{ChannelOrder, ConvGeometry};
use crate::view::{InputView, OutputView};
use corr2d_simd::Isa;
use stages::{InputStage, OutputStage};
use std::ops::Range;
use tiling::Tiling;
use transform::{F2, F3, F4, Strided3, Strided4, Transform};

// The amplification is (max over outputs of Σ|A|·Σ|G|·Σ|B|)² ⁄ 9, times 2 for the roundings of the transforms, rounded.
pub(super) const F2_ALGORITHM: Algorithm = algorithm::<F2, 4, 2>("winograd-2x2", 14.0, 2.0);
pub(super) const F3_ALGORITHM: Algorithm = algorithm::<F3, 5, 3>("winograd-3x3", 144.0, 4.5);
pub(super) const F4_ALGORITHM: Algorithm = algorithm::<F4, 6, 4>("winograd-4x4", 144.0, 10.0);
pub(super) const STRIDED3_ALGORITHM: Algorithm =
    algorithm::<Strided3, 7, 3>("winograd-3x3-stride2", 12.0, 6.0);
pub(super) const STRIDED4_ALGORITHM: Algorithm =
    algorithm::<Strided4, 9, 4>("winograd-4x4-stride2", 96.0, 10.0);

const fn algorithm<T: Transform<N, M>, const N: usize, const M: usize>(
    name: &'static str,
    amplification: f64,
    packing: f64,
) -> Algorithm {
    Algorithm {
        name,
        supports: |g| supports(Shape::of::<T, N, M>(), g),
        cost: |g, isa| cost(Shape::of::<T, N, M>(), g, isa),
        packing,
        accuracy: Accuracy::Transformed { amplification, exact: false },
        packs_by_tap: true,
        pack: |problem| pack(Shape::of::<T, N, M>(), problem),
    }
}

/// Below this many channels the transforms cost more than they save, and sums of small integers are promised to be exact.
const LEAST_CHANNELS: usize = 16;

/// Floats of a piece's transformed input and products where the weight is near: they share that cache with it.
const WORK_FLOATS: usize = 160 * 1024;

/// Tiles of a piece where it is not: it is read anew for each piece, and one element of the input and of the products are near.
const MANY_TILES: usize = 96;

/// Floats of a piece that a second-level cache holds while the weight passes by.
const HELD_FLOATS: usize = 384 * 1024;

/// Pieces of an image for the sake of that cache, at most.
const MOST_PIECES: usize = 8;

/// Floats of the transformed input and the products of a piece, at most: with very many channels a piece has fewer tiles.
const MOST_FLOATS: usize = 3 << 20;

/// Pieces for each thread that keep all busy to the end, if they are no multiple of the threads.
const ENOUGH_PIECES: usize = 4;

/// A transform to the drivers, which are compiled once for all of them.
struct Shape {
    /// Elements and outputs of a tile, along an axis.
    elements: usize,
    outputs: usize,
    stride: usize,
    weight: &'static [[f32; 3]],
    /// Rows of `weight` that differ.
    distinct: usize,
    input: fn(InputStage<'_>, Isa),
    output: fn(OutputStage, Isa),
}

impl Shape {
    const fn of<T: Transform<N, M>, const N: usize, const M: usize>() -> &'static Shape {
        const {
            assert!(M <= MOST_OUTPUTS);
            &Shape {
                elements: N,
                outputs: M,
                stride: T::STRIDE,
                weight: &T::WEIGHT,
                distinct: T::DISTINCT,
                input: |stage, isa| stage.run::<T, N, M>(isa),
                output: |stage, isa| stage.run::<T, N, M>(isa),
            }
        }
    }

    /// Transformed weights that differ.
    fn weights(&self) -> usize {
        self.distinct * self.distinct
    }
}

/// The most outputs of a tile along an axis.
const MOST_OUTPUTS: usize = 4;

fn supports(shape: &Shape, g: &ConvGeometry) -> bool {
    let axis = |axis: &crate::geometry::Axis| {
        axis.kernel == 3 && axis.stride == shape.stride && (axis.stride == 1 || axis.dilation == 1)
    };
    // An axis of one output has lost its stride.
    g.groups == 1 && axis(&g.y) && axis(&g.x)
}

fn cost(shape: &Shape, g: &ConvGeometry, isa: Isa) -> f64 {
    if g.c_in < LEAST_CHANNELS || g.c_out < LEAST_CHANNELS {
        return f64::INFINITY;
    }
    let lanes = isa.lanes() as f64;
    let tiles = (tiling::count(&g.y, shape.outputs) * tiling::count(&g.x, shape.outputs)) as f64;
    let [elements, outputs] = [shape.elements, shape.outputs].map(|side| (side * side) as f64);
    let vectors = |channels: usize| channels.div_ceil(isa.lanes()) as f64;
    let products = elements * tiles * g.c_in as f64 * vectors(g.c_out);
    // The elements of a tile with stride 2 are far more than there are registers: written and read again between the two passes.
    let [inward, outward] = if shape.stride > 1 { [15.0, 14.0] } else { [6.0, 5.0] };
    let transforms = tiles * elements * (inward * vectors(g.c_in) + outward * vectors(g.c_out));
    // Reading a weight that no near cache holds; where it comes from memory, the products of many tiles still hide it.
    let weight = (shape.weights() * g.c_in) as f64 * vectors(g.c_out);
    let line = if weight * lanes > NEAR_FLOATS as f64 { FAR_LINE } else { NEAR_LINE };
    let near = line * lanes / LINE as f64;
    let far = if weight * lanes > FAR_FLOATS { (16.0 - 0.5 * tiles).max(near) } else { near } * weight;
    let (copy, store) = match g.order {
        ChannelOrder::First => (0.6, 0.6),
        ChannelOrder::Last => (3.0 / lanes, 1.0 / lanes),
    };
    let copied = (g.y.output * g.y.stride * g.x.output * g.x.stride * g.c_in) as f64;
    products * 1.08 + transforms + far + copy * copied + store * tiles * outputs * g.c_out as f64 + 300.0
}

/// Reading a cache line of the weight from the last-level cache, beyond what the products of its tiles hide.
const FAR_LINE: f64 = 10.0;

/// The same where a nearer cache holds the weight.
const NEAR_LINE: f64 = 4.0;

/// A transformed weight of more floats than this leaves the last-level cache to be read again from memory.
const FAR_FLOATS: f64 = 6.5e6;

/// How the work is cut: a piece is a block of tiles of one image.
struct Pieces {
    /// Blocks of tile rows and of tile columns.
    blocks: [usize; 2],
    /// Blocks of output channels that are multiplied before they are transformed back.
    pass: usize,
    /// Whether the weight is too large to be near when it is read again.
    far: bool,
}

struct Winograd {
    shape: &'static Shape,
    geometry: ConvGeometry,
    isa: Isa,
    activation: super::Activation,
    bias: Aligned,
    /// The register tile adds no bias of its own.
    no_bias: Aligned,
    weights: Aligned,
    /// Distance of each channel of a transformed tile: the register tile takes them from a table.
    offsets: Vec<u32>,
    source: PixelSource,
    rows: Tiling,
    columns: Tiling,
    /// Of each tile column, from the left end of its block to its first pixel in scratch, in floats.
    column_starts: Vec<usize>,
    pieces: Pieces,
    scratch_len: usize,
}

fn pack(shape: &'static Shape, problem: Problem<'_>) -> Box<dyn PackedConv> {
    let Problem { geometry: g, weight: elements, order, bias, activation, isa } = problem;
    let weight = GroupWeight { elements, taps: g.taps(), order };
    let lanes = isa.lanes();
    let block = pixel_tile::vectors(isa) * lanes;
    let source = PixelSource::new(&g);
    let (rows, columns) = (Tiling::new(&g.y, shape.outputs), Tiling::new(&g.x, shape.outputs));
    let far = shape.weights() * g.c_in * g.c_out > NEAR_FLOATS;
    let pieces = pieces(shape, &g, [&rows, &columns], far, block);
    let mut column_starts = Vec::with_capacity(columns.starts.len());
    for index in 0..pieces.blocks[1] {
        let tiles = share(columns.starts.len(), pieces.blocks[1], index);
        let left = first_output(&columns, &tiles);
        column_starts
            .extend(columns.starts[tiles].iter().map(|start| (start - left) * g.x.stride * source.pixel()));
    }
    let mut packed = Winograd {
        shape,
        geometry: g,
        isa,
        activation,
        bias: pack_bias(bias, g.c_out, lanes),
        no_bias: Aligned::zeros(block),
        weights: weights::pack(&shape.weight[..shape.distinct], weight, isa, block),
        offsets: (0..g.c_in).map(|c| u32::try_from(c).expect("channels of a weight in memory")).collect(),
        source,
        rows,
        columns,
        column_starts,
        pieces,
        scratch_len: 0,
    };
    packed.scratch_len = packed.most_scratch();
    Box::new(packed)
}

fn pieces(shape: &Shape, g: &ConvGeometry, [rows, columns]: [&Tiling; 2], far: bool, block: usize) -> Pieces {
    let (all_rows, all_columns) = (rows.starts.len(), columns.starts.len());
    let elements = shape.elements * shape.elements;
    let tile = elements * (g.c_in + g.c_out);
    let most = if far {
        // Every piece reads the weight; what of a piece no near cache holds is written to a far one and read again.
        let weight = shape.weights() * g.c_in * g.c_out;
        let all = all_rows * all_columns;
        let moved = |pieces: &usize| pieces * weight + 2 * (all * tile).saturating_sub(pieces * HELD_FLOATS);
        let pieces = (1..=MOST_PIECES).min_by_key(moved).unwrap_or(1);
        all.div_ceil(pieces).min(MANY_TILES).min(MOST_FLOATS / tile)
    } else {
        WORK_FLOATS / tile
    };
    let most = most.max(PIXELS);
    // Dilated columns of a block would read pixels of the whole row, so it is not cut.
    let columns_of_block = if columns.step > 1 { all_columns } else { most };
    let column_blocks = all_columns.div_ceil(columns_of_block);
    let rows_of_block = (most / all_columns.div_ceil(column_blocks)).max(1);
    let row_blocks = all_rows.div_ceil(rows_of_block);
    // Operands that are near can be read again for each block of channels, and only its products take room.
    let tiles = all_rows.div_ceil(row_blocks) * all_columns.div_ceil(column_blocks);
    let near = tiles * elements * (g.c_in + block) <= WORK_FLOATS;
    Pieces { blocks: [row_blocks, column_blocks], pass: if near { 1 } else { g.c_out.div_ceil(block) }, far }
}

/// The least output of some tiles of an axis.
fn first_output(tiling: &Tiling, tiles: &Range<usize>) -> usize {
    tiling.starts[tiles.clone()].iter().copied().min().unwrap_or(0)
}

/// Where things are in a piece's scratch, in floats.
struct Scratch {
    /// Input pixels of a line, and outputs of a line.
    pixels: usize,
    outputs: usize,
    /// Floats from one transformed tile to the next, and from one element to the next.
    tile: usize,
    element: usize,
    /// From one tile of the products to the next: the channels of a pass; and from one element to the next.
    product_tile: usize,
    product: usize,
    lengths: [usize; 4],
}

impl Winograd {
    /// Channels of a full block.
    fn width(&self) -> usize {
        pixel_tile::vectors(self.isa) * self.isa.lanes()
    }

    /// The scratch of a piece of these tiles.
    fn scratch(&self, rows: &Range<usize>, columns: &Range<usize>) -> Scratch {
        let (g, shape) = (&self.geometry, self.shape);
        let starts = &self.columns.starts[columns.clone()];
        let left = first_output(&self.columns, columns);
        let last = starts.iter().max().map_or(0, |start| start - left);
        let pixels = last * g.x.stride + (shape.elements - 1) * g.x.dilation + 1;
        let outputs = last + (shape.outputs - 1) * self.columns.step + 1;
        let tiles = rows.len() * columns.len();
        let tile = g.c_in.next_multiple_of(self.isa.lanes());
        // Elements a multiple of a page apart would compete for the same places of the first-level cache.
        let product_tile = self.pieces.pass * self.width();
        let (element, product) = (tiles * tile + LINE, tiles * product_tile + LINE);
        let results = if g.order == ChannelOrder::First { shape.outputs * outputs * self.width() } else { 0 };
        let lines = self.lines(rows).map(|(_, end)| end).max().unwrap_or(0);
        let elements = shape.elements * shape.elements;
        // A vector of the last pixel's channels may reach beyond them.
        let line = pixels * self.source.pixel();
        let lengths = [lines * line + LINE, elements * element, elements * product, results];
        Scratch {
            pixels,
            outputs,
            tile,
            element,
            product_tile,
            product,
            lengths: lengths.map(|n| n.next_multiple_of(LINE)),
        }
    }

    /// For each row of tiles, how many of its input lines the one before it has not, and where they end in scratch: after those,
    /// or at the start if nothing is left of them.
    fn lines(&self, rows: &Range<usize>) -> impl Iterator<Item = (usize, usize)> {
        let first = rows.start;
        let Shape { elements: all, outputs, stride, .. } = *self.shape;
        rows.clone().scan(0, move |end, row| {
            let new = if row > first && self.rows.follows(row) { outputs * stride } else { all };
            *end = if new < all { *end + new } else { all };
            Some((new.min(all), *end))
        })
    }

    /// Scratch of the largest piece.
    fn most_scratch(&self) -> usize {
        let [row_blocks, column_blocks] = self.pieces.blocks;
        (0..row_blocks)
            .flat_map(|y| (0..column_blocks).map(move |x| [y, x]))
            .map(|block| self.block(block))
            .map(|(rows, columns)| self.scratch(&rows, &columns).lengths.iter().sum())
            .max()
            .unwrap_or(0)
    }

    fn block(&self, [y, x]: [usize; 2]) -> (Range<usize>, Range<usize>) {
        let [row_blocks, column_blocks] = self.pieces.blocks;
        (share(self.rows.starts.len(), row_blocks, y), share(self.columns.starts.len(), column_blocks, x))
    }

    /// Copies and transforms the input of a piece.
    fn transform_input(
        &self,
        input: &InputView<'_>,
        n: usize,
        [rows, columns]: [&Range<usize>; 2],
        at: &Scratch,
        lines: &mut [f32],
        operands: &mut [f32],
    ) {
        let g = &self.geometry;
        let all = self.shape.elements;
        let line = at.pixels * self.source.pixel();
        let left = first_output(&self.columns, columns) * g.x.stride;
        for (i, (row, (new, end))) in rows.clone().zip(self.lines(rows)).enumerate() {
            for y in all - new..all {
                let position = self.rows.starts[row] * g.y.stride + y * g.y.dilation;
                let target = &mut lines[(end - all + y) * line..][..line];
                self.source.fill_line(self.isa, input, n, [position, left], target);
            }
            let stage = InputStage {
                source: lines[(end - all) * line..].as_ptr(),
                row: line,
                pixel: g.x.dilation * self.source.pixel(),
                starts: &self.column_starts[columns.clone()],
                channels: g.c_in,
                target: operands[i * columns.len() * at.tile..].as_mut_ptr(),
                element: at.element,
                tile: at.tile,
            };
            (self.shape.input)(stage, self.isa);
        }
    }

    /// The transformed weight `index` of a block of output channels.
    fn block_weights(&self, block: usize, index: usize) -> *const f32 {
        let g = &self.geometry;
        let first = block * self.width();
        let width = self.width().min(g.c_out - first).next_multiple_of(self.isa.lanes());
        &raw const self.weights.as_slice()[self.shape.weights() * g.c_in * first + index * g.c_in * width]
    }

    /// Multiplies every element of every tile with the weight of some blocks of output channels. An element's tiles stay near while
    /// the weight passes by.
    fn multiply(&self, blocks: Range<usize>, at: &Scratch, operands: &[f32], products: &mut [f32]) {
        let Self { geometry: g, isa, .. } = self;
        let Shape { elements: all, distinct, .. } = *self.shape;
        let tiles = (at.element - LINE) / at.tile;
        let shares = tiles.div_ceil(PIXELS);
        // The elements of one coordinate that have its weight.
        let with = |weight: usize| weight..if weight + 1 < distinct { weight + 1 } else { all };
        for index in 0..self.shape.weights() {
            let [rows, columns] = [index / distinct, index % distinct].map(with);
            let elements = rows.flat_map(|y| columns.clone().map(move |x| y * all + x));
            let count = elements.clone().count() * shares;
            for (i, block) in blocks.clone().enumerate() {
                let first = block * self.width();
                let width = self.width().min(g.c_out - first).next_multiple_of(isa.lanes());
                let weights = self.block_weights(block, index);
                let next = if block + 1 < blocks.end {
                    self.block_weights(block + 1, index)
                } else {
                    self.block_weights(blocks.start, (index + 1) % self.shape.weights())
                };
                let next = self.pieces.far.then_some(next);
                let shares =
                    elements.clone().flat_map(|element| (0..shares).map(move |share| [element, share]));
                for (turn, [element, index]) in shares.enumerate() {
                    let tiles = share(tiles, tiles.div_ceil(PIXELS), index);
                    let mut bases = [std::ptr::null(); PIXELS];
                    let mut targets = [std::ptr::null_mut(); PIXELS];
                    for (t, tile) in tiles.clone().enumerate() {
                        bases[t] = &raw const operands[element * at.element + tile * at.tile];
                        let place = element * at.product + tile * at.product_tile + i * self.width();
                        targets[t] = &raw mut products[place];
                    }
                    let tile = PixelTile {
                        offsets: &self.offsets,
                        bases,
                        weights,
                        ahead: next.and_then(|next| Ahead::new(next, [g.c_in, width], turn, count)),
                        start: self.no_bias.as_slice().as_ptr(),
                        start_step: 0,
                        targets,
                        channels: width,
                        activation: super::Activation::None,
                    };
                    // SAFETY: operands have `c_in` floats for every tile and element, weights a vector of `width` for each of
                    // them, and products `self.width() >= width` floats for every tile, element and block.
                    unsafe { pixel_tile::run(*isa, tiles.len(), width / isa.lanes(), &tile) };
                }
            }
        }
    }

    /// Transforms the products of `channels` output channels from `first` on, and stores them.
    fn transform_output(
        &self,
        output: &OutputView<'_>,
        n: usize,
        [rows, columns]: [&Range<usize>; 2],
        [first, channels]: [usize; 2],
        at: &Scratch,
        products: &[f32],
        results: &mut [f32],
    ) {
        let g = &self.geometry;
        let left = first_output(&self.columns, columns);
        let outputs = at.outputs.min(g.x.output - left);
        for (i, row) in rows.clone().enumerate() {
            let top = self.rows.starts[row];
            let height = self.rows.inside(row);
            for (j, column) in columns.clone().enumerate() {
                let x = self.columns.starts[column];
                let (target, row_stride, pixel) = match g.order {
                    ChannelOrder::First => {
                        (results[(x - left) * channels..].as_mut_ptr(), outputs * channels, channels)
                    }
                    ChannelOrder::Last => (
                        output.at(((n * g.y.output + top) * g.x.output + x) * g.c_out + first),
                        self.rows.step * g.x.output * g.c_out,
                        g.c_out,
                    ),
                };
                let (pixel, inside) = (self.columns.step * pixel, [height, self.columns.inside(column)]);
                let stage = OutputStage {
                    source: products[(i * columns.len() + j) * at.product_tile..].as_ptr(),
                    element: at.product,
                    bias: &raw const self.bias.as_slice()[first],
                    target,
                    row: row_stride,
                    pixel,
                    inside,
                    channels,
                };
                (self.shape.output)(stage, self.isa);
                let starts: [_; MOST_OUTPUTS] = std::array::from_fn(|x| target.wrapping_add(x * pixel));
                let stored = Stored {
                    activation: self.activation,
                    starts: &starts[..inside[1]],
                    counts: &[channels; MOST_OUTPUTS],
                    rows: height,
                    stride: row_stride,
                };
                // SAFETY: these are the outputs of the tile that were just stored.
                unsafe { stored.activate(self.isa) };
            }
            if g.order == ChannelOrder::First {
                // Rows that follow each other in the plane are one line.
                let joined = self.rows.step == 1 && outputs == g.x.output;
                let (lines, length) = if joined { (1, height * outputs) } else { (height, outputs) };
                for y in 0..lines {
                    let place = (top + y * self.rows.step) * g.x.output + left;
                    let to_planes = SwapAxes {
                        source: results[y * outputs * channels..].as_ptr(),
                        source_stride: channels,
                        target: output.at((n * g.c_out + first) * g.plane() + place),
                        target_stride: g.plane(),
                        size: [length, channels],
                    };
                    // SAFETY: these outputs of these channels' planes are this piece's to write, and were just computed.
                    unsafe { to_planes.run(self.isa) };
                }
            }
        }
    }
}

impl PackedConv for Winograd {
    fn tiles(&self) -> usize {
        let [rows, columns] = self.pieces.blocks;
        self.geometry.batch * rows * columns
    }

    /// Parts of the output channels, each of which transforms the whole input again.
    fn parts(&self, threads: usize) -> usize {
        let tiles = self.tiles();
        let busy = |parts: &usize| {
            (tiles * parts).is_multiple_of(threads) || tiles * parts >= ENOUGH_PIECES * threads
        };
        let most = self.geometry.c_out.div_ceil(self.width());
        (1..most).find(busy).unwrap_or(most)
    }

    fn scratch_len(&self) -> usize {
        self.scratch_len
    }

    fn register_tile(&self) -> RegisterTile {
        RegisterTile { rows: PIXELS, vectors: pixel_tile::vectors(self.isa), lanes: Lanes::Channels }
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
        let [row_blocks, column_blocks] = self.pieces.blocks;
        let (tile, x) = (tile / column_blocks, tile % column_blocks);
        let (n, y) = (tile / row_blocks, tile % row_blocks);
        let (rows, columns) = self.block([y, x]);
        let at = self.scratch(&rows, &columns);
        let (lines, rest) = scratch.split_at_mut(at.lengths[0]);
        let (operands, rest) = rest.split_at_mut(at.lengths[1]);
        let (products, results) = rest.split_at_mut(at.lengths[2]);

        self.transform_input(input, n, [&rows, &columns], &at, lines, operands);
        let blocks = share(g.c_out.div_ceil(self.width()), parts, part);
        for first in blocks.clone().step_by(self.pieces.pass) {
            let pass = first..blocks.end.min(first + self.pieces.pass);
            self.multiply(pass.clone(), &at, operands, products);
            for (i, block) in pass.enumerate() {
                let first = block * self.width();
                let channels = self.width().min(g.c_out - first);
                let products = &products[i * self.width()..];
                self.transform_output(
                    output,
                    n,
                    [&rows, &columns],
                    [first, channels],
                    &at,
                    products,
                    results,
                );
            }
        }
    }
}
