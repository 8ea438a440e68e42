//! Vectors of windows along a row: how the elements that neighbouring windows need are loaded, with stride 1 or 2; and how the
//! rows that strips of such vectors are walked down are cut.

use crate::edge::inside;
use crate::geometry::Axis;
use corr2d_simd::Simd;

/// Input floats of a block of rows: what a strip reads of a line is still near when the next strip reads the rest.
const BLOCK_FLOATS: usize = 8 * 1024;

/// Output rows of a block, at least and at most: the rows that blocks share are read twice, wide rows are prefetched only if they
/// are few, and beginning a strip counts where rows are narrow.
const BLOCK_ROWS: [usize; 2] = [8, 64];

/// Blocks of rows that a plane is cut into.
pub(crate) fn blocks(y: &Axis, x: &Axis) -> usize {
    let rows = (BLOCK_FLOATS / (x.input * y.stride)).clamp(BLOCK_ROWS[0], BLOCK_ROWS[1]);
    y.output.div_ceil(rows)
}

/// Bytes of an output that, beside its input, is more than a processor's share of the caches, so it is written past them.
pub(crate) const STREAMED: usize = 6 << 20;

/// Loads for one vector of windows, at most: pairs of vectors for the even and odd elements of five columns.
pub(crate) const MOST_LOADS: usize = 6;

/// What was loaded for each of `V` vectors of windows.
pub(crate) type Loaded<X, const V: usize> = [[X; MOST_LOADS]; V];

/// Windows of `K` columns, `STRIDE` apart.
pub(crate) struct Along<const K: usize, const STRIDE: usize>;

impl<const K: usize, const STRIDE: usize> Along<K, STRIDE> {
    /// Loads for one vector of windows.
    pub(crate) const LOADS: usize = {
        assert!(STRIDE == 1 || STRIDE == 2);
        let loads = if STRIDE == 1 { K } else { 2 * K.div_ceil(2) };
        assert!(loads <= MOST_LOADS);
        loads
    };

    /// Columns that a whole vector of windows reads beyond `STRIDE` for each window, some of them for nothing.
    pub(crate) const REACH: usize = (K - 1) / STRIDE * STRIDE;

    /// How far load `i` of vector `v` is from the first window's first column.
    #[inline(always)]
    fn offset<S: Simd>(v: usize, i: usize) -> usize {
        v * S::LANES * STRIDE + if STRIDE == 1 { i } else { i / 2 * 2 + i % 2 * S::LANES }
    }

    /// For each load, the lanes inside a row of `width` columns, where the first window starts at `column`.
    #[inline(always)]
    pub(crate) fn masks<S: Simd, const V: usize>(column: isize, width: usize) -> Loaded<u32, V> {
        let mut bits = [[0; MOST_LOADS]; V];
        for v in 0..V {
            for i in 0..Self::LOADS {
                bits[v][i] = inside(column + Self::offset::<S>(v, i) as isize, width);
            }
        }
        bits
    }

    /// Loads from a row on, of which `source` is the first window's first column. Unless `WHOLE`, lanes that are not in `masks` are
    /// `padding`.
    ///
    /// # Safety
    /// If `WHOLE`, `V * LANES * STRIDE + REACH` floats are readable; otherwise those of the masks.
    #[inline(always)]
    pub(crate) unsafe fn load<S: Simd, const V: usize, const WHOLE: bool>(
        s: S,
        source: *const f32,
        masks: &Loaded<u32, V>,
        padding: S::V,
    ) -> Loaded<S::V, V> {
        let mut loaded = [[padding; MOST_LOADS]; V];
        for v in 0..V {
            for i in 0..Self::LOADS {
                let source = source.wrapping_add(Self::offset::<S>(v, i));
                // SAFETY: the caller's promise.
                loaded[v][i] = unsafe {
                    if WHOLE { s.load(source) } else { s.load_masked(source, masks[v][i], padding) }
                };
            }
        }
        loaded
    }

    /// The columns that one or two loads hold, `STRIDE` at a time from column `group * STRIDE` on, for vector `v`. Otherwise as
    /// [`Along::load`]; for tiles without room for all of it.
    ///
    /// # Safety
    /// As [`Along::load`].
    #[inline(always)]
    pub(crate) unsafe fn group<S: Simd, const V: usize, const WHOLE: bool>(
        s: S,
        source: *const f32,
        masks: &Loaded<u32, V>,
        padding: S::V,
        group: usize,
        v: usize,
    ) -> [S::V; 2] {
        let mut columns = [padding; 2];
        for (i, loaded) in columns.iter_mut().enumerate().take(STRIDE) {
            let load = group * STRIDE + i;
            let source = source.wrapping_add(Self::offset::<S>(v, load));
            // SAFETY: the caller's promise.
            *loaded = unsafe {
                if WHOLE { s.load(source) } else { s.load_masked(source, masks[v][load], padding) }
            };
        }
        if STRIDE == 1 {
            return columns;
        }
        let (even, odd) = s.deinterleave(columns[0], columns[1]);
        [even, odd]
    }

    /// Column `column` of each window of a vector.
    #[inline(always)]
    pub(crate) fn column<S: Simd>(s: S, loaded: &[S::V; MOST_LOADS], column: usize) -> S::V {
        if STRIDE == 1 {
            return loaded[column];
        }
        let pair = column / 2 * 2;
        let (even, odd) = s.deinterleave(loaded[pair], loaded[pair + 1]);
        if column.is_multiple_of(2) { even } else { odd }
    }
}
