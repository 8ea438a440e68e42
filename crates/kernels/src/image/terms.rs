//! What the tiles of [`super::few_rows`] multiply and add up: floats, or pairs of bytes. The loops are the same.

use super::pixel::Pixel;
use corr2d_simd::{Isa, Simd};

/// Registers of a row of the tile.
pub(super) const VECTORS: usize = 4;

/// Output rows of the usual tile.
pub(super) const TWO: usize = 2;

/// Output rows of the tile for sixteen registers.
pub(super) const THREE: usize = 3;

/// Output rows of the tile for many registers.
pub(super) const FOUR: usize = 4;

/// How sums become results.
#[derive(Clone, Copy)]
pub(super) struct Mapping {
    /// The factor of sums, and what is added then.
    pub(super) factors: [f32; 2],
    /// What is added to sums that need no factor, where all results are whole numbers and fit into words.
    pub(super) whole: Option<i16>,
}

/// A kind of products and their sums.
pub(super) trait Terms<P: Pixel> {
    /// What the rows consist of, one for each result.
    type Element: Copy;

    /// What an element is multiplied by.
    type Weight: Copy;

    /// Elements, weights or sums.
    type Register<S: Simd>: Copy;

    /// Elements of a register for each lane of one of floats.
    const PER_LANE: usize;

    /// Output rows of the tile for a kernel of `[kh, kw]`.
    fn rows(isa: Isa, kernel: [usize; 2]) -> usize;

    /// Whether that is the answer for any kernel on an instruction set. Nothing else is compiled for it.
    fn takes<S: Simd>(rows: usize) -> bool;

    /// Whether the registers of a row are computed at once, or by twos.
    fn is_whole<S: Simd>() -> bool;

    /// Sums of nothing.
    fn zero<S: Simd>(s: S) -> Self::Register<S>;

    /// A weight for all elements.
    fn splat<S: Simd>(s: S, weight: Self::Weight) -> Self::Register<S>;

    /// Elements of a row.
    ///
    /// # Safety
    /// A register is readable.
    unsafe fn load<S: Simd>(s: S, source: *const Self::Element) -> Self::Register<S>;

    /// `sum + weight · elements`.
    fn add<S: Simd>(
        s: S,
        weight: Self::Register<S>,
        elements: Self::Register<S>,
        sum: Self::Register<S>,
    ) -> Self::Register<S>;

    /// Writes the sums of a row as pixels.
    ///
    /// # Safety
    /// As many pixels are writable.
    unsafe fn store<S: Simd>(s: S, sums: [Self::Register<S>; VECTORS], mapping: &Mapping, place: *mut P);
}

/// Floats with fused products.
pub(super) struct Floats;

/// The most rows of four vectors for which there is room: beside the pixels and a weight, or beside one vector of pixels and a weight
/// for each row.
const fn most_rows(registers: usize, lanes: usize) -> usize {
    match (registers, lanes) {
        (32.., _) => FOUR,
        (16.., 8..) => THREE,
        _ => TWO,
    }
}

impl Floats {
    /// Whether higher kernels take no longer here than in the tile that leaves floats.
    pub(super) fn suit_any_height(isa: Isa) -> bool {
        most_rows(isa.registers(), isa.lanes()) == THREE
    }
}

impl<P: Pixel> Terms<P> for Floats {
    type Element = f32;
    type Weight = f32;
    type Register<S: Simd> = S::V;
    const PER_LANE: usize = 1;

    /// A vector of pixels that is loaded feeds as many results as there are registers and taps down for. With many registers, the
    /// passes down columns load aligned vectors, and gain nothing.
    fn rows(isa: Isa, [kh, kw]: [usize; 2]) -> usize {
        match most_rows(isa.registers(), isa.lanes()) {
            FOUR if kh < FOUR || kw == 1 => TWO,
            // A loop in which rows are all that is left would not keep the sums of three in registers.
            THREE if kh < THREE || kw == 1 => TWO,
            rows => rows,
        }
    }

    #[inline(always)]
    fn takes<S: Simd>(rows: usize) -> bool {
        let most = most_rows(S::REGISTERS, S::LANES);
        rows == most || rows == TWO
    }

    /// A product that is fused by many instructions is written out as rarely as possible.
    #[inline(always)]
    fn is_whole<S: Simd>() -> bool {
        S::FUSES
    }

    #[inline(always)]
    fn zero<S: Simd>(s: S) -> S::V {
        s.splat(0.0)
    }

    #[inline(always)]
    fn splat<S: Simd>(s: S, weight: f32) -> S::V {
        s.splat(weight)
    }

    #[inline(always)]
    unsafe fn load<S: Simd>(s: S, source: *const f32) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { s.load(source) }
    }

    #[inline(always)]
    fn add<S: Simd>(s: S, weight: S::V, elements: S::V, sum: S::V) -> S::V {
        s.fused_mul_add(weight, elements, sum)
    }

    #[inline(always)]
    unsafe fn store<S: Simd>(s: S, sums: [S::V; VECTORS], mapping: &Mapping, place: *mut P) {
        // SAFETY: the caller's promise.
        unsafe { store_floats(s, sums, mapping, place) }
    }
}

/// # Safety
/// Four vectors' pixels are writable.
#[inline(always)]
unsafe fn store_floats<P: Pixel, S: Simd>(s: S, sums: [S::V; VECTORS], mapping: &Mapping, place: *mut P) {
    let [scale, offset] = mapping.factors.map(|factor| s.splat(factor));
    let mut vectors = sums;
    for v in 0..VECTORS {
        vectors[v] = s.add(s.mul(sums[v], scale), offset);
    }
    // SAFETY: the caller's promise.
    unsafe { P::store(s, place, vectors) }
}

/// Bytes by twos, horizontal neighbours in a word, with small whole weights: sums are exact, so that they are those of floats.
pub(super) struct Pairs;

impl Terms<u8> for Pairs {
    type Element = u16;
    /// The bytes of two weights, twice.
    type Weight = u32;
    type Register<S: Simd> = S::I;
    const PER_LANE: usize = 2;

    fn rows(_: Isa, _: [usize; 2]) -> usize {
        TWO
    }

    #[inline(always)]
    fn takes<S: Simd>(rows: usize) -> bool {
        rows == TWO
    }

    #[inline(always)]
    fn is_whole<S: Simd>() -> bool {
        true
    }

    #[inline(always)]
    fn zero<S: Simd>(s: S) -> S::I {
        s.splat_word(0)
    }

    #[inline(always)]
    fn splat<S: Simd>(s: S, weight: u32) -> S::I {
        s.splat_twice(weight)
    }

    #[inline(always)]
    unsafe fn load<S: Simd>(s: S, source: *const u16) -> S::I {
        // SAFETY: the caller's promise.
        unsafe { s.load_bytes(source.cast()) }
    }

    #[inline(always)]
    fn add<S: Simd>(s: S, weight: S::I, elements: S::I, sum: S::I) -> S::I {
        s.add_products(elements, weight, sum)
    }

    #[inline(always)]
    unsafe fn store<S: Simd>(s: S, sums: [S::I; VECTORS], mapping: &Mapping, place: *mut u8) {
        let halves = [[sums[0], sums[1]], [sums[2], sums[3]]];
        let places = [place, place.wrapping_add(4 * S::LANES)];
        // SAFETY: the caller's promise.
        unsafe {
            if let Some(offset) = mapping.whole {
                let offset = s.splat_word(offset as u16);
                for half in 0..2 {
                    s.store_words(places[half], halves[half].map(|sums| s.add_words(sums, offset)));
                }
                return;
            }
            for half in 0..2 {
                let [[a, b], [c, d]] = halves[half].map(|sums| s.words_to_floats(sums));
                store_floats(s, [a, b, c, d], mapping, places[half]);
            }
        }
    }
}
