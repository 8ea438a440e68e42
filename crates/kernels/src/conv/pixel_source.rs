//! The padded input of a tile with its channels last: rows of whole pixels, copied to scratch, transposed where the input has its
//! channels first. Every tap of a window is a fixed distance away, whatever the stride.

use super::swap_axes::SwapAxes;
use crate::geometry::{ChannelOrder, ConvGeometry};
use crate::view::InputView;
use corr2d_simd::Isa;
use std::ops::Range;

/// Scratch for one tile's input: half of a typical second-level cache.
const SOURCE_FLOATS: usize = 64 * 1024;

/// The scratch memory of a tile: `[row][pixel][channel]`.
pub(super) struct PixelSource {
    geometry: ConvGeometry,
    /// Floats from one pixel to the next.
    pixel: usize,
    /// Floats of a padded row.
    row: usize,
}

/// Pixels a multiple of this many floats apart compete for the same few places of the first-level cache.
const CONFLICT: usize = 256;

/// Floats of a cache line.
const LINE: usize = 16;

impl PixelSource {
    pub(super) fn new(geometry: &ConvGeometry) -> PixelSource {
        let x = geometry.x;
        let pixels = (x.output - 1) * x.stride + x.span();
        let pixel = geometry.c_in + if geometry.c_in.is_multiple_of(CONFLICT) { LINE } else { 0 };
        PixelSource { geometry: *geometry, pixel, row: pixels * pixel }
    }

    /// Input rows for so many output rows.
    fn rows(&self, output_rows: usize) -> usize {
        (output_rows - 1) * self.geometry.y.stride + self.geometry.y.span()
    }

    /// The most output rows whose input fits the scratch, at least one.
    pub(super) fn output_rows(&self) -> usize {
        let y = self.geometry.y;
        let rows = SOURCE_FLOATS / self.row;
        (rows.saturating_sub(y.span()) / y.stride + 1).min(y.output)
    }

    /// Floats of scratch for so many output rows.
    pub(super) fn len(&self, output_rows: usize) -> usize {
        self.rows(output_rows) * self.row
    }

    /// Where the window of an output pixel starts; `y` counts from the tile's first row.
    pub(super) fn window(&self, y: usize, x: usize) -> usize {
        let g = &self.geometry;
        y * g.y.stride * self.row + x * g.x.stride * self.pixel
    }

    /// How far a tap's pixel is from the start of its window.
    pub(super) fn tap(&self, ky: usize, kx: usize) -> usize {
        let g = &self.geometry;
        ky * g.y.dilation * self.row + kx * g.x.dilation * self.pixel
    }

    /// Copies the input of the output rows `first..first + output_rows` of image `n`.
    pub(super) fn fill(
        &self,
        isa: Isa,
        input: &InputView<'_>,
        n: usize,
        first: usize,
        output_rows: usize,
        scratch: &mut [f32],
    ) {
        let g = &self.geometry;
        let lines = scratch.chunks_exact_mut(self.row).take(self.rows(output_rows));
        for (row, line) in lines.enumerate() {
            let position = (first * g.y.stride + row) as isize - g.y.before as isize;
            match g.padding_mode.source(position, g.y.input) {
                None => line.fill(0.0),
                Some(y) => match g.order {
                    ChannelOrder::First => self.transpose_row(isa, input, n, y, line),
                    ChannelOrder::Last => self.copy_row(input, n, y, line),
                },
            }
        }
    }

    /// The pixels of a padded row that lie inside the input.
    fn inside(&self) -> Range<usize> {
        let (x, pixels) = (self.geometry.x, self.row / self.pixel);
        x.before.min(pixels)..(x.before + x.input).min(pixels)
    }

    fn copy_row(&self, input: &InputView<'_>, n: usize, y: usize, line: &mut [f32]) {
        let g = &self.geometry;
        let inside = self.inside();
        if [input.row_stride(), self.pixel] == [g.c_in; 2] {
            let count = inside.len() * g.c_in;
            // SAFETY: pixels follow each other without a gap, so these are readable floats of one row.
            let row = unsafe { std::slice::from_raw_parts(input.row(n, y, 0), count) };
            line[inside.start * g.c_in..][..count].copy_from_slice(row);
        } else {
            for x in inside.clone() {
                // SAFETY: pixel `[n, y, x]` of the view has `c_in` contiguous floats, and scratch is memory of its own.
                let pixel = unsafe { std::slice::from_raw_parts(input.row(n, y, x - g.x.before), g.c_in) };
                line[x * self.pixel..][..g.c_in].copy_from_slice(pixel);
            }
        }
        self.pad_row(input, n, y, line);
    }

    fn transpose_row(&self, isa: Isa, input: &InputView<'_>, n: usize, y: usize, line: &mut [f32]) {
        let c_in = self.geometry.c_in;
        let inside = self.inside();
        let to_pixels = SwapAxes {
            source: input.row(n, 0, y),
            source_stride: input.plane_stride(),
            target: line[inside.start * self.pixel..inside.end * self.pixel].as_mut_ptr(),
            target_stride: self.pixel,
            size: [c_in, inside.len()],
        };
        // SAFETY: each channel's row has `x.input` floats, at least as many as are inside; the line has `c_in` for each of them.
        unsafe { to_pixels.run(isa) };
        self.pad_row(input, n, y, line);
    }

    /// Fills the pixels left and right of the input.
    fn pad_row(&self, input: &InputView<'_>, n: usize, y: usize, line: &mut [f32]) {
        let g = &self.geometry;
        let inside = self.inside();
        for x in (0..inside.start).chain(inside.end..line.len() / self.pixel) {
            let pixel = &mut line[x * self.pixel..][..g.c_in];
            let Some(x) = g.padding_mode.source(x as isize - g.x.before as isize, g.x.input) else {
                pixel.fill(0.0);
                continue;
            };
            for (c, element) in pixel.iter_mut().enumerate() {
                // SAFETY: `x < x.input` and `c < c_in`, so the element lies in the view.
                *element = unsafe {
                    match g.order {
                        ChannelOrder::First => *input.row(n, c, y).add(x),
                        ChannelOrder::Last => *input.row(n, y, x).add(c),
                    }
                };
            }
        }
    }
}
