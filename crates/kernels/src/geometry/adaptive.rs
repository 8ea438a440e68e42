//! Poolings whose windows follow from the output's sides.

use super::{Axis, ChannelOrder, MOST_LANES, PoolGeometry, PoolMode, volume};
use crate::error::Error;
use std::ops::Range;

impl Axis {
    /// Window `i` is `⌊i · input / output⌋ .. ⌈(i + 1) · input / output⌉` (PyTorch's adaptive pooling): a window with a stride where
    /// the input divides.
    fn adaptive(i: usize, input: usize, output: usize) -> Result<Axis, Error> {
        for (value, parameter) in [(input, ["input height", "input width"][i]), (output, "outputSize")] {
            if value == 0 {
                return Err(Error::Zero { parameter });
            }
        }
        volume("outputSize", &[input, output.saturating_add(MOST_LANES)])?;
        let regular = input.is_multiple_of(output);
        let kernel = if regular { input / output } else { (input.div_ceil(output) + 1).min(input) };
        let stride = match output {
            1 => 1,
            _ if regular => kernel,
            _ => 0,
        };
        Ok(Axis { input, kernel, stride, dilation: 1, before: 0, after: 0, output })
    }

    /// The input elements of window `output` of an axis without padding or dilation.
    #[inline]
    pub fn window(&self, output: usize) -> Range<usize> {
        if self.stride > 0 {
            return output * self.stride..output * self.stride + self.kernel;
        }
        output * self.input / self.output..((output + 1) * self.input).div_ceil(self.output)
    }

    /// Where the first of the taps that are [`inside`](Axis::inside) reads.
    #[inline]
    pub fn first_inside(&self, output: usize) -> usize {
        if self.stride == 0 {
            return self.window(output).start;
        }
        let taps = self.inside(output);
        if taps.is_empty() { 0 } else { self.position(output, taps.start) as usize }
    }
}

impl PoolGeometry {
    /// A pooling to `output` rows and columns, whatever the input's, as PyTorch's `adaptive_max_pool2d` and `adaptive_avg_pool2d`
    /// define it; to 1×1 it is ONNX's `GlobalMaxPool` and `GlobalAveragePool`. A mean is over the window's own elements.
    pub fn adaptive(
        [batch, channels]: [usize; 2],
        input: [usize; 2],
        output: [usize; 2],
        largest: bool,
    ) -> Result<PoolGeometry, Error> {
        if channels == 0 {
            return Err(Error::Zero { parameter: "input channels" });
        }
        let (y, x) = (Axis::adaptive(0, input[0], output[0])?, Axis::adaptive(1, input[1], output[1])?);
        let mean = PoolMode::Average { count_include_pad: false, divisor_override: None };
        let mode = if largest { PoolMode::Max } else { mean };
        volume("input", &[batch.max(1), channels, y.input, x.input])?;
        volume("output", &[batch.max(1), channels, y.output, x.output])?;
        Ok(PoolGeometry { batch, channels, y, x, mode, order: ChannelOrder::First })
    }
}
