//! How large a register tile may be: of `rows` × `vectors` sums, beside which a row's factor and all vectors are in registers, too.

use corr2d_simd::Simd;

/// The most vectors of a tile of about six rows.
pub(crate) const fn vectors(registers: usize) -> usize {
    match registers {
        32.. => 4,
        16.. => 2,
        _ => 1,
    }
}

/// Ends what follows where a tile does not fit: no code is compiled for it.
#[inline(always)]
pub(crate) fn must_hold<S: Simd>(rows: usize, vectors: usize) {
    if rows * vectors + vectors + 1 >= S::REGISTERS {
        unreachable!("no tile is larger than the registers");
    }
}

/// Ends what follows for a tile of `count`, rows or vectors, of which its drivers ask for no more than `most`: no code is compiled for it.
#[inline(always)]
pub(crate) fn at_most(most: usize, count: usize) {
    if count > most {
        unreachable!("no driver asks for such a tile");
    }
}
