//! Blocks by vectors of floats: where there is no unit, and for infinities and NaN, of which no sum of products of parts is right.

use super::weights::UPPER;
use super::{PAIRS, PARTS, SIDE};
use corr2d_simd::matrix::{Block, COLUMNS};
use corr2d_simd::{Isa, Kernel, Simd};

/// Rows whose sums are in registers together.
pub(super) const TOGETHER: usize = 4;

/// What of a block is no padding.
#[derive(Clone, Copy)]
pub(super) struct Used {
    pub(super) rows: usize,
    /// Pairs of channels, for each tap.
    pub(super) pairs: usize,
}

/// # Safety
/// As [`corr2d_simd::matrix::MatrixUnit::multiply`], configured or not.
pub(super) unsafe fn multiply(block: &Block<'_>, used: Used) {
    // Too rare for code of its own on each instruction set.
    Isa::portable().run(Multiply(block, used));
}

struct Multiply<'a>(&'a Block<'a>, Used);

impl Kernel for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Multiply(block, used) = self;
        let tap_steps = used.pairs.div_ceil(PAIRS);
        for row in (0..used.rows).step_by(TOGETHER) {
            for x in (0..SIDE).step_by(S::LANES) {
                let mut sums = [s.splat(0.0); TOGETHER];
                // SAFETY: the caller's promise.
                unsafe {
                    for (i, sum) in sums.iter_mut().enumerate() {
                        *sum = s.splat(*block.start.add((row + i) * COLUMNS));
                    }
                    for (step, place) in block.steps.iter().enumerate() {
                        let rows = block.rows.add((step * PARTS * SIDE + row) * PAIRS);
                        let columns = block.columns.add(*place as usize + x);
                        let pairs = PAIRS.min(used.pairs - step % tap_steps * PAIRS);
                        add(s, block, &mut sums, [rows, columns], pairs);
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
unsafe fn add<S: Simd>(
    s: S,
    block: &Block<'_>,
    sums: &mut [S::V; TOGETHER],
    [rows, columns]: [*const u32; 2],
    pairs: usize,
) {
    for pair in 0..pairs {
        let (mut a, mut b) = (s.splat(0.0), s.splat(0.0));
        for part in (0..PARTS).rev() {
            // SAFETY: the caller's promise.
            let parts = unsafe { s.load(columns.add(part * block.part + pair * block.pair).cast()) };
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
