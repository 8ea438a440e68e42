//! The transposition of a matrix in memory, in square blocks of registers.

use corr2d_simd::{Isa, Kernel, Simd};

/// A matrix of `size[0]` rows and `size[1]` columns whose transpose is written to `target`; strides are those of rows, in elements.
#[derive(Clone, Copy)]
pub(super) struct SwapAxes {
    pub(super) source: *const f32,
    pub(super) source_stride: usize,
    pub(super) target: *mut f32,
    pub(super) target_stride: usize,
    pub(super) size: [usize; 2],
}

impl SwapAxes {
    /// # Safety
    /// Source and target are valid for `size` and do not overlap.
    pub(super) unsafe fn run(self, isa: Isa) {
        isa.run(self);
    }
}

const MOST_LANES: usize = 16;

impl Kernel for SwapAxes {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let [rows, columns] = self.size;
        for row in (0..rows).step_by(S::LANES) {
            for column in (0..columns).step_by(S::LANES) {
                let (height, width) = (S::LANES.min(rows - row), S::LANES.min(columns - column));
                // SAFETY: the block lies inside the matrix, and its transpose inside the target, by `run`'s promise.
                unsafe {
                    let source = self.source.add(row * self.source_stride + column);
                    let target = self.target.add(column * self.target_stride + row);
                    if height == S::LANES && width == S::LANES {
                        self.block(s, source, target);
                    } else {
                        self.edge(s, source, target, height, width);
                    }
                }
            }
        }
    }
}

impl SwapAxes {
    /// # Safety
    /// A whole square of lanes is readable at `source` and writable at `target`.
    #[inline(always)]
    unsafe fn block<S: Simd>(&self, s: S, source: *const f32, target: *mut f32) {
        let mut lines = [s.splat(0.0); MOST_LANES];
        // SAFETY: the caller's promise.
        unsafe {
            for (i, line) in lines.iter_mut().enumerate().take(S::LANES) {
                *line = s.load(source.add(i * self.source_stride));
            }
            swap(s, &mut lines);
            for (i, line) in lines.iter().enumerate().take(S::LANES) {
                s.store(target.add(i * self.target_stride), *line);
            }
        }
    }

    /// # Safety
    /// `height` rows of `width` floats are readable at `source`, `width` rows of `height` writable at `target`.
    #[inline(always)]
    unsafe fn edge<S: Simd>(&self, s: S, source: *const f32, target: *mut f32, height: usize, width: usize) {
        let mut lines = [s.splat(0.0); MOST_LANES];
        // SAFETY: the caller's promise.
        unsafe {
            for (i, line) in lines.iter_mut().enumerate().take(height) {
                *line = s.load_first(source.add(i * self.source_stride), width);
            }
            swap(s, &mut lines);
            for (i, line) in lines.iter().enumerate().take(width) {
                s.store_first(target.add(i * self.target_stride), *line, height);
            }
        }
    }
}

/// Transposes the first `LANES` lines. Deinterleaving neighbouring lines moves the lowest bit of the lane's number to the top of the
/// line's number and the line's lowest bit to the top of the lane's; after as many steps as a number has bits they have changed places.
#[inline(always)]
fn swap<S: Simd>(s: S, lines: &mut [S::V; MOST_LANES]) {
    let half = S::LANES / 2;
    for _ in 0..S::LANES.trailing_zeros() {
        let before = *lines;
        for i in 0..half {
            (lines[i], lines[i + half]) = s.deinterleave(before[2 * i], before[2 * i + 1]);
        }
    }
}
