//! Plan a pooling once, run it often.

use super::indices::IndexedRows;
use super::norm::{RareNorm, UsualNorm};
use super::pixels::Pixels;
use super::planes::{self, Planes};
use super::reduce::{Max, Mean, Reduce};
use super::rows::{self, Rows};
use super::windows::{self, Windows};
use crate::along;
use crate::buffer::with_scratch;
use crate::conv::Layout;
use crate::error::Error;
use crate::geometry::{Axis, ChannelOrder, PoolGeometry, PoolMode};
use crate::lanes::MOST_LANES;
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
    walk: Walk,
}

/// How the input is gone through.
#[derive(Clone, Copy)]
enum Walk {
    /// Plane by plane.
    Planes,
    /// Block by block of output rows.
    Windows,
    /// Row by row of the output.
    Rows,
    /// Row by row of the output of all channels.
    Pixels,
}

impl Walk {
    fn of(g: &PoolGeometry) -> Walk {
        if g.order == ChannelOrder::Last {
            Walk::Pixels
        } else if planes::supports(g) {
            Walk::Planes
        } else if windows::supports(g) {
            Walk::Windows
        } else {
            Walk::Rows
        }
    }
}

/// How the units of a walk, counted through the whole batch, are shared out.
#[derive(Clone, Copy)]
struct Tiles {
    units: usize,
    /// Units of a tile.
    size: usize,
}

impl Tiles {
    fn of(g: &PoolGeometry, walk: Walk, isa: Isa) -> Tiles {
        // Planes, the units of each, and what a tile's size is a multiple of.
        let (planes, units, step) = match walk {
            Walk::Planes => (g.batch * g.channels, 1, isa.lanes()),
            Walk::Windows => (g.batch * g.channels, along::blocks(&g.y, &g.x), 1),
            Walk::Rows => (g.batch * g.channels, g.y.output, 1),
            Walk::Pixels => (g.batch, g.y.output, 1),
        };
        let elements = g.flops() as usize / (planes * units).max(1);
        let size = (TILE_ELEMENTS / elements.max(1)).clamp(1, units * 64).next_multiple_of(step);
        Tiles { units: planes * units, size }
    }
}

/// Below this many window elements, waking another thread costs more than it saves.
const PARALLEL_ELEMENTS: f64 = 5e5;

/// Window elements of one tile.
const TILE_ELEMENTS: usize = 1 << 17;

impl PoolPlan {
    /// Plans `geometry`.
    pub fn new(geometry: PoolGeometry, isa: Isa) -> PoolPlan {
        PoolPlan { geometry, isa, counts: divisors(&geometry), walk: Walk::of(&geometry) }
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
            PoolMode::Norm(power @ (1.0 | 2.0)) => {
                self.reduce(UsualNorm { squares: power == 2.0 }, &input, &output, pool, threads);
            }
            PoolMode::Norm(power) => self.reduce(RareNorm { power }, &input, &output, pool, threads),
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
        self.check_indices()?;
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
        let walk = if g.order == ChannelOrder::Last { Walk::Pixels } else { Walk::Rows };
        self.for_each_tile(walk, pool, threads, |rows| {
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

    /// Refuses poolings whose elements have no indices.
    pub(crate) fn check_indices(&self) -> Result<(), Error> {
        let g = &self.geometry;
        if g.mode != PoolMode::Max {
            return Err(Error::NoIndices);
        }
        match i32::try_from(g.y.input * g.x.input) {
            Ok(_) => Ok(()),
            Err(_) => Err(Error::Overflow { parameter: "indices" }),
        }
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
        self.for_each_tile(self.walk, pool, threads, |units| {
            let isa = if R::IN_LANES { self.isa } else { Isa::portable() };
            with_scratch(self.scratch_len(), |scratch| match self.walk {
                Walk::Planes => {
                    let count = counts[1].first().map(|column| column * counts[0][0]);
                    isa.run(Planes { geometry, reduce, count, planes: units, input, output, scratch });
                }
                Walk::Windows => {
                    if !R::IN_WINDOWS {
                        unreachable!("windows are for the largest and the mean");
                    }
                    Windows { geometry, reduce, counts, blocks: units, input, output, scratch }.run(isa);
                }
                Walk::Rows => {
                    isa.run(Rows { geometry, reduce, counts, rows: units, input, output, scratch });
                }
                Walk::Pixels => {
                    isa.run(Pixels { geometry, reduce, counts, rows: units, input, output });
                }
            });
        });
    }

    /// Calls `work` with ranges of units that together are all of them.
    fn for_each_tile(&self, walk: Walk, pool: &Pool, threads: usize, work: impl Fn(Range<usize>) + Sync) {
        let Tiles { units, size } = Tiles::of(&self.geometry, walk, self.isa);
        let threads = if self.geometry.flops() < PARALLEL_ELEMENTS { 1 } else { threads };
        pool.for_each(units.div_ceil(size), threads, |tile| {
            let first = tile * size;
            work(first..units.min(first + size));
        });
    }

    /// Parts that threads can share.
    pub fn parts(&self) -> usize {
        let Tiles { units, size } = Tiles::of(&self.geometry, self.walk, self.isa);
        units.div_ceil(size)
    }

    /// Floats of scratch memory that each thread keeps.
    pub fn scratch_len(&self) -> usize {
        match self.walk {
            Walk::Planes => planes::scratch_len(&self.geometry),
            Walk::Rows => rows::scratch_len(&self.geometry, self.isa),
            Walk::Windows => windows::scratch_len(&self.geometry, self.isa),
            Walk::Pixels => 0,
        }
    }

    /// The geometry it was made for.
    pub fn geometry(&self) -> &PoolGeometry {
        &self.geometry
    }

    /// What it goes through: whole `planes`, `windows` of the usual sizes, `rows` of any, or `pixels` with channels last.
    pub fn algorithm(&self) -> &'static str {
        match self.walk {
            Walk::Planes => "planes",
            Walk::Windows => "windows",
            Walk::Rows => "rows",
            Walk::Pixels => "pixels",
        }
    }

    /// The instruction set it runs on.
    pub fn isa(&self) -> Isa {
        self.isa
    }
}

/// The divisor of a window is the product of its row's and its column's count. Columns are padded with ones, so that a
/// vector may begin at any of them.
pub(crate) fn divisors(g: &PoolGeometry) -> [Vec<f32>; 2] {
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
    columns.resize(g.x.output.next_multiple_of(MOST_LANES) + MOST_LANES, 1.0);
    [count(&g.y, factor), columns]
}
