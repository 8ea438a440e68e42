//! `winograd-1d`: minimal filtering of the kernel's columns, F(2, 3) and F(2, 2): two output rows at once take four products instead of
//! six, or three instead of four, with pixels in lanes as in `direct`, for any kernel whose column has taps an output row apart. The
//! input rows of a tile are copied to scratch; for some vectors of a pair of rows the input is transformed once and serves all channels.
//! Rows that would not fill vectors of pixels are computed with channels in lanes (`channels.rs`).
//!
//! Its points are 0, ±1 and ∞, so that transforms add, subtract and halve: sums of small integers stay exact, and an output depends on
//! no rows but its own window's.

mod channels;
mod panel;
mod pixel_tile;
mod products;
mod rows;
mod tile;

use super::activation::Stored;
use super::explain::{Lanes, RegisterTile};
use super::padded_rows::PaddedRows;
use super::panel_tile::runs;
use super::registry::{Accuracy, Algorithm, PackedConv, Problem};
use crate::along::STREAMED;
use crate::buffer::{Aligned, LINE};
use crate::geometry::{ChannelOrder, ConvGeometry};
use crate::view::{InputView, OutputView};
use corr2d_simd::Isa;
use panel::{Panel, Turn};
use products::Products;
use tile::Tile;

pub(super) const ALGORITHM: Algorithm = Algorithm {
    name: "winograd-1d",
    supports,
    cost,
    packing: 1.5,
    // (max over outputs of Σ|A|·Σ|G|·Σ|B|) ⁄ 3 is 8⁄3, times 2 for the roundings of the transforms, rounded.
    accuracy: Accuracy::Transformed { amplification: 6.0, exact: true },
    packs_by_tap: false,
    pack,
};

/// Scratch for one tile's input: a small part of a typical second-level cache.
const SOURCE_FLOATS: usize = 24 * 1024;

/// Floats of a panel that stay in a typical first-level cache while all channels use them.
const NEAR_FLOATS: usize = 10 * 1024;

/// Floats of a panel and the weights of all channels that a typical second-level cache does not hold.
const FAR_FLOATS: usize = 256 * 1024;

/// Enough tiles to keep many threads busy to the end.
const ENOUGH_TILES: usize = 32;

/// Splitting rows between tiles copies some of them twice, so each part must keep this many multiply-adds.
const LEAST_WORK: usize = 1 << 19;

fn supports(g: &ConvGeometry) -> bool {
    g.order == ChannelOrder::First && g.y.output > 1 && products::step(&g.y).is_some()
}

fn cost(g: &ConvGeometry, isa: Isa) -> f64 {
    let Some(step) = products::step(&g.y) else { return f64::INFINITY };
    // What each channel and each group costs whatever its size.
    let calls = (60 * g.c_in + 400 * g.groups) as f64;
    pixels_cost(g, isa, step).min(channels::cost(g, isa, step)) + calls + 1000.0
}

/// The cost with pixels in lanes.
fn pixels_cost(g: &ConvGeometry, isa: Isa, step: usize) -> f64 {
    let lanes = isa.lanes() as f64;
    let products = products::count(g, step);
    let vectors = g.x.output.div_ceil(isa.lanes());
    let pairs = (g.groups * g.y.output.div_ceil(2)) as f64;
    let width = tile::vectors(isa).min(vectors);
    let panels = vectors.div_ceil(tile::vectors(isa)) as f64;
    let block = tile::channels(isa.registers());
    let blocks = g.c_out_group().div_ceil(block);
    // Weights and vectors are loaded two at a time, as sums are.
    let loads = (width + block) as f64 / (width * block) as f64;
    let panel = products * width * isa.lanes();
    let near = match panel + products * g.c_out_group() {
        FAR_FLOATS.. => 1.6,
        _ if panel > NEAR_FLOATS => 1.1,
        _ => 1.0,
    };
    let slots = 1.04 * near + 0.3 * (loads - 0.6).max(0.0);
    let sums = pairs * (vectors * blocks * block * products) as f64 * slots;
    let transformed = pairs * (vectors * products) as f64 * 5.5;
    // Lines that two panels share are written twice, the second time after all channels.
    let shared =
        if whole_vectors(g, isa) { 0.0 } else { 6.0 * pairs * (2 * vectors * g.c_out_group()) as f64 };
    let copied = g.c_in as f64 * (g.y.output * g.y.stride) as f64 * (g.x.output * g.x.stride) as f64 / lanes;
    let copy = if g.x.stride == 1 { 3.0 } else { 8.0 };
    sums + transformed + shared + pairs * panels * (100.0 + 30.0 * blocks as f64) + copied * copy
}

/// Whether rows of the output are whole vectors, so that all can be cut at cache lines alike.
fn whole_vectors(g: &ConvGeometry, isa: Isa) -> bool {
    g.x.output.is_multiple_of(isa.lanes())
}

struct Winograd1d {
    geometry: ConvGeometry,
    isa: Isa,
    activation: super::Activation,
    /// Channels of each group, whole blocks.
    bias: Aligned,
    weights: Aligned,
    products: Products,
    source: PaddedRows,
    /// Pairs of output rows of a tile.
    pairs: usize,
    /// Whether the output is so large, and its lines so whole, that they are written past the caches. An activation reads them again.
    streams: bool,
}

/// Pairs of output rows of a tile whose input goes to `source`.
fn pairs_of_tile(g: &ConvGeometry, source: &PaddedRows) -> usize {
    let all = g.y.output.div_ceil(2);
    let mut pairs = (source.output_rows(SOURCE_FLOATS) / 2).max(1);
    let wanted = ENOUGH_TILES.div_ceil(g.batch.max(1) * g.groups);
    let work = |pairs: usize| 2 * pairs * g.x.output * g.c_out_group() * g.taps();
    while pairs > 1 && all.div_ceil(pairs) < wanted && work(pairs / 2) >= LEAST_WORK {
        pairs = pairs.div_ceil(2);
    }
    all.div_ceil(all.div_ceil(pairs))
}

fn pack(problem: Problem<'_>) -> Box<dyn PackedConv> {
    let Problem { geometry: g, weight, bias, activation, isa, .. } = problem;
    let step = products::step(&g.y).expect("a supported geometry");
    if channels::cost(&g, isa, step) < pixels_cost(&g, isa, step) {
        return channels::pack(problem, step);
    }
    let source = PaddedRows::new(&g, isa.lanes());
    let pairs = pairs_of_tile(&g, &source);
    let source = source.of_output_rows(2 * pairs);
    let products = Products::new(&g, step, &source);
    let block = tile::channels(isa.registers());
    Box::new(Winograd1d {
        geometry: g,
        isa,
        activation,
        bias: super::pixel_tile::pack_bias(bias, g.c_out_group(), block),
        weights: products.pack_weights(&g, weight, block),
        products,
        source,
        pairs,
        // Its stores are far apart in time, so they hold up one thread less than others'.
        streams: g.output_len() * size_of::<f32>() > 3 * STREAMED
            && isa.lanes() == LINE
            && whole_vectors(&g, isa)
            && activation == super::Activation::None,
    })
}

/// A run of vectors of a pair of rows.
#[derive(Clone, Copy)]
struct Cut {
    /// The first pixel.
    x: usize,
    vectors: usize,
    /// Pixels that the last vector holds, up to the row's end.
    last: usize,
    /// Whether its other lanes hold the row's beginning.
    turns: bool,
}

impl Winograd1d {
    fn row_tiles(&self) -> usize {
        self.geometry.y.output.div_ceil(2 * self.pairs)
    }

    /// Pixels before the first vector of a row: as many as make every vector a part of one cache line, where rows are whole vectors.
    fn lead(&self, target: *const f32) -> usize {
        let lanes = self.isa.lanes();
        let beyond = target.addr() / size_of::<f32>() % lanes;
        if whole_vectors(&self.geometry, self.isa) { (lanes - beyond) % lanes } else { 0 }
    }

    fn cuts(&self, lead: usize) -> impl Iterator<Item = Cut> {
        let (lanes, width) = (self.isa.lanes(), self.geometry.x.output);
        let all = width.div_ceil(lanes);
        runs(all, tile::vectors(self.isa)).into_iter().flat_map(move |run| {
            (0..run.panels).map(move |panel| {
                let first = run.start + panel * run.width;
                let x = lead + first * lanes;
                let before = x + (run.width - 1) * lanes;
                let last = lanes.min(width - before);
                Cut { x, vectors: run.width, last, turns: lead > 0 && last < lanes }
            })
        })
    }

    /// Computes `rows` (one or two) output rows of a group from their windows, which start in `source`; `target` is the first channel's
    /// first pixel.
    fn run_pair(&self, group: usize, rows: usize, source: *const f32, target: *mut f32, panel: &mut [f32]) {
        let g = &self.geometry;
        let width = g.x.output;
        let block = tile::channels(self.isa.registers());
        let packed = group * g.c_out_group().next_multiple_of(block);
        for cut in self.cuts(self.lead(target)) {
            let transform = Panel {
                elements: &self.products.elements,
                source: source.wrapping_add(cut.x),
                target: panel.as_mut_ptr(),
                width: cut.vectors,
                turn: cut.turns.then_some(Turn { end: cut.last, width }),
            };
            // SAFETY: rows of the scratch hold whole vectors of windows; the panel has room for the widest run.
            unsafe { panel::transform(self.isa, &transform) };
            let tile = Tile {
                stages: self.products.stages,
                input: panel.as_ptr(),
                weights: &raw const self.weights.as_slice()[packed * self.products.elements.len()],
                bias: &raw const self.bias.as_slice()[packed],
                target: target.wrapping_add(cut.x),
                channels: g.c_out_group(),
                plane: g.plane(),
                rows,
                row: width,
                last: cut.last,
                back: cut.turns.then_some(width),
                streams: self.streams,
            };
            // SAFETY: weights and bias are packed for whole blocks; the rows are this tile's part of the output.
            unsafe { tile::run(self.isa, cut.vectors, &tile) };
            self.activate(target, rows, cut);
        }
    }

    fn activate(&self, start: *mut f32, rows: usize, cut: Cut) {
        let g = &self.geometry;
        let lanes = self.isa.lanes();
        for row in 0..rows {
            let start = start.wrapping_add(row * g.x.output);
            let stored = Stored {
                activation: self.activation,
                starts: &[start.wrapping_add(cut.x), start],
                counts: &[(cut.vectors - 1) * lanes + cut.last, if cut.turns { lanes - cut.last } else { 0 }],
                rows: g.c_out_group(),
                stride: g.plane(),
            };
            // SAFETY: these are the floats that the tile has stored.
            unsafe { stored.activate(self.isa) };
        }
    }
}

impl PackedConv for Winograd1d {
    fn tiles(&self) -> usize {
        self.geometry.batch * self.geometry.groups * self.row_tiles()
    }

    fn scratch_len(&self) -> usize {
        let panel = self.products.elements.len() * tile::vectors(self.isa) * self.isa.lanes();
        self.source.len().next_multiple_of(LINE) + panel
    }

    fn register_tile(&self) -> RegisterTile {
        let rows = 2 * tile::channels(self.isa.registers());
        RegisterTile { rows, vectors: tile::vectors(self.isa), lanes: Lanes::Pixels }
    }

    fn run_tile(&self, index: usize, input: &InputView<'_>, output: &OutputView<'_>, scratch: &mut [f32]) {
        let g = &self.geometry;
        let (index, row_tile) = (index / self.row_tiles(), index % self.row_tiles());
        let (n, group) = (index / g.groups, index % g.groups);
        let first_row = row_tile * 2 * self.pairs;
        let rows = (2 * self.pairs).min(g.y.output - first_row);
        let (source, panel) = scratch.split_at_mut(self.source.len().next_multiple_of(LINE));
        self.source.fill(self.isa, input, n, group, first_row, rows, source);
        for y in (0..rows).step_by(2) {
            // Where the second row of the last pair is missing, its products are of what is left in scratch, and not stored.
            let source = &raw const source[self.source.row(0, y * g.y.stride)];
            let channel = n * g.c_out + group * g.c_out_group();
            let target = output.at((channel * g.y.output + first_row + y) * g.x.output);
            self.run_pair(group, 2.min(rows - y), source, target, panel);
        }
    }
}
