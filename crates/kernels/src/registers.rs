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

/// The largest tiles that drivers ask for: for each number of registers (32 or more, 16 or more, fewer), the most of one side of a tile
/// beside 1, 2, … of the other.
pub(crate) struct TileSizes(pub(crate) [&'static [usize]; 3]);

impl TileSizes {
    /// The most beside `other`; 0 for more of that than there are tiles of.
    pub(crate) const fn most(&self, registers: usize, other: usize) -> usize {
        let most = match registers {
            32.. => self.0[0],
            16.. => self.0[1],
            _ => self.0[2],
        };
        if other <= most.len() { most[other - 1] } else { 0 }
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
