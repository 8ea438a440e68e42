//! Plans that JavaScript holds. A plan object registers itself under a number, by which [`run_plan`] finds it: looking up a number is
//! far cheaper than unwrapping an object.

use crate::array::{Array, Kept};
use crate::error::{Failure, throw};
use crate::explain::Explain;
use crate::job::{self, Done};
use crate::params::layout;
use crate::runtime::runtime;
use corr2d_kernels::Isa;
use corr2d_kernels::buffer::Aligned;
use corr2d_kernels::conv::{ConvPlan, Layout, TransposedPlan};
use corr2d_kernels::parallel::Pool;
use corr2d_kernels::pool::PoolPlan;
use corr2d_kernels::view::copied;
use napi::Env;
use napi_derive::napi;
use std::cell::RefCell;
use std::sync::Arc;

/// A plan of any operator.
pub(crate) trait Run: Explain + Send + Sync {
    fn run(
        &self,
        x: &[f32],
        layout: Option<Layout>,
        out: &mut [f32],
        pool: &Pool,
        threads: usize,
    ) -> Result<(), Failure>;

    /// The input's axes as they lie in memory.
    fn input_shape(&self) -> [usize; 4];

    /// The instruction set.
    fn isa(&self) -> Isa;

    /// Operations of the direct method.
    fn flops(&self) -> f64;

    /// Bytes of input, weight and output.
    fn bytes(&self) -> f64;
}

macro_rules! runs {
    ($($plan:ty),*) => {
        $(impl Run for $plan {
            fn run(
                &self,
                x: &[f32],
                layout: Option<Layout>,
                out: &mut [f32],
                pool: &Pool,
                threads: usize,
            ) -> Result<(), Failure> {
                Ok(<$plan>::run(self, x, layout, out, pool, threads)?)
            }

            fn input_shape(&self) -> [usize; 4] {
                self.geometry().input_shape()
            }

            fn isa(&self) -> Isa {
                <$plan>::isa(self)
            }

            fn flops(&self) -> f64 {
                self.geometry().flops()
            }

            fn bytes(&self) -> f64 {
                self.geometry().bytes()
            }
        })*
    };
}

runs!(ConvPlan, TransposedPlan, PoolPlan);

/// A plan and the most threads it may use.
#[derive(Clone)]
struct Entry {
    plan: Arc<dyn Run>,
    threads: usize,
}

/// A place in the register; its age tells a plan from an earlier one in the same place.
#[derive(Default)]
struct Slot {
    age: u32,
    entry: Option<Entry>,
}

thread_local! {
    // Plan objects never leave their JavaScript thread.
    static SLOTS: RefCell<Vec<Slot>> = const { RefCell::new(Vec::new()) };
}

/// A registered plan; dropping it takes the plan out of the register.
pub(crate) struct Registered {
    index: u32,
    age: u32,
}

impl Registered {
    pub(crate) fn new(plan: Arc<dyn Run>, threads: usize) -> Registered {
        SLOTS.with_borrow_mut(|slots| {
            let index = slots.iter().position(|slot| slot.entry.is_none()).unwrap_or_else(|| {
                slots.push(Slot::default());
                slots.len() - 1
            });
            let slot = &mut slots[index];
            slot.age = slot.age.wrapping_add(1);
            slot.entry = Some(Entry { plan, threads });
            Registered { index: index as u32, age: slot.age }
        })
    }

    /// The number by which [`run_plan`] finds the plan: place and age in one exact double.
    pub(crate) fn handle(&self) -> f64 {
        (u64::from(self.age % AGES) << PLACE_BITS | u64::from(self.index)) as f64
    }
}

const PLACE_BITS: u32 = 32;
const AGES: u32 = 1 << 20;

impl Drop for Registered {
    fn drop(&mut self) {
        // At the end of a thread the register may be gone already.
        let entry = SLOTS.try_with(|slots| slots.borrow_mut()[self.index as usize].entry.take());
        drop(entry);
    }
}

/// What `look` makes of the plan of that handle. No plan may come or go meanwhile, which takes JavaScript of this thread.
fn with_plan<R>(handle: f64, look: impl FnOnce(&Entry) -> Result<R, Failure>) -> Result<R, Failure> {
    // The conversion saturates: what is no handle does not come back as it was, or is nobody's.
    let number = handle as u64;
    let (index, age) = (number as u32 as usize, (number >> PLACE_BITS) as u32);
    SLOTS.with_borrow(|slots| {
        let slot = slots.get(index).filter(|slot| number as f64 == handle && slot.age % AGES == age);
        match slot.and_then(|slot| slot.entry.as_ref()) {
            Some(entry) => look(entry),
            None => Err(Failure::Value(format!("expected the handle of a living plan, received {handle}"))),
        }
    })
}

fn find(handle: f64) -> Result<Entry, Failure> {
    with_plan(handle, |entry| Ok(entry.clone()))
}

/// Runs the plan of that handle: computes `out` from `x`, of which `view` is `[offset, batch, channel, row stride]` in elements, or
/// nothing when it is contiguous.
#[napi(catch_unwind)]
pub fn run_plan(
    env: Env,
    handle: f64,
    #[napi(ts_arg_type = "Float32Array")] x: Array<f32>,
    #[napi(ts_arg_type = "Float64Array | null")] view: Option<Array<f64>>,
    #[napi(ts_arg_type = "Float32Array")] mut out: Array<f32>,
) -> napi::Result<()> {
    throw(&env, run(handle, x.read(), view.as_ref().map(Array::read), out.write()))
}

fn run(handle: f64, x: &[f32], view: Option<&[f64]>, out: &mut [f32]) -> Result<(), Failure> {
    with_plan(handle, |Entry { plan, threads }| plan.run(x, layout(view)?, out, &runtime()?.pool(), *threads))
}

/// Starts the plan of that handle off this thread; otherwise as `runPlan`. `x` and `out` are the job's from now on: nobody else may
/// have their buffers until `done` is called.
///
/// Returns the job's number for `cancelJob`.
#[napi(catch_unwind)]
pub fn start_plan(
    env: Env,
    handle: f64,
    #[napi(ts_arg_type = "Float32Array")] x: Kept<f32>,
    #[napi(ts_arg_type = "Float64Array | null")] view: Option<Array<f64>>,
    #[napi(ts_arg_type = "Float32Array")] out: Kept<f32>,
    #[napi(ts_arg_type = "(code: string | null, message: string | null) => void")] done: Done,
) -> napi::Result<u32> {
    let started = find(handle)
        .and_then(|entry| Ok((entry, layout(view.as_ref().map(Array::read))?)))
        .and_then(|(entry, layout)| start(&env, entry, Source::Kept(x, layout), out, done));
    throw(&env, started)
}

/// The same on a copy of `x`, in memory that is used again from call to call: fresh memory costs several times the copy.
#[napi(catch_unwind)]
pub fn start_plan_on_copy(
    env: Env,
    handle: f64,
    #[napi(ts_arg_type = "Float32Array")] x: Array<f32>,
    #[napi(ts_arg_type = "Float64Array | null")] view: Option<Array<f64>>,
    #[napi(ts_arg_type = "Float32Array")] out: Kept<f32>,
    #[napi(ts_arg_type = "(code: string | null, message: string | null) => void")] done: Done,
) -> napi::Result<u32> {
    let started = find(handle).and_then(|entry| {
        let layout = layout(view.as_ref().map(Array::read))?;
        let copy = copied(x.read(), layout, entry.plan.input_shape())?;
        start(&env, entry, Source::Copied(copy), out, done)
    });
    throw(&env, started)
}

/// What a job reads.
enum Source {
    Kept(Kept<f32>, Option<Layout>),
    Copied(Aligned),
}

fn start(env: &Env, entry: Entry, source: Source, mut out: Kept<f32>, done: Done) -> Result<u32, Failure> {
    let Entry { plan, threads } = entry;
    job::start(env, done, move |pool| {
        let (x, layout) = match &source {
            Source::Kept(x, layout) => (x.read(), *layout),
            Source::Copied(x) => (x.as_slice(), None),
        };
        let result = plan.run(x, layout, out.write(), pool, threads);
        (result, (source, out))
    })
}
