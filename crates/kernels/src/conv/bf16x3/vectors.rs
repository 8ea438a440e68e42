//! Blocks by vectors of floats: where there is no unit, and for infinities and NaN, of which no sum of products of parts is right.

use super::weights::UPPER;
use super::{PAIRS, PARTS, SIDE, STEP};
use corr2d_simd::matrix::{Block, COLUMNS};
use corr2d_simd::{Isa, Kernel, Simd};

/// Rows whose sums are in registers together.
pub(super) const TOGETHER: usize = 4;

/// What of a block is no padding.
#[derive(Clone, Copy)]
pub(super) struct Used {
    pub(super) rows: usize,
    /// Pairs of channels.
    pub(super) pairs: usize,
    pub(super) taps: usize,
    /// The first of the block's steps, counted from the first channel's.
    pub(super) step: usize,
}

/// # Safety
/// As [`corr2d_simd::matrix::MatrixUnit::multiply`], configured or not.
pub(super) unsafe fn multiply(block: &Block, used: Used) {
    // Too rare for code of its own on each instruction set.
    Isa::portable().run(Multiply(block, used));
}

struct Multiply<'a>(&'a Block, Used);

impl Kernel for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Multiply(block, used) = self;
        for row in (0..used.rows).step_by(TOGETHER) {
            for x in (0..SIDE).step_by(S::LANES) {
                let mut sums = [s.splat(0.0); TOGETHER];
                // SAFETY: the caller's promise.
                unsafe {
                    let [start_row, half] = block.start_strides;
                    let start = block.start.add(x / COLUMNS * half + x % COLUMNS);
                    for (i, sum) in sums.iter_mut().enumerate() {
                        *sum = s.load(start.add((row + i) * start_row));
                    }
                    for step in 0..block.steps {
                        let rows = block.rows.add(step * STEP + row * PAIRS);
                        let columns = block.columns.add(step * STEP + x);
                        let pairs = PAIRS.min(used.pairs - (used.step + step) / used.taps * PAIRS);
                        add(s, &mut sums, [rows, columns], pairs);
                    }
                    for (i, sum) in sums.into_iter().enumerate() {
                        s.store(block.target.add((row + i) * block.stride + x), sum);
                    }
                }
            }
        }
    }
}

/// Adds the products of a step's pairs, which are put together from their parts first.
///
/// # Safety
/// As [`multiply`].
#[inline(always)]
unsafe fn add<S: Simd>(s: S, sums: &mut [S::V; TOGETHER], [rows, columns]: [*const u32; 2], pairs: usize) {
    for pair in 0..pairs {
        let (mut a, mut b) = (s.splat(0.0), s.splat(0.0));
        for part in (0..PARTS).rev() {
            // SAFETY: the caller's promise.
            let parts = unsafe { s.load(columns.add((part * PAIRS + pair) * SIDE).cast()) };
            let (first, second) = s.split_pair(parts);
            (a, b) = (s.add(a, first), s.add(b, second));
        }
        for (i, sum) in sums.iter_mut().enumerate() {
            let mut weights = [0.0; 2];
            for part in (0..PARTS).rev() {
                // SAFETY: the caller's promise.
                let parts = unsafe { *rows.add((part * SIDE + i) * PAIRS + pair) };
                weights[0] += f32::from_bits(parts << 16);
                weights[1] += f32::from_bits(parts & UPPER);
            }
            *sum = s.mul_add(s.splat(weights[1]), b, s.mul_add(s.splat(weights[0]), a, *sum));
        }
    }
}
