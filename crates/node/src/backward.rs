//! Gradients. All operands are contiguous; the results are memory of their own.

use crate::array::Array;
use crate::error::{Failure, throw};
use crate::params::{
    Params, activation, conv_geometry, conv_place, pool_geometry, pool_place, transposed_geometry,
};
use crate::runtime::runtime;
use corr2d_kernels::backward::{self, ConvGradients, ConvOperands};
use napi::Env;
use napi_derive::napi;

/// The gradients of a convolution with respect to input, weight and bias, written to the last three arguments; `gradient` is that of
/// its result.
#[napi(catch_unwind, js_name = "conv2dBackward")]
pub fn conv2d_backward(
    env: Env,
    #[napi(ts_arg_type = "Float64Array")] params: Array<f64>,
    #[napi(ts_arg_type = "Float32Array")] x: Array<f32>,
    #[napi(ts_arg_type = "Float32Array")] weight: Array<f32>,
    #[napi(ts_arg_type = "Float32Array | null")] bias: Option<Array<f32>>,
    #[napi(ts_arg_type = "Float32Array")] gradient: Array<f32>,
    #[napi(ts_arg_type = "Float32Array")] mut of_x: Array<f32>,
    #[napi(ts_arg_type = "Float32Array")] mut of_weight: Array<f32>,
    #[napi(ts_arg_type = "Float32Array")] mut of_bias: Array<f32>,
) -> napi::Result<()> {
    let params = Params(params.read());
    let operands = operands(params, &x, &weight, bias.as_ref(), &gradient);
    let result = operands.and_then(|operands| {
        let mut gradients = gradients(&mut of_x, &mut of_weight, &mut of_bias);
        let (runtime, threads) = (runtime()?, params.threads(conv_place::THREADS)?);
        let geometry = conv_geometry(params)?;
        Ok(backward::conv2d(&geometry, &operands, &mut gradients, runtime.isa, &runtime.pool(), threads)?)
    });
    throw(&env, result)
}

/// The same of a transposed convolution.
#[napi(catch_unwind, js_name = "convTranspose2dBackward")]
pub fn conv_transpose2d_backward(
    env: Env,
    #[napi(ts_arg_type = "Float64Array")] params: Array<f64>,
    #[napi(ts_arg_type = "Float32Array")] x: Array<f32>,
    #[napi(ts_arg_type = "Float32Array")] weight: Array<f32>,
    #[napi(ts_arg_type = "Float32Array | null")] bias: Option<Array<f32>>,
    #[napi(ts_arg_type = "Float32Array")] gradient: Array<f32>,
    #[napi(ts_arg_type = "Float32Array")] mut of_x: Array<f32>,
    #[napi(ts_arg_type = "Float32Array")] mut of_weight: Array<f32>,
    #[napi(ts_arg_type = "Float32Array")] mut of_bias: Array<f32>,
) -> napi::Result<()> {
    let params = Params(params.read());
    let operands = operands(params, &x, &weight, bias.as_ref(), &gradient);
    let result = operands.and_then(|operands| {
        let mut gradients = gradients(&mut of_x, &mut of_weight, &mut of_bias);
        let (runtime, threads) = (runtime()?, params.threads(conv_place::THREADS)?);
        let (geometry, isa) = (transposed_geometry(params)?, runtime.isa);
        let pool = runtime.pool();
        Ok(backward::conv_transpose2d(&geometry, &operands, &mut gradients, isa, &pool, threads)?)
    });
    throw(&env, result)
}

fn gradients<'a>(
    of_x: &'a mut Array<f32>,
    of_weight: &'a mut Array<f32>,
    of_bias: &'a mut Array<f32>,
) -> ConvGradients<'a> {
    let [input, weight, bias] = [of_x, of_weight, of_bias].map(|of| Some(of.write()));
    ConvGradients { input, weight, bias }
}

fn operands<'a>(
    params: Params<'_>,
    x: &'a Array<f32>,
    weight: &'a Array<f32>,
    bias: Option<&'a Array<f32>>,
    gradient: &'a Array<f32>,
) -> Result<ConvOperands<'a>, Failure> {
    Ok(ConvOperands {
        input: x.read(),
        weight: weight.read(),
        bias: bias.map(Array::read),
        activation: activation(params)?,
        gradient: gradient.read(),
    })
}

/// The gradient of a max pooling's input, written to `of_x`.
#[napi(catch_unwind, js_name = "maxPool2dBackward")]
pub fn max_pool2d_backward(
    env: Env,
    #[napi(ts_arg_type = "Float64Array")] params: Array<f64>,
    #[napi(ts_arg_type = "Float32Array")] x: Array<f32>,
    #[napi(ts_arg_type = "Float32Array")] gradient: Array<f32>,
    #[napi(ts_arg_type = "Float32Array")] mut of_x: Array<f32>,
) -> napi::Result<()> {
    throw(&env, max_gradient(Params(params.read()), x.read(), gradient.read(), of_x.write()))
}

fn max_gradient(params: Params<'_>, x: &[f32], gradient: &[f32], of_x: &mut [f32]) -> Result<(), Failure> {
    let (runtime, threads) = (runtime()?, params.threads(pool_place::THREADS)?);
    let (geometry, pool) = (pool_geometry(params)?, runtime.pool());
    Ok(backward::max_pool2d(&geometry, x, gradient, of_x, runtime.isa, &pool, threads)?)
}

/// The gradient of an average pooling's input, written to `of_x`.
#[napi(catch_unwind, js_name = "avgPool2dBackward")]
pub fn avg_pool2d_backward(
    env: Env,
    #[napi(ts_arg_type = "Float64Array")] params: Array<f64>,
    #[napi(ts_arg_type = "Float32Array")] gradient: Array<f32>,
    #[napi(ts_arg_type = "Float32Array")] mut of_x: Array<f32>,
) -> napi::Result<()> {
    throw(&env, average_gradient(Params(params.read()), gradient.read(), of_x.write()))
}

fn average_gradient(params: Params<'_>, gradient: &[f32], of_x: &mut [f32]) -> Result<(), Failure> {
    let (runtime, threads) = (runtime()?, params.threads(pool_place::THREADS)?);
    let (geometry, pool) = (pool_geometry(params)?, runtime.pool());
    Ok(backward::avg_pool2d(&geometry, gradient, of_x, runtime.isa, &pool, threads)?)
}
