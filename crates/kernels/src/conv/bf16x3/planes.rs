//! The input of a band, split: planes `[part][pair][phase][row][column]`, a pair of channels in each element.

use super::{CHANNELS, PAIRS, PARTS, block_len};
use crate::buffer::LINE;
use crate::conv::padded_rows::phases;
use crate::conv::source::{PlaneRows, RowCopy};
use crate::geometry::ConvGeometry;
use crate::lanes::MOST_LANES;
use crate::view::InputView;
use corr2d_simd::matrix::SIDE;
use corr2d_simd::{Isa, Kernel, Simd};
use std::ops::Range;

/// Where things are in the planes of a band.
pub(super) struct Planes {
    geometry: ConvGeometry,
    /// For each phase that some tap reads the distance of its first row and column from those of the window.
    phases: Vec<[usize; 2]>,
    /// How a row is copied, for each phase.
    copies: Vec<RowCopy>,
    /// Rows of a phase.
    rows: usize,
    /// Elements of a row.
    pub(super) columns: usize,
}

impl Planes {
    /// Those of a band of one output row.
    pub(super) fn new(g: &ConvGeometry) -> Planes {
        let columns = g.x.output + (g.x.span() - 1) / g.x.stride;
        let phases: Vec<[usize; 2]> =
            phases(&g.y).iter().flat_map(|y| phases(&g.x).into_iter().map(|x| [*y, x])).collect();
        let copy = |[_, x]: &[usize; 2]| {
            let first = *x as isize - g.x.before as isize;
            RowCopy::new(first, g.x.stride, g.x.input, columns, g.padding_mode)
        };
        let copies = phases.iter().map(copy).collect();
        Planes { geometry: *g, copies, phases, rows: Planes::rows(g, 1), columns }
    }

    fn rows(g: &ConvGeometry, output_rows: usize) -> usize {
        output_rows + (g.y.span() - 1) / g.y.stride
    }

    /// Makes them those of a band of so many output rows.
    pub(super) fn set_output_rows(&mut self, output_rows: usize) {
        self.rows = Planes::rows(&self.geometry, output_rows);
    }

    /// Elements of a pair of channels.
    pub(super) fn plane(&self) -> usize {
        self.phases.len() * self.rows * self.columns
    }

    /// Whether there is a single tap, so that pixels are in no more than one block: they are split to where blocks read them,
    /// `[block][step][part][pair][column]`.
    pub(super) fn is_blocked(&self) -> bool {
        self.geometry.taps() == self.geometry.c_in_group()
    }

    /// Elements from one block of [`SIDE`] columns to the next.
    fn block(&self) -> usize {
        if self.is_blocked() { block_len(self.pairs() / PAIRS) } else { SIDE }
    }

    /// Elements from one pair to the next. In planes there is room for whole vectors, and it is an odd number of cache lines, so that
    /// pairs do not compete for the same places of a cache.
    pub(super) fn pair(&self) -> usize {
        let lines = self.plane().div_ceil(LINE) + 1;
        if self.is_blocked() { SIDE } else { (lines + (lines + 1) % 2) * LINE }
    }

    /// Pairs, those of whole steps.
    fn pairs(&self) -> usize {
        self.geometry.c_in_group().div_ceil(CHANNELS) * PAIRS
    }

    /// Elements from one part to the next.
    pub(super) fn part(&self) -> usize {
        if self.is_blocked() { PAIRS * SIDE } else { self.pairs() * self.pair() }
    }

    /// The first element of a pair.
    fn start(&self, pair: usize) -> usize {
        let step = if self.is_blocked() { PARTS * self.part() } else { PAIRS * self.pair() };
        pair / PAIRS * step + pair % PAIRS * self.pair()
    }

    /// Elements of all parts, with what whole vectors may have beyond the last.
    pub(super) fn len(&self) -> usize {
        if self.is_blocked() {
            self.plane().div_ceil(SIDE) * self.block()
        } else {
            PARTS * self.part() + SIDE
        }
    }

    /// Floats of scratch memory: those, and room for two channels.
    pub(super) fn scratch_len(&self) -> usize {
        self.len() + 2 * self.plane().next_multiple_of(LINE)
    }

    /// Where the columns of each step start: of each [`CHANNELS`] all taps, which read the same of a cache.
    pub(super) fn steps(&self) -> Vec<u32> {
        let g = &self.geometry;
        let mut steps = Vec::new();
        for pair in (0..self.pairs()).step_by(PAIRS) {
            for ky in (0..g.y.kernel).map(|k| k * g.y.dilation) {
                for kx in (0..g.x.kernel).map(|k| k * g.x.dilation) {
                    let phase = [ky % g.y.stride, kx % g.x.stride];
                    let phase =
                        self.phases.iter().position(|other| *other == phase).expect("the tap's phase");
                    let place = (phase * self.rows + ky / g.y.stride) * self.columns + kx / g.x.stride;
                    steps.push(u32::try_from(self.start(pair) + place).expect("a scratch below 2^32 floats"));
                }
            }
        }
        steps
    }

    /// Splits the input of some output rows of a group, and answers whether all is finite.
    pub(super) fn fill(
        &self,
        isa: Isa,
        input: &InputView<'_>,
        [n, group]: [usize; 2],
        rows: &Range<usize>,
        scratch: &mut [f32],
    ) -> bool {
        let g = &self.geometry;
        let (target, channels) = scratch.split_at_mut(self.len());
        let plane = self.rows * self.columns;
        let used = Planes::rows(g, rows.len()) * self.columns;
        let top = (rows.start * g.y.stride) as isize - g.y.before as isize;
        let mut is_finite = true;
        for pair in 0..self.pairs() {
            let place = &mut target[self.start(pair)..];
            let real = g.c_in_group().saturating_sub(2 * pair).min(2);
            for (phase, ([y, _], copy)) in self.phases.iter().zip(&self.copies).enumerate() {
                let lines = PlaneRows { top: top + *y as isize, step: g.y.stride, height: g.y.input };
                let whole = lines.inside(used / self.columns).len() * self.columns == used;
                let in_place =
                    whole && copy.is_whole() && (g.y.stride, input.row_stride()) == (1, self.columns);
                let mut split = Split {
                    sources: [std::ptr::null(); 2],
                    len: used,
                    target: place[phase * plane..].as_mut_ptr(),
                    part: self.part(),
                    block: self.block(),
                };
                for (i, source) in split.sources.iter_mut().enumerate().take(real) {
                    let channel = group * g.c_in_group() + 2 * pair + i;
                    *source = if in_place {
                        input.row(n, channel, lines.top as usize)
                    } else {
                        let copied = &mut channels[i * self.plane().next_multiple_of(LINE)..][..used];
                        // SAFETY: scratch is memory of its own.
                        unsafe { copy.run_plane(isa, input, [n, channel], &lines, copied, self.columns) };
                        copied.as_ptr()
                    };
                }
                if !isa.run_beside_unit(split) {
                    split.mend();
                    is_finite = false;
                }
            }
        }
        is_finite
    }
}

/// Splits two channels, zeros for one that is none, and tells whether all numbers are finite.
#[derive(Clone, Copy)]
struct Split {
    sources: [*const f32; 2],
    len: usize,
    /// Whole vectors are written, the last one perhaps beyond `len`.
    target: *mut f32,
    part: usize,
    /// Elements from one block of columns to the next.
    block: usize,
}

impl Kernel for Split {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> bool {
        let Split { sources: [first, second], len, target, part, block } = self;
        let mut last = s.splat(0.0);
        for x in (0..len).step_by(S::LANES) {
            // SAFETY: the sources have `len` floats, the target whole vectors for each part: what is beyond belongs to phases and
            // pairs that are split later.
            unsafe {
                let count = S::LANES.min(len - x);
                let load = |source: *const f32| match count {
                    _ if source.is_null() => s.splat(0.0),
                    _ if count == S::LANES => s.load(source.add(x)),
                    _ => s.load_first(source.add(x), count),
                };
                let (mut a, mut b) = (load(first), load(second));
                let target = target.add(x / SIDE * block + x % SIDE);
                for i in 0..PARTS {
                    if i > 0 {
                        // Towards zero, so that 24 bits are three times 8, and no part is more than the number.
                        (a, b) = (s.sub(a, s.upper(a)), s.sub(b, s.upper(b)));
                    }
                    s.store(target.add(i * part), s.pair_upper(a, b));
                }
                // What is left of an infinity or NaN is NaN.
                last = s.add(last, s.add(a, b));
            }
        }
        let mut lanes = [0.0; MOST_LANES];
        // SAFETY: there are at least as many.
        unsafe { s.store(lanes.as_mut_ptr(), last) };
        !lanes.iter().any(|lane| lane.is_nan())
    }
}

impl Split {
    /// Makes infinities and NaN their own first parts, and their others zero.
    fn mend(&self) {
        for (i, source) in self.sources.into_iter().enumerate().filter(|(_, source)| !source.is_null()) {
            for x in 0..self.len {
                // SAFETY: as in `run`.
                unsafe {
                    let value = *source.add(x);
                    if value.is_finite() {
                        continue;
                    }
                    let quiet = if value.is_nan() { f32::NAN } else { value };
                    for part in 0..PARTS {
                        let place = x / SIDE * self.block + x % SIDE;
                        let half = self.target.add(part * self.part + place).cast::<u16>().add(i);
                        half.write(if part == 0 { (quiet.to_bits() >> 16) as u16 } else { 0 });
                    }
                }
            }
        }
    }
}
