//! Poolings.

use crate::array::{Array, Kept};
use crate::error::{Failure, throw};
use crate::job::{self, Done};
use crate::params::{Params, layout, pool_geometry, pool_place as at};
use crate::runtime::runtime;
use corr2d_kernels::pool;
use napi::Env;
use napi_derive::napi;

/// Checks a pooling's parameters and writes back its paddings, output sides and operations.
#[napi(catch_unwind, js_name = "pool2dShape")]
pub fn pool2d_shape(
    env: Env,
    #[napi(ts_arg_type = "Float64Array")] mut params: Array<f64>,
) -> napi::Result<()> {
    throw(&env, shape(params.write()))
}

fn shape(params: &mut [f64]) -> Result<(), Failure> {
    let g = pool_geometry(Params(params))?;
    let Some(target) = params.get_mut(..=at::FLOPS) else {
        return Err(Failure::Value("expected 40 numbers for params, received fewer".into()));
    };
    target[at::PADS..at::PADS + 4]
        .copy_from_slice(&[g.y.before, g.y.after, g.x.before, g.x.after].map(|n| n as f64));
    target[at::OUTPUT..at::OUTPUT + 2].copy_from_slice(&[g.y.output as f64, g.x.output as f64]);
    target[at::FLOPS] = g.flops();
    Ok(())
}

/// Plans a pooling.
pub(crate) fn plan(params: Params<'_>) -> Result<pool::PoolPlan, Failure> {
    Ok(pool::PoolPlan::new(pool_geometry(params)?, runtime()?.isa))
}

/// A pooling planned and run once; `view` as in `runPlan`.
#[napi(catch_unwind, js_name = "pool2d")]
pub fn pool2d(
    env: Env,
    #[napi(ts_arg_type = "Float64Array")] params: Array<f64>,
    #[napi(ts_arg_type = "Float32Array")] x: Array<f32>,
    #[napi(ts_arg_type = "Float64Array | null")] view: Option<Array<f64>>,
    #[napi(ts_arg_type = "Float32Array")] mut out: Array<f32>,
) -> napi::Result<()> {
    throw(&env, run_once(Params(params.read()), x.read(), view.as_ref().map(Array::read), out.write()))
}

fn run_once(params: Params<'_>, x: &[f32], view: Option<&[f64]>, out: &mut [f32]) -> Result<(), Failure> {
    let threads = params.threads(at::THREADS)?;
    Ok(plan(params)?.run(x, layout(view)?, out, &runtime()?.pool(), threads)?)
}

/// A max pooling that also writes where each maximum is in its plane; `view` as in `runPlan`.
#[napi(catch_unwind, js_name = "maxPool2dIndices")]
pub fn max_pool2d_indices(
    env: Env,
    #[napi(ts_arg_type = "Float64Array")] params: Array<f64>,
    #[napi(ts_arg_type = "Float32Array")] x: Array<f32>,
    #[napi(ts_arg_type = "Float64Array | null")] view: Option<Array<f64>>,
    #[napi(ts_arg_type = "Float32Array")] mut out: Array<f32>,
    #[napi(ts_arg_type = "Int32Array")] mut indices: Array<i32>,
) -> napi::Result<()> {
    let view = view.as_ref().map(Array::read);
    throw(&env, indices_once(Params(params.read()), x.read(), view, out.write(), indices.write()))
}

fn indices_once(
    params: Params<'_>,
    x: &[f32],
    view: Option<&[f64]>,
    out: &mut [f32],
    indices: &mut [i32],
) -> Result<(), Failure> {
    let threads = params.threads(at::THREADS)?;
    Ok(plan(params)?.run_with_indices(x, layout(view)?, out, indices, &runtime()?.pool(), threads)?)
}

/// The same off this thread. `x`, `out` and `indices` are the job's from now on, as in `startPlan`.
///
/// Returns the job's number for `cancelJob`.
#[napi(catch_unwind, js_name = "startMaxPool2dIndices")]
pub fn start_max_pool2d_indices(
    env: Env,
    #[napi(ts_arg_type = "Float64Array")] params: Array<f64>,
    #[napi(ts_arg_type = "Float32Array")] x: Kept<f32>,
    #[napi(ts_arg_type = "Float64Array | null")] view: Option<Array<f64>>,
    #[napi(ts_arg_type = "Float32Array")] out: Kept<f32>,
    #[napi(ts_arg_type = "Int32Array")] indices: Kept<i32>,
    #[napi(ts_arg_type = "(code: string | null, message: string | null) => void")] done: Done,
) -> napi::Result<u32> {
    let view = view.as_ref().map(Array::read);
    throw(&env, start_indices(&env, Params(params.read()), x, view, out, indices, done))
}

fn start_indices(
    env: &Env,
    params: Params<'_>,
    x: Kept<f32>,
    view: Option<&[f64]>,
    mut out: Kept<f32>,
    mut indices: Kept<i32>,
    done: Done,
) -> Result<u32, Failure> {
    let (plan, layout, threads) = (plan(params)?, layout(view)?, params.threads(at::THREADS)?);
    job::start(env, done, move |pool| {
        let result = plan.run_with_indices(x.read(), layout, out.write(), indices.write(), pool, threads);
        (result.map_err(Failure::from), (x, out, indices))
    })
}
