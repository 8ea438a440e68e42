//! The register tile that `direct` and `gemm` share: T output channels × Q vectors of output pixels, all taps summed in order.
//!
//! Pixels are in lanes, so results are stored straight to planes; each weight is broadcast. Every output element is
//! `bias + w₀·x₀ + w₁·x₁ + …`, one multiply-add after the other, whatever the tile it falls into: tiling never changes its bits.

use super::Activation;
use super::activation::Stored;
use super::group_weight::GroupWeight;
use crate::buffer::Aligned;
use crate::registers::{TileSizes, at_most, must_hold};
use corr2d_simd::{Isa, Kernel, Simd};

/// The most vectors in a tile, and so the most base pointers.
pub(crate) const MOST_VECTORS: usize = 8;

/// One register tile. Vector `q` of tap `k` is read at `bases[q] + offsets[k]`.
#[derive(Clone, Copy)]
pub(crate) struct Tile<'a> {
    /// Distance of each tap from its base, in elements.
    pub(crate) offsets: &'a [u32],
    /// Where each vector starts in the (padded) input.
    pub(crate) bases: [*const f32; MOST_VECTORS],
    /// Weights `[tap][channel]`.
    pub(crate) weights: *const f32,
    /// A bias for each channel.
    pub(crate) bias: *const f32,
    /// Where each vector of the first channel goes.
    pub(crate) targets: [*mut f32; MOST_VECTORS],
    /// Pixels to write of each vector.
    pub(crate) counts: [usize; MOST_VECTORS],
    /// Output elements from one channel to the next.
    pub(crate) plane: usize,
    pub(crate) activation: Activation,
}

/// The most output channels in a tile: as many as fill the registers with [`vectors`]`(channels)` vectors.
pub(crate) fn channels(isa: Isa) -> usize {
    match isa.registers() {
        32.. => 8,
        16.. => 6,
        _ => 3,
    }
}

/// The most vectors beside so many channels: channels · vectors sums, the vectors and one weight fit the registers.
pub(super) const VECTORS: TileSizes = TileSizes([&[8, 8, 6, 5, 3, 3, 3, 3], &[6, 4, 3, 2, 2, 2], &[4, 2, 2]]);

/// The most vectors beside `channels` channels.
pub(crate) fn vectors(isa: Isa, channels: usize) -> usize {
    VECTORS.most(isa.registers(), channels)
}

/// Runs a tile of `channels` × `count` vectors, within the limits of [`channels`] and [`vectors`].
///
/// # Safety
/// For every tap `k` and vector `q < count`, a whole vector is readable at `bases[q] + offsets[k]`; `weights` has
/// `offsets.len() * channels` floats, `bias` has `channels`; `counts[q] <= lanes` floats are writable at
/// `targets[q] + t * plane` for every channel `t`.
pub(crate) unsafe fn run(isa: Isa, channels: usize, count: usize, tile: &Tile<'_>) {
    macro_rules! sizes {
        ($($t:literal: $($q:literal)*;)*) => {
            match (channels, count) {
                $($(($t, $q) => isa.run(Sized::<$t, $q>(tile)),)*)*
                _ => unreachable!("a tile of {channels} channels and {count} vectors"),
            }
        };
    }
    sizes! {
        1: 1 2 3 4 5 6 7 8;
        2: 1 2 3 4 5 6 7 8;
        3: 1 2 3 4 5 6;
        4: 1 2 3 4 5;
        5: 1 2 3;
        6: 1 2 3;
        7: 1 2 3;
        8: 1 2 3;
    }
    let (activation, rows, stride) = (tile.activation, channels, tile.plane);
    let (starts, counts) = (&tile.targets[..count], &tile.counts[..count]);
    // SAFETY: these are the floats that the tile has stored.
    unsafe { Stored { activation, starts, counts, rows, stride }.activate(isa) };
}

struct Sized<'a, const T: usize, const Q: usize>(&'a Tile<'a>);

impl<const T: usize, const Q: usize> Kernel for Sized<'_, T, Q> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        must_hold::<S>(T, Q);
        at_most(const { VECTORS.most(S::REGISTERS, T) }, Q);
        let tile = self.0;
        let mut sums = [[s.splat(0.0); Q]; T];
        // SAFETY: all accesses are those that `run` asks its caller to allow.
        unsafe {
            for (t, row) in sums.iter_mut().enumerate() {
                *row = [s.splat(*tile.bias.add(t)); Q];
            }
            let mut weights = tile.weights;
            for &offset in tile.offsets {
                let mut pixels = [s.splat(0.0); Q];
                for (q, pixel) in pixels.iter_mut().enumerate() {
                    *pixel = s.load(tile.bases[q].add(offset as usize));
                }
                for (t, row) in sums.iter_mut().enumerate() {
                    let weight = s.splat(*weights.add(t));
                    for q in 0..Q {
                        row[q] = s.mul_add(weight, pixels[q], row[q]);
                    }
                }
                weights = weights.add(T);
            }
            for (t, row) in sums.iter().enumerate() {
                for q in 0..Q {
                    let target = tile.targets[q].add(t * tile.plane);
                    s.store_first(target, row[q], tile.counts[q]);
                }
            }
        }
    }
}

/// The weight of some groups as blocks of `block` channels, each `[tap][channel]`; a group's last block may have fewer.
pub(super) fn pack_weights<'a>(
    isa: Isa,
    groups: impl Iterator<Item = GroupWeight<'a>>,
    block: usize,
) -> Aligned {
    let groups: Vec<_> = groups.collect();
    let mut packed = Aligned::of(groups.iter().map(|group| group.elements.len()).sum());
    let mut rest = packed.as_mut_slice();
    for group in groups {
        let (channels, taps) = (group.channels(), group.taps);
        for first in (0..channels).step_by(block) {
            let count = block.min(channels - first);
            let (target, others) = rest.split_at_mut(count * taps);
            group.pack(isa, first, count, count, target);
            rest = others;
        }
    }
    packed
}

/// Where [`pack_weights`] put the block that starts at channel `first` of the group that starts at channel `group`.
pub(crate) fn block_weights(packed: &Aligned, taps: usize, group: usize, first: usize) -> *const f32 {
    &raw const packed.as_slice()[(group + first) * taps]
}
