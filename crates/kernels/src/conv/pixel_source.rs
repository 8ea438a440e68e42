//! The padded input of a tile with its channels last: rows of whole pixels, copied to scratch, transposed where the input has its
//! channels first. Every tap of a window is a fixed distance away, whatever the stride.

use super::swap_axes::SwapAxes;
use crate::buffer::LINE;
use crate::geometry::{ChannelOrder, ConvGeometry};
use crate::view::InputView;
use corr2d_simd::Isa;

/// Scratch for one tile's input: half of a typical second-level cache.
const SOURCE_FLOATS: usize = 128 * 1024;

/// The scratch memory of a tile: `[row][pixel][channel]`.
pub(crate) struct PixelSource {
    geometry: ConvGeometry,
    /// Floats from one pixel to the next.
    pixel: usize,
    /// Floats of a padded row.
    row: usize,
}

/// Pixels a multiple of this many floats apart compete for the same few places of the first-level cache.
const CONFLICT: usize = 256;

impl PixelSource {
    pub(crate) fn new(geometry: &ConvGeometry) -> PixelSource {
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
    pub(crate) fn output_rows(&self) -> usize {
        let y = self.geometry.y;
        let rows = SOURCE_FLOATS / self.row;
        (rows.saturating_sub(y.span()) / y.stride + 1).min(y.output)
    }

    /// Floats of scratch for so many output rows.
    pub(crate) fn len(&self, output_rows: usize) -> usize {
        self.rows(output_rows) * self.row
    }

    /// Where the window of an output pixel starts; `y` counts from the tile's first row.
    pub(crate) fn window(&self, y: usize, x: usize) -> usize {
        let g = &self.geometry;
        y * g.y.stride * self.row + x * g.x.stride * self.pixel
    }

    /// Floats of a row of the scratch.
    pub(crate) fn line(&self) -> usize {
        self.row
    }

    /// Floats from one pixel to the next.
    pub(crate) fn pixel(&self) -> usize {
        self.pixel
    }

    /// How far a tap's pixel is from the start of its window.
    pub(crate) fn tap(&self, ky: usize, kx: usize) -> usize {
        let g = &self.geometry;
        ky * g.y.dilation * self.row + kx * g.x.dilation * self.pixel
    }

    /// Copies the input of the output rows `first..first + output_rows` of image `n`.
    pub(crate) fn fill(
        &self,
        isa: Isa,
        input: &InputView<'_>,
        n: usize,
        first: usize,
        output_rows: usize,
        scratch: &mut [f32],
    ) {
        let lines = scratch.chunks_exact_mut(self.row).take(self.rows(output_rows));
        for (row, line) in lines.enumerate() {
            self.fill_line(isa, input, n, [first * self.geometry.y.stride + row, 0], line);
        }
    }

    /// Copies pixels of image `n`, one after the other from the position `[row, column]` of the padded input on; past the padding
    /// they are as the padding mode would continue them.
    pub(crate) fn fill_line(
        &self,
        isa: Isa,
        input: &InputView<'_>,
        n: usize,
        [row, column]: [usize; 2],
        line: &mut [f32],
    ) {
        let g = &self.geometry;
        let Some(y) = g.padding_mode.source(row as isize - g.y.before as isize, g.y.input) else {
            line.fill(0.0);
            return;
        };
        let pixels = line.len() / self.pixel;
        let inside = |end: usize| end.saturating_sub(column).min(pixels);
        let inside = inside(g.x.before)..inside(g.x.before + g.x.input);
        if !inside.is_empty() {
            let x = column + inside.start - g.x.before;
            let line = &mut line[inside.start * self.pixel..inside.end * self.pixel];
            match g.order {
                ChannelOrder::First => self.transpose(isa, input, n, [y, x], line),
                ChannelOrder::Last => self.copy(input, n, [y, x], line),
            }
        }
        for x in (0..inside.start).chain(inside.end..pixels) {
            let position = (column + x) as isize - g.x.before as isize;
            self.pad(input, n, y, position, &mut line[x * self.pixel..][..g.c_in]);
        }
    }

    /// Copies whole pixels from `[y, x]` on.
    fn copy(&self, input: &InputView<'_>, n: usize, [y, x]: [usize; 2], line: &mut [f32]) {
        let c_in = self.geometry.c_in;
        if [input.row_stride(), self.pixel] == [c_in; 2] {
            // SAFETY: pixels follow each other without a gap, so these are readable floats of one row.
            line.copy_from_slice(unsafe { std::slice::from_raw_parts(input.row(n, y, x), line.len()) });
        } else {
            for (i, target) in line.chunks_exact_mut(self.pixel).enumerate() {
                // SAFETY: pixel `[n, y, x + i]` of the view has `c_in` contiguous floats, and scratch is memory of its own.
                let pixel = unsafe { std::slice::from_raw_parts(input.row(n, y, x + i), c_in) };
                target[..c_in].copy_from_slice(pixel);
            }
        }
    }

    /// Gathers pixels from their planes, from `[y, x]` on.
    fn transpose(&self, isa: Isa, input: &InputView<'_>, n: usize, [y, x]: [usize; 2], line: &mut [f32]) {
        let to_pixels = SwapAxes {
            source: input.row(n, 0, y).wrapping_add(x),
            source_stride: input.plane_stride(),
            target: line.as_mut_ptr(),
            target_stride: self.pixel,
            size: [self.geometry.c_in, line.len() / self.pixel],
        };
        // SAFETY: each channel's row has that many floats from `x` on, and the line has `c_in` for each of them.
        unsafe { to_pixels.run(isa) };
    }

    /// Fills one pixel left or right of the input.
    fn pad(&self, input: &InputView<'_>, n: usize, y: usize, position: isize, pixel: &mut [f32]) {
        let g = &self.geometry;
        let Some(x) = g.padding_mode.source(position, g.x.input) else {
            pixel.fill(0.0);
            return;
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
