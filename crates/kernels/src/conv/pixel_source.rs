//! The padded input of a tile when channels are last: rows of whole pixels, copied to scratch. Every tap of a window is a fixed
//! distance away, whatever the stride.

use crate::geometry::ConvGeometry;
use crate::view::InputView;

/// Scratch for one tile's input: half of a typical second-level cache.
const SOURCE_FLOATS: usize = 64 * 1024;

/// The scratch memory of a tile: `[row][pixel][channel]`.
pub(super) struct PixelSource {
    geometry: ConvGeometry,
    /// Floats of a padded row.
    row: usize,
}

impl PixelSource {
    pub(super) fn new(geometry: &ConvGeometry) -> PixelSource {
        let x = geometry.x;
        let pixels = (x.output - 1) * x.stride + x.span();
        PixelSource { geometry: *geometry, row: pixels * geometry.c_in }
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
        y * g.y.stride * self.row + x * g.x.stride * g.c_in
    }

    /// How far a tap's pixel is from the start of its window.
    pub(super) fn tap(&self, ky: usize, kx: usize) -> usize {
        let g = &self.geometry;
        ky * g.y.dilation * self.row + kx * g.x.dilation * g.c_in
    }

    /// Copies the input of the output rows `first..first + output_rows` of image `n`.
    pub(super) fn fill(
        &self,
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
                Some(y) => self.fill_row(input, n, y, line),
            }
        }
    }

    fn fill_row(&self, input: &InputView<'_>, n: usize, y: usize, line: &mut [f32]) {
        let g = &self.geometry;
        let pixel = |x: usize| {
            // SAFETY: pixel `[n, y, x]` of the view has `c_in` contiguous floats, and scratch is memory of its own.
            unsafe { std::slice::from_raw_parts(input.row(n, y, x), g.c_in) }
        };
        let pixels = line.len() / g.c_in;
        let inside = g.x.before.min(pixels)..(g.x.before + g.x.input).min(pixels);
        if input.row_stride() == g.c_in {
            let count = inside.len() * g.c_in;
            // SAFETY: pixels follow each other without a gap, so these are readable floats of one row.
            let row = unsafe { std::slice::from_raw_parts(input.row(n, y, 0), count) };
            line[inside.start * g.c_in..][..count].copy_from_slice(row);
        } else {
            for x in inside.clone() {
                line[x * g.c_in..][..g.c_in].copy_from_slice(pixel(x - g.x.before));
            }
        }
        for x in (0..inside.start).chain(inside.end..pixels) {
            let target = &mut line[x * g.c_in..][..g.c_in];
            match g.padding_mode.source(x as isize - g.x.before as isize, g.x.input) {
                None => target.fill(0.0),
                Some(x) => target.copy_from_slice(pixel(x)),
            }
        }
    }
}
