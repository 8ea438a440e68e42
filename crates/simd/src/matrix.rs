//! Units that multiply matrices of bfloat16. A number of 24 bits is the sum of three of 8; products of such parts, summed as floats,
//! are as exact as floats' own, six of them for each product.
//!
//! G. Henry, P. T. P. Tang, A. Heinecke: Leveraging the bfloat16 Artificial Intelligence Datatype For Higher-Precision Computations,
//! 2019. oneMKL calls it BF16X3.

use crate::{Isa, Kernel};

/// Rows of a tile.
pub const ROWS: usize = 16;
/// Columns of a tile.
pub const COLUMNS: usize = ROWS;
/// Pairs that a step sums.
pub const PAIRS: usize = 16;
/// Parts of a number, the largest first.
pub const PARTS: usize = 3;
/// Rows and columns of a block, which is two tiles by two.
pub const SIDE: usize = 2 * ROWS;

/// Pairs of a step of a block's rows, and of its columns.
pub const STEP: usize = PARTS * SIDE * PAIRS;

/// A block of [`SIDE`] × [`SIDE`] sums, each of the products of some steps' pairs: a pair is two bfloat16, the first one in the lower
/// half.
#[derive(Clone, Copy)]
pub struct Block {
    /// Each of [`PAIRS`] pairs.
    pub steps: usize,
    /// The rows' pairs, `[step][part][row][pair]`.
    pub rows: *const u32,
    /// The columns' pairs, `[step][part][pair][column]`.
    pub columns: *const u32,
    /// What sums start from.
    pub start: *const f32,
    /// Floats from one row of the start to the next, and from the first [`COLUMNS`] columns to the others.
    pub start_strides: [usize; 2],
    /// Where the sums go.
    pub target: *mut f32,
    /// Floats from one row of the target to the next.
    pub stride: usize,
}

/// A unit that multiplies [`Block`]s.
#[derive(Clone, Copy)]
pub struct MatrixUnit(());

impl Isa {
    /// The unit that belongs to this instruction set.
    pub fn matrix_unit(self) -> Option<MatrixUnit> {
        self.has_matrix_unit().then_some(MatrixUnit(()))
    }

    /// Runs a kernel that has to be fast beside a unit only: where there is none, as compiled for every CPU.
    pub fn run_beside_unit<K: Kernel>(self, kernel: K) -> K::Output {
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        if self.has_matrix_unit() {
            // SAFETY: this CPU has what belongs to the unit.
            return unsafe { crate::arch::amx::enter(kernel) };
        }
        Isa::portable().run(kernel)
    }
}

impl MatrixUnit {
    /// Calls `work`, which may then call [`MatrixUnit::multiply`] on the same thread.
    pub fn configured<R>(self, work: impl FnOnce() -> R) -> R {
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        // SAFETY: there is a unit.
        return unsafe { crate::arch::amx::configured(work) };
        #[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
        work()
    }

    /// Computes a block.
    ///
    /// # Safety
    /// Called within [`MatrixUnit::configured`]. [`STEP`] pairs of rows and of columns are readable for each step; the start has
    /// [`SIDE`] rows of two times [`COLUMNS`] floats, and the target as many of `SIDE` that are valid for writes.
    #[cfg_attr(not(all(target_arch = "x86_64", target_os = "linux")), allow(unused_variables))]
    pub unsafe fn multiply(self, block: &Block) {
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        // SAFETY: the caller's promise.
        unsafe {
            crate::arch::amx::multiply(block);
        }
    }
}
