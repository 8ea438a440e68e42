//! Operations compiled in this crate, once for each type of pixel, and not once more by everyone who calls them.

use super::filter::ImageFilter;
use super::frame::Frame;
use super::pool::ImagePool;
use super::template::{Best, Method, Template};
use crate::error::Error;
use crate::parallel::Pool;
use corr2d_simd::Isa;

/// What can be done with images of a type of pixel: the functions of [`ImageFilter`], [`ImagePool`] and [`Template`].
pub trait Compiled: Sized {
    /// [`ImageFilter::run`].
    fn filter(
        filter: &ImageFilter,
        input: &[Self],
        output: &mut [Self],
        pool: &Pool,
        threads: usize,
    ) -> Result<(), Error>;

    /// [`ImageFilter::run_in_place`].
    fn filter_in_place(
        filter: &ImageFilter,
        data: &mut [Self],
        pool: &Pool,
        threads: usize,
    ) -> Result<bool, Error>;

    /// [`ImagePool::run`].
    fn pool(
        pooling: &ImagePool,
        input: &[Self],
        output: &mut [Self],
        pool: &Pool,
        threads: usize,
    ) -> Result<(), Error>;

    /// [`Template::new`].
    fn template(
        frame: Frame,
        of: Frame,
        template: &[Self],
        method: Method,
        isa: Isa,
    ) -> Result<Template, Error>;

    /// [`Template::run`].
    fn find(
        template: &Template,
        input: &[Self],
        scores: &mut [f32],
        pool: &Pool,
        threads: usize,
    ) -> Result<Best, Error>;
}

macro_rules! compiled {
    ($($pixel:ty),*) => { $(
        impl Compiled for $pixel {
            fn filter(
                filter: &ImageFilter,
                input: &[$pixel],
                output: &mut [$pixel],
                pool: &Pool,
                threads: usize,
            ) -> Result<(), Error> {
                filter.run_pixels(input, output, pool, threads)
            }

            fn filter_in_place(
                filter: &ImageFilter,
                data: &mut [$pixel],
                pool: &Pool,
                threads: usize,
            ) -> Result<bool, Error> {
                filter.overwrite_pixels(data, pool, threads)
            }

            fn pool(
                pooling: &ImagePool,
                input: &[$pixel],
                output: &mut [$pixel],
                pool: &Pool,
                threads: usize,
            ) -> Result<(), Error> {
                pooling.run_pixels(input, output, pool, threads)
            }

            fn template(
                frame: Frame,
                of: Frame,
                template: &[$pixel],
                method: Method,
                isa: Isa,
            ) -> Result<Template, Error> {
                Template::of_pixels(frame, of, template, method, isa)
            }

            fn find(
                template: &Template,
                input: &[$pixel],
                scores: &mut [f32],
                pool: &Pool,
                threads: usize,
            ) -> Result<Best, Error> {
                template.run_pixels(input, scores, pool, threads)
            }
        }
    )* };
}

compiled!(u8, u16, f32);
