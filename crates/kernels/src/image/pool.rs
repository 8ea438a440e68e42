//! Pooling of interleaved pixels as they are: a window's rows are reduced into one padded row of scratch, and that row along the
//! window's columns, whose neighbours are `channels` elements away.

use super::frame::Frame;
use super::pixel::Pixel;
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
    isa: Isa,
}

/// Below this many elements, waking another thread costs more than it saves.
const PARALLEL_ELEMENTS: usize = 1 << 18;

/// Output rows of a tile.
const TILE_ROWS: usize = 16;

/// Elements that are reduced at once, in registers.
const BLOCK: usize = 64;

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
        Ok(ImagePool { frame, geometry, mode, isa })
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
        match self.mode {
            ImagePoolMode::Max => self.reduce::<P, Largest>(input, output, pool, threads),
            ImagePoolMode::Min => self.reduce::<P, Smallest>(input, output, pool, threads),
            ImagePoolMode::Average => self.reduce::<P, Mean>(input, output, pool, threads),
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
            let length = self.padded_columns() * self.frame.channels + BLOCK;
            let floats = (length * size_of::<R::Reduced>()).div_ceil(size_of::<f32>());
            with_scratch(floats, |scratch| {
                // SAFETY: scratch is aligned to cache lines and as long, and every bit pattern is a number.
                let padded = unsafe { std::slice::from_raw_parts_mut(scratch.as_mut_ptr().cast(), length) };
                self.isa.run(Tile::<P, R> {
                    pooling: self,
                    input,
                    rows,
                    padded,
                    output,
                    reduce: PhantomData,
                });
            });
        });
    }

    /// Pixels of a row with its padding, as far as windows reach.
    fn padded_columns(&self) -> usize {
        let x = &self.geometry.x;
        ((x.output - 1) * x.stride + x.span()).max(x.before + x.input)
    }

    /// What a window's sum is divided by.
    fn count(&self, y: usize, x: usize) -> usize {
        let g = &self.geometry;
        match g.mode {
            PoolMode::Average { divisor_override: Some(divisor), .. } => divisor as usize,
            PoolMode::Average { count_include_pad: true, .. } => g.y.covered(y) * g.x.covered(x),
            _ => (g.y.inside(y).len() * g.x.inside(x).len()).max(1),
        }
    }
}

/// How the pixels of a window become one.
trait Reduce<P: Pixel>: Sync {
    /// What a part of a window is reduced to: a number without invalid bits.
    type Reduced: Copy;

    /// Nothing, reduced.
    fn nothing() -> Self::Reduced;

    fn element(so_far: Self::Reduced, pixel: P) -> Self::Reduced;

    fn merge(a: Self::Reduced, b: Self::Reduced) -> Self::Reduced;

    /// Whether [`Reduce::finish`] looks at its count.
    const COUNTS: bool;

    fn finish(reduced: Self::Reduced, count: usize) -> P;
}

struct Largest;
struct Smallest;
struct Mean;

impl<P: Pixel> Reduce<P> for Largest {
    type Reduced = P;
    const COUNTS: bool = false;

    #[inline(always)]
    fn nothing() -> P {
        P::LEAST
    }

    #[inline(always)]
    fn element(so_far: P, pixel: P) -> P {
        so_far.larger(pixel)
    }

    #[inline(always)]
    fn merge(a: P, b: P) -> P {
        a.larger(b)
    }

    #[inline(always)]
    fn finish(reduced: P, _: usize) -> P {
        reduced
    }
}

impl<P: Pixel> Reduce<P> for Smallest {
    type Reduced = P;
    const COUNTS: bool = false;

    #[inline(always)]
    fn nothing() -> P {
        P::GREATEST
    }

    #[inline(always)]
    fn element(so_far: P, pixel: P) -> P {
        so_far.smaller(pixel)
    }

    #[inline(always)]
    fn merge(a: P, b: P) -> P {
        a.smaller(b)
    }

    #[inline(always)]
    fn finish(reduced: P, _: usize) -> P {
        reduced
    }
}

impl<P: Pixel> Reduce<P> for Mean {
    type Reduced = P::Sum;
    const COUNTS: bool = true;

    #[inline(always)]
    fn nothing() -> P::Sum {
        P::Sum::default()
    }

    #[inline(always)]
    fn element(so_far: P::Sum, pixel: P) -> P::Sum {
        pixel.add_to(so_far)
    }

    #[inline(always)]
    fn merge(a: P::Sum, b: P::Sum) -> P::Sum {
        P::add_sums(a, b)
    }

    #[inline(always)]
    fn finish(reduced: P::Sum, count: usize) -> P {
        P::mean(reduced, count)
    }
}

/// Some output rows.
struct Tile<'a, P: Pixel, R: Reduce<P>> {
    pooling: &'a ImagePool,
    input: &'a [P],
    rows: Range<usize>,
    /// A row of the input with its padding and [`BLOCK`] more.
    padded: &'a mut [R::Reduced],
    output: &'a mut [P],
    reduce: PhantomData<R>,
}

impl<P: Pixel, R: Reduce<P>> Kernel for Tile<'_, P, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Tile { pooling, input, rows, padded, output, .. } = self;
        let (frame, y, x) = (&pooling.frame, &pooling.geometry.y, &pooling.geometry.x);
        let row = x.output * frame.channels;
        padded.fill(R::nothing());
        for (output_row, target) in rows.clone().zip(output.chunks_exact_mut(row)) {
            let inside = &mut padded[x.before * frame.channels..][..frame.row()];
            inside.fill(R::nothing());
            for tap in y.inside(output_row) {
                let source = y.position(output_row, tap) as usize * frame.row_stride;
                for (so_far, pixel) in inside.iter_mut().zip(&input[source..][..frame.row()]) {
                    *so_far = R::element(*so_far, *pixel);
                }
            }
            if x.stride == 1 && !R::COUNTS {
                slide::<P, R>(x, frame.channels, padded, target);
            } else {
                for (i, pixel) in target.iter_mut().enumerate() {
                    let (column, channel) = (i / frame.channels, i % frame.channels);
                    let first = column * x.stride * frame.channels + channel;
                    let mut reduced = padded[first];
                    for tap in 1..x.kernel {
                        reduced = R::merge(reduced, padded[first + tap * x.dilation * frame.channels]);
                    }
                    *pixel = R::finish(reduced, pooling.count(output_row, column));
                }
            }
        }
    }
}

/// Reduces along a row where each window starts one pixel after the last.
#[inline(always)]
fn slide<P: Pixel, R: Reduce<P>>(x: &Axis, channels: usize, padded: &[R::Reduced], target: &mut [P]) {
    for (block, target) in target.chunks_mut(BLOCK).enumerate() {
        let mut reduced = [R::nothing(); BLOCK];
        for tap in 0..x.kernel {
            let taps = &padded[block * BLOCK + tap * x.dilation * channels..][..BLOCK];
            for i in 0..BLOCK {
                reduced[i] = R::merge(reduced[i], taps[i]);
            }
        }
        for (pixel, reduced) in target.iter_mut().zip(reduced) {
            *pixel = R::finish(reduced, 1);
        }
    }
}
