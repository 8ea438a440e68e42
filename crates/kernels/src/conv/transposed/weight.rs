//! The weight of a phase: its taps in reverse, and the axes of its channels swapped.

use crate::buffer::Aligned;
use crate::geometry::{Phase, TransposedGeometry};
use std::ops::Range;

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
    let groups = weight.chunks_exact(c_in * c_out * kernel);
    for (source, target) in groups.zip(packed.as_mut_slice().chunks_exact_mut(c_out * c_in * taps.len())) {
        for (outs, ins) in blocks(c_out).flat_map(|outs| blocks(c_in).map(move |ins| (outs.clone(), ins))) {
            for (o, c) in outs.flat_map(|o| ins.clone().map(move |c| (o, c))) {
                let source = &source[(c * c_out + o) * kernel..][..kernel];
                let target = &mut target[(o * c_in + c) * taps.len()..][..taps.len()];
                target.iter_mut().zip(&taps).for_each(|(slot, tap)| *slot = source[*tap]);
            }
        }
    }
    packed
}

/// Some channels in blocks.
fn blocks(channels: usize) -> impl Iterator<Item = Range<usize>> {
    (0..channels).step_by(BLOCK).map(move |first| first..channels.min(first + BLOCK))
}
