//! Elements of rows in registers, of whichever kind holds most of them.

use corr2d_simd::Simd;

/// The most elements that a register holds.
pub(super) const MOST_LANES: usize = 64;

/// An element of a row: a number without invalid bits.
pub trait Cell: Copy + Default + Send + Sync + 'static {
    /// A register of them.
    type Register<S: Simd>: Copy;

    /// Whether a register holds more than one; if not, what is done with them is compiled for any CPU only.
    const IN_LANES: bool = true;

    /// How many a register holds.
    fn lanes<S: Simd>() -> usize;

    /// Reads a register; any alignment.
    ///
    /// # Safety
    /// `source` is valid for reads of a register's lanes.
    unsafe fn read<S: Simd>(s: S, source: *const Self) -> Self::Register<S>;

    /// Writes a register; any alignment.
    ///
    /// # Safety
    /// `target` is valid for writes of a register's lanes.
    unsafe fn write<S: Simd>(s: S, target: *mut Self, v: Self::Register<S>);
}

macro_rules! integer_cell {
    ($cell:ty, $per_float:literal) => {
        impl Cell for $cell {
            type Register<S: Simd> = S::I;

            #[inline(always)]
            fn lanes<S: Simd>() -> usize {
                $per_float * S::LANES
            }

            #[inline(always)]
            unsafe fn read<S: Simd>(s: S, source: *const $cell) -> S::I {
                // SAFETY: the caller's promise.
                unsafe { s.load_bytes(source.cast()) }
            }

            #[inline(always)]
            unsafe fn write<S: Simd>(s: S, target: *mut $cell, v: S::I) {
                // SAFETY: the caller's promise.
                unsafe { s.store_bytes(target.cast(), v) }
            }
        }
    };
}

integer_cell!(u8, 4);
integer_cell!(u16, 2);
integer_cell!(u32, 1);

impl Cell for f32 {
    type Register<S: Simd> = S::V;

    #[inline(always)]
    fn lanes<S: Simd>() -> usize {
        S::LANES
    }

    #[inline(always)]
    unsafe fn read<S: Simd>(s: S, source: *const f32) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { s.load(source) }
    }

    #[inline(always)]
    unsafe fn write<S: Simd>(s: S, target: *mut f32, v: S::V) {
        // SAFETY: the caller's promise.
        unsafe { s.store(target, v) }
    }
}

/// One by one: sums that need so much room are rare.
impl Cell for u64 {
    type Register<S: Simd> = u64;

    const IN_LANES: bool = false;

    #[inline(always)]
    fn lanes<S: Simd>() -> usize {
        1
    }

    #[inline(always)]
    unsafe fn read<S: Simd>(_: S, source: *const u64) -> u64 {
        // SAFETY: the caller's promise.
        unsafe { source.read_unaligned() }
    }

    #[inline(always)]
    unsafe fn write<S: Simd>(_: S, target: *mut u64, v: u64) {
        // SAFETY: the caller's promise.
        unsafe { target.write_unaligned(v) }
    }
}

/// The first `count` elements, for which a register is too wide.
///
/// # Safety
/// `count` is at most [`MOST_LANES`], and `source` valid for reads of as many.
#[inline(always)]
pub(super) unsafe fn first<T: Cell>(source: *const T, count: usize) -> [T; MOST_LANES] {
    let mut elements = [T::default(); MOST_LANES];
    // SAFETY: the caller's promise; the array is no part of anything else.
    unsafe { std::ptr::copy_nonoverlapping(source, elements.as_mut_ptr(), count) };
    elements
}
