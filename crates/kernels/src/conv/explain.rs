//! Why a plan is as it is: figures for people, of no influence on what is computed.

use super::registry::{Algorithm, by_cost};
use crate::geometry::ConvGeometry;
use corr2d_simd::Isa;

/// The sums that an algorithm keeps in registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisterTile {
    /// Broadcast operands: how many vectors of sums each loaded vector feeds.
    pub rows: usize,
    /// Vectors of a row.
    pub vectors: usize,
    /// What a vector's lanes are.
    pub lanes: Lanes,
}

/// What lies side by side in a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lanes {
    /// Output pixels of a row, with a row for each output channel.
    Pixels,
    /// Output channels, with a row for each pixel.
    Channels,
    /// Output pixels of a row, with a row for each output row.
    Columns,
}

/// An algorithm that could have been taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Its name.
    pub name: &'static str,
    /// Its estimated time for one image, in issue slots of a vector multiply-add; infinite where it is never taken by itself.
    pub cost: f64,
    /// Share of the peak of multiply-adds that this comes to, the products of the direct method counted: more than one where minimal
    /// filtering saves products.
    pub share: f64,
}

/// What a plan chose, from what, and what it expects.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// Whether the caller asked for the algorithm by name.
    pub is_forced: bool,
    /// Every algorithm that supports the geometry, the cheapest first.
    pub candidates: Vec<Candidate>,
    /// The largest register tile.
    pub tile: RegisterTile,
    /// Parts that threads can share.
    pub parts: usize,
    /// Floats of scratch memory that each thread keeps.
    pub scratch_len: usize,
    /// The share of the algorithm taken.
    pub expected_share: f64,
}

/// The algorithms that support a geometry, the cheapest first.
pub(super) fn candidates(g: &ConvGeometry, isa: Isa) -> Vec<Candidate> {
    let candidate = |(cost, algorithm): (f64, &Algorithm)| Candidate {
        name: algorithm.name,
        cost,
        share: share(g, isa, cost),
    };
    by_cost(g, isa).into_iter().map(candidate).collect()
}

/// Products of one image in whole vectors, over the estimated issue slots.
pub(super) fn share(g: &ConvGeometry, isa: Isa, cost: f64) -> f64 {
    let products = (g.c_out * g.plane() * g.taps()) as f64;
    products / isa.lanes() as f64 / cost
}
