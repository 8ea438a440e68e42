//! Plan a pooling once, run it often.

use super::norm::{RootOfPowers, RootOfSquares, SumOfAbsolutes};
use super::reduce::{Max, Mean, Reduce};
use super::rows::{self, Rows};
use crate::buffer::with_scratch;
use crate::conv::Layout;
use crate::error::Error;
use crate::geometry::{Axis, PoolGeometry, PoolMode};
use crate::parallel::Pool;
use crate::view::{InputView, OutputView, check_overlap};
use corr2d_simd::Isa;

/// A pooling with its divisors computed; [`PoolPlan::run`] allocates nothing.
pub struct PoolPlan {
    geometry: PoolGeometry,
    isa: Isa,
    /// The divisor's factor of each output row and column.
    counts: [Vec<f32>; 2],
    /// Output rows of a tile, counted through all planes.
    tile_rows: usize,
}

/// Below this many window elements, waking another thread costs more than it saves.
const PARALLEL_ELEMENTS: f64 = 5e5;

/// Window elements of one tile.
const TILE_ELEMENTS: usize = 1 << 17;

impl PoolPlan {
    /// Plans `geometry`.
    pub fn new(geometry: PoolGeometry, isa: Isa) -> PoolPlan {
        let row = geometry.x.output * geometry.x.kernel * geometry.y.kernel;
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
        if output.len() != g.output_len() {
            return Err(Error::Length { parameter: "out", expected: g.output_len(), received: output.len() });
        }
        check_overlap(output, input, "x")?;
        let shape = [g.batch, g.channels, g.y.input, g.x.input];
        let input = match layout {
            Some(Layout { offset, strides }) => InputView::new(input, offset, strides, shape)?,
            None => InputView::contiguous(input, shape)?,
        };
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

    fn reduce<R: Reduce>(
        &self,
        reduce: R,
        input: &InputView<'_>,
        output: &OutputView<'_>,
        pool: &Pool,
        threads: usize,
    ) {
        let g = &self.geometry;
        let rows = g.batch * g.channels * g.y.output;
        let threads = if g.flops() < PARALLEL_ELEMENTS { 1 } else { threads };
        pool.for_each(rows.div_ceil(self.tile_rows), threads, |tile| {
            let first = tile * self.tile_rows;
            with_scratch(rows::scratch_len(g, self.isa), |scratch| {
                self.isa.run(Rows {
                    geometry: g,
                    reduce,
                    counts: [&self.counts[0], &self.counts[1]],
                    rows: first..rows.min(first + self.tile_rows),
                    input,
                    output,
                    scratch,
                });
            });
        });
    }

    /// The geometry it was made for.
    pub fn geometry(&self) -> &PoolGeometry {
        &self.geometry
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
