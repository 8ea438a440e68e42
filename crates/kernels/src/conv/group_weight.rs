//! The weight of one group as the packers of register tiles find it.

use super::swap_axes::SwapAxes;
use corr2d_simd::Isa;

/// The order of a weight's elements within each group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum WeightOrder {
    /// `[channel][tap]`, as a convolution has it.
    Channels,
    /// `[tap][channel]`: the weight of one tap of a convolution as its transpose has it, where input and output change places.
    Taps,
}

/// A group's weight.
#[derive(Clone, Copy)]
pub(super) struct GroupWeight<'a> {
    pub(super) elements: &'a [f32],
    pub(super) taps: usize,
    pub(super) order: WeightOrder,
}

impl GroupWeight<'_> {
    /// Output channels.
    pub(super) fn channels(&self) -> usize {
        self.elements.len() / self.taps
    }

    /// Writes the `count` channels from `first` on as lines `[tap][channel]` that are `width` apart; what is beyond `count` in a line
    /// stays as it is.
    pub(super) fn pack(self, isa: Isa, first: usize, count: usize, width: usize, packed: &mut [f32]) {
        let GroupWeight { elements, taps, order } = self;
        match order {
            WeightOrder::Channels => {
                let by_tap = SwapAxes {
                    source: elements[first * taps..][..count * taps].as_ptr(),
                    source_stride: taps,
                    target: packed[..(taps - 1) * width + count].as_mut_ptr(),
                    target_stride: width,
                    size: [count, taps],
                };
                // SAFETY: the source has `count` lines of `taps` floats, the target `taps` lines of `count` that are `width` apart.
                unsafe { by_tap.run(isa) };
            }
            WeightOrder::Taps => {
                let lines = elements.chunks_exact(self.channels());
                for (line, target) in lines.zip(packed.chunks_mut(width)) {
                    target[..count].copy_from_slice(&line[first..first + count]);
                }
            }
        }
    }
}
