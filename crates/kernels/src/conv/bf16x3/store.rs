//! The sums of a block that are outputs: columns between the output's rows are none.

use super::SIDE;
use corr2d_simd::{Isa, Kernel, Simd};
use std::ops::Range;

/// Neighbouring columns of a block that are neighbouring outputs.
#[derive(Clone, Copy, Default)]
struct Segment {
    column: usize,
    output: usize,
    len: usize,
}

/// All of a block.
pub(super) struct Segments {
    segments: [Segment; SIDE],
    count: usize,
}

impl Segments {
    /// Those of the pixels `pixels`, counted in rows of `columns`, of which the first `width` are outputs.
    pub(super) fn new([columns, width]: [usize; 2], pixels: Range<usize>) -> Segments {
        let mut all = Segments { segments: [Segment::default(); SIDE], count: 0 };
        let mut pixel = pixels.start;
        while pixel < pixels.end {
            let (y, x) = (pixel / columns, pixel % columns);
            let end = pixels.end.min((y + 1) * columns);
            if x < width {
                let len = (end - pixel).min(width - x);
                all.segments[all.count] =
                    Segment { column: pixel - pixels.start, output: y * width + x, len };
                all.count += 1;
            }
            pixel = end;
        }
        all
    }

    /// Copies the sums `[channel][SIDE]` of some channels to their outputs, `plane` apart.
    ///
    /// # Safety
    /// The outputs are writable.
    pub(super) unsafe fn store(
        &self,
        isa: Isa,
        sums: *const f32,
        target: *mut f32,
        channels: usize,
        plane: usize,
    ) {
        isa.run(Store { segments: &self.segments[..self.count], sums, target, channels, plane });
    }
}

struct Store<'a> {
    segments: &'a [Segment],
    sums: *const f32,
    target: *mut f32,
    channels: usize,
    plane: usize,
}

impl Kernel for Store<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for channel in 0..self.channels {
            for Segment { column, output, len } in self.segments {
                for x in (0..*len).step_by(S::LANES) {
                    let count = S::LANES.min(len - x);
                    // SAFETY: what `Segments::store` asks its caller for; a block has `SIDE` sums of each channel.
                    unsafe {
                        let sums = s.load_first(self.sums.add(channel * SIDE + column + x), count);
                        s.store_first(self.target.add(channel * self.plane + output + x), sums, count);
                    }
                }
            }
        }
    }
}
