//! The weight, split: for each block of channels `[step][part][channel][pair of input channels]`.

use super::{CHANNELS, PAIRS, PARTS, SIDE, STEP};
use crate::buffer::Aligned;
use crate::conv::registry::Problem;

/// The bits of the upper half, which are those of a bfloat16.
pub(super) const UPPER: u32 = 0xffff_0000;

/// Packs all groups, with zeros up to whole blocks and steps.
pub(super) fn pack(problem: Problem<'_>) -> Aligned {
    let g = &problem.geometry;
    let (c_in, kernel) = (g.c_in_group(), g.y.kernel * g.x.kernel);
    let tap_steps = c_in.div_ceil(CHANNELS);
    let block_len = kernel * tap_steps * STEP;
    let mut packed = Aligned::zeros(g.groups * g.c_out_group().div_ceil(SIDE) * block_len);
    let mut targets = packed.as_mut_slice().chunks_exact_mut(block_len);
    // Lines `[tap][channel]` of a block.
    let mut lines = vec![0.0; g.taps() * SIDE];
    for group in problem.groups() {
        for first in (0..g.c_out_group()).step_by(SIDE) {
            let target = targets.next().expect("a target for each block");
            let count = SIDE.min(g.c_out_group() - first);
            group.pack(problem.isa, first, count, SIDE, &mut lines);
            for row in 0..count {
                for step in 0..kernel * tap_steps {
                    let (tap, channel) = (step % kernel, step / kernel * CHANNELS);
                    for pair in 0..PAIRS.min((c_in - channel).div_ceil(2)) {
                        let c = channel + 2 * pair;
                        let at =
                            |c: usize| lines.get((c * kernel + tap) * SIDE + row).copied().unwrap_or(0.0);
                        let parts = split_pair([at(c), at(c + 1)]);
                        for (part, bits) in parts.into_iter().enumerate() {
                            target[step * STEP + (part * SIDE + row) * PAIRS + pair] = f32::from_bits(bits);
                        }
                    }
                }
            }
        }
    }
    packed
}

/// The pairs of the parts of two numbers.
#[inline(never)]
fn split_pair(pair: [f32; 2]) -> [u32; PARTS] {
    let mut parts = [0; PARTS];
    for (shift, w) in [16, 0].into_iter().zip(pair) {
        for (part, value) in parts.iter_mut().zip(split(w)) {
            *part |= (value.to_bits() & UPPER) >> shift;
        }
    }
    parts
}

/// A number as the sum of three bfloat16, each the nearest to what is left, so that what is left out is small and of either
/// sign; of an infinity or NaN itself and zeros.
#[inline(never)]
fn split(w: f32) -> [f32; PARTS] {
    if !w.is_finite() {
        return [if w.is_nan() { f32::NAN } else { w }, 0.0, 0.0];
    }
    let first = nearest(w);
    let second = nearest(w - first);
    [first, second, nearest(w - first - second)]
}

/// The nearest bfloat16 of a finite number; the largest of what would round to infinity.
fn nearest(x: f32) -> f32 {
    const HALF: u32 = 1 << 15;
    let largest = f32::from_bits(f32::MAX.to_bits() & UPPER);
    f32::from_bits((x.to_bits() + HALF) & UPPER).clamp(-largest, largest)
}
