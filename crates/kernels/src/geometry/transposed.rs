//! Transposed convolutions: what a convolution does to gradients, as an operator of its own.

use super::{
    AXIS, Axis, ChannelOrder, ConvGeometry, ConvRequest, MAX_SIDE, MAX_WINDOW, Padding, PaddingMode, Window,
    check_taps, volume,
};
use crate::error::Error;

/// One spatial axis of a transposed convolution: input element `i` and tap `k` meet in the output element
/// `i · stride + k · dilation − before`, where that is one of `0..output`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TransposedAxis {
    /// Input elements.
    pub input: usize,
    /// Taps.
    pub kernel: usize,
    /// Output elements from one input element to the next.
    pub stride: usize,
    /// Output elements from one tap to the next.
    pub dilation: usize,
    /// Elements cut off before the output (PyTorch's and ONNX's padding).
    pub before: usize,
    /// Output elements.
    pub output: usize,
}

/// What a transposed convolution is asked for; [`TransposedGeometry::new`] checks it.
#[derive(Clone, Copy, Debug)]
pub struct TransposedRequest {
    /// Images.
    pub batch: usize,
    /// Channels in.
    pub c_in: usize,
    /// Input height and width.
    pub input: [usize; 2],
    /// Input channels in the weight's shape, its first axis.
    pub weight_channels: usize,
    /// Channels out of one group, the weight's second axis.
    pub c_out_group: usize,
    /// Kernel, stride, dilation, and the padding: explicit or none, what is cut off; by a rule, what makes the output `output`, or
    /// input · stride.
    pub window: Window,
    /// Rows and columns added after the output, each fewer than stride or dilation.
    pub output_padding: [usize; 2],
    /// The output's sides, from which the padding follows (ONNX `output_shape`); its rule says where the odd element goes, before
    /// unless it is [`Padding::SameUpper`].
    pub output: Option<[usize; 2]>,
    /// Groups.
    pub groups: usize,
    /// The order of the input's and the output's axes.
    pub order: ChannelOrder,
}

/// A transposed convolution as PyTorch's `conv_transpose2d` and ONNX's `ConvTranspose` define it. Input `[n, c_in, h, w]`, weight
/// `[c_in, c_out / groups, kh, kw]`, output `[n, c_out, h', w']`; with channels last as in [`ConvGeometry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TransposedGeometry {
    /// Images; may be 0.
    pub batch: usize,
    /// Channels in.
    pub c_in: usize,
    /// Channels out.
    pub c_out: usize,
    /// Groups; divides both.
    pub groups: usize,
    /// The vertical axis.
    pub y: TransposedAxis,
    /// The horizontal axis.
    pub x: TransposedAxis,
    /// The order of the input's and the output's axes.
    pub order: ChannelOrder,
}

impl TransposedGeometry {
    /// Checks the request.
    pub fn new(request: &TransposedRequest) -> Result<TransposedGeometry, Error> {
        let TransposedRequest { batch, c_in, weight_channels, c_out_group, groups, order, .. } = *request;
        for (value, parameter) in
            [(c_in, "input channels"), (c_out_group, "output channels"), (groups, "groups")]
        {
            if value == 0 {
                return Err(Error::Zero { parameter });
            }
        }
        if weight_channels != c_in {
            return Err(Error::WeightInput { expected: c_in, received: weight_channels });
        }
        if c_in % groups != 0 {
            return Err(Error::Groups { side: "input", channels: c_in, groups });
        }
        let c_out = volume("weight", &[c_out_group, groups])?;
        let g = TransposedGeometry {
            batch,
            c_in,
            c_out,
            groups,
            y: request.axis(0)?,
            x: request.axis(1)?,
            order,
        };
        volume("input", &[batch.max(1), c_in, g.y.input, g.x.input])?;
        volume("output", &[batch.max(1), c_out, g.y.output, g.x.output])?;
        volume("weight", &[c_in, c_out_group, g.y.kernel, g.x.kernel])?;
        // Before they are looked at one by one: no more phases than taps.
        check_taps(g.c_in_group(), [g.y.kernel, g.x.kernel])?;
        g.phases()?;
        Ok(g)
    }

    /// The transposed convolution that gives the gradient of `g`'s input from that of its output; with a padding mode other than
    /// zeros, of the padded input.
    pub fn input_gradient(g: &ConvGeometry) -> TransposedGeometry {
        let axis = |axis: &Axis| {
            let Axis { input, kernel, stride, dilation, before, after, output } = *axis;
            let axis = TransposedAxis { input: output, kernel, stride, dilation, before, output: input };
            match g.padding_mode {
                PaddingMode::Zeros => axis,
                _ => TransposedAxis { before: 0, output: before + input + after, ..axis },
            }
        };
        TransposedGeometry {
            batch: g.batch,
            c_in: g.c_out,
            c_out: g.c_in,
            groups: g.groups,
            y: axis(&g.y),
            x: axis(&g.x),
            order: g.order,
        }
    }

    /// The convolution of the output's gradient with the same weight that gives the input's gradient, and the rows and columns that
    /// it reads; nothing when it would read padding only.
    pub fn adjoint(&self) -> Result<Option<ConvGeometry>, Error> {
        let axis = |axis: &TransposedAxis| {
            let TransposedAxis { input, kernel, stride, dilation, before, output } = *axis;
            let covered = (input - 1) * stride + (kernel - 1) * dilation + 1;
            let read = covered.saturating_sub(before).min(output);
            let axis = Axis {
                input: read,
                kernel,
                stride,
                dilation,
                before,
                after: covered.saturating_sub(before + read),
                output: input,
            };
            (read > 0).then_some(axis)
        };
        let (Some(y), Some(x)) = (axis(&self.y), axis(&self.x)) else { return Ok(None) };
        convolution(self.batch, [self.c_out, self.c_in], self.groups, [y, x], self.order).map(Some)
    }

    /// Input channels of one group.
    #[inline]
    pub fn c_in_group(&self) -> usize {
        self.c_in / self.groups
    }

    /// Output channels of one group.
    #[inline]
    pub fn c_out_group(&self) -> usize {
        self.c_out / self.groups
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
        self.c_in * self.c_out_group() * self.y.kernel * self.x.kernel
    }

    /// Elements of the input.
    pub fn input_len(&self) -> usize {
        self.batch * self.c_in * self.y.input * self.x.input
    }

    /// Elements of one image of the output.
    pub fn image_len(&self) -> usize {
        self.c_out * self.y.output * self.x.output
    }

    /// Elements of the output.
    pub fn output_len(&self) -> usize {
        self.batch * self.image_len()
    }

    /// Floating-point operations of the direct method: two for each product of an input element and a weight.
    pub fn flops(&self) -> f64 {
        let kernel = self.y.kernel as f64 * self.x.kernel as f64;
        2.0 * self.input_len() as f64 * self.c_out_group() as f64 * kernel
    }

    /// Bytes that must move at least: input, weight and output once.
    pub fn bytes(&self) -> f64 {
        4.0 * (self.input_len() as f64 + self.weight_len() as f64 + self.output_len() as f64)
    }
}

impl TransposedRequest {
    fn axis(&self, i: usize) -> Result<TransposedAxis, Error> {
        let Window { kernel, stride, dilation, padding } = self.window;
        let (input, kernel, stride, dilation) = (self.input[i], kernel[i], stride[i], dilation[i]);
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
        let most = stride.max(dilation) - 1;
        let extra = self.output_padding[i];
        if extra > most {
            return Err(Error::OutputPadding { axis: AXIS[i], limit: most, received: extra });
        }
        let span = (kernel - 1).checked_mul(dilation).and_then(|s| s.checked_add(1));
        let span = span.filter(|s| *s <= MAX_SIDE);
        let span = span.ok_or(Error::Overflow { parameter: "kernelSize and dilation" })?;
        let full = (input - 1).checked_mul(stride).and_then(|s| s.checked_add(span)?.checked_add(extra));
        let full = full.filter(|f| *f <= MAX_SIDE).ok_or(Error::Overflow { parameter: "stride" })?;
        let target = match (self.output, padding) {
            (Some(output), _) => Some(output[i]),
            (None, Padding::SameLower | Padding::SameUpper) => Some(
                input
                    .checked_mul(stride)
                    .filter(|output| *output <= MAX_SIDE)
                    .ok_or(Error::Overflow { parameter: "stride" })?,
            ),
            _ => None,
        };
        let (before, output) = match (target, padding) {
            (Some(0), _) => return Err(Error::Zero { parameter: "outputShape" }),
            (Some(output), _) => {
                let limit = full.saturating_add(most);
                if output > limit {
                    return Err(Error::OutputShape { axis: AXIS[i], limit, received: output });
                }
                let cut = full.saturating_sub(output);
                let before = if padding == Padding::SameUpper { cut / 2 } else { cut - cut / 2 };
                (before, output)
            }
            (None, Padding::Explicit(pads)) => {
                let [before, after] = pads[i];
                if before.max(after) > MAX_WINDOW {
                    return Err(Error::Overflow { parameter: "padding" });
                }
                if before + after >= full {
                    return Err(Error::AllCut { axis: AXIS[i], full, received: before + after });
                }
                (before, full - before - after)
            }
            (None, _) => (0, full),
        };
        // The step of a single element means nothing, as in a convolution's axis.
        let stride = if input == 1 { 1 } else { stride };
        Ok(TransposedAxis { input, kernel, stride, dilation, before, output })
    }
}

/// The output elements of an axis that the same taps reach: every `stride`-th one from `first` on. They are a convolution of stride
/// 1 with those taps in reverse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PhaseAxis {
    /// The first output element.
    pub(crate) first: usize,
    /// The first tap, and the distance to the next one.
    pub(crate) tap: usize,
    pub(crate) tap_step: usize,
    /// The first input element that is read.
    pub(crate) from: usize,
    /// The convolution's axis, over the elements that are read.
    pub(crate) axis: Axis,
}

impl TransposedAxis {
    /// The phases of this axis that read anything. All other output elements are sums of nothing.
    fn phases(&self) -> Vec<PhaseAxis> {
        let common = gcd(self.stride, self.dilation);
        // Taps as far apart as this reach the same output elements.
        let tap_step = self.stride / common;
        (0..tap_step.min(self.kernel)).filter_map(|tap| self.phase(tap, tap_step, common)).collect()
    }

    fn phase(&self, tap: usize, tap_step: usize, common: usize) -> Option<PhaseAxis> {
        let TransposedAxis { input, kernel, stride, dilation, before, output } = *self;
        // Output `first + j · stride` takes tap `tap + t · tap_step` of input element `start + j - t · dilation / common`.
        let at = (tap * dilation) as isize - before as isize;
        let first = at.rem_euclid(stride as isize) as usize;
        let count = output.checked_sub(first + 1)? / stride + 1;
        let start = (first as isize - at) / stride as isize;
        let taps = (kernel - tap).div_ceil(tap_step);
        let reach = ((taps - 1) * (dilation / common)) as isize;
        let (low, high) = (start - reach, start + count as isize);
        let from = low.max(0) as usize;
        let end = high.clamp(0, input as isize) as usize;
        let read = end.checked_sub(from).filter(|read| *read > 0)?;
        let axis = Axis {
            input: read,
            kernel: taps,
            stride: 1,
            dilation: dilation / common,
            before: (-low).max(0) as usize,
            after: (high - input as isize).max(0) as usize,
            output: count,
        };
        Some(PhaseAxis { first, tap, tap_step, from, axis })
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Rows × columns of output elements that the same taps reach, and their convolution for a whole batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Phase {
    pub(crate) y: PhaseAxis,
    pub(crate) x: PhaseAxis,
    pub(crate) geometry: ConvGeometry,
}

impl TransposedGeometry {
    /// The convolutions that it is made of, each checked like any other.
    pub(crate) fn phases(&self) -> Result<Vec<Phase>, Error> {
        let columns = self.x.phases();
        let rows = self.y.phases();
        rows.iter().flat_map(|y| columns.iter().map(move |x| (y, x))).map(|(y, x)| self.phase(y, x)).collect()
    }

    fn phase(&self, y: &PhaseAxis, x: &PhaseAxis) -> Result<Phase, Error> {
        let channels = [self.c_in, self.c_out];
        let geometry = convolution(self.batch, channels, self.groups, [y.axis, x.axis], self.order)?;
        Ok(Phase { y: *y, x: *x, geometry })
    }
}

/// A convolution of axes that are known already, checked like any other.
fn convolution(
    batch: usize,
    [c_in, c_out]: [usize; 2],
    groups: usize,
    axes: [Axis; 2],
    order: ChannelOrder,
) -> Result<ConvGeometry, Error> {
    ConvGeometry::new(&ConvRequest {
        batch,
        c_in,
        input: axes.map(|axis| axis.input),
        c_out,
        weight_channels: c_in / groups,
        window: Window {
            kernel: axes.map(|axis| axis.kernel),
            stride: axes.map(|axis| axis.stride),
            dilation: axes.map(|axis| axis.dilation),
            padding: Padding::Explicit(axes.map(|axis| [axis.before, axis.after])),
        },
        groups,
        padding_mode: PaddingMode::Zeros,
        order,
    })
}
