//! The table of algorithms. A new one is a file beside this one and a row here; tests, benchmarks and `info()` walk the table.

use super::group_weight::{GroupWeight, WeightOrder};
use super::{
    Activation, RegisterTile, bf16x3, channels_last, depthwise, depthwise_last, direct, fft, filter2d, gemm,
    winograd, winograd_1d,
};
use crate::geometry::ConvGeometry;
use crate::view::{InputView, OutputView};
use corr2d_simd::Isa;
use std::ops::Range;

/// A way to compute a cross-correlation.
pub struct Algorithm {
    /// Its name in the public interface.
    pub name: &'static str,
    /// Whether it can do the geometry at all.
    pub supports: fn(&ConvGeometry) -> bool,
    /// Estimated time in vector multiply-add issue slots of one image, for choosing among those that support a geometry. It must
    /// not depend on the batch, so that splitting a batch never changes the algorithm, and so the bits.
    pub cost: fn(&ConvGeometry, Isa) -> f64,
    /// Estimated time to transform one element of the weight beyond copying it, in the unit of `cost`: what a plan that is used once
    /// pays besides.
    pub(crate) packing: f64,
    /// How exact its results are.
    pub accuracy: Accuracy,
    /// Whether it packs weights of either order.
    pub(crate) packs_by_tap: bool,
    /// Packs the weight.
    pub(crate) pack: fn(Problem<'_>) -> Box<dyn PackedConv>,
}

/// The error bound of an algorithm, with `n` products in a sum and ε = 2⁻²³.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Accuracy {
    /// Every product is summed as it is, in the weight's order: |error| ≤ (n + 1) · ε · (|bias| + Σ|w·x|). Sums of small integers are
    /// exact. An infinity or NaN reaches the outputs whose windows hold it and no others.
    Direct,
    /// Sums of transformed elements: |error| ≤ amplification · (n + 1) · ε · (|bias| + Σ max|w| · max|x|), where the maxima are taken
    /// over each channel's kernel and over the input near the window (with `fft`, the two tiles that are transformed together). An
    /// infinity becomes NaN, and both make their neighbours NaN.
    Transformed {
        /// Factor of the bound.
        amplification: f64,
        /// What [`Accuracy::is_exact`] answers.
        exact: bool,
    },
}

impl<'a> Problem<'a> {
    /// The weight of each group.
    pub(super) fn groups(&self) -> impl Iterator<Item = GroupWeight<'a>> {
        let Problem { geometry: g, weight, order, .. } = *self;
        let group = move |elements| GroupWeight { elements, taps: g.taps(), order };
        weight.chunks_exact(g.c_out_group() * g.taps()).map(group)
    }
}

impl Accuracy {
    /// Whether sums of small integers are exact, and an infinity or NaN reaches only the outputs whose windows hold it.
    pub fn is_exact(self) -> bool {
        match self {
            Accuracy::Direct => true,
            Accuracy::Transformed { exact, .. } => exact,
        }
    }
}

/// Every algorithm. `channels-last` supports every geometry, `direct` every one with channels first.
// A constant would be compiled again, with everything it points to, in every crate that names it.
pub static ALGORITHMS: &[Algorithm] = &[
    direct::ALGORITHM,
    gemm::ALGORITHM,
    filter2d::ALGORITHM,
    depthwise::ALGORITHM,
    channels_last::ALGORITHM,
    depthwise_last::ALGORITHM,
    winograd::F2_ALGORITHM,
    winograd::F3_ALGORITHM,
    winograd::F4_ALGORITHM,
    winograd::STRIDED3_ALGORITHM,
    winograd::STRIDED4_ALGORITHM,
    winograd_1d::ALGORITHM,
    bf16x3::ALGORITHM,
    fft::ALGORITHM,
];

/// The algorithms that support a geometry with their costs, the cheapest first; of equal ones the first of the table.
pub(super) fn by_cost(g: &ConvGeometry, isa: Isa) -> Vec<(f64, &'static Algorithm)> {
    let mut all: Vec<(f64, &'static Algorithm)> = Vec::with_capacity(ALGORITHMS.len());
    // The library's sorts are much code, and so few are sorted as fast by insertion.
    for algorithm in ALGORITHMS.iter().filter(|algorithm| (algorithm.supports)(g)) {
        let cost = (algorithm.cost)(g, isa);
        let place = all.partition_point(|(other, _)| other.total_cmp(&cost).is_le());
        all.insert(place, (cost, algorithm));
    }
    all
}

/// What an algorithm packs: the weight is `[c_out, c_in / groups, kh, kw]`, `bias` has `c_out` elements.
#[derive(Clone, Copy)]
pub(crate) struct Problem<'a> {
    pub(crate) geometry: ConvGeometry,
    pub(crate) weight: &'a [f32],
    /// Of the channels and taps of each group; another than the usual only for those that say so (`packs_by_tap`).
    pub(crate) order: WeightOrder,
    pub(crate) bias: &'a [f32],
    pub(crate) activation: Activation,
    pub(crate) isa: Isa,
}

/// A packed convolution: tiles that can run on any thread, in any order. Either [`PackedConv::run_part`] or [`PackedConv::run_tile`] has
/// to be written; each calls the other.
pub(crate) trait PackedConv: Send + Sync {
    /// Number of tiles; together they write every output element once.
    fn tiles(&self) -> usize;

    /// Parts that each tile is cut into for so many threads. They may repeat work, so that one thread is better off without.
    fn parts(&self, _threads: usize) -> usize {
        1
    }

    /// Floats of scratch memory that a tile needs.
    fn scratch_len(&self) -> usize;

    /// The largest register tile of its hot loop, for [`ConvPlan::explain`](super::ConvPlan::explain).
    fn register_tile(&self) -> RegisterTile;

    /// Computes part `part` of `parts` of a tile: what an algorithm has that cuts its tiles. `input` and `output` have the shapes of the
    /// geometry that was packed.
    fn run_part(
        &self,
        tile: usize,
        [_part, _parts]: [usize; 2],
        input: &InputView<'_>,
        output: &OutputView<'_>,
        scratch: &mut [f32],
    ) {
        self.run_tile(tile, input, output, scratch);
    }

    /// Computes one tile: what an algorithm has instead that never cuts them.
    fn run_tile(&self, tile: usize, input: &InputView<'_>, output: &OutputView<'_>, scratch: &mut [f32]) {
        self.run_part(tile, [0, 1], input, output, scratch);
    }
}

/// Part `index` of `all` things cut into `parts` of about the same size.
pub(super) fn share(all: usize, parts: usize, index: usize) -> Range<usize> {
    index * all / parts..(index + 1) * all / parts
}

/// Multiply-adds of a part, at most: a call that is cancelled ends its part.
const MOST_WORK: usize = 1 << 28;

/// How many parts a tile of a whole group is cut into for that reason alone; 0 for one that is small.
pub(super) fn least_parts(g: &ConvGeometry) -> usize {
    g.plane() * g.c_out_group() * g.taps() / MOST_WORK
}
