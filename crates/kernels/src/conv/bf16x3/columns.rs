//! The columns of blocks: what each step reads of the planes of a band, as far apart there as taps are, copied next to each other. A
//! unit loads tiles from anywhere, but from here in two thirds of the time.

use super::planes::Planes;
use super::{PAIRS, PARTS, SIDE, STEP};
use corr2d_simd::{Isa, Kernel, Simd};
use std::ops::Range;

/// Neighbouring pixels of a block that are neighbours in the planes, too.
#[derive(Clone, Copy, Default)]
struct Segment {
    column: usize,
    plane: usize,
    len: usize,
}

/// A block's pixels in the planes.
pub(super) struct Columns<'a> {
    planes: &'a Planes,
    segments: [Segment; SIDE],
    count: usize,
}

impl Columns<'_> {
    /// Those of the pixels `pixels` of a band whose rows have `width`.
    pub(super) fn new(planes: &Planes, width: usize, pixels: Range<usize>) -> Columns<'_> {
        let mut all = Columns { planes, segments: [Segment::default(); SIDE], count: 0 };
        let mut pixel = pixels.start;
        while pixel < pixels.end {
            let (y, x) = (pixel / width, pixel % width);
            let len = (pixels.end - pixel).min(width - x);
            all.segments[all.count] =
                Segment { column: pixel - pixels.start, plane: y * planes.columns + x, len };
            all.count += 1;
            pixel += len;
        }
        all
    }

    /// Copies `[step][part][pair][SIDE]` for some steps, which begin at `places` in the planes.
    ///
    /// # Safety
    /// The planes are filled, and the target has [`STEP`] elements for each step.
    pub(super) unsafe fn copy(&self, isa: Isa, places: &[u32], from: *const f32, target: *mut f32) {
        isa.run_beside_unit(Copy { columns: self, rows: [PARTS, PAIRS], places, from, target });
    }
}

struct Copy<'a> {
    columns: &'a Columns<'a>,
    /// [`PARTS`] and [`PAIRS`]: loops of a constant length would be unrolled to ten times the code.
    rows: [usize; 2],
    places: &'a [u32],
    from: *const f32,
    target: *mut f32,
}

impl Kernel for Copy<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Copy { columns: Columns { planes, segments, count }, rows: [parts, pairs], places, from, target } =
            self;
        let (pair, part) = (planes.pair(), planes.part());
        for (step, place) in places.iter().enumerate() {
            for Segment { column, plane, len } in &segments[..*count] {
                for x in (0..*len).step_by(S::LANES) {
                    let lanes = S::LANES.min(len - x);
                    for i in 0..parts {
                        let mut from = from.wrapping_add(*place as usize + i * part + plane + x);
                        let mut target = target.wrapping_add(step * STEP + i * PAIRS * SIDE + column + x);
                        for _ in 0..pairs {
                            // SAFETY: what `Columns::copy` asks its caller for; planes have room for whole vectors.
                            unsafe { s.store_first(target, s.load(from), lanes) };
                            (from, target) = (from.wrapping_add(pair), target.wrapping_add(SIDE));
                        }
                    }
                }
            }
        }
    }
}
