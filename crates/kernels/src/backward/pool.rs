//! The gradients of poolings, a plane or an image at a time.

use crate::buffer::with_scratch;
use crate::error::Error;
use crate::geometry::{ChannelOrder, PoolGeometry, PoolMode};
use crate::parallel::Pool;
use crate::pool::{PoolPlan, divisors};
use crate::view::{OutputView, check_overlap};
use corr2d_simd::{Isa, Kernel, Simd};

/// Below this many window elements, waking another thread costs more than it saves.
const PARALLEL_ELEMENTS: f64 = 5e5;

fn check(g: &PoolGeometry, input: Option<&[f32]>, gradient: &[f32], target: &[f32]) -> Result<(), Error> {
    for (parameter, expected, received) in [
        ("x", g.input_len(), input.map_or(g.input_len(), <[f32]>::len)),
        ("gradOutput", g.output_len(), gradient.len()),
        ("the gradient of x", g.input_len(), target.len()),
    ] {
        if received != expected {
            return Err(Error::Length { parameter, expected, received });
        }
    }
    check_overlap(target, input.unwrap_or_default(), "x")?;
    check_overlap(target, gradient, "gradOutput")
}

/// Planes of the input, or images where channels are last, and how many floats each of them and of their outputs has.
fn parts(g: &PoolGeometry) -> [usize; 3] {
    let planes = match g.order {
        ChannelOrder::First => 1,
        ChannelOrder::Last => g.channels,
    };
    [g.batch * g.channels / planes, planes * g.y.input * g.x.input, planes * g.plane()]
}

/// The gradient of a max pooling's contiguous `input`: that of each maximum goes to where it was found (see
/// [`PoolPlan::run_with_indices`]), and nowhere where a window holds padding only.
pub fn max_pool2d(
    g: &PoolGeometry,
    input: &[f32],
    gradient: &[f32],
    target: &mut [f32],
    isa: Isa,
    pool: &Pool,
    threads: usize,
) -> Result<(), Error> {
    check(g, Some(input), gradient, target)?;
    let threads = if g.flops() < PARALLEL_ELEMENTS { 1 } else { threads };
    let [count, len, output_len] = parts(g);
    // A part at a time, so that where its maxima are is still near when their gradients go there.
    let channels = g.batch * g.channels / count.max(1);
    let plan = PoolPlan::new(PoolGeometry { batch: 1, channels, ..*g }, isa);
    plan.check_indices()?;
    let target = OutputView::new(target);
    pool.for_each(count, threads, |i| {
        // SAFETY: this plane or image is this tile's.
        let target = unsafe { std::slice::from_raw_parts_mut(target.at(i * len), len) };
        let mut indices = vec![0; output_len];
        with_scratch(output_len, |largest| {
            let input = &input[i * len..(i + 1) * len];
            plan.run_with_indices(input, None, largest, &mut indices, pool, 1)
                .expect("parts of checked arrays");
        });
        target.fill(0.0);
        let places = indices.iter().zip(&gradient[i * output_len..(i + 1) * output_len]);
        match g.order {
            ChannelOrder::First => {
                for (index, gradient) in places {
                    if let Some(place) = target.get_mut(*index as usize) {
                        *place += gradient;
                    }
                }
            }
            ChannelOrder::Last => {
                for (k, (index, gradient)) in places.enumerate() {
                    if let Ok(index) = usize::try_from(*index) {
                        target[index * g.channels + k % g.channels] += gradient;
                    }
                }
            }
        }
    });
    Ok(())
}

/// The gradient of an average pooling's input: each window's goes to its elements in equal parts.
pub fn avg_pool2d(
    g: &PoolGeometry,
    gradient: &[f32],
    target: &mut [f32],
    isa: Isa,
    pool: &Pool,
    threads: usize,
) -> Result<(), Error> {
    check(g, None, gradient, target)?;
    if !matches!(g.mode, PoolMode::Average { .. }) {
        return Err(Error::NotAnAverage);
    }
    let threads = if g.flops() < PARALLEL_ELEMENTS { 1 } else { threads };
    let divisors = divisors(g);
    let windows = [&g.y, &g.x].map(|axis| {
        let window = |i| Taps { first: axis.first_inside(i), count: axis.inside(i).len() };
        (0..axis.output).map(window).collect::<Vec<_>>()
    });
    let [count, len, output_len] = parts(g);
    let target = OutputView::new(target);
    pool.for_each(count, threads, |i| {
        // SAFETY: this plane or image is this tile's.
        let target = unsafe { std::slice::from_raw_parts_mut(target.at(i * len), len) };
        let gradient = &gradient[i * output_len..(i + 1) * output_len];
        isa.run(Spread { geometry: g, divisors: &divisors, windows: &windows, gradient, target });
    });
    Ok(())
}

/// The elements of a window that are inside the input.
#[derive(Clone, Copy)]
struct Taps {
    first: usize,
    count: usize,
}

/// A plane's, or an image's, gradient of an average pooling.
struct Spread<'a> {
    geometry: &'a PoolGeometry,
    divisors: &'a [Vec<f32>; 2],
    windows: &'a [Vec<Taps>; 2],
    gradient: &'a [f32],
    target: &'a mut [f32],
}

impl Kernel for Spread<'_> {
    type Output = ();

    // Plain loops, which the compiler turns into vectors of the instruction set.
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let g = self.geometry;
        let rows = &self.windows[0];
        let pixel = if g.order == ChannelOrder::First { 1 } else { g.channels };
        let row = g.x.input * pixel;
        self.target.fill(0.0);
        let mut spread = vec![0.0; row];
        let mut parts = vec![0.0; g.x.output];
        let lines = self.gradient.chunks_exact(g.x.output * pixel);
        for (y, line) in lines.enumerate() {
            let Taps { first, count } = rows[y];
            if count == 0 {
                continue;
            }
            // The windows' parts of the first of their rows; then the other rows get the same.
            spread.fill(0.0);
            if g.order == ChannelOrder::First && g.x.stride > 0 {
                let divisors = self.divisors[1].iter().map(|across| self.divisors[0][y] * across);
                parts.iter_mut().zip(line).zip(divisors).for_each(|((part, value), d)| *part = value / d);
                spread_row(g, &parts, &mut spread);
            } else {
                self.spread_pixels(y, line, pixel, &mut spread);
            }
            for tap in 0..count {
                let target = &mut self.target[(first + tap * g.y.dilation) * row..][..row];
                target.iter_mut().zip(&spread).for_each(|(sum, value)| *sum += value);
            }
        }
    }
}

impl Spread<'_> {
    /// Adds the parts of a row of windows to the elements of a row, a window at a time: for pixels of several channels, and windows
    /// that are not alike.
    #[inline(always)]
    fn spread_pixels(&self, y: usize, line: &[f32], pixel: usize, spread: &mut [f32]) {
        let columns = &self.windows[1];
        for (x, gradients) in line.chunks_exact(pixel).enumerate() {
            let divisor = self.divisors[0][y] * self.divisors[1][x];
            for tap in 0..columns[x].count {
                let start = (columns[x].first + tap * self.geometry.x.dilation) * pixel;
                let target = &mut spread[start..][..pixel];
                target.iter_mut().zip(gradients).for_each(|(sum, value)| *sum += value / divisor);
            }
        }
    }
}

/// The same for planes, a tap of all windows at a time. The last tap comes first, so that here, too, an element's windows are added
/// from left to right.
#[inline(always)]
fn spread_row(g: &PoolGeometry, parts: &[f32], spread: &mut [f32]) {
    for tap in (0..g.x.kernel).rev() {
        let windows = g.x.windows_with(tap);
        if windows.is_empty() {
            continue;
        }
        let first = windows.start * g.x.stride + tap * g.x.dilation - g.x.before;
        let (target, parts) = (&mut spread[first..], &parts[windows]);
        match g.x.stride {
            1 => target.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part),
            2 => target.iter_mut().step_by(2).zip(parts).for_each(|(sum, part)| *sum += part),
            stride => target.iter_mut().step_by(stride).zip(parts).for_each(|(sum, part)| *sum += part),
        }
    }
}
