//! The register tile of `gemm`: T output channels × Q vectors of output pixels, for panels of pixels packed tap by tap.
//!
//! Every output element is `bias + w₀·x₀ + w₁·x₁ + …` in the weight's order, as in `tile.rs`, so both give the same bits.

use super::Activation;
use corr2d_simd::{Isa, Kernel, Simd};

/// A block of channels of some panels of the same width that follow each other, `[panel][tap][vector]`.
#[derive(Clone, Copy)]
pub(super) struct Panels {
    pub(super) panels: *mut f32,
    /// If any, the panels are packed from here: the first pixel of the first tap, and the distance of the next tap's.
    pub(super) source: Option<(*const f32, usize)>,
    pub(super) taps: usize,
    /// Weights `[tap][channel]`.
    pub(super) weights: *const f32,
    /// A bias for each channel.
    pub(super) bias: *const f32,
    /// Where the first pixel of the first channel goes.
    pub(super) target: *mut f32,
    /// Output elements from one channel to the next.
    pub(super) plane: usize,
    /// Number of panels.
    pub(super) count: usize,
    /// Pixels to write; only the last panel may have fewer than its vectors hold.
    pub(super) pixels: usize,
    pub(super) activation: Activation,
}

/// Runs tiles of `channels` × `width` vectors, within the limits of [`super::tile::channels`] and [`super::tile::vectors`].
///
/// # Safety
/// `panels` is valid for `count * taps * width` vectors, to write too if there is a source, which then has `pixels` readable floats
/// for each tap, whole panels; `weights` has `taps * channels` floats, `bias` has `channels`; `pixels` floats, more than
/// `count - 1` panels, are writable at `target + t * plane` for every channel `t`.
pub(super) unsafe fn run(isa: Isa, channels: usize, width: usize, panels: &Panels) {
    macro_rules! sizes {
        ($($t:literal: $($q:literal)*;)*) => {
            match (channels, width, panels.source.is_some()) {
                $($(($t, $q, false) => isa.run(Sized::<$t, $q, false>(panels)),
                ($t, $q, true) => isa.run(Sized::<$t, $q, true>(panels)),)*)*
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

struct Sized<'a, const T: usize, const Q: usize, const PACK: bool>(&'a Panels);

impl<const T: usize, const Q: usize, const PACK: bool> Kernel for Sized<'_, T, Q, PACK> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Panels { taps, plane, activation, .. } = *self.0;
        let whole = Q * S::LANES;
        let (source, stride) = self.0.source.unwrap_or((self.0.panels, whole));
        // SAFETY: all accesses are those that `run` asks its caller to allow.
        unsafe {
            for panel in 0..self.0.count {
                let mut sums = [[s.splat(0.0); Q]; T];
                for (t, row) in sums.iter_mut().enumerate() {
                    *row = [s.splat(*self.0.bias.add(t)); Q];
                }
                let mut packed = self.0.panels.add(panel * taps * whole);
                let mut source = if PACK { source.add(panel * whole) } else { packed };
                let mut weights = self.0.weights;
                for _ in 0..taps {
                    let mut pixels = [s.splat(0.0); Q];
                    for (q, pixel) in pixels.iter_mut().enumerate() {
                        *pixel = s.load(source.add(q * S::LANES));
                        if PACK {
                            s.store(packed.add(q * S::LANES), *pixel);
                        }
                    }
                    for (t, row) in sums.iter_mut().enumerate() {
                        let weight = s.splat(*weights.add(t));
                        for q in 0..Q {
                            row[q] = s.mul_add(weight, pixels[q], row[q]);
                        }
                    }
                    packed = packed.add(whole);
                    source = source.wrapping_add(if PACK { stride } else { whole });
                    weights = weights.add(T);
                }
                let target = self.0.target.add(panel * whole);
                let pixels = self.0.pixels - panel * whole;
                let count =
                    |q: usize| if pixels >= whole { S::LANES } else { (pixels - q * S::LANES).min(S::LANES) };
                for (t, row) in sums.iter().enumerate() {
                    for q in 0..Q {
                        let target = target.add(t * plane + q * S::LANES);
                        if pixels >= whole {
                            s.store(target, row[q]);
                        } else {
                            s.store_first(target, row[q], count(q));
                        }
                    }
                }
                if activation != Activation::None {
                    for t in 0..T {
                        for q in 0..Q {
                            activation.apply_stored(s, target.add(t * plane + q * S::LANES), count(q));
                        }
                    }
                }
            }
        }
    }
}
