//! The weight of a phase: its taps in reverse, and the axes of its channels swapped.

use super::super::swap_axes::SwapAxes;
use crate::buffer::Aligned;
use crate::geometry::{Phase, TransposedGeometry};
use corr2d_simd::Isa;

/// Channels of a block that is read and written while both sides stay in the first-level cache.
const BLOCK: usize = 16;

/// From `[c_in, c_out / groups, kh, kw]` to the phase's `[c_out, c_in / groups, taps, taps]`.
pub(super) fn of_phase(g: &TransposedGeometry, phase: &Phase, weight: &[f32], isa: Isa) -> Aligned {
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
        let swap = Swap { source, kernel, target, taps: &taps, size: [c_in, c_out] };
        match (taps.len(), kernel) {
            (1, 1) => swap.elements(isa),
            // The usual kernels that no stride takes apart: their taps are copied in reverse, without a table.
            (4, 4) => swap.reversed::<4>(),
            (9, 9) => swap.reversed::<9>(),
            (25, 25) => swap.reversed::<25>(),
            _ => swap.chosen(),
        }
    }
    packed
}

/// The weight of a group, `[c_in][c_out][kernel]`, and its phase's, `[c_out][c_in][taps]`.
struct Swap<'a> {
    source: &'a [f32],
    kernel: usize,
    target: &'a mut [f32],
    taps: &'a [usize],
    /// Channels in and out.
    size: [usize; 2],
}

impl Swap<'_> {
    fn elements(self, isa: Isa) {
        let [c_in, c_out] = self.size;
        let swap = SwapAxes {
            source: self.source.as_ptr(),
            source_stride: c_out,
            target: self.target.as_mut_ptr(),
            target_stride: c_in,
            size: [c_in, c_out],
        };
        // SAFETY: both slices hold a number for each pair of channels.
        unsafe { swap.run(isa) };
    }

    fn reversed<const TAPS: usize>(self) {
        self.kernels(|source, target| {
            let (source, target) = (source.first_chunk::<TAPS>(), target.first_chunk_mut::<TAPS>());
            let (Some(source), Some(target)) = (source, target) else { return };
            *target = std::array::from_fn(|i| source[TAPS - 1 - i]);
        });
    }

    fn chosen(self) {
        let taps = self.taps;
        self.kernels(|source, target| {
            target.iter_mut().zip(taps).for_each(|(slot, tap)| *slot = source[*tap]);
        });
    }

    /// Calls `copy` with the kernel of each pair of channels and its place, in blocks that stay in the cache.
    #[inline(always)]
    fn kernels(self, copy: impl Fn(&[f32], &mut [f32])) {
        let ([c_in, c_out], kernel, taps) = (self.size, self.kernel, self.taps.len());
        for outs in (0..c_out).step_by(BLOCK) {
            for ins in (0..c_in).step_by(BLOCK) {
                for o in outs..c_out.min(outs + BLOCK) {
                    for c in ins..c_in.min(ins + BLOCK) {
                        let source = &self.source[(c * c_out + o) * kernel..][..kernel];
                        copy(source, &mut self.target[(o * c_in + c) * taps..][..taps]);
                    }
                }
            }
        }
    }
}
