//! The plans that functions made last: one that is called again with the same weight, as in a loop over images, neither chooses nor
//! packs again.

use crate::error::Failure;
use crate::params::Params;
use crate::plan::Run;
use crate::runtime::runtime;
use corr2d_kernels::conv::Layout;
use corr2d_kernels::view::check_overlap;
use std::cell::RefCell;
use std::thread::LocalKey;

/// What a plan is made of.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) params: Params<'a>,
    pub(crate) weight: &'a [f32],
    pub(crate) bias: Option<&'a [f32]>,
}

/// Plans that are kept, the most recently used first.
pub(crate) struct Recent<P>(Vec<Kept<P>>);

struct Kept<P> {
    params: Box<[f64]>,
    weight: Box<[f32]>,
    bias: Option<Box<[f32]>>,
    plan: P,
}

impl<P> Kept<P> {
    fn of(
        request: Request<'_>,
        make: impl FnOnce(Request<'_>) -> Result<P, Failure>,
    ) -> Result<Kept<P>, Failure> {
        let Request { params, weight, bias } = request;
        let plan = make(request)?;
        Ok(Kept { params: params.0.into(), weight: weight.into(), bias: bias.map(Box::from), plan })
    }

    fn is_of(&self, request: Request<'_>) -> bool {
        same(&self.params, request.params.0, f64::to_bits)
            && same(&self.weight, request.weight, f32::to_bits)
            && match (&self.bias, request.bias) {
                (Some(kept), Some(asked)) => same(kept, asked, f32::to_bits),
                (kept, asked) => kept.is_none() && asked.is_none(),
            }
    }
}

/// Enough for the layers of a small network or the filters of a pipeline.
const MOST_PLANS: usize = 4;

/// Larger weights are not kept: packed ones may be several times as large, and their packing is little beside their use.
const MOST_WEIGHTS: usize = 1 << 16;

impl<P> Recent<P> {
    pub(crate) const NONE: Recent<P> = Recent(Vec::new());

    fn get(
        &mut self,
        request: Request<'_>,
        make: impl FnOnce(Request<'_>) -> Result<P, Failure>,
    ) -> Result<&P, Failure> {
        let Recent(kept) = self;
        match kept.iter().position(|kept| kept.is_of(request)) {
            Some(0) => {}
            Some(place) => kept[..=place].rotate_right(1),
            None => {
                let made = Kept::of(request, make)?;
                kept.truncate(MOST_PLANS - 1);
                kept.insert(0, made);
            }
        }
        Ok(&kept[0].plan)
    }
}

/// Runs the plan that `make` makes of `request`, or an equal one of `recent`.
pub(crate) fn run<P: Run>(
    recent: &'static LocalKey<RefCell<Recent<P>>>,
    request: Request<'_>,
    make: impl FnOnce(Request<'_>) -> Result<P, Failure>,
    x: &[f32],
    layout: Option<Layout>,
    out: &mut [f32],
    threads: usize,
) -> Result<(), Failure> {
    // Plans have copies of weight and bias before anything is written; a caller who overlaps them has made a mistake all the same.
    check_overlap(out, request.weight, "weight")?;
    check_overlap(out, request.bias.unwrap_or_default(), "bias")?;
    let pool = runtime()?.pool();
    if request.weight.len() > MOST_WEIGHTS {
        return make(request)?.run(x, layout, out, &pool, threads);
    }
    recent.with_borrow_mut(|recent| recent.get(request, make)?.run(x, layout, out, &pool, threads))
}

/// Whether two arrays have the same bits: −0 is not 0 here, and a NaN is itself.
fn same<T: Copy, B: PartialEq>(a: &[T], b: &[T], bits: impl Fn(T) -> B) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| bits(*a) == bits(*b))
}
