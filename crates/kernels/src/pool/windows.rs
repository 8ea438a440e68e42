//! Square windows of the usual sizes, in registers: windows of a strip of columns, walked down a block of rows. What a row of the
//! input gives along a window's columns is kept for all the windows that it belongs to, so nothing is read or reduced twice within a
//! block. Lanes and rows outside the input count as padding; nothing is copied. An output that leaves the caches is written past them, row
//! by row through one padded row of scratch, so that whole cache lines are written.

use super::reduce::Reduce;
use crate::along::{self, Along, Loaded, STREAMED};
use crate::geometry::{PoolGeometry, PoolMode};
use crate::view::{InputView, OutputView};
use corr2d_simd::{Isa, Kernel, Simd};
use std::ops::Range;

/// Some blocks of output rows, counted through all planes.
pub(super) struct Windows<'a, R> {
    pub(super) geometry: &'a PoolGeometry,
    pub(super) reduce: R,
    /// The divisor's factor of each output row and column; empty if the reduction needs none.
    pub(super) counts: [&'a [f32]; 2],
    pub(super) blocks: Range<usize>,
    pub(super) input: &'a InputView<'a>,
    pub(super) output: &'a OutputView<'a>,
    /// [`scratch_len`] floats.
    pub(super) scratch: &'a mut [f32],
}

/// Whether rows are reduced one by one, through scratch, and written past the caches: windows that overlap, whose rows of any length
/// begin anywhere in a cache line. The batch does not count: a split batch adds in the same order.
fn streams(g: &PoolGeometry) -> bool {
    let bytes = g.channels * g.y.output * g.x.output * size_of::<f32>();
    g.x.stride == 1 && g.x.output > LONG && bytes > STREAMED
}

/// Floats of scratch: a padded row, where rows are reduced one by one.
pub(super) fn scratch_len(g: &PoolGeometry, isa: Isa) -> usize {
    if streams(g) { g.x.before + g.x.input + g.x.after + g.x.kernel + 2 * isa.lanes() } else { 0 }
}

/// Whether the windows are among those that are known when this is compiled.
pub(super) fn supports(g: &PoolGeometry) -> bool {
    let square = (g.y.kernel, g.y.stride) == (g.x.kernel, g.x.stride);
    square
        && !matches!(g.mode, PoolMode::Norm(_))
        && matches!((g.x.kernel, g.x.stride), (2, 2) | (3, 1) | (3, 2))
        && (g.y.dilation, g.x.dilation) == (1, 1)
}

impl<R: Reduce> Windows<'_, R> {
    pub(super) fn run(self, isa: Isa) {
        match (self.geometry.x.kernel, self.geometry.x.stride) {
            (2, 2) => isa.run(Sized::<R, 2, 2>(self)),
            (3, 1) => isa.run(Sized::<R, 3, 1>(self)),
            (3, 2) => isa.run(Sized::<R, 3, 2>(self)),
            (kernel, stride) => unreachable!("a window of {kernel} with stride {stride}"),
        }
    }
}

struct Sized<'a, R, const K: usize, const STRIDE: usize>(Windows<'a, R>);

impl<R: Reduce, const K: usize, const STRIDE: usize> Kernel for Sized<'_, R, K, STRIDE> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let streams = STRIDE == 1 && streams(self.0.geometry);
        if streams {
            self.0.scratch.fill(R::IDENTITY);
        }
        let Windows { geometry: g, input, output, .. } = self.0;
        let blocks = along::blocks(&g.y, &g.x);
        for block in self.0.blocks.clone() {
            let (plane, block) = (block / blocks, block % blocks);
            let (n, c) = (plane / g.channels, plane % g.channels);
            let bound = |block: usize| block * g.y.output / blocks;
            let (first, end) = (bound(block), bound(block + 1));
            // Rows that share no input are read one after the other as they lie in memory, if there is enough of each.
            let apart = streams || (STRIDE >= K && g.x.output > LONG);
            let height = if apart { 1 } else { end - first };
            for y in (first..end).step_by(height) {
                let block = Block {
                    plane: input.row(n, c, 0),
                    stride: input.row_stride(),
                    first: y,
                    rows: height,
                    target: output.at((plane * g.y.output + y) * g.x.output),
                };
                // SAFETY: rows have `x.input` elements; what of a masked strip lies outside is not read, and the others lie inside.
                unsafe { if streams { self.streamed(s, &block) } else { self.block(s, &block) } };
            }
        }
        if streams {
            s.fence();
        }
    }
}

/// A block of output rows.
struct Block {
    /// The input's plane, and how far its rows are apart.
    plane: *const f32,
    stride: usize,
    /// The first row of the output's plane, and how many there are.
    first: usize,
    rows: usize,
    /// Where the first row goes.
    target: *mut f32,
}

/// Columns of a long row.
const LONG: usize = 64;

impl<R: Reduce, const K: usize, const STRIDE: usize> Sized<'_, R, K, STRIDE> {
    /// One row: the rows of its windows are reduced to a padded one in scratch, and that along the windows' columns.
    ///
    /// # Safety
    /// The block is a row of the geometry, and scratch has [`scratch_len`] floats, its padding the identity.
    #[inline(always)]
    unsafe fn streamed<S: Simd>(&mut self, s: S, block: &Block) {
        let g = self.0.geometry;
        let line = self.0.scratch.as_mut_ptr();
        let row = block.first.wrapping_sub(g.y.before);
        // The next row's last one is asked for while this one is written.
        let ahead = block.plane.wrapping_add(row.wrapping_add(K) * block.stride);
        // SAFETY: the vectors of a row lie inside it, the last one shifted back; the target's row is this tile's.
        unsafe {
            // The windows' rows inside the input.
            let first = if row < g.y.input { row } else { 0 };
            let end = row.wrapping_add(K).min(g.y.input);
            let source = block.plane.add(first * block.stride);
            let line = line.add(g.x.before);
            let last = g.x.input - S::LANES;
            s.store(line, self.down(s, source, block.stride, end - first));
            // Whole cache lines of the first row, and of the others where the stride is as usual.
            let mut x = source.align_offset(S::LANES * size_of::<f32>()).min(last);
            while x < last {
                s.store(line.add(x), self.down(s, source.add(x), block.stride, end - first));
                x += S::LANES;
            }
            s.store(line.add(last), self.down(s, source.add(last), block.stride, end - first));
            let line = line.sub(g.x.before);
            // From the first whole line of the target on; what is before it is written by an unaligned vector.
            let lead = block.target.align_offset(S::LANES * size_of::<f32>());
            s.store(block.target, self.windows(s, block, line, 0));
            let mut x = lead.min(S::LANES);
            while x + S::LANES <= g.x.output {
                s.prefetch(ahead.wrapping_add(x));
                let reduced = self.windows(s, block, line, x);
                if lead <= S::LANES {
                    s.stream(block.target.add(x), reduced);
                } else {
                    s.store(block.target.add(x), reduced);
                }
                x += S::LANES;
            }
            s.store_first(block.target.add(x), self.windows(s, block, line, x), g.x.output - x);
        }
    }

    /// Reduces a vector of columns down `rows` rows, 1 to `K`.
    ///
    /// # Safety
    /// A whole vector is readable in each of the rows, which are `stride` apart.
    #[inline(always)]
    unsafe fn down<S: Simd>(&self, s: S, source: *const f32, stride: usize, rows: usize) -> S::V {
        let reduce = self.0.reduce;
        // SAFETY: the caller's promise.
        unsafe {
            let mut reduced = reduce.element(s, s.load(source));
            for i in 1..K {
                if i < rows {
                    reduced = reduce.combine(s, reduced, reduce.element(s, s.load(source.add(i * stride))));
                }
            }
            reduced
        }
    }

    /// The windows of a vector of columns from `x` on, of a padded row.
    ///
    /// # Safety
    /// The padded row and the columns' counts have a whole vector there.
    #[inline(always)]
    unsafe fn windows<S: Simd>(&self, s: S, block: &Block, line: *const f32, x: usize) -> S::V {
        let reduce = self.0.reduce;
        // SAFETY: the caller's promise.
        unsafe {
            let mut reduced = s.load(line.add(x));
            for column in 1..K {
                reduced = reduce.combine(s, reduced, s.load(line.add(x + column)));
            }
            let [rows, columns] = self.0.counts;
            if columns.is_empty() {
                return reduced;
            }
            reduce.finish(s, reduced, s.mul(s.splat(rows[block.first]), s.load(columns.as_ptr().add(x))))
        }
    }

    /// # Safety
    /// The block's rows are those of the geometry.
    #[inline(always)]
    unsafe fn block<S: Simd>(&self, s: S, block: &Block) {
        let g = self.0.geometry;
        // What whole strips up to column `end` read, among it what they do not need, ends with the input's row.
        let end =
            ((g.x.input + g.x.before).saturating_sub(Along::<K, STRIDE>::REACH) / STRIDE).min(g.x.output);
        let first_whole = g.x.before.div_ceil(STRIDE);
        let is_whole = |x: usize, vectors: usize| x >= first_whole && x + vectors * S::LANES <= end;
        let mut x = 0;
        while x < g.x.output {
            let left = g.x.output - x;
            // SAFETY: the caller's promise; strips are whole where all they read is inside the input's row. Where there are few registers,
            // those of one vector will do.
            x += unsafe {
                if S::REGISTERS >= 16 && is_whole(x, 2) {
                    self.strip::<S, 2, true>(s, block, x, 2 * S::LANES)
                } else if S::REGISTERS >= 16 && STRIDE == 1 && left > S::LANES {
                    self.strip::<S, 2, false>(s, block, x, left.min(2 * S::LANES))
                } else if (STRIDE == 2 || S::REGISTERS < 16) && is_whole(x, 1) {
                    // With gaps between the windows, the masks of two vectors are more than there are registers for.
                    self.strip::<S, 1, true>(s, block, x, S::LANES)
                } else {
                    self.strip::<S, 1, false>(s, block, x, left.min(S::LANES))
                }
            };
        }
    }

    /// The windows of `V` vectors of columns from `x` on; `count` of them are written, and it answers with that
    /// number. Unless `WHOLE`, lanes outside the input are padding.
    ///
    /// # Safety
    /// If `WHOLE`, all that the windows read along a row lies inside it. The target's rows are writable.
    #[inline(always)]
    unsafe fn strip<S: Simd, const V: usize, const WHOLE: bool>(
        &self,
        s: S,
        block: &Block,
        x: usize,
        count: usize,
    ) -> usize {
        let Windows { geometry: g, reduce, .. } = self.0;
        let column = (x * STRIDE) as isize - g.x.before as isize;
        let masks = if WHOLE { [[0; _]; V] } else { Along::<K, STRIDE>::masks::<S, V>(column, g.x.input) };
        let mut counts = [S::LANES; V];
        for (v, columns) in counts.iter_mut().enumerate() {
            *columns = count.saturating_sub(v * S::LANES).min(S::LANES);
        }
        // What each row of the window gives along its columns; the last rows of a window are the first of the next one.
        let mut along = [[s.splat(R::IDENTITY); V]; K];
        let kept = const { K.saturating_sub(STRIDE) };
        // SAFETY: the caller's promise.
        unsafe {
            let mut row = (block.first * STRIDE).wrapping_sub(g.y.before);
            for i in 0..kept {
                along[STRIDE + i] = self.along::<S, V, WHOLE>(s, block, row.wrapping_add(i), column, &masks);
            }
            for y in 0..block.rows {
                for i in 0..kept {
                    along[i] = along[STRIDE + i];
                }
                let mut reduced;
                if STRIDE >= K {
                    reduced = self.down_and_along::<S, V, WHOLE>(s, block, row, column, &masks);
                } else {
                    for i in kept..K {
                        along[i] = self.along::<S, V, WHOLE>(s, block, row.wrapping_add(i), column, &masks);
                    }
                    reduced = along[0];
                    for row in &along[1..] {
                        for v in 0..V {
                            reduced[v] = reduce.combine(s, reduced[v], row[v]);
                        }
                    }
                }
                row = row.wrapping_add(STRIDE);
                let target = block.target.add(y * g.x.output + x);
                for v in 0..V {
                    if !self.0.counts[1].is_empty() {
                        let columns = s.load(self.0.counts[1].as_ptr().add(x + v * S::LANES));
                        let count = s.mul(s.splat(self.0.counts[0][block.first + y]), columns);
                        reduced[v] = reduce.finish(s, reduced[v], count);
                    }
                    let target = target.add(v * S::LANES);
                    if WHOLE {
                        s.store(target, reduced[v]);
                    } else {
                        s.store_first(target, reduced[v], counts[v]);
                    }
                }
            }
        }
        count
    }

    /// What is loaded of a row of the input; a row outside is padding.
    ///
    /// # Safety
    /// As [`Sized::strip`].
    #[inline(always)]
    unsafe fn row<S: Simd, const V: usize, const WHOLE: bool>(
        &self,
        s: S,
        block: &Block,
        row: usize,
        column: isize,
        masks: &Loaded<u32, V>,
    ) -> Loaded<S::V, V> {
        let padding = s.splat(R::IDENTITY);
        if row >= self.0.geometry.y.input {
            return [[padding; _]; V];
        }
        let source = block.plane.wrapping_add(row * block.stride).wrapping_offset(column);
        // SAFETY: the caller's promise.
        let mut loaded = unsafe { Along::<K, STRIDE>::load::<S, V, WHOLE>(s, source, masks, padding) };
        for v in 0..V {
            for i in 0..Along::<K, STRIDE>::LOADS {
                loaded[v][i] = self.0.reduce.element(s, loaded[v][i]);
            }
        }
        loaded
    }

    /// Reduces a row along the columns of the windows.
    ///
    /// # Safety
    /// As [`Sized::strip`].
    #[inline(always)]
    unsafe fn along<S: Simd, const V: usize, const WHOLE: bool>(
        &self,
        s: S,
        block: &Block,
        row: usize,
        column: isize,
        masks: &Loaded<u32, V>,
    ) -> [S::V; V] {
        // SAFETY: the caller's promise.
        let loaded = unsafe { self.row::<S, V, WHOLE>(s, block, row, column, masks) };
        self.columns::<S, V>(s, &loaded)
    }

    /// Reduces the rows of windows that share none, and then along their columns.
    ///
    /// # Safety
    /// As [`Sized::strip`].
    #[inline(always)]
    unsafe fn down_and_along<S: Simd, const V: usize, const WHOLE: bool>(
        &self,
        s: S,
        block: &Block,
        first: usize,
        column: isize,
        masks: &Loaded<u32, V>,
    ) -> [S::V; V] {
        // SAFETY: the caller's promise.
        unsafe {
            let mut down = self.row::<S, V, WHOLE>(s, block, first, column, masks);
            for i in 1..K {
                let row = self.row::<S, V, WHOLE>(s, block, first.wrapping_add(i), column, masks);
                for v in 0..V {
                    for i in 0..Along::<K, STRIDE>::LOADS {
                        down[v][i] = self.0.reduce.combine(s, down[v][i], row[v][i]);
                    }
                }
            }
            self.columns::<S, V>(s, &down)
        }
    }

    /// Reduces what was loaded along a row to windows.
    #[inline(always)]
    fn columns<S: Simd, const V: usize>(&self, s: S, loaded: &Loaded<S::V, V>) -> [S::V; V] {
        let mut reduced = [s.splat(R::IDENTITY); V];
        for v in 0..V {
            for column in 0..K {
                let element = Along::<K, STRIDE>::column(s, &loaded[v], column);
                reduced[v] =
                    if column == 0 { element } else { self.0.reduce.combine(s, reduced[v], element) };
            }
        }
        reduced
    }
}
