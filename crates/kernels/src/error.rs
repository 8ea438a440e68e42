//! What can be wrong with a request, as data; the sentences name parameters as the public interface does.

use thiserror::Error;

/// Why a geometry, a plan or a run was refused. Nothing has been written when one is returned.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// A size that must be positive is zero.
    #[error("expected a positive integer for {parameter}, received 0")]
    Zero {
        /// Which size.
        parameter: &'static str,
    },
    /// The weight's channels do not fit the input's.
    #[error(
        "expected {expected} channels per group in weight (the input has {channels} channels, groups is {groups}), received {received}"
    )]
    WeightChannels {
        /// Input channels divided by groups.
        expected: usize,
        /// Input channels.
        channels: usize,
        /// Groups.
        groups: usize,
        /// Channels per group in the weight's shape.
        received: usize,
    },
    /// The input channels of a transposed convolution's weight are not the input's.
    #[error(
        "expected {expected} channels (those of the input) on the first axis for weight, received {received}"
    )]
    WeightInput {
        /// Input channels.
        expected: usize,
        /// The weight's first axis.
        received: usize,
    },
    /// More is added after a transposed convolution's output than stride and dilation leave room for.
    #[error(
        "expected at most {limit} {axis} (less than stride or dilation) for outputPadding, received {received}"
    )]
    OutputPadding {
        /// `"rows"` or `"columns"`.
        axis: &'static str,
        /// The most that may be added.
        limit: usize,
        /// The output padding received.
        received: usize,
    },
    /// A transposed convolution can't fill an output of this size.
    #[error("expected at most {limit} {axis} for outputShape, received {received}")]
    OutputShape {
        /// `"rows"` or `"columns"`.
        axis: &'static str,
        /// The largest side.
        limit: usize,
        /// The side received.
        received: usize,
    },
    /// The padding cuts off the whole output of a transposed convolution.
    #[error("expected fewer than {full} {axis} (the whole output) for padding, received {received}")]
    AllCut {
        /// `"rows"` or `"columns"`.
        axis: &'static str,
        /// The output without padding.
        full: usize,
        /// The padding of both sides.
        received: usize,
    },
    /// The groups do not divide the channels.
    #[error("expected a divisor of the {channels} {side} channels for groups, received {groups}")]
    Groups {
        /// `"input"` or `"output"`.
        side: &'static str,
        /// Channels on that side.
        channels: usize,
        /// Groups.
        groups: usize,
    },
    /// The bias does not have one element per output channel.
    #[error("expected {expected} elements (one for each output channel) for bias, received {received}")]
    BiasLength {
        /// Output channels.
        expected: usize,
        /// Elements received.
        received: usize,
    },
    /// The window is larger than the padded input, so there would be no output.
    #[error(
        "expected a window of at most {padded} {axis} (the padded input) for kernelSize with its dilation, received {window}"
    )]
    EmptyOutput {
        /// `"rows"` or `"columns"`.
        axis: &'static str,
        /// Input side with its padding.
        padded: usize,
        /// Window side with its dilation.
        window: usize,
    },
    /// Pooling padding over half of the window.
    #[error(
        "expected at most {limit} {axis} ({bound} the effective window) for padding, received {received}"
    )]
    PoolPadding {
        /// `"rows"` or `"columns"`.
        axis: &'static str,
        /// The largest padding allowed.
        limit: usize,
        /// `"half of"` or `"less than"` the window.
        bound: &'static str,
        /// The padding received.
        received: usize,
    },
    /// The padding is too wide for the padding mode.
    #[error(
        "expected at most {limit} {axis} for padding with paddingMode '{mode}' on this input, received {received}"
    )]
    PaddingTooWide {
        /// `"rows"` or `"columns"`.
        axis: &'static str,
        /// `"reflect"` or `"circular"`.
        mode: &'static str,
        /// The largest padding allowed.
        limit: usize,
        /// The padding received.
        received: usize,
    },
    /// A product of sizes does not fit the address space.
    #[error("expected sizes whose product can be addressed for {parameter}, received a larger one")]
    Overflow {
        /// What is too large.
        parameter: &'static str,
    },
    /// A buffer is not as long as its shape says.
    #[error("expected {expected} elements for {parameter}, received {received}")]
    Length {
        /// Which buffer.
        parameter: &'static str,
        /// Elements its shape needs.
        expected: usize,
        /// Elements received.
        received: usize,
    },
    /// A view's last element lies outside its buffer.
    #[error(
        "expected a view inside its buffer of {received} elements for {parameter}, received one that ends at element {expected}"
    )]
    ViewOutside {
        /// Which view.
        parameter: &'static str,
        /// One past the view's last element.
        expected: usize,
        /// Elements in the buffer.
        received: usize,
    },
    /// The output shares memory with an input.
    #[error("expected memory of its own for out, received a view that overlaps {parameter}")]
    Overlap {
        /// Which input.
        parameter: &'static str,
    },
    /// The gradient of an average was asked of another pooling.
    #[error("expected an average pooling for mode, received another one")]
    NotAnAverage,
    /// Places are asked for of what is no maximum.
    #[error("expected max pooling for indices, received another")]
    NoIndices,
    /// The forced algorithm can't do this geometry.
    #[error("expected an algorithm that supports this geometry for algorithm, received '{name}'")]
    Unsupported {
        /// The algorithm's name.
        name: &'static str,
    },
}

/// The class of an [`Error`], from which a binding chooses its own type and code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// A number outside its range.
    OutOfRange,
    /// Shapes or lengths that do not fit each other.
    ShapeMismatch,
    /// Memory that is both read and written.
    Overlap,
    /// A value that is not one of those allowed here.
    InvalidValue,
}

impl Error {
    /// The class of this error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Zero { .. }
            | Error::EmptyOutput { .. }
            | Error::PoolPadding { .. }
            | Error::PaddingTooWide { .. }
            | Error::OutputPadding { .. }
            | Error::OutputShape { .. }
            | Error::AllCut { .. }
            | Error::Overflow { .. }
            | Error::ViewOutside { .. } => ErrorKind::OutOfRange,
            Error::WeightChannels { .. }
            | Error::WeightInput { .. }
            | Error::Groups { .. }
            | Error::BiasLength { .. }
            | Error::Length { .. } => ErrorKind::ShapeMismatch,
            Error::Overlap { .. } => ErrorKind::Overlap,
            Error::Unsupported { .. } | Error::NoIndices | Error::NotAnAverage => ErrorKind::InvalidValue,
        }
    }
}
