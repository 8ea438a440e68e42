//! What the tests of this crate share.
#![allow(dead_code, reason = "each test binary uses a part of it")]

#[path = "../../../simd/tests/common/guarded.rs"]
pub(crate) mod guarded;
pub(crate) mod pixel;
pub(crate) mod shapes;

use corr2d_kernels::Isa;
use corr2d_kernels::conv::{ALGORITHMS, Algorithm};

/// The algorithm of that name.
pub(crate) fn algorithm(name: &str) -> &'static Algorithm {
    ALGORITHMS.iter().find(|algorithm| algorithm.name == name).expect("a row of the table")
}

/// Instruction sets of this machine with vectors of their own. One that has a matrix unit besides runs all that needs none as the set of
/// the same vectors without.
pub(crate) fn vector_sets() -> impl Iterator<Item = Isa> {
    let with_unit = Isa::available().find(|isa| isa.matrix_unit().is_some());
    Isa::available()
        .filter(move |isa| with_unit.is_none_or(|unit| *isa == unit || isa.lanes() != unit.lanes()))
}

/// A small deterministic generator (SplitMix64): the same data in every run and on every machine.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// One of `0..n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// One of the choices.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// In `[-1, 1)`, all 24 bits of a float's precision used.
    pub(crate) fn float(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u32 << 23) as f32 - 1.0
    }

    /// `len` floats in `[-1, 1)`.
    pub(crate) fn floats(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.float()).collect()
    }

    /// `len` whole numbers in `-most..=most`.
    pub(crate) fn integers(&mut self, len: usize, most: usize) -> Vec<f32> {
        (0..len).map(|_| self.below(2 * most + 1) as f32 - most as f32).collect()
    }
}

/// The bits, for comparisons that tell `-0` from `0` and one NaN from another.
pub(crate) fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}
