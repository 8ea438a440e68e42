//! Rows of the padded input, copied into scratch: the one place where padding becomes memory.

use crate::edge;
use crate::geometry::PaddingMode;
use crate::view::InputView;
use corr2d_simd::{Isa, Kernel, Simd};
use std::ops::Range;

/// The elements of input rows at positions `first, first + step, …` (negative or past the end: padding). Made once for all the rows
/// of a plane, since where the padding ends takes divisions.
#[derive(Clone, Copy)]
pub(crate) struct RowCopy {
    first: isize,
    step: usize,
    width: usize,
    mode: PaddingMode,
    /// Elements before the input, inside it, and in all.
    lead: usize,
    inside: usize,
    len: usize,
}

/// The rows `top, top + step, …` of a plane of `height` (negative or past the end: padding).
#[derive(Clone, Copy)]
pub(crate) struct PlaneRows {
    pub(crate) top: isize,
    pub(crate) step: usize,
    pub(crate) height: usize,
}

impl PlaneRows {
    fn position(&self, row: usize) -> isize {
        self.top + (row * self.step) as isize
    }

    /// Which of the first `count` are rows of the plane.
    pub(crate) fn inside(&self, count: usize) -> Range<usize> {
        let reach = |end: isize| ((end - self.top).max(0) as usize).div_ceil(self.step).min(count);
        reach(0)..reach(self.height as isize)
    }
}

impl RowCopy {
    /// `len` elements of rows of `width`; `mode` says how padding is filled.
    pub(crate) fn new(first: isize, step: usize, width: usize, len: usize, mode: PaddingMode) -> RowCopy {
        let before = (-first).max(0) as usize;
        let lead = before.div_ceil(step).min(len);
        let start = first + (lead * step) as isize;
        let left = (width as isize - start).max(0) as usize;
        RowCopy { first, step, width, mode, lead, inside: left.div_ceil(step).min(len - lead), len }
    }

    /// Whether it copies whole rows as they are.
    pub(crate) fn is_whole(&self) -> bool {
        self.step == 1 && self.lead == 0 && self.inside == self.width && self.len == self.width
    }

    /// Fills lines of `target`, `target_stride` apart, from rows of a plane.
    ///
    /// # Safety
    /// `target` shares no memory with the input, whose rows have `width` elements.
    pub(crate) unsafe fn run_plane(
        &self,
        isa: Isa,
        input: &InputView<'_>,
        [n, channel]: [usize; 2],
        rows: &PlaneRows,
        target: &mut [f32],
        target_stride: usize,
    ) {
        let count = target.len().div_ceil(target_stride);
        let inside = rows.inside(count);
        // Rows of the input follow each other; where padding repeats them, each is copied by itself.
        for row in (0..inside.start).chain(inside.end..count) {
            let line = &mut target[row * target_stride..][..self.len];
            match self.mode.source(rows.position(row), rows.height) {
                None => line.fill(0.0),
                // SAFETY: the caller's promise.
                Some(y) => unsafe { self.run(isa, input.row(n, channel, y), line) },
            }
        }
        if !inside.is_empty() {
            let first = input.row(n, channel, rows.position(inside.start) as usize);
            let end = target.len().min(inside.end * target_stride);
            let lines = &mut target[inside.start * target_stride..end];
            // SAFETY: the caller's promise, for each of these rows.
            unsafe { self.run_rows(isa, first, rows.step * input.row_stride(), lines, target_stride) };
        }
    }

    /// Fills `target` from a row.
    ///
    /// # Safety
    /// `row` is valid for reads of `width` floats, none of them in `target`.
    pub(crate) unsafe fn run(&self, isa: Isa, row: *const f32, target: &mut [f32]) {
        let stride = target.len();
        // SAFETY: the caller's promise, for one row.
        unsafe { self.run_rows(isa, row, 0, target, stride) };
    }

    /// Fills lines of `target`, `target_stride` apart, each from a row; the rows are `stride` apart.
    ///
    /// # Safety
    /// Each row is valid for reads of `width` floats, none of them in `target`.
    pub(crate) unsafe fn run_rows(
        &self,
        isa: Isa,
        rows: *const f32,
        stride: usize,
        target: &mut [f32],
        target_stride: usize,
    ) {
        isa.run(Rows { copy: self, rows, stride, target, target_stride });
        if self.mode != PaddingMode::Zeros {
            for (y, line) in target.chunks_mut(target_stride).enumerate() {
                // SAFETY: the caller's promise.
                unsafe { self.pad(rows.wrapping_add(y * stride), line) };
            }
        }
    }

    /// Fills what is left and right of a row.
    ///
    /// # Safety
    /// `row` is valid for reads of `width` floats.
    unsafe fn pad(&self, row: *const f32, line: &mut [f32]) {
        let RowCopy { first, step, width, mode, lead, inside, len } = *self;
        for i in (0..lead).chain(lead + inside..len) {
            // SAFETY: `source` answers with a position inside the row.
            line[i] = mode
                .source(first + (i * step) as isize, width)
                .map_or(0.0, |position| unsafe { *row.add(position) });
        }
    }
}

/// What [`RowCopy::run_rows`] does, with zeros for padding.
struct Rows<'a> {
    copy: &'a RowCopy,
    rows: *const f32,
    stride: usize,
    target: &'a mut [f32],
    target_stride: usize,
}

impl Kernel for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let RowCopy { first, step, lead, inside, len, .. } = *self.copy;
        if step == 1 && len >= S::LANES {
            return self.neighbours(s);
        }
        let start = (first + (lead * step) as isize).max(0) as usize;
        for (y, line) in self.target.chunks_mut(self.target_stride).enumerate() {
            let line = &mut line[..len];
            zero(s, line, 0, lead);
            zero(s, line, lead + inside, len);
            let source = self.rows.wrapping_add(y * self.stride + start);
            let target = &mut line[lead..lead + inside];
            // SAFETY: `start` and the last position read are below the row's width.
            unsafe {
                match step {
                    1 => s.store_first(target.as_mut_ptr(), s.load_first(source, inside), inside),
                    2 => every_other(s, source, target),
                    _ => {
                        target.iter_mut().enumerate().for_each(|(i, slot)| *slot = *source.add(i * step));
                    }
                }
            }
        }
    }
}

impl Rows<'_> {
    /// Copies neighbours, at least a vector of each row. Its edges, with padding, are copied for all rows together: which of their lanes
    /// are inside takes longer to find than to copy.
    #[inline(always)]
    fn neighbours<S: Simd>(self, s: S) {
        let RowCopy { first, width, lead, inside, len, .. } = *self.copy;
        let lines = self.target.len().div_ceil(self.target_stride);
        let (rows, target) = (self.rows.wrapping_offset(first), self.target.as_mut_ptr());
        let whole = lead.div_ceil(S::LANES)..((lead + inside) / S::LANES).max(lead.div_ceil(S::LANES));
        let edges = (0..whole.start).chain(whole.end..len.div_ceil(S::LANES));
        for x in edges.map(|i| (i * S::LANES).min(len - S::LANES)) {
            let lanes = edge::inside(first + x as isize, width);
            for y in 0..lines {
                // SAFETY: the lanes are inside the row, and the vector inside the line.
                unsafe {
                    let v = s.load_masked(rows.wrapping_add(y * self.stride + x), lanes, s.splat(0.0));
                    s.store(target.add(y * self.target_stride + x), v);
                }
            }
        }
        for y in 0..lines {
            for x in whole.clone().map(|i| i * S::LANES) {
                // SAFETY: the whole vector is inside the row, and inside the line.
                unsafe {
                    s.store(
                        target.add(y * self.target_stride + x),
                        s.load(rows.wrapping_add(y * self.stride + x)),
                    );
                }
            }
        }
    }
}

/// Sets `line[from..to]`, and perhaps what is before it, to zero.
#[inline(always)]
fn zero<S: Simd>(s: S, line: &mut [f32], from: usize, to: usize) {
    if from < to && line.len() >= S::LANES {
        for x in (from..to).step_by(S::LANES) {
            // SAFETY: a vector that starts there ends within the line.
            unsafe { s.store(line.as_mut_ptr().add(x.min(line.len() - S::LANES)), s.splat(0.0)) };
        }
    } else {
        line[from..to].fill(0.0);
    }
}

/// Copies every other element, the first one among them.
///
/// # Safety
/// `source` is valid for reads of `target.len() * 2 - 1` floats.
#[inline(always)]
unsafe fn every_other<S: Simd>(s: S, source: *const f32, target: &mut [f32]) {
    let (len, target) = (target.len(), target.as_mut_ptr());
    let mut x = 0;
    // SAFETY: of `2 * count - 1` elements from `2 * x` on, the last one is the source's last; `count` are left to write.
    unsafe {
        while x + S::LANES < len {
            let pair = (s.load(source.add(2 * x)), s.load(source.add(2 * x + S::LANES)));
            s.store(target.add(x), s.deinterleave(pair.0, pair.1).0);
            x += S::LANES;
        }
        if x < len {
            let count = len - x;
            let source = source.add(2 * x);
            let second = (2 * count - 1).saturating_sub(S::LANES);
            let low = s.load_first(source, S::LANES.min(2 * count - 1));
            let high = s.load_first(source.wrapping_add(S::LANES), second);
            s.store_first(target.add(x), s.deinterleave(low, high).0, count);
        }
    }
}
