//! The register tile of single-channel filters: R output rows × V vectors of columns. Each input vector is loaded once and feeds
//! every output row that needs it. Blocks of R rows are walked from left to right, so that a few rows are streamed at a time.
//!
//! Every output element is `start + w₀·x₀ + w₁·x₁ + …` in the order of the kernel, so its bits do not depend on the tile.

use super::Activation;
use super::activation::Stored;
use crate::registers;
use corr2d_simd::{Isa, Kernel, Simd};
use std::ops::Range;

/// The most kernel rows of one pass.
const MOST_PASS_ROWS: usize = 11;

/// Output rows of a full block; fewer take longer.
pub(crate) const BLOCK_ROWS: usize = 6;

/// Input rows of a full block.
const MOST_SOURCES: usize = BLOCK_ROWS + MOST_PASS_ROWS - 1;

/// A kernel runs as one or more passes over some of its rows, each adding to the last one's output; `left` rows are still to do.
fn pass_rows(left: usize) -> usize {
    // Heights between these are rare, and every one is code for each instruction set.
    [1, 2, 3, 3, 5, 5, 7, 7, 9, 9, 11][left.min(MOST_PASS_ROWS) - 1]
}

/// The first row and the number of rows of each pass over a kernel of `kh` rows.
fn passes(kh: usize) -> impl Iterator<Item = (usize, usize)> {
    let next = move |first: usize| (first < kh).then(|| (first, pass_rows(kh - first)));
    std::iter::successors(next(0), move |(first, rows)| next(first + rows))
}

/// Appends a `[kh, kw]` kernel as its passes: for each, `[kx][ky]`.
pub(crate) fn pack_passes(kernel: &[f32], kw: usize, packed: &mut Vec<f32>) {
    for (first, rows) in passes(kernel.len() / kw) {
        let rows = &kernel[first * kw..(first + rows) * kw];
        packed.extend((0..kw).flat_map(|kx| rows.chunks_exact(kw).map(move |row| row[kx])));
    }
}

/// A kernel as [`pack_passes`] packed it, and what frames its sums.
#[derive(Clone, Copy)]
pub(crate) struct Filter<'a> {
    pub(crate) passes: &'a [f32],
    /// Kernel rows and columns.
    pub(crate) size: [usize; 2],
    /// Elements between horizontally neighbouring taps.
    pub(crate) step: usize,
    /// What every sum starts from.
    pub(crate) bias: f32,
    pub(crate) activation: Activation,
    /// Whether products are fused with sums on every instruction set, so that all give the same bits.
    pub(crate) fused: bool,
}

/// Rows of an output: where they start, and how far they are apart.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    pub(crate) start: *mut f32,
    pub(crate) stride: usize,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

impl Filter<'_> {
    /// Correlates a region: output row `y` reads the input rows `source(y)` to `source(y + kh - 1)`, from its own column on.
    ///
    /// # Safety
    /// Each source row is valid for reads of `columns` (at least one whole vector) plus `(kw - 1) * step` floats; the target is
    /// valid for writes and shares no memory with them.
    pub(crate) unsafe fn run(&self, isa: Isa, source: &dyn Fn(usize) -> *const f32, target: &Target) {
        let kh = self.size[0];
        let height = if target.rows < BLOCK_ROWS { 1 } else { BLOCK_ROWS };
        // Where rows or columns do not divide, the last block is shifted back and repeats some, from the bias on: all passes of a
        // block are done before the next, and where there are several a block is a single strip.
        let single = if height == 1 { kh == 1 } else { pass_rows(kh) == kh };
        let width = if single { target.columns } else { strip_columns(isa, target.columns) };
        for y in (0..target.rows).step_by(height).map(|y| y.min(target.rows - height)) {
            for x in (0..target.columns).step_by(width).map(|x| x.min(target.columns - width)) {
                for (first, rows) in passes(kh) {
                    // SAFETY: the caller's promise, for this block.
                    unsafe {
                        if height == 1 {
                            for ky in first..first + rows {
                                let block = self.block(source, target, [y, x], width, first, ky..ky + 1);
                                isa.run(Sized::<1, 1>(&block));
                            }
                        } else {
                            let block = self.block(source, target, [y, x], width, first, first..first + rows);
                            block.run(isa, rows);
                        }
                    }
                }
                let stored = Stored {
                    activation: self.activation,
                    starts: &[target.start.wrapping_add(y * target.stride + x)],
                    counts: &[width],
                    rows: height,
                    stride: target.stride,
                };
                // SAFETY: these are the floats of the block that its passes have stored.
                unsafe { stored.activate(isa) };
            }
        }
    }

    /// Kernel rows `rows` of the pass that starts at row `first`, over the block of `width` columns at `[y, x]`.
    ///
    /// # Safety
    /// As [`Filter::run`].
    #[inline]
    unsafe fn block(
        &self,
        source: &dyn Fn(usize) -> *const f32,
        target: &Target,
        [y, x]: [usize; 2],
        width: usize,
        first: usize,
        rows: Range<usize>,
    ) -> Block {
        let [kh, kw] = self.size;
        let mut sources = [std::ptr::null(); MOST_SOURCES];
        let height = if target.rows < BLOCK_ROWS { 1 } else { BLOCK_ROWS };
        for (i, row) in sources.iter_mut().enumerate().take(height + rows.len() - 1) {
            *row = source(y + rows.start + i).wrapping_add(x);
        }
        Block {
            sources,
            taps: kw,
            weights: self.passes[first * kw + (rows.start - first)..].as_ptr(),
            weight_step: pass_rows(kh - first),
            step: self.step,
            bias: (rows.start == 0).then_some(self.bias),
            fused: self.fused,
            // SAFETY: the place is inside the target.
            target: unsafe { target.start.add(y * target.stride + x) },
            stride: target.stride,
            columns: width,
        }
    }
}

/// Rows and vectors of the sums in registers of a full block's widest strip.
pub(crate) fn sums(isa: Isa) -> [usize; 2] {
    [BLOCK_ROWS, registers::vectors(isa.registers())]
}

/// Columns of the widest strip that fits.
fn strip_columns(isa: Isa, columns: usize) -> usize {
    let vectors = [4, 2, 1]
        .into_iter()
        .find(|v| *v <= registers::vectors(isa.registers()) && v * isa.lanes() <= columns);
    vectors.map_or(columns, |vectors| vectors * isa.lanes())
}

/// Vectors of the widest strip of a single row.
const SINGLE_VECTORS: usize = 8;

/// One pass over one block of rows.
#[derive(Clone, Copy)]
struct Block {
    sources: [*const f32; MOST_SOURCES],
    /// Kernel columns.
    taps: usize,
    /// Weights `[tap][row]`, `weight_step` apart from tap to tap.
    weights: *const f32,
    weight_step: usize,
    /// Elements between horizontally neighbouring taps.
    step: usize,
    /// What sums start from; the output itself in later passes.
    bias: Option<f32>,
    fused: bool,
    target: *mut f32,
    stride: usize,
    columns: usize,
}

impl Block {
    /// # Safety
    /// As [`Filter::run`], for a pass of `kernel_rows` rows of the kernel over [`BLOCK_ROWS`] output rows.
    unsafe fn run(&self, isa: Isa, kernel_rows: usize) {
        macro_rules! sizes {
            ($($k:literal)*) => {
                match kernel_rows {
                    $($k => isa.run(Sized::<$k, BLOCK_ROWS>(self)),)*
                    _ => unreachable!("a pass of {kernel_rows} kernel rows"),
                }
            };
        }
        sizes!(1 2 3 5 7 9 11);
    }
}

struct Sized<'a, const K: usize, const R: usize>(&'a Block);

impl<const K: usize, const R: usize> Kernel for Sized<'_, K, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let columns = self.0.columns;
        if self.0.fused && !S::FUSES {
            // SAFETY: the rows of this block and its sources.
            return unsafe { emulated::<S, R>(s, self.0, K) };
        }
        // A row by itself has as many sums, so that none waits for the last product.
        let widest = const { if R == 1 { SINGLE_VECTORS } else { registers::vectors(S::REGISTERS) } };
        let mut x = 0;
        // SAFETY: every strip lies within the columns, or is one vector that covers them all.
        unsafe {
            while x < columns {
                let left = columns - x;
                if widest == SINGLE_VECTORS && left > 2 * S::LANES && columns >= SINGLE_VECTORS * S::LANES {
                    x = x.min(columns - SINGLE_VECTORS * S::LANES);
                    self.strip::<S, SINGLE_VECTORS>(s, x, S::LANES);
                    x += SINGLE_VECTORS * S::LANES;
                } else if widest == 4 && (left > 2 * S::LANES && columns >= 4 * S::LANES) {
                    x = x.min(columns - 4 * S::LANES);
                    self.strip::<S, 4>(s, x, S::LANES);
                    x += 4 * S::LANES;
                } else if widest >= 2 && left > S::LANES && columns >= 2 * S::LANES {
                    x = x.min(columns - 2 * S::LANES);
                    self.strip::<S, 2>(s, x, S::LANES);
                    x += 2 * S::LANES;
                } else {
                    let count = S::LANES.min(columns);
                    x = x.min(columns - count);
                    self.strip::<S, 1>(s, x, count);
                    x += count;
                }
            }
        }
    }
}

/// The same where fusing has to be emulated, which is so much code that it is not written out for every number of kernel rows.
///
/// # Safety
/// As [`Filter::run`], for `R` rows.
#[inline(never)]
unsafe fn emulated<S: Simd, const R: usize>(s: S, block: &Block, kernel_rows: usize) {
    let count = block.columns.min(S::LANES);
    for x in (0..block.columns).step_by(S::LANES).map(|x| x.min(block.columns - count)) {
        let mut sums = [s.splat(block.bias.unwrap_or(0.0)); R];
        // SAFETY: the caller's promise; `count` columns from `x` on are inside the block.
        unsafe {
            let target = |r: usize| block.target.add(r * block.stride + x);
            if block.bias.is_none() {
                (0..R).for_each(|r| sums[r] = s.load_first(target(r), count));
            }
            for ky in 0..kernel_rows {
                for tap in 0..block.taps {
                    let weight = s.splat(*block.weights.add(tap * block.weight_step + ky));
                    for r in 0..R {
                        let pixels = s.load(block.sources[r + ky].add(x + tap * block.step));
                        sums[r] = s.fused_mul_add(weight, pixels, sums[r]);
                    }
                }
            }
            (0..R).for_each(|r| s.store_first(target(r), sums[r], count));
        }
    }
}

impl<const K: usize, const R: usize> Sized<'_, K, R> {
    /// `V` vectors of columns from `x` on; `count` columns of each are written.
    ///
    /// # Safety
    /// `V` vectors plus the taps are readable in every source row, `count` columns of each vector writable.
    #[inline(always)]
    unsafe fn strip<S: Simd, const V: usize>(&self, s: S, x: usize, count: usize) {
        let block = self.0;
        let mut sums = [[s.splat(block.bias.unwrap_or(0.0)); V]; R];
        // SAFETY: the caller's promise.
        unsafe {
            if block.bias.is_none() {
                for (r, row) in sums.iter_mut().enumerate() {
                    for (v, sum) in row.iter_mut().enumerate() {
                        let target = block.target.add(r * block.stride + x + v * S::LANES);
                        *sum = if count == S::LANES { s.load(target) } else { s.load_first(target, count) };
                    }
                }
            }
            // Which sums an input row feeds must be known when this is compiled, or they leave the registers: the rows are
            // written out, one expansion for each.
            macro_rules! input_rows {
                ($($i:literal)*) => { $(
                    if $i < R + K - 1 {
                        let mut source = block.sources[$i].add(x);
                        let mut weights = block.weights;
                        if V > 1 {
                            // The same row of the next strip: more rows are streamed than a processor keeps track of by itself.
                            for v in V..2 * V {
                                s.prefetch(source.wrapping_add(v * S::LANES));
                            }
                        }
                        // A loop that counts would be unrolled, for no gain: this is code for many sizes.
                        let end = source.wrapping_add(block.taps * block.step);
                        while source != end {
                            let mut pixels = [s.splat(0.0); V];
                            for (v, pixel) in pixels.iter_mut().enumerate() {
                                *pixel = s.load(source.add(v * S::LANES));
                            }
                            feed!($i, pixels, weights: 0 1 2 3 4 5);
                            source = source.wrapping_add(block.step);
                            weights = weights.add(block.weight_step);
                        }
                    }
                )* };
            }
            macro_rules! feed {
                ($i:literal, $pixels:ident, $weights:ident: $($r:literal)*) => { $(
                    if $r < R && $r <= $i && $i - $r < K {
                        let weight = s.splat(*$weights.add($i - $r));
                        for v in 0..V {
                            sums[$r][v] = s.mul_add(weight, $pixels[v], sums[$r][v]);
                        }
                    }
                )* };
            }
            input_rows!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
            for (r, row) in sums.iter().enumerate() {
                for (v, sum) in row.iter().enumerate() {
                    let target = block.target.add(r * block.stride + x + v * S::LANES);
                    s.store_first(target, *sum, count);
                }
            }
        }
    }
}
