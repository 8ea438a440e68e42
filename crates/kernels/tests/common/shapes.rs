//! Shorthand for requests: `Conv { kernel: [3, 5], ..Conv::default() }` says what is special about a shape and nothing else.

use corr2d_kernels::Error;
use corr2d_kernels::geometry::{
    ChannelOrder, ConvGeometry, ConvRequest, Padding, PaddingLimit, PaddingMode, PoolGeometry, PoolMode,
    PoolRequest, Rounding, TransposedGeometry, TransposedRequest, Window,
};

/// `[[top, bottom], [left, right]]`.
pub(crate) type Pads = [[usize; 2]; 2];

/// A convolution; by default one 8×8 image, one channel, a 3×3 kernel without padding.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conv {
    pub(crate) batch: usize,
    pub(crate) c_in: usize,
    pub(crate) c_out: usize,
    pub(crate) groups: usize,
    pub(crate) input: [usize; 2],
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    pub(crate) dilation: [usize; 2],
    pub(crate) pads: Pads,
    pub(crate) mode: PaddingMode,
    pub(crate) order: ChannelOrder,
}

impl Default for Conv {
    fn default() -> Conv {
        Conv {
            batch: 1,
            c_in: 1,
            c_out: 1,
            groups: 1,
            input: [8, 8],
            kernel: [3, 3],
            stride: [1, 1],
            dilation: [1, 1],
            pads: [[0, 0], [0, 0]],
            mode: PaddingMode::Zeros,
            order: ChannelOrder::First,
        }
    }
}

impl Conv {
    pub(crate) fn geometry(&self) -> Result<ConvGeometry, Error> {
        ConvGeometry::new(&ConvRequest {
            batch: self.batch,
            c_in: self.c_in,
            input: self.input,
            c_out: self.c_out,
            weight_channels: self.c_in / self.groups,
            window: Window {
                kernel: self.kernel,
                stride: self.stride,
                dilation: self.dilation,
                padding: Padding::Explicit(self.pads),
            },
            groups: self.groups,
            padding_mode: self.mode,
            order: self.order,
        })
    }
}

/// A transposed convolution; by default of one 5×5 image, one channel, a 3×3 kernel without padding.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Transposed {
    pub(crate) batch: usize,
    pub(crate) c_in: usize,
    pub(crate) c_out: usize,
    pub(crate) groups: usize,
    pub(crate) input: [usize; 2],
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    pub(crate) dilation: [usize; 2],
    pub(crate) padding: Padding,
    pub(crate) output_padding: [usize; 2],
    pub(crate) output: Option<[usize; 2]>,
    pub(crate) order: ChannelOrder,
}

impl Default for Transposed {
    fn default() -> Transposed {
        Transposed {
            batch: 1,
            c_in: 1,
            c_out: 1,
            groups: 1,
            input: [5, 5],
            kernel: [3, 3],
            stride: [1, 1],
            dilation: [1, 1],
            padding: Padding::Valid,
            output_padding: [0, 0],
            output: None,
            order: ChannelOrder::First,
        }
    }
}

impl Transposed {
    pub(crate) fn geometry(&self) -> Result<TransposedGeometry, Error> {
        TransposedGeometry::new(&TransposedRequest {
            batch: self.batch,
            c_in: self.c_in,
            input: self.input,
            weight_channels: self.c_in,
            c_out_group: self.c_out / self.groups,
            window: Window {
                kernel: self.kernel,
                stride: self.stride,
                dilation: self.dilation,
                padding: self.padding,
            },
            output_padding: self.output_padding,
            output: self.output,
            groups: self.groups,
            order: self.order,
        })
    }
}

/// A pooling; by default of one 8×8 plane, the largest of 2×2 windows with stride 2.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pooling {
    pub(crate) batch: usize,
    pub(crate) channels: usize,
    pub(crate) input: [usize; 2],
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    pub(crate) dilation: [usize; 2],
    pub(crate) padding: Padding,
    pub(crate) padding_limit: PaddingLimit,
    pub(crate) rounding: Rounding,
    pub(crate) mode: PoolMode,
}

impl Default for Pooling {
    fn default() -> Pooling {
        Pooling {
            batch: 1,
            channels: 1,
            input: [8, 8],
            kernel: [2, 2],
            stride: [2, 2],
            dilation: [1, 1],
            padding: Padding::Valid,
            padding_limit: PaddingLimit::Half,
            rounding: Rounding::Floor,
            mode: PoolMode::Max,
        }
    }
}

impl Pooling {
    pub(crate) fn geometry(&self) -> Result<PoolGeometry, Error> {
        let Pooling {
            batch,
            channels,
            input,
            kernel,
            stride,
            dilation,
            padding,
            padding_limit,
            rounding,
            mode,
        } = *self;
        let window = Window { kernel, stride, dilation, padding };
        PoolGeometry::new(&PoolRequest { batch, channels, input, window, padding_limit, rounding, mode })
    }
}
