//! The weight's transform, `G·w·Gᵀ`, laid out for the register tile of `pixel_tile.rs`.

use crate::buffer::Aligned;
use crate::conv::group_weight::GroupWeight;
use corr2d_simd::{Isa, Kernel, Simd};

const TAPS: usize = 9;

/// Output channels that are transformed together.
const TOGETHER: usize = 16;

/// The most rows of G that differ.
const MOST_ROWS: usize = 6;

/// The weight of 3×3 kernels as blocks of at most `block` output channels, each `[element][c_in][channel]`, with zeros up to whole
/// vectors. `matrix` holds the rows of G that differ.
pub(super) fn pack(matrix: &[[f32; 3]], weight: GroupWeight<'_>, isa: Isa, block: usize) -> Aligned {
    let c_in = weight.taps / TAPS;
    let len = matrix.len() * matrix.len() * c_in * weight.channels().next_multiple_of(isa.lanes());
    let mut packed = Aligned::of(len);
    // The taps of channels that are transformed together, `[c_in][tap][channel]`.
    let mut taps = Aligned::zeros(weight.taps * TOGETHER);
    isa.run(Pack { isa, matrix, weight, taps: taps.as_mut_slice(), block, target: packed.as_mut_slice() });
    packed
}

struct Pack<'a> {
    isa: Isa,
    matrix: &'a [[f32; 3]],
    weight: GroupWeight<'a>,
    taps: &'a mut [f32],
    block: usize,
    target: &'a mut [f32],
}

impl Kernel for Pack<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Pack { isa, matrix, weight, taps, block, target } = self;
        let (c_in, c_out) = (weight.taps / TAPS, weight.channels());
        assert!(matrix.len() <= MOST_ROWS);
        for first in (0..c_out).step_by(block) {
            let width = block.min(c_out - first).next_multiple_of(S::LANES);
            let start = matrix.len() * matrix.len() * c_in * first;
            for channel in (first..c_out.min(first + block)).step_by(TOGETHER) {
                let count = TOGETHER.min(c_out.min(first + block) - channel);
                weight.pack(isa, channel, count, TOGETHER, taps);
                for c in 0..c_in {
                    for part in (0..TOGETHER.min(width + first - channel)).step_by(S::LANES) {
                        let place = start + c * width + channel - first + part;
                        // SAFETY: taps have a line of `TOGETHER` floats, whole vectors, for each tap of each channel; the target
                        // has `width` floats, whole vectors, for each element of each channel.
                        unsafe {
                            let taps = taps.as_ptr().add(c * TAPS * TOGETHER + part);
                            let target = target.as_mut_ptr().add(place);
                            transform(s, matrix, taps, target, c_in * width);
                        }
                    }
                }
            }
        }
    }
}

/// Transforms the kernels of one vector of channels.
///
/// # Safety
/// A vector is readable at each of the nine taps, `TOGETHER` floats apart, and writable at each of the elements, `element` apart.
#[inline(always)]
unsafe fn transform<S: Simd>(s: S, matrix: &[[f32; 3]], taps: *const f32, target: *mut f32, element: usize) {
    let mut columns = [[s.splat(0.0); 3]; MOST_ROWS];
    for x in 0..3 {
        // SAFETY: the caller's promise.
        let taps = unsafe {
            [
                s.load(taps.add(x * TOGETHER)),
                s.load(taps.add((3 + x) * TOGETHER)),
                s.load(taps.add((6 + x) * TOGETHER)),
            ]
        };
        for (column, row) in columns.iter_mut().zip(matrix) {
            column[x] = combine(s, *row, taps);
        }
    }
    for (y, column) in columns.iter().enumerate().take(matrix.len()) {
        for (x, row) in matrix.iter().enumerate() {
            // SAFETY: the caller's promise.
            unsafe { s.store(target.add((y * matrix.len() + x) * element), combine(s, *row, *column)) };
        }
    }
}

/// The sum of three vectors, each times its factor.
#[inline(always)]
fn combine<S: Simd>(s: S, [a, b, c]: [f32; 3], [u, v, w]: [S::V; 3]) -> S::V {
    s.mul_add(s.splat(a), u, s.mul_add(s.splat(b), v, s.mul(s.splat(c), w)))
}
