//! Correlation of an interleaved image with one kernel: load, convert, correlate, scale, round, saturate and store, tile by tile;
//! no copy of the whole image is made. Channels stay interleaved: a tap's neighbour is simply `channels` elements away.

use super::pixel::{Pixel, from_floats, to_floats};
use crate::buffer::with_scratch;
use crate::conv::Activation;
use crate::conv::strip::{self, Filter, pack_passes};
use crate::error::Error;
use crate::geometry::PaddingMode;
use crate::parallel::Pool;
use crate::view::check_overlap;
use corr2d_simd::Isa;

/// How pixels around the image are made: OpenCV's and sharp's names for [`PaddingMode`].
pub type Border = PaddingMode;

/// What happens to the last channel of an image with two or four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alpha {
    /// Copied.
    PassThrough,
    /// Filtered as the others.
    Filter,
}

/// An image filter: sizes, border and output mapping `scale · correlation + offset`.
#[derive(Clone, Copy, Debug)]
pub struct ImageRequest {
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// Interleaved channels, 1 to 4.
    pub channels: usize,
    /// Elements from one input row to the next.
    pub row_stride: usize,
    /// Kernel height and width; its centre is `[kh / 2, kw / 2]`, rounded down.
    pub kernel: [usize; 2],
    /// How pixels around the image are made.
    pub border: Border,
    /// Factor of the result.
    pub scale: f32,
    /// Added to the result.
    pub offset: f32,
    /// What happens to alpha.
    pub alpha: Alpha,
}

/// A checked [`ImageRequest`] with its kernel packed.
pub struct ImageFilter {
    request: ImageRequest,
    weights: Vec<f32>,
    isa: Isa,
}

/// Output rows and elements of a tile: its floats stay in the second-level cache.
const TILE: [usize; 2] = [30, 1024];

/// Below this many products, waking another thread costs more than it saves.
const PARALLEL_PRODUCTS: usize = 1 << 19;

impl ImageFilter {
    /// Checks the request and packs `kernel` `[kh, kw]`.
    pub fn new(request: ImageRequest, kernel: &[f32], isa: Isa) -> Result<ImageFilter, Error> {
        let ImageRequest { width, height, channels, row_stride, kernel: [kh, kw], .. } = request;
        let sizes = [
            (width, "width"),
            (height, "height"),
            (channels, "channels"),
            (kh, "kernel height"),
            (kw, "kernel width"),
        ];
        if let Some((_, parameter)) = sizes.into_iter().find(|(size, _)| *size == 0) {
            return Err(Error::Zero { parameter });
        }
        let elements = |sizes: &[usize]| {
            sizes.iter().try_fold(1usize, |product, size| product.checked_mul(*size)).filter(|n| *n < 1 << 48)
        };
        let row = elements(&[width, channels]).ok_or(Error::Overflow { parameter: "width" })?;
        elements(&[row_stride.max(row), height]).ok_or(Error::Overflow { parameter: "height" })?;
        elements(&[kh, kw, channels, 1 << 8]).ok_or(Error::Overflow { parameter: "kernel" })?;
        if row_stride < row {
            return Err(Error::Length { parameter: "row stride", expected: row, received: row_stride });
        }
        if kernel.len() != kh * kw {
            return Err(Error::Length { parameter: "kernel", expected: kh * kw, received: kernel.len() });
        }
        let mut weights = Vec::with_capacity(kernel.len());
        pack_passes(kernel, kw, &mut weights);
        Ok(ImageFilter { request, weights, isa })
    }

    /// Filters `input` (rows `row_stride` apart) to the tightly packed `output`, on at most `threads` threads of the pool.
    pub fn run<P: Pixel>(
        &self,
        input: &[P],
        output: &mut [P],
        pool: &Pool,
        threads: usize,
    ) -> Result<(), Error> {
        let r = &self.request;
        let row = r.width * r.channels;
        let expected = (r.height - 1) * r.row_stride + row;
        if input.len() < expected {
            return Err(Error::Length { parameter: "data", expected, received: input.len() });
        }
        if output.len() != r.height * row {
            return Err(Error::Length { parameter: "out", expected: r.height * row, received: output.len() });
        }
        check_overlap(output, input, "data")?;
        let across = row.div_ceil(TILE[1]);
        let target = Target(output.as_mut_ptr());
        let products = output.len().saturating_mul(self.weights.len());
        let threads = if products < PARALLEL_PRODUCTS { 1 } else { threads };
        pool.for_each(across * r.height.div_ceil(TILE[0]), threads, |tile| {
            let (rows, columns) = ((tile / across) * TILE[0], (tile % across) * TILE[1]);
            let part = Part {
                top: rows,
                rows: TILE[0].min(r.height - rows),
                left: columns,
                columns: TILE[1].min(row - columns),
            };
            with_scratch(self.scratch_len(&part), |scratch| self.run_part(&part, input, &target, scratch));
        });
        Ok(())
    }

    /// Elements of a padded row of a part: whole vectors plus the taps.
    fn source_columns(&self, part: &Part) -> usize {
        part.columns.next_multiple_of(self.isa.lanes()) + (self.request.kernel[1] - 1) * self.request.channels
    }

    fn scratch_len(&self, part: &Part) -> usize {
        (part.rows + self.request.kernel[0] - 1) * self.source_columns(part) + part.rows * part.columns
    }

    fn run_part<P: Pixel>(&self, part: &Part, input: &[P], target: &Target<P>, scratch: &mut [f32]) {
        let r = &self.request;
        let kh = r.kernel[0];
        let columns = self.source_columns(part);
        let (source, result) = scratch.split_at_mut((part.rows + kh - 1) * columns);
        for (row, line) in source.chunks_exact_mut(columns).enumerate() {
            let y = (part.top + row) as isize - (kh / 2) as isize;
            match r.border.source(y, r.height) {
                None => line.fill(0.0),
                Some(y) => self.load_row(part, &input[y * r.row_stride..][..r.width * r.channels], line),
            }
        }
        let filter = Filter {
            passes: &self.weights,
            size: r.kernel,
            step: r.channels,
            bias: 0.0,
            activation: Activation::None,
        };
        let floats = strip::Target {
            start: result.as_mut_ptr(),
            stride: part.columns,
            rows: part.rows,
            columns: part.columns,
        };
        // SAFETY: padded rows are a whole number of vectors plus the taps; the result has `rows` rows of `columns`.
        unsafe { filter.run(self.isa, |row| source[row * columns..].as_ptr(), &floats) };
        let keep_alpha = r.alpha == Alpha::PassThrough && matches!(r.channels, 2 | 4);
        for (row, line) in result.chunks_exact(part.columns).enumerate() {
            let y = part.top + row;
            // SAFETY: `run` checked the output's length, and parts are disjoint.
            let stored = unsafe {
                let start = target.0.add(y * r.width * r.channels + part.left);
                std::slice::from_raw_parts_mut(start, part.columns)
            };
            from_floats(self.isa, line, r.scale, r.offset, stored);
            if keep_alpha {
                let alpha =
                    (part.left..part.left + part.columns).filter(|x| x % r.channels == r.channels - 1);
                alpha.for_each(|x| stored[x - part.left] = input[y * r.row_stride + x]);
            }
        }
    }

    /// Fills a padded row of a part from a row of the image.
    fn load_row<P: Pixel>(&self, part: &Part, row: &[P], line: &mut [f32]) {
        let r = &self.request;
        let first = part.left as isize - (r.kernel[1] / 2 * r.channels) as isize;
        let lead = ((-first).max(0) as usize).min(line.len());
        let start = (first + lead as isize) as usize;
        let inside = row.len().saturating_sub(start).min(line.len() - lead);
        to_floats(self.isa, &row[start.min(row.len())..][..inside], &mut line[lead..lead + inside]);
        for i in (0..lead).chain(lead + inside..line.len()) {
            let element = first + i as isize;
            let channels = r.channels as isize;
            let pixel = r.border.source(element.div_euclid(channels), r.width);
            line[i] =
                pixel.map_or(0.0, |x| row[x * r.channels + element.rem_euclid(channels) as usize].to_float());
        }
    }
}

/// A rectangle of the output, in rows and elements.
struct Part {
    top: usize,
    rows: usize,
    left: usize,
    columns: usize,
}

/// The output that parts fill, each its own elements.
struct Target<P>(*mut P);

// SAFETY: parts write disjoint elements.
unsafe impl<P> Sync for Target<P> {}
