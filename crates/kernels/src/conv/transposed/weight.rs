//! The weight of a phase: its taps in reverse, and the axes of its channels swapped.

use crate::buffer::Aligned;
use crate::geometry::{Phase, TransposedGeometry};

/// Channels of a block that is read and written while both sides stay in the first-level cache.
const BLOCK: usize = 16;

/// From `[c_in, c_out / groups, kh, kw]` to the phase's `[c_out, c_in / groups, taps, taps]`.
pub(super) fn of_phase(g: &TransposedGeometry, phase: &Phase, weight: &[f32]) -> Aligned {
    let (c_in, c_out) = (g.c_in_group(), g.c_out_group());
    let kernel = g.y.kernel * g.x.kernel;
    let rows: Vec<usize> =
        (0..phase.y.axis.kernel).rev().map(|t| phase.y.tap + t * phase.y.tap_step).collect();
    let columns = (0..phase.x.axis.kernel).rev().map(|t| phase.x.tap + t * phase.x.tap_step);
    let taps: Vec<usize> = {
        let columns: Vec<usize> = columns.collect();
        rows.iter().flat_map(|ky| columns.iter().map(move |kx| ky * g.x.kernel + kx)).collect()
    };
    let mut packed = Aligned::of(g.c_out * c_in * taps.len());
    let target = packed.as_mut_slice();
    for group in 0..g.groups {
        for outs in (0..c_out).step_by(BLOCK) {
            for ins in (0..c_in).step_by(BLOCK) {
                for o in outs..c_out.min(outs + BLOCK) {
                    for c in ins..c_in.min(ins + BLOCK) {
                        let source = &weight[((group * c_in + c) * c_out + o) * kernel..][..kernel];
                        let start = ((group * c_out + o) * c_in + c) * taps.len();
                        for (slot, tap) in target[start..][..taps.len()].iter_mut().zip(&taps) {
                            *slot = source[*tap];
                        }
                    }
                }
            }
        }
    }
    packed
}
