//! Filters of an interleaved image: load, convert, correlate, scale, round, saturate and store, tile by tile;
//! no copy of the whole image is made. Channels stay interleaved: a tap's neighbour is simply `channels` elements away.

use super::box_filter::BoxFilter;
use super::byte_kernel::{self, ByteKernel};
use super::byte_part::{self, BytePart};
use super::few_rows::{FewRows, Ring};
use super::frame::{Frame, addressable};
use super::gradient::Gradient;
use super::halos::Halos;
use super::light::Light;
use super::load::{Loader, Source};
use super::parts::{PIXELS_ALIGNED, Part, Step, Tiles, steps};
use super::pixel::{Pixel, from_floats};
use super::separable::{Factors, factors, pays};
use super::target::Target;
use super::terms::{FOUR, Floats, Mapping, THREE, TWO, Terms, VECTORS};
use crate::buffer::{LINE, with_scratch};
use crate::conv::Activation;
use crate::conv::strip::{self, BLOCK_ROWS, Filter, pack_passes};
use crate::error::Error;
use crate::geometry::PaddingMode;
use crate::parallel::Pool;
use crate::view::check_overlap;
use corr2d_simd::Isa;
use std::ops::Range;
use std::ptr;

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
    /// The same for a kernel that [`FewRows`] runs, `[kh, kw]`.
    Low(Vec<f32>),
    /// The same for an outer product.
    Separable(Factors),
    /// The same for equal weights, where the pixels allow it.
    Box(f32, Factors),
    Gradient(Gradient),
}

/// A checked [`ImageRequest`] with its kernel packed.
pub struct ImageFilter {
    request: ImageRequest,
    operation: Operation,
    /// The same kernel for bytes, where it is one for them.
    bytes: Option<ByteKernel>,
    /// Rows and columns of the window; its centre is half of each, rounded down.
    window: [usize; 2],
    isa: Isa,
}

/// What is done with a tile, of which the row and column come first, and a thread's scratch. No type of pixels has its own drivers.
type TileWork<'a> = dyn Fn([usize; 2], Part, &mut [f32]) + Sync + 'a;

/// The fewest output rows of a tile: those that are read for it besides are few beside them.
const TILE_ROWS: usize = 72;

/// Floats that a tile works on, of the first-level cache's.
const TILE_FLOATS: usize = 9 << 10;

/// Floats that a tile works on, of the second-level cache's, where the register tile asks for pixels while it computes: long rows.
const LONG_FLOATS: usize = 60 << 10;

/// Words that a tile of bytes works on, of the second-level cache's.
const TILE_WORDS: usize = 60 << 10;

/// The fewest elements of a tile's rows, even where these do not stay in that cache: shorter ones are read with more waiting.
const LEAST_COLUMNS: usize = 10 * PIXELS_ALIGNED;

/// The most rows of a kernel that [`FewRows`] runs in less time than the tile of more rows, whose results take another pass; of any
/// number on some instruction sets.
const MOST_LOW: usize = 5;

/// Below this many products, waking another thread costs more than it saves.
const PARALLEL_PRODUCTS: usize = 1 << 19;

impl ImageFilter {
    /// Checks the request and packs `kernel` of `size` `[kh, kw]`; its centre is `[kh / 2, kw / 2]`, rounded down.
    ///
    /// A result is `scale · Σ w·x + offset` within `(n + 3) · 2⁻²³ · (|scale| · Σ|w·x| + |offset|)` of the exact one, with `n` weights;
    /// exactly that where weights and pixels are integers (or integers times one power of two) and no sum reaches 2²⁴ units. The bits
    /// are the same on every instruction set and for every number of threads.
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
        let factors = factors(kernel, kw);
        let operation = match factors {
            Some(factors) if kernel.iter().all(|weight| *weight == kernel[0]) => {
                Operation::Box(kernel[0], factors)
            }
            Some(factors) if pays(kh, kw) => Operation::Separable(factors),
            _ if kh <= MOST_LOW || Floats::suit_any_height(isa) => Operation::Low(kernel.to_vec()),
            _ => {
                let mut weights = Vec::with_capacity(kernel.len());
                pack_passes(kernel, kw, &mut weights);
                Operation::Correlate(weights)
            }
        };
        let bytes = match operation {
            Operation::Separable(_) if !byte_kernel::pays([kh, kw]) => None,
            Operation::Box(..) => None,
            _ => ByteKernel::new(kernel, kw),
        };
        Ok(ImageFilter { request, operation, bytes, window: size, isa })
    }

    /// Checks the request for the length of a gradient.
    pub fn gradient(request: ImageRequest, gradient: Gradient, isa: Isa) -> Result<ImageFilter, Error> {
        request.frame.check()?;
        Ok(ImageFilter {
            request,
            operation: Operation::Gradient(gradient),
            bytes: None,
            window: [3, 3],
            isa,
        })
    }

    /// Filters `input` (rows `row_stride` apart) to the tightly packed `output`, on at most `threads` threads of the pool.
    #[inline]
    pub fn run<P: Pixel>(
        &self,
        input: &[P],
        output: &mut [P],
        pool: &Pool,
        threads: usize,
    ) -> Result<(), Error> {
        P::filter(self, input, output, pool, threads)
    }

    /// Filters an image without gaps between its rows, results in the place of its samples. Answers false, and leaves it as it is, where
    /// that can't be done: with float pixels, alpha that is passed through, in linear light, and with running sums.
    #[inline]
    pub fn run_in_place<P: Pixel>(&self, data: &mut [P], pool: &Pool, threads: usize) -> Result<bool, Error> {
        P::filter_in_place(self, data, pool, threads)
    }

    pub(super) fn run_pixels<P: Pixel>(
        &self,
        input: &[P],
        output: &mut [P],
        pool: &Pool,
        threads: usize,
    ) -> Result<(), Error> {
        let r = &self.request;
        let (frame, row) = (&r.frame, r.frame.row());
        frame.check_input(input, "data")?;
        let expected = frame.height * row;
        if output.len() != expected {
            return Err(Error::Length { parameter: "out", expected, received: output.len() });
        }
        check_overlap(output, input, "data")?;
        let threads = self.useful_threads(output.len(), threads);
        let target = Target::new(output);
        if let Some(filter) = self.box_filter::<P>() {
            let tiles = Tiles::new(frame.height, TILE_ROWS.max(4 * self.window[0]), 1);
            pool.for_each(tiles.count, threads, |tile| {
                let rows = tiles.range(tile);
                // SAFETY: the output's length was checked, and tiles are disjoint.
                let output = unsafe { target.part(rows.start * row, rows.len() * row) };
                with_scratch(filter.scratch_len(), |scratch| {
                    filter.run(self.isa, input, rows.clone(), output, scratch);
                });
                self.pass_alpha(rows, 0..row, input, &target);
            });
            return Ok(());
        }
        let light = r.linear.then(Light::new::<P>);
        self.for_each_part(self.bytes::<P>(), pool, threads, &|_, part, scratch| {
            self.run_part(&part, Source::Apart(input), light.as_ref(), &target, scratch);
            self.pass_alpha(part.rows, part.columns, input, &target);
        });
        Ok(())
    }

    #[inline(never)]
    pub(super) fn overwrite_pixels<P: Pixel>(
        &self,
        data: &mut [P],
        pool: &Pool,
        threads: usize,
    ) -> Result<bool, Error> {
        let r = &self.request;
        let [expected, stride] = [r.frame.height * r.frame.row(), r.frame.row()];
        if r.frame.row_stride != stride {
            return Err(Error::Length {
                parameter: "row stride",
                expected: stride,
                received: r.frame.row_stride,
            });
        }
        if data.len() != expected {
            return Err(Error::Length { parameter: "data", expected, received: data.len() });
        }
        // Files have no floats that were worth the size of another instance.
        if P::MOST.is_none() || r.linear || self.passes_alpha() || self.box_filter::<P>().is_some() {
            return Ok(false);
        }
        let threads = self.useful_threads(data.len(), threads);
        let bytes = self.bytes::<P>();
        let [down, across] = self.tiles(bytes);
        let halos = Halos::save(r.frame, r.border, self.window, [&down, &across], data);
        let target = Target::in_place(data);
        self.for_each_part(bytes, pool, threads, &|tile, part, scratch| {
            self.run_part(&part, Source::InPlace(&halos, tile), None, &target, scratch);
        });
        Ok(true)
    }

    /// The kernel for bytes, where pixels are such.
    fn bytes<P: Pixel>(&self) -> Option<&ByteKernel> {
        self.bytes.as_ref().filter(|_| P::IS_BYTE && !self.request.linear)
    }

    /// Rows and columns of tiles, also of those for a kernel for bytes.
    fn tiles(&self, bytes: Option<&ByteKernel>) -> [Tiles; 2] {
        let frame = &self.request.frame;
        let down = Tiles::new(frame.height, TILE_ROWS.max(16 * self.window[0]), 1);
        [down, Tiles::at_most(frame.row(), self.tile_columns(bytes), PIXELS_ALIGNED)]
    }

    /// Calls `run` for each tile, with its row and column.
    fn for_each_part(&self, bytes: Option<&ByteKernel>, pool: &Pool, threads: usize, run: &TileWork<'_>) {
        let [down, across] = self.tiles(bytes);
        pool.for_each(across.count * down.count, threads, |tile| {
            let tile = [tile / across.count, tile % across.count];
            let part = Part { rows: down.range(tile[0]), columns: across.range(tile[1]) };
            with_scratch(self.scratch_len(bytes, &part), |scratch| run(tile, part, scratch));
        });
    }

    /// Threads for an image of so many elements.
    fn useful_threads(&self, elements: usize, threads: usize) -> usize {
        let products = elements.saturating_mul(self.window[0] * self.window[1]);
        if products < PARALLEL_PRODUCTS { 1 } else { threads }
    }

    /// Whether the last channel is alpha, and copied.
    fn passes_alpha(&self) -> bool {
        self.request.alpha == Alpha::PassThrough && self.request.frame.has_alpha()
    }

    /// The filter with running sums, where it computes the same.
    fn box_filter<P: Pixel>(&self) -> Option<BoxFilter> {
        let r = &self.request;
        let Operation::Box(weight, _) = self.operation else { return None };
        let mapping = [weight * r.scale, r.offset];
        BoxFilter::new::<P>(r.frame, r.border, self.window, mapping).filter(|_| !r.linear)
    }

    /// Copies alpha where it is passed through.
    fn pass_alpha<P: Pixel>(
        &self,
        rows: Range<usize>,
        columns: Range<usize>,
        input: &[P],
        target: &Target<P>,
    ) {
        let Frame { channels, row_stride, .. } = self.request.frame;
        if !self.passes_alpha() {
            return;
        }
        for y in rows {
            // SAFETY: as where the row was filtered.
            let stored = unsafe { target.part(y * self.request.frame.row() + columns.start, columns.len()) };
            let source = &input[y * row_stride..][columns.clone()];
            // Tiles begin with whole pixels of two or four channels.
            let alpha = stored.iter_mut().zip(source).skip(channels - 1).step_by(channels);
            alpha.for_each(|(stored, source)| *stored = *source);
        }
    }

    /// Elements of a padded row of a part: whole vectors plus the window.
    fn source_columns(&self, columns: usize) -> usize {
        let taps = (self.window[1] - 1) * self.request.frame.channels;
        // Each row begins a cache line.
        (columns.next_multiple_of(VECTORS * self.isa.lanes()) + taps).next_multiple_of(LINE)
    }

    /// The same of a row of pairs of bytes.
    fn byte_columns(&self, columns: usize) -> usize {
        byte_part::padded(columns, self.isa, (self.window[1] - 1) * self.request.frame.channels)
    }

    /// Rows of floats that are kept: those that a block of output rows reads.
    fn kept_rows(&self, block: usize) -> usize {
        self.window[0] - 1 + block
    }

    /// Output rows that are computed together.
    fn block(&self, part: &Part) -> usize {
        if self.few_rows().is_some() { self.few_rows_tile() } else { part.rows.len().min(BLOCK_ROWS) }
    }

    /// The kernel that [`FewRows`] runs, and its columns.
    fn few_rows(&self) -> Option<(&[f32], usize)> {
        match &self.operation {
            Operation::Low(weights) => Some((weights, self.window[1])),
            Operation::Separable(Factors { column, .. }) | Operation::Box(_, Factors { column, .. }) => {
                Some((column, 1))
            }
            Operation::Correlate(_) | Operation::Gradient(_) => None,
        }
    }

    /// Output rows that [`FewRows`] computes together.
    fn few_rows_tile(&self) -> usize {
        let [kh, kw] = self.window;
        let kw = if matches!(self.operation, Operation::Low(_)) { kw } else { 1 };
        <Floats as Terms<f32>>::rows(self.isa, [kh, kw])
    }

    /// Whether [`FewRows`] asks for the pixels that are read next.
    fn asks_ahead(&self) -> bool {
        self.few_rows().is_some() && self.few_rows_tile() == THREE
    }

    /// Columns of a tile, so that what it works on stays in a cache.
    fn tile_columns(&self, bytes: Option<&ByteKernel>) -> usize {
        let (elements, rows) = match self.few_rows() {
            _ if bytes.is_some() => (TILE_WORDS, byte_part::kept_rows(self.window[0])),
            Some(_) if self.asks_ahead() => (LONG_FLOATS, self.kept_rows(self.few_rows_tile())),
            // Results that become pixels in registers need no rows of floats.
            Some(_) => (TILE_FLOATS, self.kept_rows(self.few_rows_tile())),
            None => (TILE_FLOATS, self.kept_rows(BLOCK_ROWS) + BLOCK_ROWS),
        };
        (elements / (rows + 1) / PIXELS_ALIGNED * PIXELS_ALIGNED).max(LEAST_COLUMNS)
    }

    fn scratch_len(&self, bytes: Option<&ByteKernel>, part: &Part) -> usize {
        if bytes.is_some() {
            let columns = self.byte_columns(part.columns.len());
            return byte_part::scratch_len(self.window[0], columns, self.request.frame.channels);
        }
        let block = self.block(part);
        (self.kept_rows(block) + 1) * self.source_columns(part.columns.len()) + block * part.columns.len()
    }

    /// Computes a part in blocks of rows; the rows that a block reads are kept for the next.
    #[inline(never)]
    fn run_part<P: Pixel>(
        &self,
        part: &Part,
        source: Source<'_, P>,
        light: Option<&Light>,
        target: &Target<P>,
        scratch: &mut [f32],
    ) {
        let r = &self.request;
        let frame = &r.frame;
        let block = self.block(part);
        let width = part.columns.len();
        let columns = self.source_columns(width);
        let bytes = self.bytes::<P>();
        let loader = Loader {
            isa: self.isa,
            frame,
            border: r.border,
            window: self.window,
            part,
            source,
            target,
            light,
            // Where a part ends before its row does, the processor reads ahead in the wrong direction.
            asks_ahead: width < frame.row() && !self.asks_ahead() && bytes.is_none(),
        };
        if let Some(kernel) = bytes {
            let (mapping, columns) = (kernel.mapping(r.scale, r.offset), self.byte_columns(width));
            return P::run_bytes(BytePart { kernel, mapping, loader, columns }, scratch);
        }
        let slots = self.kept_rows(block);
        let (kept, scratch) = scratch.split_at_mut(slots * columns);
        let (line, result) = scratch.split_at_mut(columns);
        let along = match &self.operation {
            Operation::Separable(Factors { row, .. }) | Operation::Box(_, Factors { row, .. }) => Some(row),
            _ => None,
        };
        // SAFETY: `run` checked the output's length, and parts are disjoint.
        let stored = |y: usize| unsafe { loader.result(y) };
        for step in steps(part.rows.len(), block, slots) {
            let first = match step {
                Step::Compute(first) => first,
                Step::Load(i) => {
                    let slot = &mut kept[i % slots * columns..][..columns];
                    let y = loader.position(i);
                    match along {
                        None => loader.load(y, slot),
                        Some(weights) => {
                            loader.load(y, line);
                            self.along_row(weights, line, width, slot);
                        }
                    }
                    continue;
                }
            };
            let ring = Ring { elements: &*kept, slots, columns };
            let first_row = part.rows.start + first;
            match light {
                None if self.few_rows().is_some() => {
                    let rows = (first_row..part.rows.end.min(first_row + block)).map(stored);
                    let ahead = |row: usize| loader.place(loader.position(first + slots + row));
                    self.correlate_few(ring, first, [r.scale, r.offset], rows, &ahead);
                    continue;
                }
                _ => self.correlate(ring, first, block, width, result),
            }
            let lines = result.chunks_exact(width).take(block.min(part.rows.end - first_row));
            for (line, stored) in lines.enumerate().map(|(i, line)| (line, stored(first_row + i))) {
                match light {
                    None => from_floats(self.isa, line, r.scale, r.offset, stored),
                    Some(light) => {
                        for (i, (stored, x)) in stored.iter_mut().zip(line).enumerate() {
                            let x = *x * r.scale + r.offset;
                            let is_alpha = frame.is_alpha(part.columns.start + i);
                            *stored = if is_alpha { P::from_float(x) } else { light.encode(x) };
                        }
                    }
                }
            }
        }
    }

    /// The pass along a row of a separable kernel.
    fn along_row(&self, weights: &[f32], line: &[f32], width: usize, target: &mut [f32]) {
        assert!(line.len() == target.len() && line.len() >= self.source_columns(width));
        let floats =
            strip::Target { start: target.as_mut_ptr(), stride: target.len(), rows: 1, columns: width };
        // SAFETY: the padded row is a whole number of vectors plus the taps.
        unsafe { self.filter(weights, [1, self.window[1]]).run(self.isa, &|_| line.as_ptr(), &floats) }
    }

    /// A few rows of pixels.
    fn correlate_few<'a, P: Pixel>(
        &self,
        ring: Ring<'_, f32>,
        first: usize,
        factors: [f32; 2],
        mut rows: impl Iterator<Item = &'a mut [P]>,
        ahead: &dyn Fn(usize) -> *const P,
    ) {
        let Some((weights, kw)) = self.few_rows() else { return };
        let step = self.request.frame.channels;
        let mapping = Mapping { factors, whole: None };
        macro_rules! run {
            ($rows:expr, $ahead:expr) => {{
                let targets: [_; $rows] = std::array::from_fn(|_| rows.next());
                let ahead: [_; $rows] = std::array::from_fn($ahead);
                FewRows::<P, Floats, $rows> { weights, kw, step, mapping, ring, first, targets, ahead }
                    .run(self.isa);
            }};
        }
        match self.few_rows_tile() {
            FOUR => run!(FOUR, |_| ptr::null()),
            THREE => run!(THREE, ahead),
            _ => run!(TWO, |_| ptr::null()),
        }
    }

    /// A block of rows of floats, neither scaled nor offset. The same for all types of pixels, and so compiled once.
    #[inline(never)]
    fn correlate(&self, ring: Ring<'_, f32>, first: usize, block: usize, width: usize, result: &mut [f32]) {
        let row = |i: usize| &ring.elements[(first + i) % ring.slots * ring.columns..][..ring.columns];
        match &self.operation {
            Operation::Gradient(gradient) => {
                for (i, line) in result.chunks_exact_mut(width).take(block).enumerate() {
                    let rows = [row(i), row(i + 1), row(i + 2)];
                    gradient.run(self.isa, rows, self.request.frame.channels, line);
                }
            }
            Operation::Correlate(weights) => {
                let target =
                    strip::Target { start: result.as_mut_ptr(), stride: width, rows: block, columns: width };
                assert!(result.len() >= block * width);
                // SAFETY: padded rows are a whole number of vectors plus the taps; the result has `block` rows of `width`.
                unsafe { self.filter(weights, self.window).run(self.isa, &|i| row(i).as_ptr(), &target) }
            }
            Operation::Low(_) | Operation::Separable(_) | Operation::Box(..) => {
                let rows = result.chunks_exact_mut(width).take(block);
                self.correlate_few(ring, first, [1.0, 0.0], rows, &|_| ptr::null());
            }
        }
    }

    /// The register tile's filter for packed weights.
    fn filter<'a>(&self, weights: &'a [f32], size: [usize; 2]) -> Filter<'a> {
        Filter {
            passes: weights,
            size,
            step: self.request.frame.channels,
            bias: 0.0,
            activation: Activation::None,
            fused: true,
        }
    }
}
