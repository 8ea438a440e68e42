//! The weight's transform, `G·w·Gᵀ` in double precision, laid out for the register tile of `pixel_tile.rs`.

use super::transform::Transform;
use crate::buffer::Aligned;
use corr2d_simd::{Isa, Kernel, Simd};
use std::marker::PhantomData;

const TAPS: usize = 9;

/// Output channels that are transformed together.
const TOGETHER: usize = 16;

/// The weight `[c_out, c_in, 3, 3]` as blocks of at most `block` output channels, each `[element][c_in][channel]`, with zeros up to
/// whole vectors.
pub(super) fn pack<T: Transform<N, M>, const N: usize, const M: usize>(
    weight: &[f32],
    c_in: usize,
    isa: Isa,
    block: usize,
) -> Aligned {
    let c_out = weight.len() / (c_in * TAPS);
    let mut packed = Aligned::zeros(N * N * c_in * c_out.next_multiple_of(isa.lanes()));
    isa.run(Pack::<T, N, M> {
        weight,
        c_in,
        c_out,
        block,
        target: packed.as_mut_slice(),
        transform: PhantomData,
    });
    packed
}

struct Pack<'a, T, const N: usize, const M: usize> {
    weight: &'a [f32],
    c_in: usize,
    c_out: usize,
    block: usize,
    target: &'a mut [f32],
    transform: PhantomData<T>,
}

impl<T: Transform<N, M>, const N: usize, const M: usize> Kernel for Pack<'_, T, N, M> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Pack { weight, c_in, c_out, block, target, .. } = self;
        for first in (0..c_out).step_by(block) {
            let width = block.min(c_out - first).next_multiple_of(S::LANES);
            let start = N * N * c_in * first;
            for channel in (first..c_out.min(first + block)).step_by(TOGETHER) {
                let count = TOGETHER.min(c_out.min(first + block) - channel);
                for c in 0..c_in {
                    let mut taps = [[0.0; TOGETHER]; TAPS];
                    for o in 0..count {
                        let kernel = &weight[((channel + o) * c_in + c) * TAPS..][..TAPS];
                        for (tap, value) in taps.iter_mut().zip(kernel) {
                            tap[o] = f64::from(*value);
                        }
                    }
                    // Rows first: `G·w`, three columns of it.
                    let mut rows = [[[0.0; TOGETHER]; 3]; N];
                    for (row, g) in rows.iter_mut().zip(&T::WEIGHT) {
                        for (x, element) in row.iter_mut().enumerate() {
                            for o in 0..TOGETHER {
                                element[o] =
                                    g[0] * taps[x][o] + g[1] * taps[3 + x][o] + g[2] * taps[6 + x][o];
                            }
                        }
                    }
                    for (y, row) in rows.iter().enumerate() {
                        for (x, g) in T::WEIGHT.iter().enumerate() {
                            let place = start + ((y * N + x) * c_in + c) * width + channel - first;
                            let target = &mut target[place..][..count];
                            for (o, slot) in target.iter_mut().enumerate() {
                                *slot = (g[0] * row[0][o] + g[1] * row[1][o] + g[2] * row[2][o]) as f32;
                            }
                        }
                    }
                }
            }
        }
    }
}
