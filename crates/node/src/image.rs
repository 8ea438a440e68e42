//! Operations on images, one entry for all of them and all pixel types.

use crate::array::{Array, Kept};
use crate::error::{Failure, throw};
use crate::job::{self, Done};
use crate::params::{
    ImageKind, Params, frame, image_kind, image_place as at, image_pool_mode, image_request, pool_geometry,
    template_method,
};
use crate::runtime::runtime;
use crate::samples::{KeptSamples, Samples};
use corr2d_kernels::image::{Best, ImageFilter, ImagePool, Pixel, Template};
use corr2d_kernels::parallel::Pool;
use napi::Env;
use napi_derive::napi;

/// An operation that takes an image and gives one, and the most threads it may use.
struct Planned {
    operation: Operation,
    threads: usize,
}

enum Operation {
    Filter(ImageFilter),
    Pool(ImagePool),
}

impl Planned {
    fn new(params: Params<'_>, kernel: &[f32], window: &[f64]) -> Result<Planned, Failure> {
        let isa = runtime()?.isa;
        let operation = match image_kind(params)? {
            ImageKind::Correlate => Operation::Filter(ImageFilter::new(
                image_request(params)?,
                params.pair(at::KERNEL)?,
                kernel,
                isa,
            )?),
            ImageKind::Gradient(gradient) => {
                Operation::Filter(ImageFilter::gradient(image_request(params)?, gradient, isa)?)
            }
            ImageKind::Pool => Operation::Pool(ImagePool::new(
                frame(params, at::WIDTH)?,
                pool_geometry(Params(window))?,
                image_pool_mode(params)?,
                isa,
            )?),
        };
        Ok(Planned { operation, threads: params.threads(at::THREADS)? })
    }

    fn run<P: Pixel>(&self, data: &[P], out: &mut [P], pool: &Pool) -> Result<(), Failure> {
        match &self.operation {
            Operation::Filter(filter) => Ok(filter.run(data, out, pool, self.threads)?),
            Operation::Pool(pooling) => Ok(pooling.run(data, out, pool, self.threads)?),
        }
    }

    /// A filter's result in the place of its samples; what can't be done there is done from a copy.
    fn run_in_place<P: Pixel>(&self, data: &mut [P], pool: &Pool) -> Result<(), Failure> {
        let Operation::Filter(filter) = &self.operation else {
            return Err(Failure::Value("expected samples for out, received null".into()));
        };
        if filter.run_in_place(data, pool, self.threads)? {
            return Ok(());
        }
        let mut input = Vec::new();
        input.try_reserve_exact(data.len()).map_err(|error| Failure::System(error.to_string()))?;
        input.extend_from_slice(data);
        self.run(&input, data, pool)
    }
}

fn slice<T: crate::array::Element>(array: &Option<Array<T>>) -> &[T] {
    array.as_ref().map_or(&[], Array::read)
}

/// Computes an image from an image of the same pixel type. `kernel` is that of a filter, `window` the parameters of a pooling.
#[napi(catch_unwind)]
pub fn run_image(
    env: Env,
    #[napi(ts_arg_type = "Float64Array")] params: Array<f64>,
    #[napi(ts_arg_type = "Float32Array | null")] kernel: Option<Array<f32>>,
    #[napi(ts_arg_type = "Float64Array | null")] window: Option<Array<f64>>,
    #[napi(ts_arg_type = "Uint8Array | Uint8ClampedArray | Uint16Array | Float32Array")] data: Samples,
    #[napi(ts_arg_type = "Uint8Array | Uint8ClampedArray | Uint16Array | Float32Array")] mut out: Samples,
) -> napi::Result<()> {
    let result = Planned::new(Params(params.read()), slice(&kernel), slice(&window)).and_then(|planned| {
        let pool = runtime()?.pool();
        match (&data, &mut out) {
            (Samples::U8(data), Samples::U8(out)) => planned.run(data.read(), out.write(), &pool),
            (Samples::U16(data), Samples::U16(out)) => planned.run(data.read(), out.write(), &pool),
            (Samples::F32(data), Samples::F32(out)) => planned.run(data.read(), out.write(), &pool),
            _ => Err(different_types()),
        }
    });
    throw(&env, result)
}

fn different_types() -> Failure {
    Failure::Value("expected samples of the type of data for out, received others".into())
}

/// Starts the same off this thread; without `out`, a filter's result takes the place of `data`, whose rows then have no gaps. `data` and
/// `out` are the job's from now on: nobody else may have their buffers until `done` is called.
///
/// Returns the job's number for `cancelJob`.
#[napi(catch_unwind)]
#[allow(
    clippy::too_many_arguments,
    reason = "each crosses as it is: an object would cost more than a small filter"
)]
pub fn start_image(
    env: Env,
    #[napi(ts_arg_type = "Float64Array")] params: Array<f64>,
    #[napi(ts_arg_type = "Float32Array | null")] kernel: Option<Array<f32>>,
    #[napi(ts_arg_type = "Float64Array | null")] window: Option<Array<f64>>,
    #[napi(ts_arg_type = "Uint8Array | Uint8ClampedArray | Uint16Array | Float32Array")] data: KeptSamples,
    #[napi(ts_arg_type = "Uint8Array | Uint8ClampedArray | Uint16Array | Float32Array | null")] out: Option<
        KeptSamples,
    >,
    #[napi(ts_arg_type = "(code: string | null, message: string | null) => void")] done: Done,
) -> napi::Result<u32> {
    let result =
        Planned::new(Params(params.read()), slice(&kernel), slice(&window)).and_then(|planned| {
            match (data, out) {
                (KeptSamples::U8(data), None) => start(&env, planned, data, None, done),
                (KeptSamples::U16(data), None) => start(&env, planned, data, None, done),
                (KeptSamples::F32(data), None) => start(&env, planned, data, None, done),
                (KeptSamples::U8(data), Some(KeptSamples::U8(out))) => {
                    start(&env, planned, data, Some(out), done)
                }
                (KeptSamples::U16(data), Some(KeptSamples::U16(out))) => {
                    start(&env, planned, data, Some(out), done)
                }
                (KeptSamples::F32(data), Some(KeptSamples::F32(out))) => {
                    start(&env, planned, data, Some(out), done)
                }
                _ => Err(different_types()),
            }
        });
    throw(&env, result)
}

fn start<P: Pixel + crate::array::Element>(
    env: &Env,
    planned: Planned,
    mut data: Kept<P>,
    mut out: Option<Kept<P>>,
    done: Done,
) -> Result<u32, Failure> {
    job::start(env, done, move |pool| {
        let result = match &mut out {
            Some(out) => planned.run(data.read(), out.write(), pool),
            None => planned.run_in_place(data.write(), pool),
        };
        (result, (data, out))
    })
}

/// Scores every place of an image by its likeness to a template, of which `of` has the sizes; gives `[x, y, score]` of the best.
#[napi(catch_unwind)]
pub fn run_template(
    env: Env,
    #[napi(ts_arg_type = "Float64Array")] params: Array<f64>,
    #[napi(ts_arg_type = "Uint8Array | Uint8ClampedArray | Uint16Array | Float32Array")] data: Samples,
    #[napi(ts_arg_type = "Float64Array")] of: Array<f64>,
    #[napi(ts_arg_type = "Uint8Array | Uint8ClampedArray | Uint16Array | Float32Array")] template: Samples,
    #[napi(ts_arg_type = "Float32Array")] mut scores: Array<f32>,
) -> napi::Result<Vec<f64>> {
    let (params, of) = (Params(params.read()), Params(of.read()));
    let result = match (&data, &template) {
        (Samples::U8(data), Samples::U8(t)) => score(params, data.read(), of, t.read(), scores.write()),
        (Samples::U16(data), Samples::U16(t)) => score(params, data.read(), of, t.read(), scores.write()),
        (Samples::F32(data), Samples::F32(t)) => score(params, data.read(), of, t.read(), scores.write()),
        _ => Err(Failure::Value("expected samples of the type of data for template, received others".into())),
    };
    throw(&env, result.map(|best| vec![best.x as f64, best.y as f64, f64::from(best.score)]))
}

fn score<P: Pixel>(
    params: Params<'_>,
    data: &[P],
    of: Params<'_>,
    template: &[P],
    scores: &mut [f32],
) -> Result<Best, Failure> {
    let runtime = runtime()?;
    let template = Template::new(
        frame(params, at::WIDTH)?,
        frame(of, at::WIDTH)?,
        template,
        template_method(params)?,
        runtime.isa,
    )?;
    Ok(template.run(data, scores, &runtime.pool(), params.threads(at::THREADS)?)?)
}
