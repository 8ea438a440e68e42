//! The gradient of a padded input folded back: what a padding mode made of an element counts for that element.

use crate::geometry::{ChannelOrder, ConvGeometry};
use crate::parallel::Pool;
use crate::view::OutputView;

/// Adds up `padded`, the contiguous gradient of the padded input, in `target`, the input's.
pub(super) fn run(g: &ConvGeometry, padded: &[f32], target: &mut [f32], pool: &Pool, threads: usize) {
    let height = g.y.before + g.y.input + g.y.after;
    let width = g.x.before + g.x.input + g.x.after;
    // With channels last a plane is a whole image, and its elements are pixels.
    let (planes, pixel) = match g.order {
        ChannelOrder::First => (g.batch * g.c_in, 1),
        ChannelOrder::Last => (g.batch, g.c_in),
    };
    let columns: Vec<Option<usize>> = sources(g, width, g.x.before, g.x.input);
    let rows: Vec<Option<usize>> = sources(g, height, g.y.before, g.y.input);
    let (row, plane) = (g.x.input * pixel, g.y.input * g.x.input * pixel);
    let target = OutputView::new(target);
    pool.for_each(planes, threads, |index| {
        // SAFETY: this plane is this tile's.
        let target = unsafe { std::slice::from_raw_parts_mut(target.at(index * plane), plane) };
        target.fill(0.0);
        let lines = padded[index * height * width * pixel..].chunks_exact(width * pixel);
        for (line, y) in lines.zip(&rows).filter_map(|(line, y)| y.map(|y| (line, y))) {
            let target = &mut target[y * row..][..row];
            for (elements, x) in line.chunks_exact(pixel).zip(&columns).filter_map(|(e, x)| x.map(|x| (e, x)))
            {
                let target = &mut target[x * pixel..][..pixel];
                target.iter_mut().zip(elements).for_each(|(sum, value)| *sum += value);
            }
        }
    });
}

/// Where each padded position comes from.
fn sources(g: &ConvGeometry, padded: usize, before: usize, input: usize) -> Vec<Option<usize>> {
    (0..padded).map(|p| g.padding_mode.source(p as isize - before as isize, input)).collect()
}
