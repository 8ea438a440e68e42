//! Rows of the padded input, copied into scratch: the one place where padding becomes memory.

use crate::geometry::PaddingMode;
use corr2d_simd::{Isa, Kernel, Simd};

/// The elements of input rows at positions `first, first + step, …` (negative or past the end: padding). Made once for all the rows
/// of a plane, since where the padding ends takes divisions.
#[derive(Clone, Copy)]
pub(crate) struct RowCopy {
    first: isize,
    step: usize,
    width: usize,
    mode: PaddingMode,
    /// Elements before the input, and inside it.
    lead: usize,
    inside: usize,
}

impl RowCopy {
    /// `len` elements of rows of `width`; `mode` says how padding is filled.
    pub(crate) fn new(first: isize, step: usize, width: usize, len: usize, mode: PaddingMode) -> RowCopy {
        let before = (-first).max(0) as usize;
        let lead = before.div_ceil(step).min(len);
        let start = first + (lead * step) as isize;
        let left = (width as isize - start).max(0) as usize;
        RowCopy { first, step, width, mode, lead, inside: left.div_ceil(step).min(len - lead) }
    }

    /// Fills `target` from a row.
    ///
    /// # Safety
    /// `row` is valid for reads of `width` floats, none of them in `target`.
    pub(crate) unsafe fn run(&self, isa: Isa, row: *const f32, target: &mut [f32]) {
        let RowCopy { first, step, width, mode, lead, inside } = *self;
        let (leading, rest) = target.split_at_mut(lead);
        let (middle, trailing) = rest.split_at_mut(inside);
        let padding = |offset: usize, slot: &mut f32| {
            // SAFETY: `source` answers with a position inside the row.
            *slot = mode
                .source(first + (offset * step) as isize, width)
                .map_or(0.0, |position| unsafe { *row.add(position) });
        };
        if mode == PaddingMode::Zeros {
            leading.fill(0.0);
            trailing.fill(0.0);
        } else {
            leading.iter_mut().enumerate().for_each(|(i, slot)| padding(i, slot));
            trailing.iter_mut().enumerate().for_each(|(i, slot)| padding(lead + inside + i, slot));
        }
        if inside > 0 {
            let start = (first + (lead * step) as isize) as usize;
            // SAFETY: `0 <= start` and the last position read is below `width`.
            unsafe { copy_strided(isa, row.add(start), step, middle) };
        }
    }
}

/// # Safety
/// `source` is valid for reads of `(target.len() - 1) * step + 1` floats.
unsafe fn copy_strided(isa: Isa, source: *const f32, step: usize, target: &mut [f32]) {
    match step {
        // SAFETY: contiguous, by the caller's promise.
        1 => unsafe { target.copy_from_slice(std::slice::from_raw_parts(source, target.len())) },
        2 => isa.run(EveryOther { source, target }),
        // SAFETY: by the caller's promise.
        _ => target.iter_mut().enumerate().for_each(|(i, slot)| *slot = unsafe { *source.add(i * step) }),
    }
}

/// Copies every other element, the first one among them.
struct EveryOther<'a> {
    /// Valid for reads of `target.len() * 2 - 1` floats.
    source: *const f32,
    target: &'a mut [f32],
}

impl Kernel for EveryOther<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let len = self.target.len();
        for x in (0..len).step_by(S::LANES) {
            let count = S::LANES.min(len - x);
            // SAFETY: of `2 * count - 1` elements from `2 * x` on, the last one is the source's last; `count` are left to write.
            unsafe {
                let source = self.source.add(2 * x);
                let target = self.target.as_mut_ptr().add(x);
                let second = (2 * count - 1).saturating_sub(S::LANES);
                let low = s.load_first(source, S::LANES.min(2 * count - 1));
                let high = s.load_first(source.wrapping_add(S::LANES), second);
                s.store_first(target, s.deinterleave(low, high).0, count);
            }
        }
    }
}
