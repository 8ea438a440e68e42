//! The numbers of a call, in one `Float64Array`: their places, and how they become geometry. `src/params.ts` has the same places.

use crate::error::Failure;
use corr2d_kernels::conv::{ALGORITHMS, Activation, Algorithm, Layout};
use corr2d_kernels::geometry::{
    ChannelOrder, ConvGeometry, ConvRequest, Padding, PaddingLimit, PaddingMode, PoolGeometry, PoolMode,
    PoolRequest, Rounding, TransposedGeometry, TransposedRequest, Window,
};
use corr2d_kernels::image::{Alpha, Frame, Gradient, ImagePoolMode, ImageRequest, Method};

/// The largest integer below which every other is exact in a double.
const MOST: f64 = 9_007_199_254_740_991.0;

/// Reads places of a parameter array.
#[derive(Clone, Copy)]
pub(crate) struct Params<'a>(pub(crate) &'a [f64]);

impl<'a> Params<'a> {
    fn number(self, place: usize) -> Result<f64, Failure> {
        self.0.get(place).copied().ok_or_else(|| {
            Failure::Value(format!("expected a number at place {place} of params, received none"))
        })
    }

    fn size(self, place: usize) -> Result<usize, Failure> {
        let value = self.number(place)?;
        // The conversion saturates, so whatever is negative, fractional, too large or NaN does not come back as it was.
        let size = value as usize;
        // Where addresses are short, what they can't count is the largest size, which no geometry accepts.
        if (size as f64 == value || (size == usize::MAX && value.fract() == 0.0)) && value <= MOST {
            Ok(size)
        } else {
            Err(Failure::Value(format!(
                "expected a non-negative integer at place {place} of params, received {value}"
            )))
        }
    }

    pub(crate) fn pair(self, place: usize) -> Result<[usize; 2], Failure> {
        Ok([self.size(place)?, self.size(place + 1)?])
    }

    fn index(self, place: usize, count: usize) -> Result<usize, Failure> {
        match self.size(place)? {
            index if index < count => Ok(index),
            index => Err(Failure::Value(format!(
                "expected a number below {count} at place {place} of params, received {index}"
            ))),
        }
    }

    fn choice<T: Copy>(self, place: usize, choices: &[T]) -> Result<T, Failure> {
        Ok(choices[self.index(place, choices.len())?])
    }

    fn padding(self, pads: usize, kind: usize) -> Result<Padding, Failure> {
        let explicit = Padding::Explicit([self.pair(pads)?, self.pair(pads + 2)?]);
        self.choice(kind, &[explicit, Padding::Valid, Padding::SameLower, Padding::SameUpper])
    }

    /// Threads of this call: as many as the pool has when 0.
    pub(crate) fn threads(self, place: usize) -> Result<usize, Failure> {
        Ok(match self.size(place)? {
            0 => usize::MAX,
            n => n,
        })
    }
}

/// Places of a convolution's parameters.
pub(crate) mod conv_place {
    pub(crate) const BATCH: usize = 0;
    pub(crate) const C_IN: usize = 1;
    pub(crate) const INPUT: usize = 2;
    pub(crate) const C_OUT: usize = 4;
    pub(crate) const KERNEL: usize = 5;
    pub(crate) const STRIDE: usize = 7;
    pub(crate) const PADS: usize = 9;
    pub(crate) const DILATION: usize = 13;
    pub(crate) const GROUPS: usize = 15;
    pub(crate) const PAD_KIND: usize = 16;
    pub(crate) const PADDING_MODE: usize = 17;
    pub(crate) const WEIGHT_CHANNELS: usize = 18;
    pub(crate) const ALGORITHM: usize = 19;
    pub(crate) const ACTIVATION: usize = 20;
    pub(crate) const THREADS: usize = 23;
    pub(crate) const ORDER: usize = 24;
    pub(crate) const BIAS_LENGTH: usize = 25;
    pub(crate) const OUTPUT: usize = 26;
    pub(crate) const FLOPS: usize = 28;
    /// Of a transposed convolution.
    pub(crate) const OUTPUT_PADDING: usize = 29;
    /// The sides asked for, or 0.
    pub(crate) const OUTPUT_SHAPE: usize = 31;
}

pub(crate) fn conv_geometry(p: Params<'_>) -> Result<ConvGeometry, Failure> {
    use conv_place as at;
    let request = ConvRequest {
        batch: p.size(at::BATCH)?,
        c_in: p.size(at::C_IN)?,
        input: p.pair(at::INPUT)?,
        c_out: p.size(at::C_OUT)?,
        weight_channels: p.size(at::WEIGHT_CHANNELS)?,
        window: window(p)?,
        groups: p.size(at::GROUPS)?,
        padding_mode: p.choice(
            at::PADDING_MODE,
            &[PaddingMode::Zeros, PaddingMode::Reflect, PaddingMode::Replicate, PaddingMode::Circular],
        )?,
        order: p.choice(at::ORDER, &ORDERS)?,
    };
    Ok(ConvGeometry::new(&request)?)
}

/// A transposed convolution's; of its weight, `WEIGHT_CHANNELS` is the first axis and `C_OUT` the second.
pub(crate) fn transposed_geometry(p: Params<'_>) -> Result<TransposedGeometry, Failure> {
    use conv_place as at;
    let output = p.pair(at::OUTPUT_SHAPE)?;
    let request = TransposedRequest {
        batch: p.size(at::BATCH)?,
        c_in: p.size(at::C_IN)?,
        input: p.pair(at::INPUT)?,
        weight_channels: p.size(at::WEIGHT_CHANNELS)?,
        c_out_group: p.size(at::C_OUT)?,
        window: window(p)?,
        output_padding: p.pair(at::OUTPUT_PADDING)?,
        output: (output != [0, 0]).then_some(output),
        groups: p.size(at::GROUPS)?,
        order: p.choice(at::ORDER, &ORDERS)?,
    };
    Ok(TransposedGeometry::new(&request)?)
}

const ORDERS: [ChannelOrder; 2] = [ChannelOrder::First, ChannelOrder::Last];

fn window(p: Params<'_>) -> Result<Window, Failure> {
    use conv_place as at;
    Ok(Window {
        kernel: p.pair(at::KERNEL)?,
        stride: p.pair(at::STRIDE)?,
        dilation: p.pair(at::DILATION)?,
        padding: p.padding(at::PADS, at::PAD_KIND)?,
    })
}

pub(crate) fn algorithm(p: Params<'_>) -> Result<Option<&'static Algorithm>, Failure> {
    if p.number(conv_place::ALGORITHM)? < 0.0 {
        return Ok(None);
    }
    Ok(Some(&ALGORITHMS[p.index(conv_place::ALGORITHM, ALGORITHMS.len())?]))
}

pub(crate) fn activation(p: Params<'_>) -> Result<Activation, Failure> {
    let place = conv_place::ACTIVATION;
    let (a, b) = (p.number(place + 1)? as f32, p.number(place + 2)? as f32);
    let choices = [
        Activation::None,
        Activation::Relu,
        Activation::Clamp(0.0, 6.0),
        Activation::LeakyRelu(a),
        Activation::Clamp(a, b),
        Activation::Silu,
        Activation::Hardswish,
    ];
    p.choice(place, &choices)
}

/// Places of a pooling's parameters.
pub(crate) mod pool_place {
    pub(crate) const BATCH: usize = 0;
    pub(crate) const CHANNELS: usize = 1;
    pub(crate) const INPUT: usize = 2;
    pub(crate) const KERNEL: usize = 4;
    pub(crate) const STRIDE: usize = 6;
    pub(crate) const PADS: usize = 8;
    pub(crate) const DILATION: usize = 12;
    pub(crate) const MODE: usize = 14;
    pub(crate) const PAD_KIND: usize = 15;
    pub(crate) const ROUNDING: usize = 16;
    pub(crate) const COUNT_INCLUDE_PAD: usize = 17;
    pub(crate) const DIVISOR_OVERRIDE: usize = 18;
    pub(crate) const THREADS: usize = 19;
    pub(crate) const OUTPUT: usize = 20;
    pub(crate) const FLOPS: usize = 22;
    pub(crate) const PADDING_LIMIT: usize = 23;
    /// Whether KERNEL is the output's sides.
    pub(crate) const ADAPTIVE: usize = 24;
    pub(crate) const NORM: usize = 25;
    pub(crate) const ORDER: usize = 26;
}

pub(crate) fn pool_geometry(p: Params<'_>) -> Result<PoolGeometry, Failure> {
    use pool_place as at;
    let divisor_override = match p.size(at::DIVISOR_OVERRIDE)? {
        0 => None,
        divisor => Some(u32::try_from(divisor).map_err(|_| {
            Failure::Value(format!(
                "expected an integer below 4294967296 for divisorOverride, received {divisor}"
            ))
        })?),
    };
    let order = p.choice(at::ORDER, &[ChannelOrder::First, ChannelOrder::Last])?;
    if p.choice(at::ADAPTIVE, &[false, true])? {
        let planes = [p.size(at::BATCH)?, p.size(at::CHANNELS)?];
        let largest = p.choice(at::MODE, &[true, false])?;
        let geometry = PoolGeometry::adaptive(planes, p.pair(at::INPUT)?, p.pair(at::KERNEL)?, largest)?;
        return Ok(geometry.with_order(order));
    }
    let average = PoolMode::Average {
        count_include_pad: p.choice(at::COUNT_INCLUDE_PAD, &[false, true])?,
        divisor_override,
    };
    let request = PoolRequest {
        batch: p.size(at::BATCH)?,
        channels: p.size(at::CHANNELS)?,
        input: p.pair(at::INPUT)?,
        window: Window {
            kernel: p.pair(at::KERNEL)?,
            stride: p.pair(at::STRIDE)?,
            dilation: p.pair(at::DILATION)?,
            padding: p.padding(at::PADS, at::PAD_KIND)?,
        },
        padding_limit: p.choice(at::PADDING_LIMIT, &[PaddingLimit::Half, PaddingLimit::Window])?,
        rounding: p.choice(at::ROUNDING, &[Rounding::Floor, Rounding::Ceil, Rounding::CeilOnnx])?,
        mode: p.choice(at::MODE, &[PoolMode::Max, average, PoolMode::Norm(p.number(at::NORM)? as f32)])?,
    };
    Ok(PoolGeometry::new(&request)?.with_order(order))
}

/// Places of an image operation's parameters.
pub(crate) mod image_place {
    pub(crate) const WIDTH: usize = 0;
    pub(crate) const HEIGHT: usize = 1;
    pub(crate) const CHANNELS: usize = 2;
    pub(crate) const ROW_STRIDE: usize = 3;
    pub(crate) const THREADS: usize = 4;
    /// Which operation; the places from here on are those of filters and gradients.
    pub(crate) const OPERATION: usize = 5;
    pub(crate) const KERNEL: usize = 6;
    pub(crate) const BORDER: usize = 8;
    pub(crate) const SCALE: usize = 9;
    pub(crate) const OFFSET: usize = 10;
    pub(crate) const ALPHA: usize = 11;
    pub(crate) const LINEAR: usize = 12;
    /// Whether the largest, the smallest or the mean.
    pub(crate) const POOL_MODE: usize = 13;
    pub(crate) const METHOD: usize = 14;
}

/// An operation that takes an image and gives one.
#[derive(Clone, Copy)]
pub(crate) enum ImageKind {
    Correlate,
    Gradient(Gradient),
    Pool,
}

pub(crate) fn image_kind(p: Params<'_>) -> Result<ImageKind, Failure> {
    use ImageKind::{Correlate, Pool};
    let gradients = [Gradient::Sobel, Gradient::Scharr, Gradient::Prewitt].map(ImageKind::Gradient);
    let [sobel, scharr, prewitt] = gradients;
    p.choice(image_place::OPERATION, &[Correlate, sobel, scharr, prewitt, Pool])
}

/// The sizes of an image, of which `at` is the place of the first.
pub(crate) fn frame(p: Params<'_>, at: usize) -> Result<Frame, Failure> {
    Ok(Frame {
        width: p.size(at)?,
        height: p.size(at + image_place::HEIGHT)?,
        channels: p.size(at + image_place::CHANNELS)?,
        row_stride: p.size(at + image_place::ROW_STRIDE)?,
    })
}

pub(crate) fn image_request(p: Params<'_>) -> Result<ImageRequest, Failure> {
    use image_place as at;
    Ok(ImageRequest {
        frame: frame(p, at::WIDTH)?,
        border: p.choice(
            at::BORDER,
            &[
                PaddingMode::Reflect,
                PaddingMode::Symmetric,
                PaddingMode::Replicate,
                PaddingMode::Zeros,
                PaddingMode::Circular,
            ],
        )?,
        scale: p.number(at::SCALE)? as f32,
        offset: p.number(at::OFFSET)? as f32,
        alpha: p.choice(at::ALPHA, &[Alpha::PassThrough, Alpha::Filter])?,
        linear: p.choice(at::LINEAR, &[false, true])?,
    })
}

pub(crate) fn image_pool_mode(p: Params<'_>) -> Result<ImagePoolMode, Failure> {
    p.choice(image_place::POOL_MODE, &[ImagePoolMode::Max, ImagePoolMode::Min, ImagePoolMode::Average])
}

pub(crate) fn template_method(p: Params<'_>) -> Result<Method, Failure> {
    p.choice(image_place::METHOD, &[Method::CoefficientNormed, Method::CorrelationNormed])
}

/// An input's layout: its offset and the strides of all axes but the last, in elements.
pub(crate) fn layout(view: Option<&[f64]>) -> Result<Option<Layout>, Failure> {
    let Some(view) = view else { return Ok(None) };
    let p = Params(view);
    Ok(Some(Layout { offset: p.size(0)?, strides: [p.size(1)?, p.size(2)?, p.size(3)?] }))
}
