//! The weight of one group as the packers of register tiles find it.

use super::swap_axes::SwapAxes;
use corr2d_simd::{Isa, Kernel, Simd};

/// The order of a weight's elements within each group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum WeightOrder {
    /// `[channel][tap]`, as a convolution has it.
    Channels,
    /// `[input channel][channel][tap of the kernel]`, a kernel's taps in reverse: the weight of a convolution as its transpose has it,
    /// where input and output change places.
    Transposed {
        /// Taps of a kernel.
        kernel: usize,
    },
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
        // Of some taps of all these channels.
        let by_tap = |source: &[f32], taps: usize, target: &mut [f32]| SwapAxes {
            source: source[first * taps..][..count * taps].as_ptr(),
            source_stride: taps,
            target: target[..(taps - 1) * width + count].as_mut_ptr(),
            target_stride: width,
            size: [count, taps],
        };
        match order {
            // SAFETY: the source has `count` lines of `taps` floats, the target `taps` lines of `count` that are `width` apart.
            WeightOrder::Channels => unsafe { by_tap(elements, taps, packed).run(isa) },
            WeightOrder::Transposed { kernel: 1 } => {
                isa.run(CopyLines { elements, channels: self.channels(), first, count, width, packed });
            }
            WeightOrder::Transposed { kernel } => {
                let kernels = elements.chunks_exact(self.channels() * kernel);
                for (source, target) in kernels.zip(packed.chunks_mut(kernel * width)) {
                    // SAFETY: the same, for the taps of a kernel.
                    unsafe { by_tap(source, kernel, target).run_in_reverse(isa) };
                }
            }
        }
    }
}

/// The same part of each line.
struct CopyLines<'a> {
    elements: &'a [f32],
    channels: usize,
    first: usize,
    count: usize,
    width: usize,
    packed: &'a mut [f32],
}

/// How many lines before it is copied one is asked for: they are farther apart than processors look ahead.
const LINES_AHEAD: usize = 8;

impl Kernel for CopyLines<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let CopyLines { elements, channels, first, count, width, packed } = self;
        let lines = elements.chunks_exact(channels);
        for (line, target) in lines.zip(packed.chunks_mut(width)) {
            let (source, target) = (&line[first..][..count], &mut target[..count]);
            let ahead = source.as_ptr().wrapping_add(LINES_AHEAD * channels);
            s.prefetch(ahead);
            s.prefetch(ahead.wrapping_add(count - 1));
            let whole = count / S::LANES * S::LANES;
            for x in (0..whole).step_by(S::LANES) {
                // SAFETY: a vector is left of both.
                unsafe { s.store(target.as_mut_ptr().add(x), s.load(source.as_ptr().add(x))) };
            }
            // Few, so that a call would take longer.
            target[whole..].iter_mut().zip(&source[whole..]).for_each(|(target, source)| *target = *source);
        }
    }
}
