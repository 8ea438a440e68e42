//! Rows of which every `stride`-th pixel is kept.

use super::cell::Cell;
use corr2d_simd::{Isa, Kernel, Simd};

/// Copies every `stride`-th pixel; the row goes one element on at least behind the last one.
#[inline(never)]
pub(super) fn pick<T: Cell>(isa: Isa, row: &[T], channels: usize, stride: usize, target: &mut [T]) {
    assert!(row.len() > ((target.len() / channels - 1) * stride + 1) * channels);
    let isa = if T::IN_LANES { isa } else { Isa::portable() };
    isa.run(Pick { row, channels, stride, target });
}

struct Pick<'a, T> {
    row: &'a [T],
    channels: usize,
    stride: usize,
    target: &'a mut [T],
}

impl<T: Cell> Kernel for Pick<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Pick { row, channels, stride, target } = self;
        // SAFETY: `pick` checked the length of the row.
        unsafe {
            // A step that is known when this is compiled becomes shuffles of vectors.
            match (channels, stride) {
                (1, 2) => pick_by::<T, 1>(row, 2, target),
                (2, 2) => pick_by::<T, 2>(row, 4, target),
                (4, 2) => pick_by::<T, 4>(row, 8, target),
                (1, _) => pick_by::<T, 1>(row, stride, target),
                (2, _) => pick_by::<T, 2>(row, 2 * stride, target),
                (3, _) => pick_by::<T, 3>(row, 3 * stride, target),
                _ => pick_by::<T, 4>(row, 4 * stride, target),
            }
        }
    }
}

/// Copies `C` elements of every `step`.
///
/// # Safety
/// A pixel, and one element more, can be read `step` elements behind the one before, for each of the target's.
#[inline(always)]
unsafe fn pick_by<T: Copy, const C: usize>(row: &[T], step: usize, target: &mut [T]) {
    let pixels = target.len() / C;
    let (source, target) = (row.as_ptr(), target.as_mut_ptr());
    // SAFETY: the caller's promise; the last pixel begins at `(pixels - 1) * C` of the target.
    unsafe {
        if C == 3 {
            // Four elements are one move; the fourth is overwritten by the next pixel.
            for x in 0..pixels - 1 {
                target
                    .add(x * C)
                    .cast::<[T; 4]>()
                    .write_unaligned(source.add(x * step).cast::<[T; 4]>().read_unaligned());
            }
            target
                .add((pixels - 1) * C)
                .cast::<[T; C]>()
                .write_unaligned(source.add((pixels - 1) * step).cast::<[T; C]>().read_unaligned());
        } else {
            for x in 0..pixels {
                target
                    .add(x * C)
                    .cast::<[T; C]>()
                    .write_unaligned(source.add(x * step).cast::<[T; C]>().read_unaligned());
            }
        }
    }
}
