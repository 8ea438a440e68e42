//! Choose, pack, run.

use super::explain::{self, Explanation};
use super::group_weight::WeightOrder;
use super::registry::{Problem, by_cost};
use super::{ALGORITHMS, Activation, Algorithm, PackedConv};
use crate::buffer::with_scratch;
use crate::error::Error;
use crate::geometry::ConvGeometry;
use crate::parallel::Pool;
use crate::view::{InputView, OutputView, check_overlap};
use corr2d_simd::Isa;

/// Where the input of a run starts in its buffer, and how far apart its elements are along all but the last axis, which is
/// contiguous.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// First element.
    pub offset: usize,
    /// Strides of the first three axes, in elements.
    pub strides: [usize; 3],
}

/// A cross-correlation with its algorithm chosen and its weight packed; [`ConvPlan::run`] allocates nothing.
pub struct ConvPlan {
    geometry: ConvGeometry,
    isa: Isa,
    algorithm: &'static Algorithm,
    packed: Box<dyn PackedConv>,
    is_forced: bool,
}

/// Below this many operations, waking another thread costs more than it saves.
pub(super) const PARALLEL_FLOPS: f64 = 1e6;

/// Floats of scratch memory that the threads of a run have together, where twice its output is no more: 32 MiB.
const MOST_SCRATCH: usize = 8 << 20;

impl ConvPlan {
    /// Plans `geometry` with `weight` `[c_out, c_in / groups, kh, kw]` and `bias` `[c_out]`. Without `algorithm`, the one of the
    /// lowest estimated cost is taken whose scratch memory is bounded.
    pub fn new(
        geometry: ConvGeometry,
        weight: &[f32],
        bias: Option<&[f32]>,
        activation: Activation,
        isa: Isa,
        algorithm: Option<&'static Algorithm>,
    ) -> Result<ConvPlan, Error> {
        let order = WeightOrder::Channels;
        ConvPlan::with_order(geometry, weight, order, bias, activation, isa, algorithm)
    }

    /// The same with a weight whose groups have that order, which has to be the usual one unless `algorithm` packs both.
    #[allow(clippy::too_many_arguments, reason = "those of `new`, and the order")]
    pub(super) fn with_order(
        geometry: ConvGeometry,
        weight: &[f32],
        order: WeightOrder,
        bias: Option<&[f32]>,
        activation: Activation,
        isa: Isa,
        algorithm: Option<&'static Algorithm>,
    ) -> Result<ConvPlan, Error> {
        assert!(order == WeightOrder::Channels || algorithm.is_some_and(|algorithm| algorithm.packs_by_tap));
        if weight.len() != geometry.weight_len() {
            return Err(Error::Length {
                parameter: "weight",
                expected: geometry.weight_len(),
                received: weight.len(),
            });
        }
        let zeros;
        let bias = match bias {
            Some(bias) if bias.len() != geometry.c_out => {
                return Err(Error::BiasLength { expected: geometry.c_out, received: bias.len() });
            }
            Some(bias) => bias,
            None => {
                zeros = vec![0.0; geometry.c_out];
                &zeros
            }
        };
        let is_forced = algorithm.is_some();
        let problem = Problem { geometry, weight, order, bias, activation, isa };
        let (algorithm, packed) = match algorithm {
            Some(forced) if !(forced.supports)(&geometry) => {
                return Err(Error::Unsupported { name: forced.name });
            }
            Some(forced) => (forced, (forced.pack)(problem)),
            None => choose(problem),
        };
        Ok(ConvPlan { geometry, isa, algorithm, packed, is_forced })
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
        let threads = self.threads(threads.min(pool.threads()));
        pool.for_each(self.pieces(threads), threads, |piece| self.run_piece(piece, threads, &input, &output));
        Ok(())
    }

    /// How many of so many threads take part, at least one: as many as have enough to do and share a bounded scratch memory.
    pub fn threads(&self, offered: usize) -> usize {
        if offered <= 1 || self.geometry.flops() < PARALLEL_FLOPS {
            return 1;
        }
        offered.min(self.most_threads())
    }

    /// How many threads' scratch memory together is within its bound.
    pub(super) fn most_threads(&self) -> usize {
        (most_scratch(&self.geometry) / self.packed.scratch_len().max(1)).max(1)
    }

    /// Number of pieces for so many threads; together they write every output element once.
    pub(super) fn pieces(&self, threads: usize) -> usize {
        self.packed.tiles() * self.packed.parts(threads)
    }

    /// Computes one piece, of an input and an output of the geometry's shapes.
    pub(super) fn run_piece(
        &self,
        piece: usize,
        threads: usize,
        input: &InputView<'_>,
        output: &OutputView<'_>,
    ) {
        let parts = self.packed.parts(threads);
        let (tile, part) = (piece / parts, piece % parts);
        with_scratch(self.packed.scratch_len(), |scratch| {
            self.packed.run_part(tile, [part, parts], input, output, scratch);
        });
    }

    /// Why it is as it is.
    pub fn explain(&self) -> Explanation {
        let cost = (self.algorithm.cost)(&self.geometry, self.isa);
        Explanation {
            is_forced: self.is_forced,
            candidates: explain::candidates(&self.geometry, self.isa),
            tile: self.packed.register_tile(),
            parts: self.pieces(1),
            scratch_len: self.packed.scratch_len(),
            expected_share: explain::share(&self.geometry, self.isa, cost),
        }
    }

    /// The geometry it was made for.
    pub fn geometry(&self) -> &ConvGeometry {
        &self.geometry
    }

    /// The instruction set it runs on.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// The algorithm it runs.
    pub fn algorithm(&self) -> &'static Algorithm {
        self.algorithm
    }
}

/// Input and output of a run as its tiles see them, once lengths, layout and overlap are checked.
pub(super) fn views<'a, 'b>(
    input: &'a [f32],
    layout: Option<Layout>,
    shape: [usize; 4],
    output: &'b mut [f32],
    output_len: usize,
) -> Result<(InputView<'a>, OutputView<'b>), Error> {
    if output.len() != output_len {
        return Err(Error::Length { parameter: "out", expected: output_len, received: output.len() });
    }
    check_overlap(output, input, "x")?;
    let input = match layout {
        Some(Layout { offset, strides }) => InputView::new(input, offset, strides, shape)?,
        None => InputView::contiguous(input, shape)?,
    };
    Ok((input, OutputView::new(output)))
}

fn most_scratch(geometry: &ConvGeometry) -> usize {
    MOST_SCRATCH.max(2 * geometry.output_len())
}

/// The algorithm of the lowest cost whose scratch memory is within its bound. Most need whole rows of a window, which may be more
/// where those have millions of elements: then the next takes its place, and the one of least scratch memory if none is within.
fn choose(problem: Problem<'_>) -> (&'static Algorithm, Box<dyn PackedConv>) {
    let Problem { geometry, isa, .. } = problem;
    let mut least: Option<(_, Box<dyn PackedConv>)> = None;
    for (cost, algorithm) in by_cost(&geometry, isa) {
        if least.is_some() && cost.is_infinite() {
            break;
        }
        let packed = (algorithm.pack)(problem);
        if packed.scratch_len() <= most_scratch(&geometry) {
            return (algorithm, packed);
        }
        if least.as_ref().is_none_or(|(_, least)| packed.scratch_len() < least.scratch_len()) {
            least = Some((algorithm, packed));
        }
    }
    least.expect("every order of channels has an algorithm for all of its geometries")
}

/// The algorithm for a plan that is used once, which pays for its packing.
pub(crate) fn choose_once(geometry: &ConvGeometry, isa: Isa) -> &'static Algorithm {
    let weights = geometry.weight_len() as f64;
    let cost = |algorithm: &Algorithm| (algorithm.cost)(geometry, isa) + algorithm.packing * weights;
    ALGORITHMS
        .iter()
        .filter(|algorithm| (algorithm.supports)(geometry))
        .min_by(|a, b| cost(a).total_cmp(&cost(b)))
        .expect("every order of channels has an algorithm for all of its geometries")
}
