//! Plan a pooling once, run it often.

use super::indices::IndexedRows;
use super::norm::{RootOfPowers, RootOfSquares, SumOfAbsolutes};
use super::pixels::Pixels;
use super::reduce::{Max, Mean, Reduce};
use super::rows::{self, Rows};
use crate::buffer::with_scratch;
use crate::conv::Layout;
use crate::error::Error;
use crate::geometry::{Axis, ChannelOrder, PoolGeometry, PoolMode};
use crate::parallel::Pool;
use crate::view::{InputView, OutputView, check_overlap};
use corr2d_simd::Isa;
use std::ops::Range;

/// A pooling with its divisors computed; [`PoolPlan::run`] allocates nothing.
pub struct PoolPlan {
    geometry: PoolGeometry,
    isa: Isa,
    /// The divisor's factor of each output row and column.
    counts: [Vec<f32>; 2],
    /// Output rows of a tile, counted through all planes, or through all images where channels are last.
    tile_rows: usize,
}

/// Below this many window elements, waking another thread costs more than it saves.
const PARALLEL_ELEMENTS: f64 = 5e5;

/// Window elements of one tile.
const TILE_ELEMENTS: usize = 1 << 17;

impl PoolPlan {
    /// Plans `geometry`.
    pub fn new(geometry: PoolGeometry, isa: Isa) -> PoolPlan {
        let planes_in_row = if geometry.order == ChannelOrder::Last { geometry.channels } else { 1 };
        let row = geometry.x.output * geometry.x.kernel * geometry.y.kernel * planes_in_row;
        let tile_rows = (TILE_ELEMENTS / row).clamp(1, geometry.y.output * 64);
        PoolPlan { geometry, isa, counts: counts(&geometry), tile_rows }
    }

    /// Computes `output` from `input`, on at most `threads` threads of the pool; `layout` is that of the input, contiguous if none.
    pub fn run(
        &self,
        input: &[f32],
        layout: Option<Layout>,
        output: &mut [f32],
        pool: &Pool,
        threads: usize,
    ) -> Result<(), Error> {
        let g = &self.geometry;
        let input = self.check(input, layout, output)?;
        let output = OutputView::new(output);
        match g.mode {
            PoolMode::Max => self.reduce(Max, &input, &output, pool, threads),
            PoolMode::Average { .. } => self.reduce(Mean, &input, &output, pool, threads),
            PoolMode::Norm(1.0) => self.reduce(SumOfAbsolutes, &input, &output, pool, threads),
            PoolMode::Norm(2.0) => self.reduce(RootOfSquares, &input, &output, pool, threads),
            PoolMode::Norm(power) => self.reduce(RootOfPowers { power }, &input, &output, pool, threads),
        }
        Ok(())
    }

    /// Computes the largest elements and, for each of them, the first place in its plane where it is, as `row * width + column` of
    /// the input without padding; the last NaN counts where there is one (PyTorch's `return_indices`). A window without elements has
    /// −1. Otherwise as [`PoolPlan::run`].
    pub fn run_with_indices(
        &self,
        input: &[f32],
        layout: Option<Layout>,
        output: &mut [f32],
        indices: &mut [i32],
        pool: &Pool,
        threads: usize,
    ) -> Result<(), Error> {
        let g = &self.geometry;
        if g.mode != PoolMode::Max {
            return Err(Error::NoIndices);
        }
        if i32::try_from(g.y.input * g.x.input).is_err() {
            return Err(Error::Overflow { parameter: "indices" });
        }
        if indices.len() != g.output_len() {
            return Err(Error::Length {
                parameter: "indices",
                expected: g.output_len(),
                received: indices.len(),
            });
        }
        check_overlap(indices, input, "x")?;
        check_overlap(indices, output, "out")?;
        let input = self.check(input, layout, output)?;
        let (output, indices) = (OutputView::new(output), OutputView::new(indices));
        self.for_each_tile(pool, threads, |rows| {
            self.isa.run(IndexedRows {
                geometry: g,
                rows,
                input: &input,
                output: &output,
                indices: &indices,
            });
        });
        Ok(())
    }

    /// Refuses what doesn't fit the geometry.
    fn check<'a>(
        &self,
        input: &'a [f32],
        layout: Option<Layout>,
        output: &[f32],
    ) -> Result<InputView<'a>, Error> {
        let g = &self.geometry;
        if output.len() != g.output_len() {
            return Err(Error::Length { parameter: "out", expected: g.output_len(), received: output.len() });
        }
        check_overlap(output, input, "x")?;
        match layout {
            Some(Layout { offset, strides }) => InputView::new(input, offset, strides, g.input_shape()),
            None => InputView::contiguous(input, g.input_shape()),
        }
    }

    fn reduce<R: Reduce>(
        &self,
        reduce: R,
        input: &InputView<'_>,
        output: &OutputView<'_>,
        pool: &Pool,
        threads: usize,
    ) {
        let geometry = &self.geometry;
        let counts = [self.counts[0].as_slice(), self.counts[1].as_slice()];
        match geometry.order {
            ChannelOrder::First => self.for_each_tile(pool, threads, |rows| {
                with_scratch(rows::scratch_len(geometry, self.isa), |scratch| {
                    self.isa.run(Rows { geometry, reduce, counts, rows, input, output, scratch });
                });
            }),
            ChannelOrder::Last => self.for_each_tile(pool, threads, |rows| {
                self.isa.run(Pixels { geometry, reduce, counts, rows, input, output });
            }),
        }
    }

    /// Calls `work` with ranges of output rows that together are all of them.
    fn for_each_tile(&self, pool: &Pool, threads: usize, work: impl Fn(Range<usize>) + Sync) {
        let rows = self.rows();
        let threads = if self.geometry.flops() < PARALLEL_ELEMENTS { 1 } else { threads };
        pool.for_each(self.parts(), threads, |tile| {
            let first = tile * self.tile_rows;
            work(first..rows.min(first + self.tile_rows));
        });
    }

    /// Output rows, counted as in `tile_rows`.
    fn rows(&self) -> usize {
        let g = &self.geometry;
        let planes = if g.order == ChannelOrder::Last { 1 } else { g.channels };
        g.batch * planes * g.y.output
    }

    /// Parts that threads can share.
    pub fn parts(&self) -> usize {
        self.rows().div_ceil(self.tile_rows)
    }

    /// Floats of scratch memory that each thread keeps.
    pub fn scratch_len(&self) -> usize {
        match self.geometry.order {
            ChannelOrder::First => rows::scratch_len(&self.geometry, self.isa),
            ChannelOrder::Last => 0,
        }
    }

    /// The geometry it was made for.
    pub fn geometry(&self) -> &PoolGeometry {
        &self.geometry
    }

    /// What walks over the output: `rows`, or `pixels` with channels last.
    pub fn algorithm(&self) -> &'static str {
        match self.geometry.order {
            ChannelOrder::First => "rows",
            ChannelOrder::Last => "pixels",
        }
    }

    /// The instruction set it runs on.
    pub fn isa(&self) -> Isa {
        self.isa
    }
}

/// The divisor of a window is the product of its row's and its column's count. Columns are padded with ones to whole vectors.
fn counts(g: &PoolGeometry) -> [Vec<f32>; 2] {
    const MOST_LANES: usize = 16;
    let (axis_counts, factor): (fn(&Axis, usize) -> usize, f32) = match g.mode {
        PoolMode::Max => return [Vec::new(), Vec::new()],
        PoolMode::Average { divisor_override: Some(divisor), .. } => (|_, _| 1, divisor as f32),
        PoolMode::Average { count_include_pad: true, .. } => (Axis::covered, 1.0),
        PoolMode::Average { count_include_pad: false, .. } => (|axis, output| axis.inside(output).len(), 1.0),
        PoolMode::Norm(_) => (Axis::covered, 1.0),
    };
    let count = |axis: &Axis, factor: f32| {
        let unit = if let PoolMode::Norm(_) = g.mode { axis.kernel as f32 } else { 1.0 };
        (0..axis.output).map(|i| axis_counts(axis, i).max(1) as f32 * factor / unit).collect::<Vec<f32>>()
    };
    let mut columns = count(&g.x, 1.0);
    columns.resize(g.x.output.next_multiple_of(MOST_LANES), 1.0);
    [count(&g.y, factor), columns]
}
