//! Transposed convolution, on the plans of convolution. Output elements a stride apart are reached by the same taps, so each such
//! phase of the output is a convolution of stride 1 with those taps in reverse (Dumoulin and Visin, "A guide to convolution
//! arithmetic for deep learning", 2016, section 4): nothing is multiplied by zeros, and every algorithm of the registry serves. With
//! stride 1 there is one phase, which writes the output itself; otherwise phases are computed in scratch and interleaved.

mod interleave;
mod weight;

use super::activation::Activation;
use super::group_weight::WeightOrder;
use super::plan::{PARALLEL_FLOPS, choose_once, views};
use super::{Algorithm, ConvPlan, Explanation, Layout};
use crate::buffer::with_scratch;
use crate::error::Error;
use crate::geometry::{ConvGeometry, Phase, TransposedGeometry};
use crate::parallel::Pool;
use crate::view::{InputView, OutputView};
use corr2d_simd::Isa;
use interleave::Interleave;

/// A transposed convolution with its algorithms chosen and its weight packed; [`TransposedPlan::run`] allocates nothing.
pub struct TransposedPlan {
    geometry: TransposedGeometry,
    isa: Isa,
    phases: Vec<PlannedPhase>,
    interleave: Interleave,
}

struct PlannedPhase {
    phase: Phase,
    plan: ConvPlan,
}

/// Images whose phases wait in scratch to be interleaved have about so many floats, or are one.
const CHUNK_FLOATS: usize = 1 << 18;

impl TransposedGeometry {
    /// Refuses an algorithm that can't do every phase.
    pub fn check_algorithm(&self, algorithm: &Algorithm) -> Result<(), Error> {
        match self.phases()?.iter().all(|phase| (algorithm.supports)(&phase.geometry)) {
            true => Ok(()),
            false => Err(Error::Unsupported { name: algorithm.name }),
        }
    }
}

impl TransposedPlan {
    /// Plans `geometry` with `weight` `[c_in, c_out / groups, kh, kw]` and `bias` `[c_out]`. Without `algorithm`, each phase takes
    /// the one of the lowest estimated cost.
    pub fn new(
        geometry: TransposedGeometry,
        weight: &[f32],
        bias: Option<&[f32]>,
        activation: Activation,
        isa: Isa,
        algorithm: Option<&'static Algorithm>,
    ) -> Result<TransposedPlan, Error> {
        TransposedPlan::with(geometry, weight, bias, activation, isa, |_| algorithm)
    }

    /// A plan without bias or activation that is used once, so that the packing of its weight counts.
    pub(crate) fn once(
        geometry: TransposedGeometry,
        weight: &[f32],
        isa: Isa,
    ) -> Result<TransposedPlan, Error> {
        let algorithm = |phase: &ConvGeometry| Some(choose_once(phase, isa));
        TransposedPlan::with(geometry, weight, None, Activation::None, isa, algorithm)
    }

    fn with(
        geometry: TransposedGeometry,
        weight: &[f32],
        bias: Option<&[f32]>,
        activation: Activation,
        isa: Isa,
        algorithm: impl Fn(&ConvGeometry) -> Option<&'static Algorithm>,
    ) -> Result<TransposedPlan, Error> {
        let g = &geometry;
        if weight.len() != g.weight_len() {
            return Err(Error::Length {
                parameter: "weight",
                expected: g.weight_len(),
                received: weight.len(),
            });
        }
        if let Some(bias) = bias.filter(|bias| bias.len() != g.c_out) {
            return Err(Error::BiasLength { expected: g.c_out, received: bias.len() });
        }
        let whole = g.y.stride == 1 && g.x.stride == 1;
        let mut phases = Vec::new();
        for phase in g.phases()? {
            // In scratch each image is by itself.
            let batch = if whole { g.batch } else { 1 };
            let geometry = ConvGeometry { batch, ..phase.geometry };
            let algorithm = algorithm(&geometry);
            // Where a phase has all taps, algorithms that pack by tap do so from the weight as it is.
            let kernel = g.y.kernel * g.x.kernel;
            let is_packed_as_it_is = geometry.taps() == g.c_in_group() * kernel
                && algorithm.is_some_and(|algorithm| algorithm.packs_by_tap);
            let plan = if is_packed_as_it_is {
                let order = WeightOrder::Transposed { kernel };
                ConvPlan::with_order(geometry, weight, order, bias, activation, isa, algorithm)?
            } else {
                let weight = weight::of_phase(g, &phase, weight);
                ConvPlan::new(geometry, weight.as_slice(), bias, activation, isa, algorithm)?
            };
            phases.push(PlannedPhase { phase, plan });
        }
        let parts = phases.iter().map(|planned| &planned.phase);
        let interleave = Interleave::new(g, parts, bias, activation, isa);
        Ok(TransposedPlan { geometry, isa, phases, interleave })
    }

    /// Computes `output` from `input`, on at most `threads` threads of the pool; `layout` is that of the input, contiguous if none.
    pub fn run(
        &self,
        input: &[f32],
        layout: Option<Layout>,
        output: &mut [f32],
        pool: &Pool,
        threads: usize,
    ) -> Result<(), Error> {
        let g = &self.geometry;
        let (input, output) = views(input, layout, g.input_shape(), output, g.output_len())?;
        let threads = if g.flops() < PARALLEL_FLOPS { 1 } else { threads.clamp(1, pool.threads()) };
        let threads =
            self.phases.iter().fold(threads, |threads, phase| threads.min(phase.plan.most_threads()));
        if let [whole] = &self.phases[..]
            && whole.plan.geometry().output_shape()[1..] == g.output_shape()[1..]
            && whole.plan.geometry().batch == g.batch
        {
            let input = input.at_pixel(g.order, 0, [whole.phase.y.from, whole.phase.x.from]);
            let pieces = whole.plan.pieces(threads);
            pool.for_each(pieces, threads, |piece| whole.plan.run_piece(piece, threads, &input, &output));
            return Ok(());
        }
        let scratch_len = self.interleave.scratch_len();
        let chunk = (CHUNK_FLOATS / g.image_len()).clamp(1, g.batch.max(1));
        with_scratch(chunk * scratch_len, |scratch| {
            for first in (0..g.batch).step_by(chunk) {
                let images = chunk.min(g.batch - first);
                let parts = OutputView::new(scratch);
                self.convolve(&input, &parts, first, images, pool, threads);
                self.interleave.run(&scratch[..images * scratch_len], &output, first, images, pool, threads);
            }
        });
        Ok(())
    }

    /// Computes all phases of the images from `first` on, those of an image one after the other.
    fn convolve(
        &self,
        input: &InputView<'_>,
        parts: &OutputView<'_>,
        first: usize,
        images: usize,
        pool: &Pool,
        threads: usize,
    ) {
        let order = self.geometry.order;
        let pieces: usize = self.phases.iter().map(|planned| planned.plan.pieces(threads)).sum();
        pool.for_each(images * pieces, threads, |piece| {
            let (image, mut piece) = (piece / pieces, piece % pieces);
            let mut start = image * self.interleave.scratch_len();
            for PlannedPhase { phase, plan } in &self.phases {
                if piece < plan.pieces(threads) {
                    let input = input.at_pixel(order, first + image, [phase.y.from, phase.x.from]);
                    plan.run_piece(piece, threads, &input, &parts.from(start));
                    return;
                }
                piece -= plan.pieces(threads);
                start += plan.geometry().output_len();
            }
        });
    }

    /// The geometry it was made for.
    pub fn geometry(&self) -> &TransposedGeometry {
        &self.geometry
    }

    /// The instruction set it runs on.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// The algorithm of the phase that has most to do; `"none"` where no tap reaches the output.
    pub fn algorithm(&self) -> &'static str {
        self.main_phase().map_or("none", |plan| plan.algorithm().name)
    }

    /// Why the phase that has most to do is as it is, with the parts and the scratch memory of all; nothing where no tap reaches the
    /// output.
    pub fn explain(&self) -> Option<Explanation> {
        let explanation = self.main_phase()?.explain();
        let parts = self.phases.iter().map(|planned| planned.plan.pieces(1)).sum();
        let scratch_len = explanation.scratch_len + self.interleave.scratch_len();
        Some(Explanation { parts, scratch_len, ..explanation })
    }

    fn main_phase(&self) -> Option<&ConvPlan> {
        let plans = self.phases.iter().map(|planned| &planned.plan);
        plans.max_by(|a, b| a.geometry().flops().total_cmp(&b.geometry().flops()))
    }
}
