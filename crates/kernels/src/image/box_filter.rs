//! The mean over a rectangle, and whatever else has equal weights: sums of integer pixels run along, in integers, down the columns.
//! They are exact, so that neither the order of sums nor a tile can be seen in the result.

use super::filter::Border;
use super::frame::Frame;
use super::pixel::{Pixel, Total};
use super::taps::{Fold, fold};
use corr2d_simd::{Isa, Kernel, Simd};
use std::marker::PhantomData;
use std::ops::Range;

/// Equal weights over a window `[kh, kw]`: each result is `factor · sum + offset`.
#[derive(Clone, Copy)]
pub(super) struct BoxFilter {
    pub(super) frame: Frame,
    pub(super) border: Border,
    pub(super) window: [usize; 2],
    pub(super) factor: f32,
    pub(super) offset: f32,
}

/// Sums of a cache line, at least.
const LINE: usize = 32;

impl BoxFilter {
    /// Whether sums of these pixels over the window are whole numbers that some type holds.
    pub(super) fn suits<P: Pixel>(&self) -> bool {
        // Twice as wide as the narrow sums of bytes are those of words: 2³² either way.
        P::MOST.is_some_and(|most| self.taps() < u32::MAX as usize / most as usize)
    }

    fn taps(&self) -> usize {
        self.window[0] * self.window[1]
    }

    /// Sums to the left of the image.
    fn lead(&self) -> usize {
        self.window[1] / 2 * self.frame.channels
    }

    /// What is left out before them, so that those of the image begin a cache line.
    fn gap(&self) -> usize {
        self.lead().next_multiple_of(LINE) - self.lead()
    }

    /// Sums of a row with the columns around it and the gap, a whole number of cache lines.
    fn columns(&self) -> usize {
        let around = (self.window[1] - 1) * self.frame.channels;
        (self.gap() + self.frame.row() + around).next_multiple_of(LINE)
    }

    /// Floats of scratch that [`BoxFilter::run`] needs: they are as large as the largest sums.
    pub(super) fn scratch_len(&self) -> usize {
        self.columns() + self.frame.row()
    }

    /// Computes rows of the output.
    pub(super) fn run<P: Pixel>(
        &self,
        isa: Isa,
        input: &[P],
        rows: Range<usize>,
        output: &mut [P],
        scratch: &mut [f32],
    ) {
        if self.taps() <= P::NARROW {
            self.run_with::<P, P::Narrow>(isa, input, rows, output, scratch);
        } else {
            self.run_with::<P, P::Wide>(isa, input, rows, output, scratch);
        }
    }

    fn run_with<P: Pixel, T: Total + From<P>>(
        &self,
        isa: Isa,
        input: &[P],
        rows: Range<usize>,
        output: &mut [P],
        scratch: &mut [f32],
    ) {
        assert!(size_of::<T>() <= size_of::<f32>() && scratch.len() >= self.scratch_len());
        assert_eq!(output.len(), rows.len() * self.frame.row());
        let (columns, row) = (self.columns(), self.frame.row());
        // SAFETY: scratch is aligned to floats, as long as needed, and every bit pattern is a number.
        let sums = unsafe { std::slice::from_raw_parts_mut(scratch.as_mut_ptr().cast::<T>(), columns + row) };
        let (sums, totals) = sums.split_at_mut(columns);
        let sums = &mut sums[self.gap()..];
        isa.run(Rows { filter: self, input, rows, output, sums, totals, pixel: PhantomData });
    }
}

struct Rows<'a, P, T> {
    filter: &'a BoxFilter,
    input: &'a [P],
    rows: Range<usize>,
    output: &'a mut [P],
    /// The sum of each column of the window's rows, with those of the columns around the image.
    sums: &'a mut [T],
    /// The sums of each window of a row.
    totals: &'a mut [T],
    pixel: PhantomData<P>,
}

impl<P: Pixel, T: Total + From<P>> Kernel for Rows<'_, P, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let BoxFilter { frame, border, window: [kh, kw], .. } = *self.filter;
        let (row, channels) = (frame.row(), frame.channels);
        let lead = self.filter.lead();
        let above = kh / 2;
        let source = |y: usize| {
            border
                .source(y as isize - above as isize, frame.height)
                .map(|y| &self.input[y * frame.row_stride..][..row])
        };
        self.sums.fill(T::default());
        for y in self.rows.start..self.rows.start + kh - 1 {
            if let Some(entering) = source(y) {
                add(&mut self.sums[lead..lead + row], entering);
            }
        }
        let mut leaving = None;
        for (y, target) in self.rows.clone().zip(self.output.chunks_exact_mut(row)) {
            let inside = &mut self.sums[lead..lead + row];
            match (source(y + kh - 1), leaving) {
                (Some(entering), Some(leaving)) => slide(inside, entering, leaving),
                (Some(entering), None) => add(inside, entering),
                (None, Some(leaving)) => take(inside, leaving),
                (None, None) => {}
            }
            leaving = source(y);
            // The borders of all rows are made alike, so the sums around the image are sums of it.
            for i in (0..lead).chain(lead + row..row + (kw - 1) * channels) {
                let element = i as isize - lead as isize;
                let pixel = border.source(element.div_euclid(channels as isize), frame.width);
                let channel = element.rem_euclid(channels as isize) as usize;
                self.sums[i] = pixel.map_or(T::default(), |x| self.sums[lead + x * channels + channel]);
            }
            fold::<T, Sum<T>>(self.sums, channels, kw, self.totals);
            finish(s, self.filter, self.totals, target);
        }
    }
}

// Loops over places and not over iterators, which are not always compiled into the function with the instruction set's features.

#[inline(always)]
fn add<P: Pixel, T: Total + From<P>>(sums: &mut [T], entering: &[P]) {
    let entering = &entering[..sums.len()];
    for i in 0..sums.len() {
        sums[i] = sums[i].plus(T::from(entering[i]));
    }
}

#[inline(always)]
fn take<P: Pixel, T: Total + From<P>>(sums: &mut [T], leaving: &[P]) {
    let leaving = &leaving[..sums.len()];
    for i in 0..sums.len() {
        sums[i] = sums[i].slide(T::default(), T::from(leaving[i]));
    }
}

#[inline(always)]
fn slide<P: Pixel, T: Total + From<P>>(sums: &mut [T], entering: &[P], leaving: &[P]) {
    let (entering, leaving) = (&entering[..sums.len()], &leaving[..sums.len()]);
    for i in 0..sums.len() {
        sums[i] = sums[i].slide(T::from(entering[i]), T::from(leaving[i]));
    }
}

struct Sum<T>(PhantomData<T>);

impl<T: Total> Fold<T> for Sum<T> {
    type Reduced = T;

    #[inline(always)]
    fn element(tap: T) -> T {
        tap
    }

    #[inline(always)]
    fn merge(a: T, b: T) -> T {
        a.plus(b)
    }
}

/// The pixels that the totals of a row become.
#[inline(always)]
fn finish<S: Simd, P: Pixel, T: Total>(s: S, filter: &BoxFilter, totals: &[T], target: &mut [P]) {
    let (factor, offset) = (s.splat(filter.factor), s.splat(filter.offset));
    let totals = &totals[..target.len()];
    let whole = target.len() / (4 * S::LANES) * (4 * S::LANES);
    for i in (0..whole).step_by(4 * S::LANES) {
        // SAFETY: four vectors are left of both.
        unsafe {
            let mut vectors = [factor; 4];
            for (v, vector) in vectors.iter_mut().enumerate() {
                let total = T::load(s, totals.as_ptr().add(i + v * S::LANES));
                *vector = s.add(s.mul(total, factor), offset);
            }
            P::store(s, target.as_mut_ptr().add(i), vectors);
        }
    }
    for i in whole..target.len() {
        target[i] = P::from_float(totals[i].to_float() * filter.factor + filter.offset);
    }
}
