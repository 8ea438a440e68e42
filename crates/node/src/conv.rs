//! Convolutions.

use crate::array::Array;
use crate::error::{Failure, throw};
use crate::params::{Params, activation, algorithm, conv_geometry, conv_place as at, layout};
use crate::recent::{self, Recent, Request};
use crate::runtime::runtime;
use corr2d_kernels::conv;
use corr2d_kernels::error::Error;
use napi::Env;
use napi_derive::napi;
use std::cell::RefCell;

/// Checks a convolution's parameters and writes back its paddings, output sides and operations.
#[napi(catch_unwind, js_name = "conv2dShape")]
pub fn conv2d_shape(
    env: Env,
    #[napi(ts_arg_type = "Float64Array")] mut params: Array<f64>,
) -> napi::Result<()> {
    throw(&env, shape(params.write()))
}

fn shape(params: &mut [f64]) -> Result<(), Failure> {
    let g = conv_geometry(Params(params))?;
    let bias = *params.get(at::BIAS_LENGTH).unwrap_or(&-1.0);
    if bias >= 0.0 && bias != g.c_out as f64 {
        return Err(Error::BiasLength { expected: g.c_out, received: bias as usize }.into());
    }
    if let Some(forced) = algorithm(Params(params))?
        && !(forced.supports)(&g)
    {
        return Err(Error::Unsupported { name: forced.name }.into());
    }
    let Some(target) = params.get_mut(..=at::FLOPS) else {
        return Err(Failure::Value("expected 40 numbers for params, received fewer".into()));
    };
    target[at::PADS..at::PADS + 4]
        .copy_from_slice(&[g.y.before, g.y.after, g.x.before, g.x.after].map(|n| n as f64));
    target[at::OUTPUT..at::OUTPUT + 2].copy_from_slice(&[g.y.output as f64, g.x.output as f64]);
    target[at::FLOPS] = g.flops();
    Ok(())
}

/// Plans a convolution; weight and bias are copied.
pub(crate) fn plan(Request { params, weight, bias }: Request<'_>) -> Result<conv::ConvPlan, Failure> {
    let (geometry, activation, algorithm) = (conv_geometry(params)?, activation(params)?, algorithm(params)?);
    Ok(conv::ConvPlan::new(geometry, weight, bias, activation, runtime()?.isa, algorithm)?)
}

thread_local! {
    static RECENT: RefCell<Recent<conv::ConvPlan>> = const { RefCell::new(Recent::NONE) };
}

/// A convolution; `view` as in `runPlan`.
#[napi(catch_unwind, js_name = "conv2d")]
pub fn conv2d(
    env: Env,
    #[napi(ts_arg_type = "Float64Array")] params: Array<f64>,
    #[napi(ts_arg_type = "Float32Array")] x: Array<f32>,
    #[napi(ts_arg_type = "Float64Array | null")] view: Option<Array<f64>>,
    #[napi(ts_arg_type = "Float32Array")] weight: Array<f32>,
    #[napi(ts_arg_type = "Float32Array | null")] bias: Option<Array<f32>>,
    #[napi(ts_arg_type = "Float32Array")] mut out: Array<f32>,
) -> napi::Result<()> {
    let (view, bias) = (view.as_ref().map(Array::read), bias.as_ref().map(Array::read));
    throw(&env, run(Params(params.read()), x.read(), view, weight.read(), bias, out.write()))
}

fn run(
    params: Params<'_>,
    x: &[f32],
    view: Option<&[f64]>,
    weight: &[f32],
    bias: Option<&[f32]>,
    out: &mut [f32],
) -> Result<(), Failure> {
    let threads = params.threads(at::THREADS)?;
    recent::run(&RECENT, Request { params, weight, bias }, plan, x, layout(view)?, out, threads)
}
