//! Filters of an interleaved image: load, convert, correlate, scale, round, saturate and store, tile by tile;
//! no copy of the whole image is made. Channels stay interleaved: a tap's neighbour is simply `channels` elements away.

use super::frame::{Frame, addressable};
use super::gradient::Gradient;
use super::light::Light;
use super::pixel::{Pixel, from_floats, to_floats};
use super::target::Target;
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
    /// The input's sizes; the output's are the same, without gaps.
    pub frame: Frame,
    /// How pixels around the image are made.
    pub border: Border,
    /// Factor of the result.
    pub scale: f32,
    /// Added to the result.
    pub offset: f32,
    /// What happens to alpha.
    pub alpha: Alpha,
    /// Whether colours are filtered as light: see [`Light`].
    pub linear: bool,
}

/// What is computed from the pixels around a place.
enum Operation {
    /// A correlation with one kernel, packed as passes.
    Correlate(Vec<f32>),
    Gradient(Gradient),
}

/// A checked [`ImageRequest`] with its kernel packed.
pub struct ImageFilter {
    request: ImageRequest,
    operation: Operation,
    /// Rows and columns of the window; its centre is half of each, rounded down.
    window: [usize; 2],
    isa: Isa,
}

/// Output rows and elements of a tile: its floats stay in the second-level cache.
const TILE: [usize; 2] = [30, 1024];

/// Below this many products, waking another thread costs more than it saves.
const PARALLEL_PRODUCTS: usize = 1 << 19;

impl ImageFilter {
    /// Checks the request and packs `kernel` of `size` `[kh, kw]`; its centre is `[kh / 2, kw / 2]`, rounded down.
    pub fn new(
        request: ImageRequest,
        size: [usize; 2],
        kernel: &[f32],
        isa: Isa,
    ) -> Result<ImageFilter, Error> {
        request.frame.check()?;
        let [kh, kw] = size;
        if let Some((_, parameter)) =
            [(kh, "kernel height"), (kw, "kernel width")].into_iter().find(|(size, _)| *size == 0)
        {
            return Err(Error::Zero { parameter });
        }
        addressable(&[kh, kw, request.frame.channels, 1 << 8])
            .ok_or(Error::Overflow { parameter: "kernel" })?;
        if kernel.len() != kh * kw {
            return Err(Error::Length { parameter: "kernel", expected: kh * kw, received: kernel.len() });
        }
        let mut weights = Vec::with_capacity(kernel.len());
        pack_passes(kernel, kw, &mut weights);
        Ok(ImageFilter { request, operation: Operation::Correlate(weights), window: size, isa })
    }

    /// Checks the request for the length of a gradient.
    pub fn gradient(request: ImageRequest, gradient: Gradient, isa: Isa) -> Result<ImageFilter, Error> {
        request.frame.check()?;
        Ok(ImageFilter { request, operation: Operation::Gradient(gradient), window: [3, 3], isa })
    }

    /// Filters `input` (rows `row_stride` apart) to the tightly packed `output`, on at most `threads` threads of the pool.
    pub fn run<P: Pixel>(
        &self,
        input: &[P],
        output: &mut [P],
        pool: &Pool,
        threads: usize,
    ) -> Result<(), Error> {
        let frame = &self.request.frame;
        let row = frame.row();
        frame.check_input(input, "data")?;
        let expected = frame.height * row;
        if output.len() != expected {
            return Err(Error::Length { parameter: "out", expected, received: output.len() });
        }
        check_overlap(output, input, "data")?;
        let light = self.request.linear.then(Light::new::<P>);
        let across = row.div_ceil(TILE[1]);
        let target = Target::new(output);
        let products = output.len().saturating_mul(self.window[0] * self.window[1]);
        let threads = if products < PARALLEL_PRODUCTS { 1 } else { threads };
        pool.for_each(across * frame.height.div_ceil(TILE[0]), threads, |tile| {
            let (rows, columns) = ((tile / across) * TILE[0], (tile % across) * TILE[1]);
            let part = Part {
                top: rows,
                rows: TILE[0].min(frame.height - rows),
                left: columns,
                columns: TILE[1].min(row - columns),
            };
            with_scratch(self.scratch_len(&part), |scratch| {
                self.run_part(&part, input, light.as_ref(), &target, scratch);
            });
        });
        Ok(())
    }

    /// Elements of a padded row of a part: whole vectors plus the window.
    fn source_columns(&self, part: &Part) -> usize {
        part.columns.next_multiple_of(self.isa.lanes()) + (self.window[1] - 1) * self.request.frame.channels
    }

    fn scratch_len(&self, part: &Part) -> usize {
        (part.rows + self.window[0] - 1) * self.source_columns(part) + part.rows * part.columns
    }

    fn run_part<P: Pixel>(
        &self,
        part: &Part,
        input: &[P],
        light: Option<&Light>,
        target: &Target<P>,
        scratch: &mut [f32],
    ) {
        let r = &self.request;
        let frame = &r.frame;
        let kh = self.window[0];
        let columns = self.source_columns(part);
        let (source, result) = scratch.split_at_mut((part.rows + kh - 1) * columns);
        for (row, line) in source.chunks_exact_mut(columns).enumerate() {
            let y = (part.top + row) as isize - (kh / 2) as isize;
            match r.border.source(y, frame.height) {
                None => line.fill(0.0),
                Some(y) => self.load_row(part, &input[y * frame.row_stride..][..frame.row()], light, line),
            }
        }
        self.compute(part, source, result);
        for (row, line) in result.chunks_exact_mut(part.columns).enumerate() {
            let y = part.top + row;
            // SAFETY: `run` checked the output's length, and parts are disjoint.
            let stored = unsafe { target.part(y * frame.row() + part.left, part.columns) };
            match light {
                None => from_floats(self.isa, line, r.scale, r.offset, stored),
                Some(light) => {
                    for (i, (stored, x)) in stored.iter_mut().zip(line).enumerate() {
                        let x = *x * r.scale + r.offset;
                        *stored =
                            if self.is_alpha(part.left + i) { P::from_float(x) } else { light.encode(x) };
                    }
                }
            }
            if r.alpha == Alpha::PassThrough {
                let alpha = (part.left..part.left + part.columns).filter(|x| self.is_alpha(*x));
                alpha.for_each(|x| stored[x - part.left] = input[y * frame.row_stride + x]);
            }
        }
    }

    /// Computes a part's result from its padded rows.
    fn compute(&self, part: &Part, source: &[f32], result: &mut [f32]) {
        let columns = self.source_columns(part);
        let channels = self.request.frame.channels;
        match &self.operation {
            Operation::Correlate(weights) => {
                let filter = Filter {
                    passes: weights,
                    size: self.window,
                    step: channels,
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
            }
            Operation::Gradient(gradient) => {
                for (row, line) in result.chunks_exact_mut(part.columns).enumerate() {
                    let rows = [0, 1, 2].map(|i| &source[(row + i) * columns..][..columns]);
                    gradient.run(self.isa, rows, channels, line);
                }
            }
        }
    }

    /// Whether an element of a row is alpha: the last channel of two or four.
    fn is_alpha(&self, element: usize) -> bool {
        let channels = self.request.frame.channels;
        matches!(channels, 2 | 4) && element % channels == channels - 1
    }

    /// Fills a padded row of a part from a row of the image.
    fn load_row<P: Pixel>(&self, part: &Part, row: &[P], light: Option<&Light>, line: &mut [f32]) {
        let Frame { width, channels, .. } = self.request.frame;
        let first = part.left as isize - (self.window[1] / 2 * channels) as isize;
        let lead = ((-first).max(0) as usize).min(line.len());
        let start = (first + lead as isize) as usize;
        let inside = row.len().saturating_sub(start).min(line.len() - lead);
        let value = |i: usize| match light {
            Some(light) if !self.is_alpha(i) => light.decode(row[i]),
            _ => row[i].to_float(),
        };
        match light {
            None => {
                to_floats(self.isa, &row[start.min(row.len())..][..inside], &mut line[lead..lead + inside])
            }
            Some(_) => (0..inside).for_each(|i| line[lead + i] = value(start + i)),
        }
        for i in (0..lead).chain(lead + inside..line.len()) {
            let element = first + i as isize;
            let channel = element.rem_euclid(channels as isize) as usize;
            let pixel = self.request.border.source(element.div_euclid(channels as isize), width);
            line[i] = pixel.map_or(0.0, |x| value(x * channels + channel));
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
