//! Rows of the padded input, copied into scratch: the one place where padding becomes memory.

use crate::geometry::PaddingMode;

/// The elements of an input row at positions `first, first + step, …` (negative or past the end: padding).
#[derive(Clone, Copy)]
pub(crate) struct RowCopy {
    /// Position of the first element.
    pub(crate) first: isize,
    /// Distance of positions.
    pub(crate) step: usize,
    /// How padding is filled.
    pub(crate) mode: PaddingMode,
}

impl RowCopy {
    /// Fills `target` from a row of `width` elements.
    ///
    /// # Safety
    /// `row` is valid for reads of `width` floats, none of them in `target`.
    pub(crate) unsafe fn run(self, row: *const f32, width: usize, target: &mut [f32]) {
        let RowCopy { first, step, mode } = self;
        let before = (-first).max(0) as usize;
        let lead = before.div_ceil(step).min(target.len());
        let start = first + (lead * step) as isize;
        let left = (width as isize - start).max(0) as usize;
        let inside = left.div_ceil(step).min(target.len() - lead);
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
            // SAFETY: `0 <= start` and the last position read is below `width`.
            unsafe { copy_strided(row.add(start as usize), step, middle) };
        }
    }
}

/// # Safety
/// `source` is valid for reads of `(target.len() - 1) * step + 1` floats.
unsafe fn copy_strided(source: *const f32, step: usize, target: &mut [f32]) {
    match step {
        // SAFETY: contiguous, by the caller's promise.
        1 => unsafe { target.copy_from_slice(std::slice::from_raw_parts(source, target.len())) },
        // A constant step lets the compiler use shuffles.
        // SAFETY: by the caller's promise.
        2 => target.iter_mut().enumerate().for_each(|(i, slot)| *slot = unsafe { *source.add(2 * i) }),
        // SAFETY: by the caller's promise.
        _ => target.iter_mut().enumerate().for_each(|(i, slot)| *slot = unsafe { *source.add(i * step) }),
    }
}
