//! Normalised cross-correlation of an image with a template (Lewis, "Fast normalized cross-correlation", 1995): the products are a
//! convolution plan's, in `f32`; the sums of each window run along in `f64`, where those of integer pixels are exact.

use super::frame::Frame;
use super::pixel::Pixel;
use super::target::Target;
use crate::conv::{Activation, ConvPlan};
use crate::error::Error;
use crate::geometry::{ChannelOrder, ConvGeometry, ConvRequest, Padding, PaddingMode, Window};
use crate::parallel::Pool;
use corr2d_simd::Isa;

/// What a score is: OpenCV's names. `x` are the pixels of a window, `t` those of the template, over all colour channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `TM_CCOEFF_NORMED`: `Σ(x − x̄)(t − t̄) / √(Σ(x − x̄)² · Σ(t − t̄)²)`, each channel with its own means.
    CoefficientNormed,
    /// `TM_CCORR_NORMED`: `Σxt / √(Σx² · Σt²)`.
    CorrelationNormed,
}

/// A template, ready to be looked for in images of one size.
pub struct Template {
    frame: Frame,
    size: [usize; 2],
    method: Method,
    /// Channels that count: all but alpha.
    colours: usize,
    plan: ConvPlan,
    /// `√Σ(t − t̄)²` or `√Σt²`.
    norm: f64,
}

/// The best score and where its window starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Best {
    /// Column.
    pub x: usize,
    /// Row.
    pub y: usize,
    /// The score there.
    pub score: f32,
}

/// Output rows whose sums run together: the first is summed afresh. Fixed, so that sums of floats never depend on threads.
const TILE_ROWS: usize = 128;

/// A window whose variance is below this share of its squares counts as flat: it is the rounding of `f64` and no variance.
const FLAT: f64 = 1e-12;

impl Template {
    /// Prepares `template`, of the sizes `of`, for images of the sizes `frame`; neither's alpha counts.
    #[inline]
    pub fn new<P: Pixel>(
        frame: Frame,
        of: Frame,
        template: &[P],
        method: Method,
        isa: Isa,
    ) -> Result<Template, Error> {
        P::template(frame, of, template, method, isa)
    }

    pub(super) fn of_pixels<P: Pixel>(
        frame: Frame,
        of: Frame,
        template: &[P],
        method: Method,
        isa: Isa,
    ) -> Result<Template, Error> {
        frame.check()?;
        of.check()?;
        of.check_input(template, "template")?;
        if of.channels != frame.channels {
            let (expected, received) = (frame.channels, of.channels);
            return Err(Error::Length { parameter: "template's channels", expected, received });
        }
        let colours = if frame.has_alpha() { frame.channels - 1 } else { frame.channels };
        Template::of_planes(frame, of, planes(&of, colours, template), method, isa)
    }

    /// From a plane of floats for each colour.
    fn of_planes(
        frame: Frame,
        of: Frame,
        mut weight: Vec<f32>,
        method: Method,
        isa: Isa,
    ) -> Result<Template, Error> {
        let colours = weight.len() / (of.width * of.height);
        let mut squares = 0.0;
        for plane in weight.chunks_exact_mut(of.width * of.height) {
            let mean = match method {
                Method::CoefficientNormed => mean(plane),
                Method::CorrelationNormed => 0.0,
            };
            let mut sum = 0.0;
            for weight in plane.iter_mut() {
                let value = f64::from(*weight) - mean;
                sum += value * value;
                *weight = value as f32;
            }
            let all = plane.len() as f64 * mean * mean + sum;
            squares += if sum > FLAT * all { sum } else { 0.0 };
        }
        let geometry = ConvGeometry::new(&ConvRequest {
            batch: 1,
            c_in: colours,
            input: [frame.height, frame.width],
            c_out: 1,
            weight_channels: colours,
            window: Window {
                kernel: [of.height, of.width],
                stride: [1, 1],
                dilation: [1, 1],
                padding: Padding::Valid,
            },
            groups: 1,
            padding_mode: PaddingMode::Zeros,
            order: ChannelOrder::First,
        })?;
        let plan = ConvPlan::new(geometry, &weight, None, Activation::None, isa, None)?;
        Ok(Template { frame, size: [of.height, of.width], method, colours, plan, norm: squares.sqrt() })
    }

    /// Rows and columns of the scores: one for each place where the template fits into the image.
    pub fn output(&self) -> [usize; 2] {
        let g = self.plan.geometry();
        [g.y.output, g.x.output]
    }

    /// Writes the score of each place, from -1 to 1, and gives the best (the first of equals). Where the window or the template is flat
    /// (or, for [`Method::CorrelationNormed`], zero) the score is 0. A cancelled pool leaves the scores incomplete.
    #[inline]
    pub fn run<P: Pixel>(
        &self,
        input: &[P],
        scores: &mut [f32],
        pool: &Pool,
        threads: usize,
    ) -> Result<Best, Error> {
        P::find(self, input, scores, pool, threads)
    }

    pub(super) fn run_pixels<P: Pixel>(
        &self,
        input: &[P],
        scores: &mut [f32],
        pool: &Pool,
        threads: usize,
    ) -> Result<Best, Error> {
        self.frame.check_input(input, "data")?;
        let [rows, columns] = self.output();
        let expected = rows * columns;
        if scores.len() != expected {
            return Err(Error::Length { parameter: "out", expected, received: scores.len() });
        }
        let image = planes(&self.frame, self.colours, input);
        let read = |y: usize, row: &mut [f32]| {
            let pixels = &input[y * self.frame.row_stride..][..row.len()];
            pixels.iter().zip(row).for_each(|(pixel, value)| *value = pixel.to_float());
        };
        self.run_planes(image, &read, scores, pool, threads)
    }

    /// From a plane of floats for each colour, and `read`, which gives a row of the image as it is.
    fn run_planes(
        &self,
        mut image: Vec<f32>,
        read: &(dyn Fn(usize, &mut [f32]) + Sync),
        scores: &mut [f32],
        pool: &Pool,
        threads: usize,
    ) -> Result<Best, Error> {
        let [rows, columns] = self.output();
        if self.method == Method::CoefficientNormed {
            // Any constant may be taken off, since the template's weights sum to zero; without the mean less is rounded off.
            for plane in image.chunks_exact_mut(self.frame.width * self.frame.height) {
                let mean = mean(plane) as f32;
                plane.iter_mut().for_each(|x| *x -= mean);
            }
        }
        self.plan.run(&image, None, scores, pool, threads)?;
        let target = Target::new(scores);
        pool.for_each(rows.div_ceil(TILE_ROWS), threads, |tile| {
            let first = tile * TILE_ROWS;
            let count = TILE_ROWS.min(rows - first);
            // SAFETY: the length was checked, and tiles are disjoint.
            let scores = unsafe { target.part(first * columns, count * columns) };
            self.normalise(first, read, scores);
        });
        let mut best = Best { x: 0, y: 0, score: f32::NEG_INFINITY };
        for (i, score) in scores.iter().enumerate() {
            if *score > best.score {
                best = Best { x: i % columns, y: i / columns, score: *score };
            }
        }
        Ok(best)
    }

    /// Divides the products of some rows, of which `first` is the first, by the norms of their windows.
    fn normalise(&self, first: usize, read: &dyn Fn(usize, &mut [f32]), scores: &mut [f32]) {
        let [th, tw] = self.size;
        let columns = self.frame.width - tw + 1;
        let mut row = vec![0.0; self.frame.row()];
        let mut sums = Sums::new(self.frame.width, self.frame.channels, self.colours);
        let mut add = |sums: &mut Sums, y: usize, sign: f64| {
            read(y, &mut row);
            sums.add(&row, sign);
        };
        (first..first + th - 1).for_each(|y| add(&mut sums, y, 1.0));
        let mut energy = vec![0.0; columns];
        for (y, scores) in (first..).zip(scores.chunks_exact_mut(columns)) {
            add(&mut sums, y + th - 1, 1.0);
            sums.energy([th, tw], self.method, &mut energy);
            add(&mut sums, y, -1.0);
            for (score, energy) in scores.iter_mut().zip(&energy) {
                let norm = energy.sqrt() * self.norm;
                *score = if norm > 0.0 { (f64::from(*score) / norm).clamp(-1.0, 1.0) as f32 } else { 0.0 };
            }
        }
    }
}

/// The sums of each column of the window's rows, and of their squares: `[width, colours]`.
struct Sums {
    columns: Vec<[f64; 2]>,
    channels: usize,
    colours: usize,
}

impl Sums {
    fn new(width: usize, channels: usize, colours: usize) -> Sums {
        Sums { columns: vec![[0.0; 2]; width * colours], channels, colours }
    }

    /// Adds a row, or takes it away with a `sign` of -1.
    fn add(&mut self, row: &[f32], sign: f64) {
        for (pixel, sums) in row.chunks_exact(self.channels).zip(self.columns.chunks_exact_mut(self.colours))
        {
            for (value, [sum, squares]) in pixel.iter().zip(sums) {
                let value = f64::from(*value);
                *sum += sign * value;
                *squares += sign * value * value;
            }
        }
    }

    /// `Σ(x − x̄)²` or `Σx²` of the window at each column; 0 where it is flat.
    fn energy(&self, [th, tw]: [usize; 2], method: Method, energy: &mut [f64]) {
        let pixels = (th * tw) as f64;
        energy.fill(0.0);
        for colour in 0..self.colours {
            let column = |x: usize| self.columns[x * self.colours + colour];
            let [mut sum, mut squares] =
                (0..tw - 1).map(column).fold([0.0; 2], |[a, b], [sum, squares]| [a + sum, b + squares]);
            for (x, energy) in energy.iter_mut().enumerate() {
                let entering = column(x + tw - 1);
                sum += entering[0];
                squares += entering[1];
                let variation = match method {
                    Method::CoefficientNormed => squares - sum * sum / pixels,
                    Method::CorrelationNormed => squares,
                };
                *energy += if variation > FLAT * squares { variation } else { 0.0 };
                let leaving = column(x);
                sum -= leaving[0];
                squares -= leaving[1];
            }
        }
    }
}

/// One plane of floats for each of the first `colours` channels.
fn planes<P: Pixel>(frame: &Frame, colours: usize, pixels: &[P]) -> Vec<f32> {
    let mut planes = Vec::with_capacity(colours * frame.width * frame.height);
    for colour in 0..colours {
        for y in 0..frame.height {
            let row = &pixels[y * frame.row_stride..][..frame.row()];
            planes.extend(row.iter().skip(colour).step_by(frame.channels).map(|pixel| pixel.to_float()));
        }
    }
    planes
}

fn mean(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(*value)).sum::<f64>() / values.len() as f64
}
