//! Pooling of interleaved pixels as they are: a window's rows are reduced into one padded row of scratch, and that row along the
//! window's columns, whose neighbours are `channels` elements away.

use super::frame::Frame;
use super::pixel::{Pixel, Total};
use super::taps::{Fold, fold};
use super::target::Target;
use crate::buffer::with_scratch;
use crate::error::Error;
use crate::geometry::{Axis, PoolGeometry, PoolMode};
use crate::parallel::Pool;
use crate::view::check_overlap;
use corr2d_simd::{Isa, Kernel, Simd};
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
    /// The factors of each window's divisor: that of its row, and that of each element of an output row.
    counts: [Vec<f32>; 2],
    isa: Isa,
}

/// Below this many elements, waking another thread costs more than it saves.
const PARALLEL_ELEMENTS: usize = 1 << 18;

/// Output rows of a tile.
const TILE_ROWS: usize = 16;

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
        let counts = counts(&geometry, frame.channels);
        Ok(ImagePool { frame, geometry, mode, counts, isa })
    }

    /// Elements of the output.
    pub fn output_len(&self) -> usize {
        self.geometry.plane() * self.frame.channels
    }

    /// Pools `input` to the tightly packed `output`, on at most `threads` threads of the pool.
    pub fn run<P: Pixel>(
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
            ImagePoolMode::Max => self.reduce::<P, Largest>(input, output, pool, threads),
            ImagePoolMode::Min => self.reduce::<P, Smallest>(input, output, pool, threads),
            ImagePoolMode::Average if taps <= P::NARROW => {
                self.reduce::<P, Mean<P::Narrow>>(input, output, pool, threads);
            }
            ImagePoolMode::Average => self.reduce::<P, Mean<P::Wide>>(input, output, pool, threads),
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
            let lengths = [self.padded_columns() * self.frame.channels + 1, self.places() + 1, row];
            let total: usize = lengths.iter().sum();
            with_scratch((total * size_of::<R::Reduced>()).div_ceil(size_of::<f32>()), |scratch| {
                // SAFETY: scratch is aligned to cache lines and as long, and every bit pattern is a number.
                let scratch = unsafe {
                    std::slice::from_raw_parts_mut(scratch.as_mut_ptr().cast::<R::Reduced>(), total)
                };
                let (padded, scratch) = scratch.split_at_mut(lengths[0]);
                let (reduced, picked) = scratch.split_at_mut(lengths[1]);
                self.isa.run(Tile::<P, R> { pooling: self, input, rows, padded, reduced, picked, output });
            });
        });
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

/// The factors of the divisors; none where nothing is divided.
fn counts(g: &PoolGeometry, channels: usize) -> [Vec<f32>; 2] {
    let (count, factor): (fn(&Axis, usize) -> usize, u32) = match g.mode {
        PoolMode::Average { divisor_override: Some(divisor), .. } => (|_, _| 1, divisor),
        PoolMode::Average { count_include_pad: true, .. } => (Axis::covered, 1),
        PoolMode::Average { count_include_pad: false, .. } => (|axis, i| axis.inside(i).len(), 1),
        PoolMode::Max | PoolMode::Norm(_) => return [Vec::new(), Vec::new()],
    };
    let rows = (0..g.y.output).map(|i| (count(&g.y, i).max(1) as f32) * factor as f32).collect();
    let columns = (0..g.x.output).flat_map(|i| std::iter::repeat_n(count(&g.x, i).max(1) as f32, channels));
    [rows, columns.collect()]
}

/// How the pixels of a window become one.
trait Reduce<P: Pixel>: Fold<P> {
    /// Nothing, reduced.
    fn nothing() -> Self::Reduced;

    /// Pixels from a row of reduced windows, for the divisors `row_count · column_counts`.
    fn finish<S: Simd>(
        s: S,
        reduced: &[Self::Reduced],
        row_count: f32,
        column_counts: &[f32],
        target: &mut [P],
    );
}

struct Largest;
struct Smallest;
struct Mean<T>(PhantomData<T>);

macro_rules! extreme {
    ($name:ident, $nothing:ident, $merge:ident) => {
        impl<P: Pixel> Fold<P> for $name {
            type Reduced = P;

            #[inline(always)]
            fn element(pixel: P) -> P {
                pixel
            }

            #[inline(always)]
            fn merge(a: P, b: P) -> P {
                a.$merge(b)
            }
        }

        impl<P: Pixel> Reduce<P> for $name {
            #[inline(always)]
            fn nothing() -> P {
                P::$nothing
            }

            #[inline(always)]
            fn finish<S: Simd>(_: S, reduced: &[P], _: f32, _: &[f32], target: &mut [P]) {
                target.copy_from_slice(&reduced[..target.len()]);
            }
        }
    };
}

extreme!(Largest, LEAST, larger);
extreme!(Smallest, GREATEST, smaller);

impl<P: Pixel, T: Total + From<P>> Fold<P> for Mean<T> {
    type Reduced = T;

    #[inline(always)]
    fn element(pixel: P) -> T {
        T::from(pixel)
    }

    #[inline(always)]
    fn merge(a: T, b: T) -> T {
        a.plus(b)
    }
}

impl<P: Pixel, T: Total + From<P>> Reduce<P> for Mean<T> {
    #[inline(always)]
    fn nothing() -> T {
        T::default()
    }

    #[inline(always)]
    fn finish<S: Simd>(s: S, reduced: &[T], row_count: f32, column_counts: &[f32], target: &mut [P]) {
        let most = column_counts.iter().fold(0.0f32, |most, count| most.max(*count)) * row_count;
        let step = 4 * S::LANES;
        let whole = if most < P::EXACT_MEANS as f32 { target.len() / step * step } else { 0 };
        let (reduced, column_counts) = (&reduced[..target.len()], &column_counts[..target.len()]);
        for i in (0..whole).step_by(step) {
            // SAFETY: four vectors are left of sums, counts and pixels alike.
            unsafe {
                let mut vectors = [s.splat(row_count); 4];
                for (v, vector) in vectors.iter_mut().enumerate() {
                    let count = s.load(column_counts.as_ptr().add(i + v * S::LANES));
                    let sum = T::load(s, reduced.as_ptr().add(i + v * S::LANES));
                    *vector = s.div(sum, s.mul(*vector, count));
                }
                P::store(s, target.as_mut_ptr().add(i), vectors);
            }
        }
        for i in whole..target.len() {
            target[i] = P::from_float(reduced[i].mean((row_count * column_counts[i]) as usize));
        }
    }
}

/// Some output rows.
struct Tile<'a, P: Pixel, R: Reduce<P>> {
    pooling: &'a ImagePool,
    input: &'a [P],
    rows: Range<usize>,
    /// A row of the input with its padding, reduced down the windows.
    padded: &'a mut [R::Reduced],
    /// A row of windows at every place, and one element more.
    reduced: &'a mut [R::Reduced],
    /// A row of the output.
    picked: &'a mut [R::Reduced],
    output: &'a mut [P],
}

impl<P: Pixel, R: Reduce<P>> Kernel for Tile<'_, P, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Tile { pooling, input, rows, padded, reduced, picked, output } = self;
        let ImagePool { frame, geometry, counts, .. } = pooling;
        let (y, x, channels) = (&geometry.y, &geometry.x, frame.channels);
        let places = pooling.places();
        padded.fill(R::nothing());
        for (row, target) in rows.zip(output.chunks_exact_mut(x.output * channels)) {
            let taps = y.inside(row);
            let inside = &mut padded[x.before * channels..][..frame.row()];
            if taps.is_empty() {
                inside.fill(R::nothing());
            } else {
                let first = y.position(row, taps.start) as usize * frame.row_stride;
                fold::<P, R>(&input[first..], y.dilation * frame.row_stride, taps.len(), inside);
            }
            fold::<_, Across<P, R>>(padded, x.dilation * channels, x.kernel, &mut reduced[..places]);
            let row_count = counts[0].get(row).copied().unwrap_or(1.0);
            if x.stride == 1 {
                R::finish(s, reduced, row_count, &counts[1], target);
            } else {
                pick(reduced, channels, x.stride, picked);
                R::finish(s, picked, row_count, &counts[1], target);
            }
        }
    }
}

/// The fold along a row of what was folded down.
struct Across<P, R>(PhantomData<(P, R)>);

impl<P: Pixel, R: Reduce<P>> Fold<R::Reduced> for Across<P, R> {
    type Reduced = R::Reduced;

    #[inline(always)]
    fn element(tap: R::Reduced) -> R::Reduced {
        tap
    }

    #[inline(always)]
    fn merge(a: R::Reduced, b: R::Reduced) -> R::Reduced {
        R::merge(a, b)
    }
}

/// Copies every `stride`-th pixel; the row goes one element on at least behind the last one.
#[inline(always)]
fn pick<T: Copy>(row: &[T], channels: usize, stride: usize, target: &mut [T]) {
    assert!(row.len() > ((target.len() / channels - 1) * stride + 1) * channels);
    // A step that is known when this is compiled becomes shuffles of vectors.
    match (channels, stride) {
        (1, 2) => pick_by::<T, 1>(row, 2, target),
        (2, 2) => pick_by::<T, 2>(row, 4, target),
        (4, 2) => pick_by::<T, 4>(row, 8, target),
        (1, _) => pick_by::<T, 1>(row, stride, target),
        (2, _) => pick_by::<T, 2>(row, 2 * stride, target),
        (3, _) => pick_by::<T, 3>(row, 3 * stride, target),
        _ => pick_by::<T, 4>(row, 4 * stride, target),
    }
}

/// Copies `C` elements of every `step`.
#[inline(always)]
fn pick_by<T: Copy, const C: usize>(row: &[T], step: usize, target: &mut [T]) {
    let pixels = target.len() / C;
    let (source, target) = (row.as_ptr(), target.as_mut_ptr());
    // SAFETY: the last pixel begins at `(pixels - 1) * step` of the row, which `pick` checked, and at `(pixels - 1) * C` of the target.
    unsafe {
        if C == 3 {
            // Four elements are one move; the fourth is overwritten by the next pixel.
            for x in 0..pixels - 1 {
                target
                    .add(x * C)
                    .cast::<[T; 4]>()
                    .write_unaligned(source.add(x * step).cast::<[T; 4]>().read_unaligned());
            }
            target
                .add((pixels - 1) * C)
                .cast::<[T; C]>()
                .write_unaligned(source.add((pixels - 1) * step).cast::<[T; C]>().read_unaligned());
        } else {
            for x in 0..pixels {
                target
                    .add(x * C)
                    .cast::<[T; C]>()
                    .write_unaligned(source.add(x * step).cast::<[T; C]>().read_unaligned());
            }
        }
    }
}
