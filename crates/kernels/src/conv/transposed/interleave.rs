//! The last step of a transposed convolution with a stride: phases from scratch into the output, and what no tap reaches.

use super::super::Activation;
use super::super::activation::Stored;
use crate::geometry::{ChannelOrder, Phase, TransposedGeometry};
use crate::parallel::Pool;
use crate::view::OutputView;
use corr2d_simd::{Isa, Kernel, Simd};
use std::ops::Range;

/// Output elements of one tile.
const TILE_FLOATS: usize = 1 << 15;

/// A phase's place in the output and in the scratch of an image.
#[derive(Clone, Copy)]
struct Part {
    start: usize,
    /// First output row and column.
    first: [usize; 2],
    /// Rows and columns.
    size: [usize; 2],
}

/// How an image's phases, one after the other in scratch, make an image of the output.
pub(super) struct Interleave {
    geometry: TransposedGeometry,
    isa: Isa,
    parts: Vec<Part>,
    scratch_len: usize,
    /// What a channel has where no tap reaches.
    rest: Vec<f32>,
}

impl Interleave {
    pub(super) fn new<'a>(
        g: &TransposedGeometry,
        phases: impl Iterator<Item = &'a Phase>,
        bias: Option<&[f32]>,
        activation: Activation,
        isa: Isa,
    ) -> Interleave {
        let mut scratch_len = 0;
        let parts = phases.map(|phase| {
            let size = [phase.y.axis.output, phase.x.axis.output];
            let start = scratch_len;
            scratch_len += g.c_out * size[0] * size[1];
            Part { start, first: [phase.y.first, phase.x.first], size }
        });
        let parts = parts.collect();
        let mut rest = bias.map_or_else(|| vec![0.0; g.c_out], <[f32]>::to_vec);
        let (starts, counts) = (&[rest.as_mut_ptr()], &[rest.len()]);
        // SAFETY: the vector has as many floats.
        unsafe { Stored { activation, starts, counts, rows: 1, stride: 0 }.activate(isa) };
        Interleave { geometry: *g, isa, parts, scratch_len, rest }
    }

    /// Floats of scratch that an image needs.
    pub(super) fn scratch_len(&self) -> usize {
        self.scratch_len
    }

    /// Writes the images from `first` on, whose phases `scratch` holds.
    pub(super) fn run(
        &self,
        scratch: &[f32],
        output: &OutputView<'_>,
        first: usize,
        images: usize,
        pool: &Pool,
        threads: usize,
    ) {
        let g = &self.geometry;
        // With channels first a line is a row of a plane, otherwise a row of pixels.
        let (lines, line) = match g.order {
            ChannelOrder::First => (g.c_out * g.y.output, g.x.output),
            ChannelOrder::Last => (g.y.output, g.x.output * g.c_out),
        };
        let per_tile = (TILE_FLOATS / line).max(1);
        pool.for_each((images * lines).div_ceil(per_tile), threads, |tile| {
            for index in tile * per_tile..((tile + 1) * per_tile).min(images * lines) {
                let (image, in_image) = (index / lines, index % lines);
                let target = output.at((first * lines + index) * line);
                // SAFETY: lines are disjoint, and each is one tile's.
                let target = unsafe { std::slice::from_raw_parts_mut(target, line) };
                self.fill(&scratch[image * self.scratch_len..][..self.scratch_len], in_image, target);
            }
        });
    }

    fn fill(&self, scratch: &[f32], line: usize, target: &mut [f32]) {
        let g = &self.geometry;
        let (channels, y) = match g.order {
            ChannelOrder::First => (line / g.y.output..line / g.y.output + 1, line % g.y.output),
            ChannelOrder::Last => (0..g.c_out, line),
        };
        let row_parts = || self.parts.iter().filter(move |part| part.covers(y, g.y.stride));
        let covered: usize = row_parts().map(|part| part.size[1]).sum();
        if covered < g.x.output {
            match g.order {
                ChannelOrder::First => target.fill(self.rest[channels.start]),
                ChannelOrder::Last => {
                    target.chunks_exact_mut(g.c_out).for_each(|pixel| pixel.copy_from_slice(&self.rest));
                }
            }
        }
        let mut columns = row_parts();
        if g.order == ChannelOrder::First
            && g.x.stride == 2
            && let (Some(a), Some(b)) = (columns.next(), columns.next())
        {
            let row = |part: &Part| {
                let row = (y - part.first[0]) / g.y.stride;
                let start = part.start + (channels.start * part.size[0] + row) * part.size[1];
                &scratch[start..][..part.size[1]]
            };
            let (even, odd) = if a.first[1] == 0 { (a, b) } else { (b, a) };
            self.isa.run(TakeTurns { even: row(even), odd: row(odd), target });
            return;
        }
        for part in row_parts() {
            self.place(part, scratch, channels.clone(), (y - part.first[0]) / g.y.stride, target);
        }
    }

    /// Puts row `row` of a part at every `stride`-th pixel of a line.
    fn place(&self, part: &Part, scratch: &[f32], channels: Range<usize>, row: usize, target: &mut [f32]) {
        let (step, [rows, columns]) = (self.geometry.x.stride, part.size);
        match self.geometry.order {
            ChannelOrder::First => {
                let start = part.start + (channels.start * rows + row) * columns;
                let source = &scratch[start..][..columns];
                let target = &mut target[part.first[1]..];
                match step {
                    1 => target[..columns].copy_from_slice(source),
                    _ => target.iter_mut().step_by(step).zip(source).for_each(|(slot, value)| *slot = *value),
                }
            }
            ChannelOrder::Last => {
                let c = channels.len();
                let source = &scratch[part.start + row * columns * c..][..columns * c];
                let pixels = target.chunks_exact_mut(c).skip(part.first[1]).step_by(step);
                pixels.zip(source.chunks_exact(c)).for_each(|(slot, value)| slot.copy_from_slice(value));
            }
        }
    }
}

impl Part {
    fn covers(&self, y: usize, stride: usize) -> bool {
        y >= self.first[0] && (y - self.first[0]).is_multiple_of(stride)
    }
}

/// Writes one element of each by turns; there is no more than one odd element less than even ones.
struct TakeTurns<'a> {
    even: &'a [f32],
    odd: &'a [f32],
    target: &'a mut [f32],
}

impl Kernel for TakeTurns<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let TakeTurns { even, odd, target } = self;
        for (i, target) in target.chunks_mut(2 * S::LANES).enumerate() {
            let start = i * S::LANES;
            let (evens, odds) = (target.len().div_ceil(2), target.len() / 2);
            assert!(start + evens <= even.len() && start + odds <= odd.len());
            // SAFETY: as just asserted; a chunk has `evens + odds` floats.
            unsafe {
                let mut low = s.load_first(even.as_ptr().add(start), evens);
                let mut high = s.load_first(odd.as_ptr().add(start), odds);
                // Deinterleaving turns the bits of a position by one place; as often as a lane's number has bits, the other way.
                for _ in 0..S::LANES.trailing_zeros() {
                    (low, high) = s.deinterleave(low, high);
                }
                s.store_first(target.as_mut_ptr(), low, target.len().min(S::LANES));
                let rest = target.len().saturating_sub(S::LANES);
                s.store_first(target.as_mut_ptr().wrapping_add(S::LANES), high, rest);
            }
        }
    }
}
