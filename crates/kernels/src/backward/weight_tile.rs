//! The register tile of a weight's gradient: T output channels × Q vectors of a window's floats, summed over pixels. A pixel's window
//! is loaded as vectors, its gradient of each output channel is broadcast.

use crate::registers::{self, TileSizes, at_most, must_hold};
use corr2d_simd::{Isa, Kernel, Simd};

/// The most output channels in a tile, and so the most base pointers.
pub(super) const MOST_CHANNELS: usize = 8;

/// The most vectors in a tile.
pub(super) fn most_vectors(isa: Isa) -> usize {
    registers::vectors(isa.registers())
}

/// The most output channels beside so many vectors: sums, vectors and one gradient fit the registers.
const CHANNELS: TileSizes = TileSizes([&[8, 8, 8, 6], &[8, 6], &[7]]);

/// The most output channels beside `vectors` vectors.
pub(super) fn most_channels(isa: Isa, vectors: usize) -> usize {
    CHANNELS.most(isa.registers(), vectors)
}

/// One tile. Pixel `k` of image `i` adds `source[i · source_image + offsets[k] + …] · gradients[t][i · gradient_image + k · step]`.
#[derive(Clone, Copy)]
pub(super) struct WeightTile<'a> {
    /// Where each pixel's window starts.
    pub(super) offsets: &'a [u32],
    /// The floats of the first image's windows.
    pub(super) source: *const f32,
    pub(super) source_image: usize,
    /// The first pixel's gradient of each output channel.
    pub(super) gradients: [*const f32; MOST_CHANNELS],
    pub(super) gradient_image: usize,
    /// Elements from a pixel's gradient to the next one's.
    pub(super) step: usize,
    pub(super) images: usize,
    /// Sums of the first output channel, and the distance to the next one's.
    pub(super) sums: *mut f32,
    pub(super) sums_stride: usize,
    /// Floats of a window.
    pub(super) width: usize,
    /// Whether the sums begin here, whatever is in their memory.
    pub(super) is_first: bool,
}

/// Runs a tile of `channels` × `vectors`, within the limits of [`most_channels`] and [`most_vectors`].
///
/// # Safety
/// Whole vectors are readable wherever a window starts; each pixel's gradient is readable; `width` floats, more than `vectors - 1`
/// vectors and at most `vectors`, are readable and writable at the sums of every channel, in no other operand's memory.
pub(super) unsafe fn run(isa: Isa, channels: usize, vectors: usize, tile: &WeightTile<'_>) {
    macro_rules! sizes {
        ($($t:literal)*) => {
            match (channels, vectors) {
                $(($t, 1) => isa.run(Sized::<$t, 1>(tile)),
                ($t, 2) => isa.run(Sized::<$t, 2>(tile)),
                ($t, 3) => isa.run(Sized::<$t, 3>(tile)),
                ($t, 4) => isa.run(Sized::<$t, 4>(tile)),)*
                _ => unreachable!("a tile of {channels} channels and {vectors} vectors"),
            }
        };
    }
    sizes!(1 2 3 4 5 6 7 8);
}

struct Sized<'a, const T: usize, const Q: usize>(&'a WeightTile<'a>);

impl<const T: usize, const Q: usize> Kernel for Sized<'_, T, Q> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        must_hold::<S>(T, Q);
        at_most(const { CHANNELS.most(S::REGISTERS, Q) }, T);
        let tile = self.0;
        let mut sums = [[s.splat(0.0); Q]; T];
        // SAFETY: all accesses are those that `run` asks its caller to allow.
        unsafe {
            for image in 0..tile.images {
                let source = tile.source.add(image * tile.source_image);
                let mut gradient = image * tile.gradient_image;
                for &offset in tile.offsets {
                    let mut window = [s.splat(0.0); Q];
                    for (q, vector) in window.iter_mut().enumerate() {
                        *vector = s.load(source.add(offset as usize + q * S::LANES));
                    }
                    for (t, row) in sums.iter_mut().enumerate() {
                        let factor = s.splat(*tile.gradients[t].add(gradient));
                        for q in 0..Q {
                            row[q] = s.mul_add(window[q], factor, row[q]);
                        }
                    }
                    gradient += tile.step;
                }
            }
            for (t, row) in sums.iter().enumerate() {
                for q in 0..Q {
                    let target = tile.sums.add(t * tile.sums_stride + q * S::LANES);
                    let count = S::LANES.min(tile.width - q * S::LANES);
                    let before = if tile.is_first { s.splat(0.0) } else { s.load_first(target, count) };
                    s.store_first(target, s.add(before, row[q]), count);
                }
            }
        }
    }
}
