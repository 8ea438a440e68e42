//! The register tile for channels last: T output pixels × Q vectors of output channels. Channels are in lanes, so results are stored
//! straight to pixels; each input element is broadcast.
//!
//! Every output element is `bias + w₀·x₀ + w₁·x₁ + …` in the weight's order, as in `tile.rs`, so both orders give the same bits. A tile
//! may continue from the sums of another with the products before, which are the same as if one had computed all.

use super::Activation;
use super::activation::Stored;
use super::group_weight::GroupWeight;
use crate::buffer::{Aligned, LINE};
use crate::registers::{self, at_most, must_hold};
use corr2d_simd::{Isa, Kernel, Simd};

/// The most pixels in a tile, and so the most base pointers.
pub(super) const PIXELS: usize = 6;

/// The most vectors of channels beside [`PIXELS`] pixels: their sums, the vectors and one element fit the registers.
pub(super) fn vectors(isa: Isa) -> usize {
    registers::vectors(isa.registers())
}

/// A weight of more floats than this is not kept in a typical second-level cache.
pub(super) const NEAR_FLOATS: usize = 192 * 1024;

/// A block's weight of more floats than this would displace the block that is in use.
pub(super) const AHEAD_FLOATS: usize = 64 * 1024;

/// Weights in far memory that will be read soon, fetched during a tile's products: a line for each, and another one beside it.
#[derive(Clone, Copy)]
pub(super) struct Ahead {
    start: *const f32,
    /// Distance of the second line, 0 if there is none.
    second: usize,
}

impl Ahead {
    /// What tile `index` of `count` tiles with the same weight fetches of the next weight, which has `width` channels for each of
    /// `products` products. The first tile reads its own weight from far. Fetching is spread over the tiles: a core has few lines
    /// under way at a time, and its loads need some of them.
    pub(super) fn new(
        next: *const f32,
        [products, width]: [usize; 2],
        index: usize,
        count: usize,
    ) -> Option<Ahead> {
        let lines = width.div_ceil(LINE);
        let together = if count > lines { 1 } else { 2 };
        let first = index.checked_sub(1)? * together;
        let wanted = first < lines && products * width <= AHEAD_FLOATS;
        let start = next.wrapping_add(first * LINE * products);
        wanted.then_some(Ahead { start, second: (together - 1) * LINE })
    }
}

/// One register tile. Product `k` of pixel `t` reads its input at `bases[t] + offsets[k]`.
#[derive(Clone, Copy)]
pub(super) struct PixelTile<'a> {
    /// Distance of each product's input element from its window's start.
    pub(super) offsets: &'a [u32],
    /// Where the window of each pixel starts.
    pub(super) bases: [*const f32; PIXELS],
    /// Weights `[product][channel]`, whole vectors of channels.
    pub(super) weights: *const f32,
    pub(super) ahead: Option<Ahead>,
    /// What the first pixel's sums start from, whole vectors: a bias, or sums of the products before.
    pub(super) start: *const f32,
    /// Floats from one pixel's start to the next: none where all have the same.
    pub(super) start_step: usize,
    /// Where the first channel of each pixel goes.
    pub(super) targets: [*mut f32; PIXELS],
    /// Channels to write.
    pub(super) channels: usize,
    pub(super) activation: Activation,
}

/// Runs a tile of `pixels` × `count` vectors, up to [`PIXELS`] and [`vectors`].
///
/// # Safety
/// For every product `k` and pixel `t`, `bases[t] + offsets[k]` is readable; `weights` has `offsets.len() * count` vectors, each
/// pixel's start `count`; `channels` floats, more than `count - 1` vectors and at most `count`, are writable at every target.
pub(super) unsafe fn run(isa: Isa, pixels: usize, count: usize, tile: &PixelTile<'_>) {
    // Blocks of fewer channels are the last, or their weight is small.
    let ahead = tile.ahead.is_some() && count == vectors(isa);
    macro_rules! sizes {
        ($($t:literal)*) => {
            match (pixels, count, ahead) {
                $(($t, 1, _) => isa.run(Sized::<$t, 1, false>(tile)),
                ($t, 2, false) => isa.run(Sized::<$t, 2, false>(tile)),
                ($t, 3, _) => isa.run(Sized::<$t, 3, false>(tile)),
                ($t, 4, false) => isa.run(Sized::<$t, 4, false>(tile)),
                ($t, 2, true) => isa.run(Sized::<$t, 2, true>(tile)),
                ($t, 4, true) => isa.run(Sized::<$t, 4, true>(tile)),)*
                _ => unreachable!("a tile of {pixels} pixels and {count} vectors"),
            }
        };
    }
    sizes!(1 2 3 4 5 6);
    let (activation, starts, counts) = (tile.activation, &tile.targets[..pixels], [tile.channels; PIXELS]);
    // SAFETY: these are the floats that the tile has stored.
    unsafe { Stored { activation, starts, counts: &counts, rows: 1, stride: 0 }.activate(isa) };
}

struct Sized<'a, const T: usize, const Q: usize, const AHEAD: bool>(&'a PixelTile<'a>);

impl<const T: usize, const Q: usize, const AHEAD: bool> Kernel for Sized<'_, T, Q, AHEAD> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        must_hold::<S>(T, Q);
        at_most(registers::vectors(S::REGISTERS), Q);
        let tile = self.0;
        let mut sums = [[s.splat(0.0); Q]; T];
        // SAFETY: all accesses are those that `run` asks its caller to allow.
        unsafe {
            for (t, row) in sums.iter_mut().enumerate() {
                for q in 0..Q {
                    row[q] = s.load(tile.start.add(t * tile.start_step + q * S::LANES));
                }
            }
            let mut weights = tile.weights;
            let mut ahead = tile.ahead.unwrap_or(Ahead { start: weights, second: 0 });
            for &offset in tile.offsets {
                if AHEAD {
                    s.prefetch_later(ahead.start);
                    s.prefetch_later(ahead.start.wrapping_add(ahead.second));
                    ahead.start = ahead.start.wrapping_add(LINE + ahead.second);
                }
                let mut channels = [s.splat(0.0); Q];
                for (q, channel) in channels.iter_mut().enumerate() {
                    *channel = s.load(weights.add(q * S::LANES));
                }
                for (t, row) in sums.iter_mut().enumerate() {
                    let element = s.splat(*tile.bases[t].add(offset as usize));
                    for q in 0..Q {
                        row[q] = s.mul_add(channels[q], element, row[q]);
                    }
                }
                weights = weights.add(Q * S::LANES);
            }
            let last = tile.channels - (Q - 1) * S::LANES;
            for (t, row) in sums.iter().enumerate() {
                for q in 0..Q - 1 {
                    s.store(tile.targets[t].add(q * S::LANES), row[q]);
                }
                s.store_first(tile.targets[t].add((Q - 1) * S::LANES), row[Q - 1], last);
            }
        }
    }
}

/// Floats of a weight of `channels` channels in [`pack_weights`]' layout, one group.
pub(super) fn packed_len(channels: usize, taps: usize, lanes: usize) -> usize {
    channels.next_multiple_of(lanes) * taps
}

/// A group's weight as blocks of at most `block` channels, each `[tap][channel]` with zeros up to whole vectors, one after the other.
pub(super) fn pack_weights(isa: Isa, weight: GroupWeight<'_>, block: usize, packed: &mut [f32]) {
    let (channels, taps) = (weight.channels(), weight.taps);
    for first in (0..channels).step_by(block) {
        let count = block.min(channels - first);
        let width = count.next_multiple_of(isa.lanes());
        let target = &mut packed[first * taps..][..width * taps];
        if width > count {
            target.fill(0.0);
        }
        weight.pack(isa, first, count, width, target);
    }
}

/// The bias of all groups, each group's channels up to whole vectors.
pub(super) fn pack_bias(bias: &[f32], c_out_group: usize, lanes: usize) -> Aligned {
    let width = c_out_group.next_multiple_of(lanes);
    let mut packed = Aligned::zeros(bias.len() / c_out_group * width);
    for (target, bias) in packed.as_mut_slice().chunks_exact_mut(width).zip(bias.chunks_exact(c_out_group)) {
        target[..c_out_group].copy_from_slice(bias);
    }
    packed
}
