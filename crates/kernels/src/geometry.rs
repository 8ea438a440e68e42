//! The only place where shapes are computed and checked. Values of these types are valid by construction: positive sizes, at
//! least one output element per image, products that fit the address space.

mod adaptive;
mod transposed;

pub(crate) use transposed::Phase;
pub use transposed::{TransposedAxis, TransposedGeometry, TransposedRequest};

use crate::error::Error;
use crate::lanes::MOST_LANES;
use std::ops::Range;

/// How the elements around an input are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum PaddingMode {
    /// Zeros (PyTorch `zeros`, ONNX `constant`).
    #[default]
    Zeros,
    /// Mirrored without repeating the edge: `dcb|abcd|cba` (PyTorch and ONNX `reflect`, OpenCV `BORDER_REFLECT_101`).
    Reflect,
    /// Mirrored with the edge repeated: `cba|abcd|dcb` (OpenCV `BORDER_REFLECT`).
    Symmetric,
    /// The edge repeated: `aaa|abcd|ddd` (PyTorch `replicate`, ONNX `edge`).
    Replicate,
    /// Wrapped around: `bcd|abcd|abc` (PyTorch `circular`, ONNX `wrap`).
    Circular,
}

impl PaddingMode {
    /// Where the element at `position` of an axis of `size > 0` elements comes from; `None` is zero.
    #[inline]
    pub fn source(self, position: isize, size: usize) -> Option<usize> {
        let n = size as isize;
        if (0..n).contains(&position) {
            return Some(position as usize);
        }
        let inside = match self {
            PaddingMode::Zeros => return None,
            PaddingMode::Reflect if n == 1 => 0,
            PaddingMode::Reflect => {
                let p = position.rem_euclid(2 * (n - 1));
                p.min(2 * (n - 1) - p)
            }
            PaddingMode::Symmetric => {
                let p = position.rem_euclid(2 * n);
                p.min(2 * n - 1 - p)
            }
            PaddingMode::Replicate => position.clamp(0, n - 1),
            PaddingMode::Circular => position.rem_euclid(n),
        };
        Some(inside as usize)
    }

    /// PyTorch's limit for padding an axis of `size` elements in this mode, with the mode's name.
    fn limit(self, size: usize) -> Option<(usize, &'static str)> {
        match self {
            PaddingMode::Reflect => Some((size - 1, "reflect")),
            PaddingMode::Circular => Some((size, "circular")),
            PaddingMode::Zeros | PaddingMode::Symmetric | PaddingMode::Replicate => None,
        }
    }
}

/// Where the channels are in a tensor of four axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum ChannelOrder {
    /// `[n, c, h, w]` (PyTorch, ONNX).
    #[default]
    First,
    /// `[n, h, w, c]` (TensorFlow, images; PyTorch's `channels_last`).
    Last,
}

/// How much padding there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// `[[top, bottom], [left, right]]`.
    Explicit([[usize; 2]; 2]),
    /// None (ONNX `VALID`).
    Valid,
    /// Output = ⌈input / stride⌉, the odd element before (the seed's rule, section 2.1; ONNX `SAME_LOWER`).
    SameLower,
    /// Output = ⌈input / stride⌉, the odd element after (PyTorch and TensorFlow `same`, ONNX `SAME_UPPER`).
    SameUpper,
}

/// How the output side of a pooling is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Rounding {
    /// Down.
    #[default]
    Floor,
    /// Up, but a window that would start in the padding after the input is dropped (PyTorch `ceil_mode=True`).
    Ceil,
    /// As `Ceil`, but down where the padding is `Padding::Valid` (ONNX `ceil_mode=1`, opset 22).
    CeilOnnx,
}

/// One spatial axis of a sliding window: sizes, padding and output, all checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Axis {
    /// Input elements.
    pub input: usize,
    /// Window taps.
    pub kernel: usize,
    /// Input elements from one window to the next; 0 in an adaptive axis whose windows are not all alike.
    pub stride: usize,
    /// Input elements from one tap to the next.
    pub dilation: usize,
    /// Padding before the input.
    pub before: usize,
    /// Padding after the input.
    pub after: usize,
    /// Output elements.
    pub output: usize,
}

impl Axis {
    /// Input elements that a window covers: `(kernel - 1) · dilation + 1`.
    #[inline]
    pub fn span(&self) -> usize {
        (self.kernel - 1) * self.dilation + 1
    }

    /// Where tap `tap` of window `output` reads, as a position in the unpadded input.
    #[inline]
    pub fn position(&self, output: usize, tap: usize) -> isize {
        (output * self.stride + tap * self.dilation) as isize - self.before as isize
    }
}

impl Axis {
    /// The taps of window `output` that lie inside the unpadded input.
    pub fn inside(&self, output: usize) -> Range<usize> {
        if self.stride == 0 {
            return 0..self.window(output).len();
        }
        let start = output * self.stride;
        let first = self.before.saturating_sub(start).div_ceil(self.dilation).min(self.kernel);
        let last = (self.before + self.input).saturating_sub(start).div_ceil(self.dilation).min(self.kernel);
        first..last.max(first)
    }

    /// The windows that have tap `tap` inside the unpadded input; their own tap is `stride` positions from that of the one before.
    pub fn windows_with(&self, tap: usize) -> Range<usize> {
        let offset = tap * self.dilation;
        let first = self.before.saturating_sub(offset).div_ceil(self.stride);
        let last = (self.before + self.input).saturating_sub(offset).div_ceil(self.stride).min(self.output);
        first..last.max(first)
    }

    /// The number of taps of window `output` that lie inside the padded input.
    pub fn covered(&self, output: usize) -> usize {
        let end = self.before + self.input + self.after;
        end.saturating_sub(output * self.stride).div_ceil(self.dilation).min(self.kernel)
    }
}

const AXIS: [&str; 2] = ["rows", "columns"];

/// The sliding window of both axes, before it is checked: index 0 is the height, 1 the width.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Taps.
    pub kernel: [usize; 2],
    /// Steps.
    pub stride: [usize; 2],
    /// Distance of taps.
    pub dilation: [usize; 2],
    /// Padding.
    pub padding: Padding,
}

impl Window {
    fn axes(&self, input: [usize; 2], rounding: Rounding) -> Result<[Axis; 2], Error> {
        Ok([self.axis(0, input[0], rounding)?, self.axis(1, input[1], rounding)?])
    }

    /// Output size (Dumoulin and Visin, "A guide to convolution arithmetic", 2016; the seed's section 2.2).
    fn axis(&self, i: usize, input: usize, rounding: Rounding) -> Result<Axis, Error> {
        let (kernel, stride, dilation) = (self.kernel[i], self.stride[i], self.dilation[i]);
        for (value, parameter) in [
            (input, ["input height", "input width"][i]),
            (kernel, "kernelSize"),
            (stride, "stride"),
            (dilation, "dilation"),
        ] {
            if value == 0 {
                return Err(Error::Zero { parameter });
            }
        }
        let span =
            (kernel - 1).checked_mul(dilation).and_then(|s| s.checked_add(1)).filter(|s| *s <= MAX_SIDE);
        let span = span.ok_or(Error::Overflow { parameter: "kernelSize and dilation" })?;
        let [before, after] = match self.padding {
            Padding::Explicit(pads) => pads[i],
            Padding::Valid => [0, 0],
            Padding::SameLower | Padding::SameUpper => {
                let covered = ((input - 1) / stride).checked_mul(stride).and_then(|c| c.checked_add(span));
                let total = covered.ok_or(Error::Overflow { parameter: "stride" })?.saturating_sub(input);
                let (less, more) = (total / 2, total - total / 2);
                if self.padding == Padding::SameLower { [more, less] } else { [less, more] }
            }
        };
        if before.max(after) > MAX_WINDOW {
            return Err(Error::Overflow { parameter: "padding" });
        }
        let padded = input.checked_add(before + after).filter(|p| *p <= MAX_SIDE);
        let padded = padded.ok_or(Error::Overflow { parameter: "padding" })?;
        if padded < span {
            return Err(Error::EmptyOutput { axis: AXIS[i], padded, window: span });
        }
        let steps = padded - span;
        // The windows, counted from 0, that start before `end`.
        let starting_before = |end: usize| steps.div_ceil(stride).min((end - 1) / stride) + 1;
        let output = match (self.padding, rounding) {
            (Padding::SameLower | Padding::SameUpper, _) => input.div_ceil(stride),
            (_, Rounding::Floor) | (Padding::Valid, Rounding::CeilOnnx) => steps / stride + 1,
            (_, Rounding::Ceil | Rounding::CeilOnnx) => starting_before(input + before),
        };
        // The step of a single window means nothing, and a huge one would only cost memory.
        let stride = if output == 1 { 1 } else { stride };
        Ok(Axis { input, kernel, stride, dilation, before, after, output })
    }
}

/// No window may span more and no padding may be wider, so that a small input never asks for a huge working memory.
const MAX_WINDOW: usize = 1 << 26;

/// No side of an image may be longer, so that sums of a few sides never overflow; less where addresses are short.
pub(crate) const MAX_SIDE: usize = if usize::BITS > 48 { 1_usize.wrapping_shl(48) } else { 1 << 29 };

/// The product of the sizes, if that many floats can be addressed.
fn volume(parameter: &'static str, sizes: &[usize]) -> Result<usize, Error> {
    sizes
        .iter()
        .try_fold(1usize, |product, size| product.checked_mul(*size))
        .filter(|product| *product <= isize::MAX as usize / 16)
        .ok_or(Error::Overflow { parameter })
}

/// The taps of `channels` channels, a few vectors for each, must be addressable by 32-bit offsets too.
fn check_taps(channels: usize, kernel: [usize; 2]) -> Result<(), Error> {
    let taps = volume("kernelSize", &[channels, kernel[0], kernel[1], MOST_LANES * MOST_LANES])?;
    if taps >= u32::MAX as usize { Err(Error::Overflow { parameter: "kernelSize" }) } else { Ok(()) }
}

/// What a convolution is asked for; [`ConvGeometry::new`] checks it.
#[derive(Clone, Copy, Debug)]
pub struct ConvRequest {
    /// Images.
    pub batch: usize,
    /// Channels in.
    pub c_in: usize,
    /// Input height and width.
    pub input: [usize; 2],
    /// Channels out.
    pub c_out: usize,
    /// Channels per group in the weight's shape.
    pub weight_channels: usize,
    /// The sliding window.
    pub window: Window,
    /// Groups.
    pub groups: usize,
    /// How the padding is filled.
    pub padding_mode: PaddingMode,
    /// The order of the input's and the output's axes.
    pub order: ChannelOrder,
}

/// A 2-D cross-correlation as PyTorch's `conv2d` and ONNX's `Conv` define it. Input `[n, c_in, h, w]`, weight
/// `[c_out, c_in / groups, kh, kw]`, output `[n, c_out, h', w']`; with channels last, input `[n, h, w, c_in]` and output
/// `[n, h', w', c_out]`, the weight as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConvGeometry {
    /// Images; may be 0.
    pub batch: usize,
    /// Channels in.
    pub c_in: usize,
    /// Channels out.
    pub c_out: usize,
    /// Groups; divides both.
    pub groups: usize,
    /// The vertical axis.
    pub y: Axis,
    /// The horizontal axis.
    pub x: Axis,
    /// How the padding is filled.
    pub padding_mode: PaddingMode,
    /// The order of the input's and the output's axes.
    pub order: ChannelOrder,
}

impl ConvGeometry {
    /// Checks the request.
    pub fn new(request: &ConvRequest) -> Result<ConvGeometry, Error> {
        let ConvRequest { batch, c_in, input, c_out, weight_channels, window, groups, padding_mode, order } =
            *request;
        for (value, parameter) in [(c_in, "input channels"), (c_out, "output channels"), (groups, "groups")] {
            if value == 0 {
                return Err(Error::Zero { parameter });
            }
        }
        for (side, channels) in [("input", c_in), ("output", c_out)] {
            if channels % groups != 0 {
                return Err(Error::Groups { side, channels, groups });
            }
        }
        let expected = c_in / groups;
        if weight_channels != expected {
            return Err(Error::WeightChannels {
                expected,
                channels: c_in,
                groups,
                received: weight_channels,
            });
        }
        let [y, x] = window.axes(input, Rounding::Floor)?;
        for (axis, name) in [(y, AXIS[0]), (x, AXIS[1])] {
            let received = axis.before.max(axis.after);
            if let Some((limit, mode)) = padding_mode.limit(axis.input)
                && received > limit
            {
                return Err(Error::PaddingTooWide { axis: name, mode, limit, received });
            }
        }
        volume("input", &[batch.max(1), c_in, y.input, x.input])?;
        volume("output", &[batch.max(1), c_out, y.output, x.output])?;
        volume("weight", &[c_out, expected, y.kernel, x.kernel])?;
        // What a single output row reads must be addressable by the 32-bit tap offsets of the kernels.
        let row = volume(
            "kernelSize",
            &[expected, y.span(), x.input + x.before + x.after + x.stride * MOST_LANES],
        )?;
        check_taps(expected, [y.kernel, x.kernel])?;
        if row >= u32::MAX as usize {
            return Err(Error::Overflow { parameter: "kernelSize" });
        }
        Ok(ConvGeometry { batch, c_in, c_out, groups, y, x, padding_mode, order })
    }

    /// Input channels that one output channel reads.
    #[inline]
    pub fn c_in_group(&self) -> usize {
        self.c_in / self.groups
    }

    /// Output channels of one group.
    #[inline]
    pub fn c_out_group(&self) -> usize {
        self.c_out / self.groups
    }

    /// Products summed for one output element.
    #[inline]
    pub fn taps(&self) -> usize {
        self.c_in_group() * self.y.kernel * self.x.kernel
    }

    /// Elements of one output plane.
    #[inline]
    pub fn plane(&self) -> usize {
        self.y.output * self.x.output
    }

    /// The input's axes as they lie in memory.
    pub fn input_shape(&self) -> [usize; 4] {
        match self.order {
            ChannelOrder::First => [self.batch, self.c_in, self.y.input, self.x.input],
            ChannelOrder::Last => [self.batch, self.y.input, self.x.input, self.c_in],
        }
    }

    /// The output's axes as they lie in memory.
    pub fn output_shape(&self) -> [usize; 4] {
        match self.order {
            ChannelOrder::First => [self.batch, self.c_out, self.y.output, self.x.output],
            ChannelOrder::Last => [self.batch, self.y.output, self.x.output, self.c_out],
        }
    }

    /// Elements of the weight.
    pub fn weight_len(&self) -> usize {
        self.c_out * self.taps()
    }

    /// Elements of the input.
    pub fn input_len(&self) -> usize {
        self.batch * self.c_in * self.y.input * self.x.input
    }

    /// Elements of the output.
    pub fn output_len(&self) -> usize {
        self.batch * self.c_out * self.plane()
    }

    /// Floating-point operations of the direct method: two for each product.
    pub fn flops(&self) -> f64 {
        2.0 * self.output_len() as f64 * self.taps() as f64
    }

    /// Bytes that must move at least: input, weight and output once.
    pub fn bytes(&self) -> f64 {
        4.0 * (self.input_len() as f64 + self.weight_len() as f64 + self.output_len() as f64)
    }
}

/// What a pooling computes from the elements of a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PoolMode {
    /// The largest; NaN when any is NaN; padding is -inf.
    Max,
    /// The mean.
    Average {
        /// Whether padding counts in the divisor.
        count_include_pad: bool,
        /// A divisor to use instead of the count.
        divisor_override: Option<u32>,
    },
    /// The norm `(Σ|x|^p)^(1/p)` of this positive `p` (ONNX `LpPool`); the sum over an incomplete last window is scaled to a whole
    /// window's size, as PyTorch's `lp_pool2d` and ONNX's reference do.
    Norm(f32),
}

/// How wide the explicit padding of a pooling may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum PaddingLimit {
    /// Half of the effective window (PyTorch).
    #[default]
    Half,
    /// Less than the effective window (ONNX's runtimes), so that without dilation every window has an element.
    Window,
}

/// What a pooling is asked for; [`PoolGeometry::new`] checks it.
#[derive(Clone, Copy, Debug)]
pub struct PoolRequest {
    /// Images.
    pub batch: usize,
    /// Channels.
    pub channels: usize,
    /// Input height and width.
    pub input: [usize; 2],
    /// The sliding window.
    pub window: Window,
    /// How wide its padding may be.
    pub padding_limit: PaddingLimit,
    /// How the output sides are rounded.
    pub rounding: Rounding,
    /// What is computed.
    pub mode: PoolMode,
}

/// A 2-D pooling as PyTorch's `max_pool2d`/`avg_pool2d` and ONNX's `MaxPool`/`AveragePool` define it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PoolGeometry {
    /// Images; may be 0.
    pub batch: usize,
    /// Channels, each pooled by itself.
    pub channels: usize,
    /// The vertical axis.
    pub y: Axis,
    /// The horizontal axis.
    pub x: Axis,
    /// What is computed.
    pub mode: PoolMode,
    /// The order of the input's and the output's axes.
    pub order: ChannelOrder,
}

impl PoolGeometry {
    /// Checks the request.
    pub fn new(request: &PoolRequest) -> Result<PoolGeometry, Error> {
        let PoolRequest { batch, channels, input, window, padding_limit, rounding, mode } = *request;
        if channels == 0 {
            return Err(Error::Zero { parameter: "input channels" });
        }
        let [y, x] = window.axes(input, rounding)?;
        if let PoolMode::Average { divisor_override: Some(0), .. } = mode {
            return Err(Error::Zero { parameter: "divisorOverride" });
        }
        if let Padding::Explicit(_) = window.padding {
            for (axis, name) in [(y, AXIS[0]), (x, AXIS[1])] {
                let (limit, bound) = match padding_limit {
                    PaddingLimit::Half => (axis.span() / 2, "half of"),
                    PaddingLimit::Window => (axis.span() - 1, "less than"),
                };
                let received = axis.before.max(axis.after);
                if received > limit {
                    return Err(Error::PoolPadding { axis: name, limit, bound, received });
                }
            }
        }
        volume("input", &[batch.max(1), channels, y.input, x.input])?;
        volume("output", &[batch.max(1), channels, y.output, x.output])?;
        Ok(PoolGeometry { batch, channels, y, x, mode, order: ChannelOrder::First })
    }

    /// The same pooling of tensors of another order of axes.
    pub fn with_order(self, order: ChannelOrder) -> PoolGeometry {
        PoolGeometry { order, ..self }
    }

    /// The input's axes as they lie in memory.
    pub fn input_shape(&self) -> [usize; 4] {
        match self.order {
            ChannelOrder::First => [self.batch, self.channels, self.y.input, self.x.input],
            ChannelOrder::Last => [self.batch, self.y.input, self.x.input, self.channels],
        }
    }

    /// Elements of one output plane.
    #[inline]
    pub fn plane(&self) -> usize {
        self.y.output * self.x.output
    }

    /// Elements of the input.
    pub fn input_len(&self) -> usize {
        self.batch * self.channels * self.y.input * self.x.input
    }

    /// Elements of the output.
    pub fn output_len(&self) -> usize {
        self.batch * self.channels * self.plane()
    }

    /// Comparisons or additions: one for each element of each window.
    pub fn flops(&self) -> f64 {
        self.output_len() as f64 * self.y.kernel as f64 * self.x.kernel as f64
    }

    /// Bytes that must move at least: input and output once.
    pub fn bytes(&self) -> f64 {
        4.0 * (self.input_len() as f64 + self.output_len() as f64)
    }
}
