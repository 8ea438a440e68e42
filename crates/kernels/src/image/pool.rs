//! Pooling of interleaved pixels as they are: a window's rows are reduced into one padded row of scratch, and that row along the
//! window's columns, whose neighbours are `channels` elements away.

use super::cell::Cell;
use super::fold::{Fold, Largest, Smallest, Sum, fold};
use super::frame::Frame;
use super::means::Counts;
use super::pick::pick;
use super::pixel::Pixel;
use super::target::Target;
use super::total::{FloatTotal, Total, TotalOf};
use crate::buffer::with_scratch;
use crate::error::Error;
use crate::geometry::PoolGeometry;
use crate::parallel::Pool;
use crate::view::check_overlap;
use corr2d_simd::Isa;
use std::marker::PhantomData;
use std::ops::Range;

/// What an [`ImagePool`] computes of the pixels of a window, channel by channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImagePoolMode {
    /// The largest (dilation).
    Max,
    /// The smallest (erosion).
    Min,
    /// The mean: of integer pixels the exact one, rounded half to even.
    Average,
}

/// A pooling of an image.
pub struct ImagePool {
    frame: Frame,
    geometry: PoolGeometry,
    mode: ImagePoolMode,
    counts: Counts,
    isa: Isa,
}

/// Below this many elements, waking another thread costs more than it saves.
const PARALLEL_ELEMENTS: usize = 1 << 18;

/// Output rows of a tile.
const TILE_ROWS: usize = 16;

/// Bytes of it.
const CACHE_LINE: usize = 64;

impl ImagePool {
    /// Checks that the geometry is the frame's. Padding never is the largest or the smallest element; in averages it counts as the
    /// geometry says.
    pub fn new(
        frame: Frame,
        geometry: PoolGeometry,
        mode: ImagePoolMode,
        isa: Isa,
    ) -> Result<ImagePool, Error> {
        frame.check()?;
        for (expected, received, parameter) in [
            (frame.height, geometry.y.input, "height"),
            (frame.width, geometry.x.input, "width"),
            (frame.channels, geometry.channels, "channels"),
        ] {
            if expected != received {
                return Err(Error::Length { parameter, expected, received });
            }
        }
        let counts = Counts::new(&geometry, frame.channels);
        Ok(ImagePool { frame, geometry, mode, counts, isa })
    }

    /// Elements of the output.
    pub fn output_len(&self) -> usize {
        self.geometry.plane() * self.frame.channels
    }

    /// Pools `input` to the tightly packed `output`, on at most `threads` threads of the pool.
    #[inline]
    pub fn run<P: Pixel>(
        &self,
        input: &[P],
        output: &mut [P],
        pool: &Pool,
        threads: usize,
    ) -> Result<(), Error> {
        P::pool(self, input, output, pool, threads)
    }

    pub(super) fn run_pixels<P: Pixel>(
        &self,
        input: &[P],
        output: &mut [P],
        pool: &Pool,
        threads: usize,
    ) -> Result<(), Error> {
        self.frame.check_input(input, "data")?;
        let expected = self.output_len();
        if output.len() != expected {
            return Err(Error::Length { parameter: "out", expected, received: output.len() });
        }
        check_overlap(output, input, "data")?;
        let taps = self.geometry.y.kernel * self.geometry.x.kernel;
        match self.mode {
            ImagePoolMode::Max => self.reduce::<P, Largest<P>>(input, output, pool, threads),
            ImagePoolMode::Min => self.reduce::<P, Smallest<P>>(input, output, pool, threads),
            ImagePoolMode::Average if taps <= P::NARROW => {
                self.reduce::<P, Mean<P::Narrow>>(input, output, pool, threads);
            }
            ImagePoolMode::Average if taps <= P::WIDE => {
                self.reduce::<P, Mean<P::Wide>>(input, output, pool, threads);
            }
            ImagePoolMode::Average => {
                self.reduce::<P, LargeMean<P::Widest>>(input, output, pool, threads);
            }
        }
        Ok(())
    }

    fn reduce<P: Pixel, R: Reduce<P>>(&self, input: &[P], output: &mut [P], pool: &Pool, threads: usize) {
        let g = &self.geometry;
        let row = g.x.output * self.frame.channels;
        let threads = if input.len() < PARALLEL_ELEMENTS { 1 } else { threads };
        let target = Target::new(output);
        pool.for_each(g.y.output.div_ceil(TILE_ROWS), threads, |tile| {
            let first = tile * TILE_ROWS;
            let rows = first..g.y.output.min(first + TILE_ROWS);
            // SAFETY: `run` checked the output's length, and tiles are disjoint.
            let output = unsafe { target.part(first * row, rows.len() * row) };
            let lead = self.geometry.x.before * self.frame.channels;
            let line = CACHE_LINE / size_of::<R::Reduced>();
            // What is left out before the padding, so that the pixels begin a cache line.
            let gap = lead.next_multiple_of(line) - lead;
            let lengths = [gap, self.padded_columns() * self.frame.channels, self.places() + 1, row];
            let total: usize = lengths.iter().sum();
            with_scratch((total * size_of::<R::Reduced>()).div_ceil(size_of::<f32>()), |scratch| {
                // SAFETY: scratch is aligned to cache lines and as long, and every bit pattern is a number.
                let scratch = unsafe {
                    std::slice::from_raw_parts_mut(scratch.as_mut_ptr().cast::<R::Reduced>(), total)
                };
                let (padded, scratch) = scratch[gap..].split_at_mut(lengths[1]);
                let (reduced, picked) = scratch.split_at_mut(lengths[2]);
                self.tile::<P, R>(input, rows, Rows { padded, reduced, picked }, output);
            });
        });
    }

    /// Computes some output rows.
    fn tile<P: Pixel, R: Reduce<P>>(
        &self,
        input: &[P],
        rows: Range<usize>,
        Rows { padded, reduced, picked }: Rows<'_, R::Reduced>,
        output: &mut [P],
    ) {
        let (isa, y, x, channels) = (self.isa, &self.geometry.y, &self.geometry.x, self.frame.channels);
        let along = x.dilation * channels;
        let places = self.places();
        padded.fill(R::NOTHING);
        for (row, target) in rows.zip(output.chunks_exact_mut(x.output * channels)) {
            let taps = y.inside(row);
            let inside = &mut padded[x.before * channels..][..self.frame.row()];
            if taps.is_empty() {
                inside.fill(R::NOTHING);
            } else {
                let first = y.position(row, taps.start) as usize * self.frame.row_stride;
                fold::<R::Down>(isa, &input[first..], y.dilation * self.frame.row_stride, taps.len(), inside);
            }
            let windows = match R::pixels(target) {
                Some(pixels) => pixels,
                None => &mut *picked,
            };
            if x.stride == 1 {
                fold::<R::Across>(isa, padded, along, x.kernel, windows);
            } else {
                fold::<R::Across>(isa, padded, along, x.kernel, &mut reduced[..places]);
                pick(isa, reduced, channels, x.stride, windows);
            }
            R::finish(isa, picked, &self.counts, row, target);
        }
    }

    /// Elements of a row at which windows could start.
    fn places(&self) -> usize {
        ((self.geometry.x.output - 1) * self.geometry.x.stride + 1) * self.frame.channels
    }

    /// Pixels of a row with its padding, as far as windows reach.
    fn padded_columns(&self) -> usize {
        let x = &self.geometry.x;
        ((x.output - 1) * x.stride + x.span()).max(x.before + x.input)
    }
}

/// What the rows of a tile are computed in.
struct Rows<'a, T> {
    /// A row of the input with its padding, reduced down the windows.
    padded: &'a mut [T],
    /// A row of windows at every place, and one element more.
    reduced: &'a mut [T],
    /// A row of windows of the output.
    picked: &'a mut [T],
}

/// How the pixels of a window become one.
trait Reduce<P: Pixel> {
    type Reduced: Cell;
    type Down: Fold<Tap = P, Reduced = Self::Reduced>;
    type Across: Fold<Tap = Self::Reduced, Reduced = Self::Reduced>;

    /// Nothing, reduced.
    const NOTHING: Self::Reduced;

    /// The output's pixels as reduced windows, if that is what they are.
    fn pixels(target: &mut [P]) -> Option<&mut [Self::Reduced]>;

    /// Pixels of a row of windows that are something else.
    fn finish(isa: Isa, windows: &[Self::Reduced], counts: &Counts, row: usize, target: &mut [P]);
}

macro_rules! extreme {
    ($name:ident, $nothing:ident) => {
        impl<P: Pixel> Reduce<P> for $name<P> {
            type Reduced = P;
            type Down = Self;
            type Across = Self;

            const NOTHING: P = P::$nothing;

            fn pixels(target: &mut [P]) -> Option<&mut [P]> {
                Some(target)
            }

            fn finish(_: Isa, _: &[P], _: &Counts, _: usize, _: &mut [P]) {}
        }
    };
}

extreme!(Largest, LEAST);
extreme!(Smallest, GREATEST);

/// The mean of sums that floats hold.
struct Mean<T>(PhantomData<T>);

/// The mean of any sums.
struct LargeMean<T>(PhantomData<T>);

macro_rules! mean {
    ($name:ident, $total:ident, |$counts:ident, $isa:ident, $sums:ident, $row:ident, $target:ident| $means:expr) => {
        impl<P: Pixel, T: $total + TotalOf<P> + TotalOf<T>> Reduce<P> for $name<T> {
            type Reduced = T;
            type Down = Sum<P, T>;
            type Across = Sum<T, T>;

            const NOTHING: T = T::ZERO;

            fn pixels(_: &mut [P]) -> Option<&mut [T]> {
                None
            }

            fn finish($isa: Isa, $sums: &[T], $counts: &Counts, $row: usize, $target: &mut [P]) {
                $means
            }
        }
    };
}

mean!(Mean, FloatTotal, |counts, isa, sums, row, target| counts.means(isa, sums, row, target));
mean!(LargeMean, Total, |counts, _isa, sums, row, target| counts.means_one_by_one(sums, row, 0, target));
