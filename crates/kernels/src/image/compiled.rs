//! Compiles the operations here, once for each pixel type. A generic function would be compiled again in every crate that calls it, the
//! addon and each test, and with that crate's settings.

use super::filter::ImageFilter;
use super::pixel::Pixel;
use super::pool::ImagePool;
use super::template::{Best, Template};
use crate::error::Error;
use crate::parallel::Pool;

/// A pixel type that the operations on images are compiled for.
pub trait Compiled: Sized {
    /// [`ImageFilter::run`].
    fn filter(
        of: &ImageFilter,
        from: &[Self],
        to: &mut [Self],
        pool: &Pool,
        threads: usize,
    ) -> Result<(), Error>;

    /// [`ImagePool::run`].
    fn pool(of: &ImagePool, from: &[Self], to: &mut [Self], pool: &Pool, threads: usize)
    -> Result<(), Error>;

    /// [`Template::run`].
    fn scores(
        of: &Template,
        from: &[Self],
        to: &mut [f32],
        pool: &Pool,
        threads: usize,
    ) -> Result<Best, Error>;
}

macro_rules! compile {
    ($($pixel:ty)*) => { $(
        impl Compiled for $pixel {
            fn filter(
                of: &ImageFilter,
                from: &[$pixel],
                to: &mut [$pixel],
                pool: &Pool,
                threads: usize,
            ) -> Result<(), Error> {
                of.run_as(from, to, pool, threads)
            }

            fn pool(
                of: &ImagePool,
                from: &[$pixel],
                to: &mut [$pixel],
                pool: &Pool,
                threads: usize,
            ) -> Result<(), Error> {
                of.run_as(from, to, pool, threads)
            }

            fn scores(
                of: &Template,
                from: &[$pixel],
                to: &mut [f32],
                pool: &Pool,
                threads: usize,
            ) -> Result<Best, Error> {
                of.run_as(from, to, pool, threads)
            }
        }
    )* };
}

compile!(u8 u16 f32);

impl ImageFilter {
    /// Filters `input` (rows `row_stride` apart) to the tightly packed `output`, on at most `threads` threads of the pool.
    pub fn run<P: Pixel>(
        &self,
        input: &[P],
        output: &mut [P],
        pool: &Pool,
        threads: usize,
    ) -> Result<(), Error> {
        P::filter(self, input, output, pool, threads)
    }
}

impl ImagePool {
    /// Pools `input` to the tightly packed `output`, on at most `threads` threads of the pool.
    pub fn run<P: Pixel>(
        &self,
        input: &[P],
        output: &mut [P],
        pool: &Pool,
        threads: usize,
    ) -> Result<(), Error> {
        P::pool(self, input, output, pool, threads)
    }
}

impl Template {
    /// Writes the score of each place, from -1 to 1, and gives the best (the first of equals). Where the window or the template is flat
    /// (or, for [`super::Method::CorrelationNormed`], zero) the score is 0. A cancelled pool leaves the scores incomplete.
    pub fn run<P: Pixel>(
        &self,
        input: &[P],
        scores: &mut [f32],
        pool: &Pool,
        threads: usize,
    ) -> Result<Best, Error> {
        P::scores(self, input, scores, pool, threads)
    }
}
