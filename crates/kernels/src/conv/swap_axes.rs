//! The transposition of a matrix in memory, in square blocks of registers.

use crate::lanes::MOST_LANES;
use corr2d_simd::{Isa, Kernel, Simd};

/// A matrix of `size[0]` rows and `size[1]` columns whose transpose is written to `target`; strides are those of rows, in elements.
#[derive(Clone, Copy)]
pub(crate) struct SwapAxes {
    pub(crate) source: *const f32,
    pub(crate) source_stride: usize,
    pub(crate) target: *mut f32,
    pub(crate) target_stride: usize,
    pub(crate) size: [usize; 2],
}

impl SwapAxes {
    /// # Safety
    /// Source and target are valid for `size` and do not overlap.
    pub(crate) unsafe fn run(self, isa: Isa) {
        isa.run(Swap { step: self.target_stride as isize, axes: self });
    }

    /// The same with the target's rows in reverse.
    ///
    /// # Safety
    /// As [`SwapAxes::run`].
    pub(crate) unsafe fn run_in_reverse(self, isa: Isa) {
        let last = self.target.wrapping_add(self.size[1].saturating_sub(1) * self.target_stride);
        isa.run(Swap { step: -(self.target_stride as isize), axes: SwapAxes { target: last, ..self } });
    }
}

/// A [`SwapAxes`] and the way from one of the target's rows to the next, which may go back.
#[derive(Clone, Copy)]
struct Swap {
    axes: SwapAxes,
    step: isize,
}

/// Blocks that are fetched ahead where each of their lines is far from the one before.
const BLOCKS_AHEAD: usize = 2;

impl Kernel for Swap {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let SwapAxes { source, source_stride, target, target_stride, size } = self.axes;
        let rows = Blocks::new(target, target_stride, size[0], S::LANES);
        let columns = Blocks::new(source, source_stride, size[1], S::LANES);
        // The side whose lines are far apart is walked along its lines: the processor fetches ahead what follows in memory.
        let down = target_stride > source_stride;
        let (outer, inner) = if down { (columns, rows) } else { (rows, columns) };
        for i in 0..outer.count {
            for j in 0..inner.count {
                let ([row, height], [column, width]) =
                    if down { (rows.get(j), columns.get(i)) } else { (rows.get(i), columns.get(j)) };
                if down && j + BLOCKS_AHEAD < inner.count {
                    let [row, _] = rows.get(j + BLOCKS_AHEAD);
                    let ahead = source.wrapping_add(row * source_stride + column);
                    for line in 0..S::LANES {
                        s.prefetch(ahead.wrapping_add(line * source_stride));
                    }
                }
                // SAFETY: the block lies inside the matrix, and its transpose inside the target, by `run`'s promise.
                unsafe {
                    let source = source.add(row * source_stride + column);
                    let target = target.offset(column as isize * self.step).add(row);
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

/// One side of the matrix in blocks of `lanes`, or one shorter block where it is shorter. The first and the last block overlap their
/// neighbours rather than being cut: what two blocks write is the same. All between them begin where vectors do, if all lines are
/// aligned alike: planes whose sizes are multiples of a page compete for the same few places of the first-level cache, so each of
/// their lines should be touched once.
#[derive(Clone, Copy)]
struct Blocks {
    size: usize,
    lanes: usize,
    /// Start of the second block.
    second: usize,
    count: usize,
}

impl Blocks {
    /// The blocks of `size` elements of lines that begin at `start` and are `stride` apart.
    #[inline(always)]
    fn new(start: *const f32, stride: usize, size: usize, lanes: usize) -> Blocks {
        let aligned = stride.is_multiple_of(lanes);
        let second = if aligned { lanes - start.addr() / size_of::<f32>() % lanes } else { lanes };
        let count = if size <= lanes { 1 } else { 1 + (size - second).div_ceil(lanes) };
        Blocks { size, lanes, second, count }
    }

    /// Start and length of a block.
    #[inline(always)]
    fn get(&self, index: usize) -> [usize; 2] {
        if self.size <= self.lanes {
            return [0, self.size];
        }
        let start = if index == 0 { 0 } else { self.second + (index - 1) * self.lanes };
        [start.min(self.size - self.lanes), self.lanes]
    }
}

impl Swap {
    /// # Safety
    /// A whole square of lanes is readable at `source` and writable at `target`.
    #[inline(always)]
    unsafe fn block<S: Simd>(&self, s: S, source: *const f32, target: *mut f32) {
        let mut lines = [s.splat(0.0); MOST_LANES];
        // SAFETY: the caller's promise.
        unsafe {
            for (i, line) in lines.iter_mut().enumerate().take(S::LANES) {
                *line = s.load(source.add(i * self.axes.source_stride));
            }
            swap(s, &mut lines);
            for (i, line) in lines.iter().enumerate().take(S::LANES) {
                s.store(target.offset(i as isize * self.step), *line);
            }
        }
    }

    /// # Safety
    /// `height` rows of `width` floats are readable at `source`, `width` rows of `height` writable at `target`.
    #[inline(always)]
    unsafe fn edge<S: Simd>(&self, s: S, source: *const f32, target: *mut f32, height: usize, width: usize) {
        let mut lines = [s.splat(0.0); MOST_LANES];
        // Loops of a known length with a condition inside keep the lines in registers.
        // SAFETY: the caller's promise.
        unsafe {
            for (i, line) in lines.iter_mut().enumerate().take(S::LANES) {
                if i < height {
                    *line = s.load_first(source.add(i * self.axes.source_stride), width);
                }
            }
            swap(s, &mut lines);
            for (i, line) in lines.iter().enumerate().take(S::LANES) {
                if i < width {
                    s.store_first(target.offset(i as isize * self.step), *line, height);
                }
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
