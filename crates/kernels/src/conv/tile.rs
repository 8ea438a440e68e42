//! The register tile of `direct`: T output channels × Q vectors of output pixels, all taps summed in order; and what `gemm`'s, which
//! packs its pixels, has in common with it. A call runs it for many vectors, which spares what a tile costs by itself.
//!
//! Pixels are in lanes, so results are stored straight to planes; each weight is broadcast. Every output element is
//! `bias + w₀·x₀ + w₁·x₁ + …`, one multiply-add after the other, whatever the tile it falls into: tiling never changes its bits.

use super::group_weight::GroupWeight;
use crate::buffer::Aligned;
use crate::registers::{TileSizes, at_most, must_hold};
use corr2d_simd::{Isa, Kernel, Simd};

/// Tiles of a block of channels. The output's rows follow each other, and are cut into vectors row by row.
#[derive(Clone, Copy)]
pub(super) struct Tiles<'a> {
    /// Distance of each tap from the start of its window, in elements; not empty.
    pub(super) offsets: &'a [u32],
    /// The first window of the first row in the (padded) input; windows start at neighbouring elements.
    pub(super) source: *const f32,
    /// Elements from one row's windows to the next's.
    pub(super) line: usize,
    /// Weights `[tap][channel]`.
    pub(super) weights: *const f32,
    /// A bias for each channel.
    pub(super) bias: *const f32,
    /// The first output of the first channel.
    pub(super) target: *mut f32,
    /// Output elements from one channel to the next.
    pub(super) plane: usize,
    /// Outputs of a row.
    pub(super) width: usize,
    /// The first vector.
    pub(super) first: usize,
    /// Number of tiles.
    pub(super) count: usize,
}

/// The most output channels in a tile: as many as fill the registers with [`vectors`]`(channels)` vectors.
pub(super) fn channels(isa: Isa) -> usize {
    match isa.registers() {
        32.. => 8,
        16.. => 6,
        _ => 3,
    }
}

/// The most vectors beside so many channels: channels · vectors sums, the vectors and one weight fit the registers.
pub(super) const VECTORS: TileSizes = TileSizes([&[8, 8, 6, 5, 3, 3, 3, 3], &[6, 4, 3, 2, 2, 2], &[4, 2, 2]]);

/// The most vectors beside `channels` channels.
pub(super) fn vectors(isa: Isa, channels: usize) -> usize {
    VECTORS.most(isa.registers(), channels)
}

/// Runs tiles of `channels` × `width` vectors, within the limits of [`channels`] and [`vectors`]. What is written after the end of a row
/// is the next one's to write again, so later vectors have to be run later.
///
/// # Safety
/// For every tap of every row, whole vectors from its windows on are readable; `weights` has `offsets.len() * channels` floats, `bias` has
/// `channels`; whole vectors are writable at the places of the tiles' in the output's rows, for every channel.
pub(super) unsafe fn run(isa: Isa, channels: usize, width: usize, tiles: &Tiles<'_>) {
    macro_rules! sizes {
        ($($t:literal: $($q:literal)*;)*) => {
            match (channels, width) {
                $($(($t, $q) => isa.run(Sized::<$t, $q>(tiles)),)*)*
                _ => unreachable!("a tile of {channels} channels and {width} vectors"),
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
}

struct Sized<'a, const T: usize, const Q: usize>(&'a Tiles<'a>);

impl<const T: usize, const Q: usize> Kernel for Sized<'_, T, Q> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        must_hold::<S>(T, Q);
        at_most(const { VECTORS.most(S::REGISTERS, T) }, Q);
        let Tiles { offsets, target, plane, .. } = *self.0;
        let end = offsets.as_ptr_range().end;
        let mut cursor = Cursor::new(self.0, S::LANES);
        let mut sources = [std::ptr::null(); Q];
        let mut places = [0; Q];
        for _ in 0..self.0.count {
            cursor.next(&mut sources, &mut places);
            let mut sums = [[s.splat(0.0); Q]; T];
            // SAFETY: all accesses are those that `run` asks its caller to allow.
            unsafe {
                for (t, row) in sums.iter_mut().enumerate() {
                    *row = [s.splat(*self.0.bias.add(t)); Q];
                }
                let mut weights = self.0.weights;
                let mut next = offsets.as_ptr();
                // There is a tap at least: a loop that could be skipped would have its sums ready a second time.
                loop {
                    let mut pixels = [s.splat(0.0); Q];
                    for (source, pixel) in sources.iter().zip(&mut pixels) {
                        *pixel = s.load(source.add(*next as usize));
                    }
                    for (t, row) in sums.iter_mut().enumerate() {
                        let weight = s.splat(*weights.add(t));
                        for q in 0..Q {
                            row[q] = s.mul_add(weight, pixels[q], row[q]);
                        }
                    }
                    weights = weights.add(T);
                    next = next.add(1);
                    if next == end {
                        break;
                    }
                }
                for (t, row) in sums.iter().enumerate() {
                    for (sum, place) in row.iter().zip(places) {
                        s.store(target.wrapping_add(t * plane + place), *sum);
                    }
                }
            }
        }
    }
}

/// Where the vectors of the next tile are: code that all sizes of tiles share.
struct Cursor {
    lanes: usize,
    line: usize,
    width: usize,
    /// The row's first window and output, and the next vector's column.
    source: *const f32,
    row: usize,
    x: usize,
}

impl Cursor {
    #[inline(never)]
    fn new(tiles: &Tiles<'_>, lanes: usize) -> Cursor {
        let Tiles { line, width, first, .. } = *tiles;
        let across = width.div_ceil(lanes);
        let (y, x) = (first / across, first % across * lanes);
        Cursor { lanes, line, width, source: tiles.source.wrapping_add(y * line), row: y * width, x }
    }

    #[inline(never)]
    fn next(&mut self, sources: &mut [*const f32], places: &mut [usize]) {
        for (source, place) in sources.iter_mut().zip(places) {
            *source = self.source.wrapping_add(self.x);
            *place = self.row + self.x;
            self.x += self.lanes;
            if self.x >= self.width {
                self.x = 0;
                self.source = self.source.wrapping_add(self.line);
                self.row += self.width;
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
pub(super) fn block_weights(packed: &Aligned, taps: usize, group: usize, first: usize) -> *const f32 {
    &raw const packed.as_slice()[(group + first) * taps]
}
