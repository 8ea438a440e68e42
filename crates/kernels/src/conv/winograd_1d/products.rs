//! What is multiplied for a pair of output rows: elements of two input rows, added or subtracted, by sums of a kernel's column.

use super::super::padded_rows::PaddedRows;
use crate::buffer::Aligned;
use crate::geometry::{Axis, ConvGeometry};

/// A transformed input element: `first + factor · second`, both counted from the first element of the pair's windows.
#[derive(Clone, Copy)]
pub(super) struct Element {
    pub(super) first: u32,
    pub(super) second: u32,
    pub(super) factor: f32,
}

/// A product of a piece of a kernel's column: `(d[first] + factor · d[second]) · Σ weight · w`.
struct Product {
    first: usize,
    second: usize,
    factor: f32,
    weight: [f32; 3],
}

const fn product([first, second]: [usize; 2], factor: f32, weight: [f32; 3]) -> Product {
    Product { first, second, factor, weight }
}

/// How a piece of a column is filtered. Let `p` and `m` be two sums. Products of the first stage are added to `p` and `m` in turn, those of
/// the second to `p`. The outputs are `y₀ = p + m` and `y₁ = p − m`; products of the third stage are added to `y₀` and `y₁` in turn.
type Stages = [&'static [Product]; STAGES];

pub(super) const STAGES: usize = 3;

/// F(2, 3) with the points 1, −1, 0 and ∞: four products for six.
const THREE: Stages = [
    &[product([1, 2], 1.0, [0.5, 0.5, 0.5]), product([2, 1], -1.0, [0.5, -0.5, 0.5])],
    &[],
    &[product([0, 2], -1.0, [1.0, 0.0, 0.0]), product([3, 1], -1.0, [0.0, 0.0, 1.0])],
];

/// F(2, 2) with the points 1, 0 and ∞: three products for four.
const TWO: Stages = [
    &[],
    &[product([1, 1], 0.0, [1.0, 1.0, 0.0])],
    &[product([0, 1], -1.0, [1.0, 0.0, 0.0]), product([2, 1], -1.0, [0.0, 1.0, 0.0])],
];

/// One tap: its two products.
const ONE: Stages =
    [&[], &[], &[product([0, 0], 0.0, [1.0, 0.0, 0.0]), product([1, 1], 0.0, [1.0, 0.0, 0.0])]];

/// Neighbouring taps of a column, as far apart as output rows are.
struct Piece {
    /// The first tap.
    tap: usize,
    stages: &'static Stages,
}

/// Taps between those that are as far apart as output rows, if some are.
pub(super) fn step(y: &Axis) -> Option<usize> {
    let step = y.stride / y.dilation;
    (y.stride.is_multiple_of(y.dilation) && step < y.kernel).then_some(step)
}

/// Cuts a column into pieces of three and two taps, single ones only where a tap has no neighbour.
fn pieces(kernel: usize, step: usize) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for phase in 0..step.min(kernel) {
        let mut tap = phase;
        while tap < kernel {
            let (taps, stages) = match (kernel - tap).div_ceil(step) {
                1 => (1, &ONE),
                2 | 4 => (2, &TWO),
                _ => (3, &THREE),
            };
            pieces.push(Piece { tap, stages });
            tap += taps * step;
        }
    }
    pieces
}

/// Products of one output channel and of one pixel of a pair of rows.
pub(super) fn count(g: &ConvGeometry, step: usize) -> usize {
    let column = pieces(g.y.kernel, step);
    let products = |piece: &Piece| piece.stages.iter().map(|stage| stage.len()).sum::<usize>();
    column.iter().map(products).sum::<usize>() * g.x.kernel * g.c_in_group()
}

/// All products of a geometry, stage by stage.
pub(super) struct Products {
    pub(super) elements: Vec<Element>,
    /// The elements of whole rows, for all columns of the kernel: those of its first column.
    pub(super) rows: Vec<Element>,
    /// For each product its row, and how far its element is from the row's first.
    places: Vec<[usize; 2]>,
    /// Products of each stage.
    pub(super) stages: [usize; STAGES],
    /// Where the taps that each product sums are in a channel's weight, and their factors.
    weights: Vec<[(usize, f32); 3]>,
}

impl Products {
    pub(super) fn new(g: &ConvGeometry, step: usize, source: &PaddedRows) -> Products {
        let column = pieces(g.y.kernel, step);
        let mut products = Products {
            elements: Vec::new(),
            rows: Vec::new(),
            places: Vec::new(),
            stages: [0; STAGES],
            weights: Vec::new(),
        };
        for stage in 0..STAGES {
            for c in 0..g.c_in_group() {
                for piece in &column {
                    products.push(g, step, source, [c, piece.tap], piece.stages[stage]);
                }
            }
            products.stages[stage] = products.elements.len() - products.stages.iter().sum::<usize>();
        }
        products
    }

    /// Adds a stage's products of a piece that starts at row `ky` of the kernel.
    fn push(
        &mut self,
        g: &ConvGeometry,
        step: usize,
        source: &PaddedRows,
        [c, ky]: [usize; 2],
        stage: &[Product],
    ) {
        let element = |product: &Product, column: usize| {
            let place = |i: usize| {
                let row = source.row(c, ky * g.y.dilation + i * g.y.stride);
                u32::try_from(row + column).expect("a tile's scratch is far below 2^32 floats")
            };
            Element { first: place(product.first), second: place(product.second), factor: product.factor }
        };
        let first_row = self.rows.len();
        self.rows.extend(stage.iter().map(|product| element(product, 0)));
        for kx in 0..g.x.kernel {
            let column = source.tap(kx * g.x.dilation);
            for (i, product) in stage.iter().enumerate() {
                self.elements.push(element(product, column));
                self.places.push([first_row + i, column]);
                let tap = |i: usize| ((c * g.y.kernel + ky + i * step) * g.x.kernel + kx, product.weight[i]);
                self.weights.push([tap(0), tap(1), tap(2)]);
            }
        }
    }

    /// How far each product's element is from the start of transformed rows that are `stride` floats apart.
    pub(super) fn offsets(&self, stride: usize) -> Vec<u32> {
        let offset = |[row, column]: &[usize; 2]| u32::try_from(row * stride + column);
        self.places.iter().map(|place| offset(place).expect("a tile's scratch is far below 2^32")).collect()
    }

    /// The weight `[c_out, taps]` as blocks of `block` channels of a group, each `[product][channel]` with zeros up to whole blocks.
    pub(super) fn pack_weights(&self, g: &ConvGeometry, weight: &[f32], block: usize) -> Aligned {
        let width = g.c_out_group().next_multiple_of(block);
        let mut packed = Aligned::zeros(g.groups * width * self.elements.len());
        for (channel, weight) in weight.chunks_exact(g.taps()).enumerate() {
            let (group, channel) = (channel / g.c_out_group(), channel % g.c_out_group());
            let start = (group * width + channel / block * block) * self.elements.len() + channel % block;
            let target = packed.as_mut_slice()[start..].iter_mut().step_by(block);
            for (target, taps) in target.zip(&self.weights) {
                // A tap that does not count may lie outside, or be infinite.
                let parts = taps.iter().filter(|(_, factor)| *factor != 0.0);
                *target = parts.map(|(tap, factor)| factor * weight[*tap]).sum();
            }
        }
        packed
    }
}
