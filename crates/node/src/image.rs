//! Image filters, one entry for each pixel type.

use crate::array::{Array, Element};
use crate::error::{Failure, throw};
use crate::params::{IMAGE_THREADS, Params, image_request};
use crate::runtime::runtime;
use corr2d_kernels::image::{ImageFilter, Pixel};
use napi::Env;
use napi_derive::napi;

fn filter<P: Pixel + Element>(
    params: &Array<f64>,
    data: &Array<P>,
    kernel: &Array<f32>,
    out: &mut Array<P>,
) -> Result<(), Failure> {
    let params = Params(params.read());
    let runtime = runtime()?;
    let filter = ImageFilter::new(image_request(params)?, kernel.read(), runtime.isa)?;
    Ok(filter.run(data.read(), out.write(), &runtime.pool(), params.threads(IMAGE_THREADS)?)?)
}

/// Filters 8-bit pixels.
#[napi(catch_unwind, js_name = "filterImageU8")]
pub fn filter_image_u8(
    env: Env,
    #[napi(ts_arg_type = "Float64Array")] params: Array<f64>,
    #[napi(ts_arg_type = "Uint8Array")] data: Array<u8>,
    #[napi(ts_arg_type = "Float32Array")] kernel: Array<f32>,
    #[napi(ts_arg_type = "Uint8Array")] mut out: Array<u8>,
) -> napi::Result<()> {
    throw(&env, filter(&params, &data, &kernel, &mut out))
}

/// Filters 16-bit pixels.
#[napi(catch_unwind, js_name = "filterImageU16")]
pub fn filter_image_u16(
    env: Env,
    #[napi(ts_arg_type = "Float64Array")] params: Array<f64>,
    #[napi(ts_arg_type = "Uint16Array")] data: Array<u16>,
    #[napi(ts_arg_type = "Float32Array")] kernel: Array<f32>,
    #[napi(ts_arg_type = "Uint16Array")] mut out: Array<u16>,
) -> napi::Result<()> {
    throw(&env, filter(&params, &data, &kernel, &mut out))
}

/// Filters float pixels.
#[napi(catch_unwind, js_name = "filterImageF32")]
pub fn filter_image_f32(
    env: Env,
    #[napi(ts_arg_type = "Float64Array")] params: Array<f64>,
    #[napi(ts_arg_type = "Float32Array")] data: Array<f32>,
    #[napi(ts_arg_type = "Float32Array")] kernel: Array<f32>,
    #[napi(ts_arg_type = "Float32Array")] mut out: Array<f32>,
) -> napi::Result<()> {
    throw(&env, filter(&params, &data, &kernel, &mut out))
}
