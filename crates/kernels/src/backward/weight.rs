//! The gradient of a weight with channels in lanes: a matrix product of the output's gradient with the windows, over pixels. The
//! padded input is copied to memory with its channels last, a few megabytes at a time; there a window's row is one run of floats (its
//! columns × its channels), of which a register tile (`weight_tile.rs`) holds a few vectors for some output channels.

use super::weight_tile::{self, MOST_CHANNELS, WeightTile};
use crate::buffer::Aligned;
use crate::conv::pixel_source::PixelSource;
use crate::conv::swap_axes::SwapAxes;
use crate::geometry::{ChannelOrder, ConvGeometry};
use crate::parallel::Pool;
use crate::view::{InputView, OutputView};
use corr2d_simd::Isa;
use std::ops::Range;

/// Floats of the padded input that are copied at a time, or one row's windows: a share of a third-level cache.
const CHUNK_FLOATS: usize = 1 << 20;

/// Floats of windows and gradients that a tile goes through again and again: a share of a second-level cache.
const BLOCK_FLOATS: usize = 96 * 1024;

/// Enough tiles to keep many threads busy to the end.
const ENOUGH_TILES: usize = 32;

/// Independent sums that hide an addition's latency.
pub(super) const LATENCY: usize = 8;

/// A window reads this much past its end: a vector.
const SLACK: usize = 16;

/// Estimated time in vector multiply-add issue slots of one image.
pub(super) fn cost(g: &ConvGeometry, isa: Isa) -> f64 {
    let columns = group_columns(g, isa, &PixelSource::new(g), 0);
    let group_tiles: f64 = columns
        .iter()
        .map(|column| {
            let vectors = column.width.div_ceil(isa.lanes());
            let channels = g.c_out_group().min(weight_tile::most_channels(isa, vectors));
            // Fewer sums than hide an addition's latency take as long; vectors and gradients are loaded.
            let slots = (channels * vectors).max(LATENCY).max(channels + vectors);
            (g.c_out_group() * slots) as f64 / channels as f64
        })
        .sum();
    g.groups as f64 * group_tiles * g.plane() as f64
        + 0.6 * (g.c_in * g.y.input * g.x.input) as f64
        + 0.4 * g.weight_len() as f64
}

/// Some floats of the windows of a group, neighbours in memory.
#[derive(Clone, Copy)]
struct Column {
    group: usize,
    /// Distance from the window's start.
    offset: usize,
    width: usize,
    /// Where the sums are in those of an output channel.
    target: usize,
}

/// The floats of a group's windows, in runs that a tile can hold.
fn group_columns(g: &ConvGeometry, isa: Isa, source: &PixelSource, group: usize) -> Vec<Column> {
    let most = weight_tile::most_vectors(isa) * isa.lanes();
    let c = g.c_in_group();
    // The taps of a row follow each other where nothing lies between their pixels.
    let rows_are_runs = g.groups == 1 && g.x.dilation == 1 && source.pixel() == c;
    let (runs, run) = if rows_are_runs { (1, g.x.kernel * c) } else { (g.x.kernel, c) };
    let mut columns = Vec::new();
    for (ky, kx) in (0..g.y.kernel).flat_map(|ky| (0..runs).map(move |kx| (ky, kx))) {
        // Equal shares, of whole vectors but for the last.
        let vectors = run.div_ceil(isa.lanes());
        let shares = run.div_ceil(most);
        let start = |share: usize| (share * vectors / shares * isa.lanes()).min(run);
        columns.extend((0..shares).map(|share| Column {
            group,
            offset: source.tap(ky, kx) + group * c + start(share),
            width: start(share + 1).min(run) - start(share),
            target: (ky * g.x.kernel + kx) * c + start(share),
        }));
    }
    columns
}

/// The part of the input that is copied at a time: some images, or some output rows of one.
struct Chunk {
    images: usize,
    rows: usize,
}

fn chunk(g: &ConvGeometry, source: &PixelSource) -> Chunk {
    let image = source.len(g.y.output);
    if image <= CHUNK_FLOATS {
        return Chunk { images: (CHUNK_FLOATS / image).clamp(1, g.batch), rows: g.y.output };
    }
    let rows = CHUNK_FLOATS.saturating_sub(source.len(1)) / (source.len(2) - source.len(1)) + 1;
    // Equal shares.
    let shares = g.y.output.div_ceil(rows);
    Chunk { images: 1, rows: g.y.output.div_ceil(shares) }
}

/// The output's gradient: where channel `o` of pixel `k` of an image is.
#[derive(Clone, Copy)]
struct Gradients<'a> {
    data: &'a [f32],
    image: usize,
    channel: usize,
    pixel: usize,
}

impl<'a> Gradients<'a> {
    fn new(g: &ConvGeometry, data: &'a [f32]) -> Gradients<'a> {
        let (channel, pixel) = match g.order {
            ChannelOrder::First => (g.plane(), 1),
            ChannelOrder::Last => (1, g.c_out),
        };
        Gradients { data, image: g.c_out * g.plane(), channel, pixel }
    }
}

/// Writes the gradient of the weight `[c_out, c_in / groups, kh, kw]` to `target`. `g.batch` is at least 1, and `gradient` is
/// contiguous.
pub(super) fn run(
    g: &ConvGeometry,
    input: &InputView<'_>,
    gradient: &[f32],
    target: &mut [f32],
    isa: Isa,
    pool: &Pool,
    threads: usize,
) {
    let source = PixelSource::new(g);
    let columns: Vec<Column> =
        (0..g.groups).flat_map(|group| group_columns(g, isa, &source, group)).collect();
    let Chunk { images, rows } = chunk(g, &source);
    let image_floats = source.len(rows);
    let mut packed = Aligned::of(images * image_floats + SLACK);
    let taps = g.y.kernel * g.x.kernel;
    // For one tap, sums are in the weight's order already.
    let mut reordered = (taps > 1).then(|| Aligned::of(target.len()));
    let sums = OutputView::new(reordered.as_mut().map_or(&mut *target, Aligned::as_mut_slice));
    let product = Product {
        geometry: g,
        isa,
        columns: &columns,
        offsets: window_offsets(g, &source, rows),
        gradients: Gradients::new(g, gradient),
        image_floats,
        sums,
    };
    for first_image in (0..g.batch).step_by(images) {
        let images = images.min(g.batch - first_image);
        for first_row in (0..g.y.output).step_by(rows) {
            let rows = rows.min(g.y.output - first_row);
            let lines = source.len(rows) / source.line();
            let copy = OutputView::new(&mut packed.as_mut_slice()[..images * image_floats]);
            pool.for_each(images * lines, threads, |line| {
                let (image, line) = (line / lines, line % lines);
                let target = copy.at(image * image_floats + line * source.line());
                // SAFETY: lines are disjoint, and each is one tile's.
                let target = unsafe { std::slice::from_raw_parts_mut(target, source.line()) };
                let row = first_row * g.y.stride + line;
                source.fill_line(isa, input, first_image + image, [row, 0], target);
            });
            let part = Part { first_image, images, first_row, rows };
            product.run(packed.as_slice(), part, pool, threads);
        }
    }
    if let Some(sums) = &reordered {
        reorder(g, sums.as_slice(), target, isa, pool, threads);
    }
}

/// Where the window of each pixel of some output rows starts.
fn window_offsets(g: &ConvGeometry, source: &PixelSource, rows: usize) -> Vec<u32> {
    let pixels = (0..rows).flat_map(|y| (0..g.x.output).map(move |x| source.window(y, x)));
    pixels.map(|offset| u32::try_from(offset).expect("a chunk is far below 2^32 floats")).collect()
}

/// Images and output rows of a chunk.
#[derive(Clone, Copy)]
struct Part {
    first_image: usize,
    images: usize,
    first_row: usize,
    rows: usize,
}

struct Product<'a> {
    geometry: &'a ConvGeometry,
    isa: Isa,
    columns: &'a [Column],
    offsets: Vec<u32>,
    gradients: Gradients<'a>,
    image_floats: usize,
    /// `[c_out][ky][kx][c_in / groups]`
    sums: OutputView<'a>,
}

impl Product<'_> {
    /// Adds what the pixels of a part contribute to every sum.
    fn run(&self, packed: &[f32], part: Part, pool: &Pool, threads: usize) {
        let c_out = self.geometry.c_out_group();
        let parts = ENOUGH_TILES.div_ceil(self.columns.len()).min(c_out.div_ceil(MOST_CHANNELS));
        pool.for_each(self.columns.len() * parts, threads, |tile| {
            let (column, share) = (&self.columns[tile / parts], tile % parts);
            self.tile(packed, part, column, share * c_out / parts..(share + 1) * c_out / parts);
        });
    }

    fn tile(&self, packed: &[f32], part: Part, column: &Column, channels: Range<usize>) {
        let g = self.geometry;
        let vectors = column.width.div_ceil(self.isa.lanes());
        let shares = channels.len().div_ceil(weight_tile::most_channels(self.isa, vectors));
        let share = |i: usize| channels.start + i * channels.len() / shares;
        let pixels = part.rows * g.x.output;
        let block = (BLOCK_FLOATS / (vectors * self.isa.lanes() + channels.len())).max(1);
        // Small images go through the tile several at a time.
        let images = (block / pixels).clamp(1, part.images);
        for image in (0..part.images).step_by(images) {
            let images = images.min(part.images - image);
            for pixel in (0..pixels).step_by(block) {
                let offsets = &self.offsets[pixel..pixels.min(pixel + block)];
                let is_first = part.first_image + image + part.first_row + pixel == 0;
                for i in 0..shares {
                    let group_channels = share(i)..share(i + 1);
                    let first = column.group * g.c_out_group() + group_channels.start;
                    let mut gradients = [std::ptr::null(); MOST_CHANNELS];
                    let pixel = part.first_row * g.x.output + pixel;
                    for (t, gradient) in gradients.iter_mut().enumerate().take(group_channels.len()) {
                        let Gradients { data, image: per_image, channel, pixel: step } = self.gradients;
                        let place = (part.first_image + image) * per_image + (first + t) * channel;
                        *gradient = &raw const data[place + pixel * step];
                    }
                    let taps = g.taps();
                    let tile = WeightTile {
                        offsets,
                        source: &raw const packed[image * self.image_floats + column.offset],
                        source_image: self.image_floats,
                        gradients,
                        gradient_image: self.gradients.image,
                        step: self.gradients.pixel,
                        images,
                        sums: self.sums.at(first * taps + column.target),
                        sums_stride: taps,
                        width: column.width,
                        is_first,
                    };
                    // SAFETY: windows lie within the copy, whose slack is a vector long; a column's sums of these channels are
                    // this tile's alone.
                    unsafe { weight_tile::run(self.isa, group_channels.len(), vectors, &tile) };
                }
            }
        }
    }
}

/// From `[c_out][tap][c]` to `[c_out][c][tap]`.
fn reorder(g: &ConvGeometry, sums: &[f32], target: &mut [f32], isa: Isa, pool: &Pool, threads: usize) {
    let taps = g.y.kernel * g.x.kernel;
    let target = OutputView::new(target);
    pool.for_each(g.c_out, threads, |o| {
        let swap = SwapAxes {
            source: sums[o * g.taps()..][..g.taps()].as_ptr(),
            source_stride: g.c_in_group(),
            target: target.at(o * g.taps()),
            target_stride: taps,
            size: [taps, g.c_in_group()],
        };
        // SAFETY: both sides have the channel's taps, and the target's are this tile's.
        unsafe { swap.run(isa) };
    });
}
