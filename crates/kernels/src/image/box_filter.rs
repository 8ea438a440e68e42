//! The mean over a rectangle, and whatever else has equal weights: sums of integer pixels run along, down the columns. They are exact, so
//! that neither the order of sums nor a tile can be seen in the result.

use super::beyond::Beyond;
use super::cell::{Cell, MOST_LANES, first};
use super::filter::Border;
use super::fold::{Sum, fold};
use super::frame::Frame;
use super::pixel::Pixel;
use super::quotient::{self, Quotient};
use super::total::{FloatTotal, TotalOf};
use corr2d_simd::{Isa, Kernel, Simd};
use std::ops::Range;

/// Equal weights over a window `[kh, kw]`: each result is `factor · sum + offset`.
#[derive(Clone, Copy)]
pub(super) struct BoxFilter {
    frame: Frame,
    border: Border,
    window: [usize; 2],
    factor: f32,
    offset: f32,
    /// The same in integers.
    quotient: Option<Quotient>,
}

/// Fewer elements are not worth a [`Quotient`].
const FEWEST_QUOTIENTS: usize = 1 << 12;

/// Sums of a cache line, at least.
const LINE: usize = 32;

impl BoxFilter {
    /// None unless sums of these pixels over the window are whole numbers that some type holds.
    pub(super) fn new<P: Pixel>(
        frame: Frame,
        border: Border,
        window: [usize; 2],
        [factor, offset]: [f32; 2],
    ) -> Option<BoxFilter> {
        let most = P::MOST? as usize;
        let taps = window[0] * window[1];
        // A small image is done before a quotient would be checked.
        let pays = frame.row() >= quotient::FEWEST && frame.height * frame.row() >= FEWEST_QUOTIENTS;
        let most = u16::try_from(most * taps).ok().filter(|_| pays);
        let quotient = most.and_then(|most| Quotient::new(factor, offset, most));
        (taps <= P::WIDE).then_some(BoxFilter { frame, border, window, factor, offset, quotient })
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
        (self.gap() + self.frame.row() + self.around()).next_multiple_of(LINE)
    }

    /// Floats of scratch that [`BoxFilter::run`] needs: they are as large as the largest sums.
    pub(super) fn scratch_len(&self) -> usize {
        2 * self.columns() + 2 * self.frame.row().next_multiple_of(LINE) + 2 * self.around()
    }

    /// Sums around those of a row.
    fn around(&self) -> usize {
        (self.window[1] - 1) * self.frame.channels
    }

    /// Places of sums around the image, each with that of the sum it is: the borders of all rows are made alike. The others are zeros.
    fn edges<'a>(&self, scratch: &'a mut [u32]) -> &'a [[u32; 2]] {
        let (channels, lead, row) = (self.frame.channels, self.lead(), self.frame.row());
        let (edges, _) = scratch.as_chunks_mut();
        let mut count = 0;
        for places in [0..lead, lead + row..row + self.around()] {
            let first = places.start as isize - lead as isize;
            let beyond = Beyond::new(self.border, self.frame.width, channels, first);
            for (place, element) in places.zip(beyond) {
                if let Some(element) = element {
                    edges[count] = [place as u32, (lead + element) as u32];
                    count += 1;
                }
            }
        }
        &edges[..count]
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

    fn run_with<P: Pixel, T: FloatTotal + TotalOf<P> + TotalOf<T>>(
        &self,
        isa: Isa,
        input: &[P],
        rows: Range<usize>,
        output: &mut [P],
        scratch: &mut [f32],
    ) {
        let BoxFilter { frame, border, window: [kh, kw], .. } = *self;
        let (row, columns, channels, lead) = (frame.row(), self.columns(), frame.channels, self.lead());
        assert_eq!(output.len(), rows.len() * row);
        let (blank, scratch) = scratch.split_at_mut(row.next_multiple_of(LINE));
        // What rows above and below the image may be.
        let blank = &mut cells::<P>(blank)[..row];
        blank.fill(P::from_float(0.0));
        let blank = &*blank;
        let (totals, scratch) = scratch.split_at_mut(row.next_multiple_of(LINE));
        let totals = &mut cells::<T>(totals)[..row];
        // The sum of each column of the window's rows, with those of the columns around the image; for this row and for the last.
        let (sums, scratch) = scratch.split_at_mut(columns);
        let (last, edges) = scratch.split_at_mut(columns);
        let edges = self.edges(&mut cells(edges)[..2 * self.around()]);
        let mut sums = &mut cells::<T>(sums)[self.gap()..columns];
        let mut last = &mut cells::<T>(last)[self.gap()..columns];
        let source = |y: usize| match border.source(y as isize - (kh / 2) as isize, frame.height) {
            Some(y) => &input[y * frame.row_stride..][..row],
            None => blank,
        };
        let inside = lead..lead + row;
        sums.fill(T::ZERO);
        last.fill(T::ZERO);
        for y in rows.start..rows.start + kh - 1 {
            std::mem::swap(&mut sums, &mut last);
            slide(isa, &last[inside.clone()], source(y), blank, &mut sums[inside.clone()]);
        }
        for (y, target) in rows.clone().zip(output.chunks_exact_mut(row)) {
            let leaving = if y == rows.start { blank } else { source(y - 1) };
            std::mem::swap(&mut sums, &mut last);
            slide(isa, &last[inside.clone()], source(y + kh - 1), leaving, &mut sums[inside.clone()]);
            for &[place, inside] in edges {
                sums[place as usize] = sums[inside as usize];
            }
            if let (Some(quotient), Some(sums), Some(bytes)) =
                (&self.quotient, T::words(sums), P::bytes(target))
            {
                quotient.run(isa, sums, channels, kw, bytes);
                continue;
            }
            fold::<Sum<T, T>>(isa, sums, channels, kw, totals);
            finish(isa, self.factor, self.offset, totals, target);
        }
    }
}

/// Scratch as other numbers of at most the size of floats.
fn cells<T: Cell>(scratch: &mut [f32]) -> &mut [T] {
    const { assert!(size_of::<T>() <= size_of::<f32>() && align_of::<T>() <= align_of::<f32>()) };
    // SAFETY: aligned and long enough, and every bit pattern is a number.
    unsafe { std::slice::from_raw_parts_mut(scratch.as_mut_ptr().cast(), scratch.len()) }
}

/// Sums of columns one row further down: of those of the last row with what enters and without what leaves.
#[inline(never)]
fn slide<P: Pixel, T: TotalOf<P>>(isa: Isa, last: &[T], entering: &[P], leaving: &[P], sums: &mut [T]) {
    let length = sums.len();
    assert!(last.len() == length && entering.len() == length && leaving.len() == length);
    isa.run(Slide { last, entering, leaving, sums });
}

struct Slide<'a, P, T> {
    last: &'a [T],
    entering: &'a [P],
    leaving: &'a [P],
    sums: &'a mut [T],
}

impl<P: Pixel, T: TotalOf<P>> Kernel for Slide<'_, P, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (lanes, length) = (T::lanes::<S>(), self.sums.len());
        let (last, sums) = (self.last.as_ptr(), self.sums.as_mut_ptr());
        let (entering, leaving) = (self.entering.as_ptr(), self.leaving.as_ptr());
        // SAFETY: `slide` checked that all are as long. The sums are none of the others, so that the last register may be shifted back and
        // summed again.
        unsafe {
            if length < lanes {
                let (last, entering) = (first(last, length), first(entering, length));
                let mut v = T::plus(s, T::read(s, last.as_ptr()), T::widen(s, entering.as_ptr()));
                v = T::minus(s, v, T::widen(s, first(leaving, length).as_ptr()));
                let mut elements = [T::ZERO; MOST_LANES];
                T::write(s, elements.as_mut_ptr(), v);
                std::ptr::copy_nonoverlapping(elements.as_ptr(), sums, length);
                return;
            }
            for i in (0..length).step_by(lanes) {
                let i = i.min(length - lanes);
                let v = T::plus(s, T::read(s, last.add(i)), T::widen(s, entering.add(i)));
                T::write(s, sums.add(i), T::minus(s, v, T::widen(s, leaving.add(i))));
            }
        }
    }
}

/// The pixels that the totals of a row become.
#[inline(never)]
fn finish<P: Pixel, T: FloatTotal>(isa: Isa, factor: f32, offset: f32, totals: &[T], target: &mut [P]) {
    assert_eq!(totals.len(), target.len());
    let whole = target.len() / (4 * isa.lanes()) * (4 * isa.lanes());
    isa.run(Finish { factor, offset, totals, target: &mut target[..whole] });
    for i in whole..target.len() {
        target[i] = P::from_float(totals[i].to_double() as f32 * factor + offset);
    }
}

/// Four whole vectors at a time.
struct Finish<'a, P, T> {
    factor: f32,
    offset: f32,
    totals: &'a [T],
    target: &'a mut [P],
}

impl<P: Pixel, T: FloatTotal> Kernel for Finish<'_, P, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (factor, offset) = (s.splat(self.factor), s.splat(self.offset));
        for i in (0..self.target.len()).step_by(4 * S::LANES) {
            // SAFETY: `finish` gave four whole vectors at a time, and checked that there are as many totals.
            unsafe {
                let mut vectors = [factor; 4];
                for (v, vector) in vectors.iter_mut().enumerate() {
                    let total = T::floats(s, self.totals.as_ptr().add(i + v * S::LANES));
                    *vector = s.add(s.mul(total, factor), offset);
                }
                P::store(s, self.target.as_mut_ptr().add(i), vectors);
            }
        }
    }
}
