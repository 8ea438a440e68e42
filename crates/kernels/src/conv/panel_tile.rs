//! The register tile of `gemm`, for many tiles that follow each other, which spares what a tile costs before its first product and after
//! its last: T output channels × Q vectors of output pixels, of panels packed tap by tap.
//!
//! Every output element is `bias + w₀·x₀ + w₁·x₁ + …` in the weight's order, as there.

use super::Activation;
use super::activation::Stored;
use super::tile::VECTORS;
use crate::buffer::LINE;
use crate::lanes::MOST_LANES;
use crate::registers::{at_most, must_hold};
use corr2d_simd::{Isa, Kernel, Simd};

/// A block of channels of some panels of Q vectors.
#[derive(Clone, Copy)]
pub(super) struct Panels<'a> {
    /// Where the pixels are.
    pub(super) source: Source<'a>,
    /// Weights `[tap][channel]`.
    pub(super) weights: *const f32,
    /// A bias for each channel.
    pub(super) bias: *const f32,
    /// Where the first pixel of the first channel goes.
    pub(super) target: *mut f32,
    /// Output elements from one channel to the next.
    pub(super) plane: usize,
    pub(super) taps: usize,
    /// Number of panels.
    pub(super) count: usize,
    /// Pixels to write; only the last panel may have fewer than its vectors hold.
    pub(super) pixels: usize,
    pub(super) activation: Activation,
}

/// Where the pixels of the first tap of the first panel are, and how the others are found.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    /// In scratch.
    Ready {
        start: *const f32,
        /// Floats from one panel to the next.
        step: usize,
        /// Distance of each tap.
        offsets: &'a [u32],
        /// What is fetched meanwhile: [`LINES_AHEAD`] cache lines for each tap of each panel.
        ahead: Option<Ahead>,
    },
    /// In the input, where taps are `stride` floats apart and panels follow each other; they are packed `[panel][tap][vector]` on the
    /// way.
    Pack { start: *const f32, stride: usize, target: *mut f32 },
}

/// With so many, two blocks of channels fetch all of a panel's lines: layers of few channels have no more besides the one that packs.
pub(super) const LINES_AHEAD: usize = 2;

/// Pixels that will be packed soon.
#[derive(Clone, Copy)]
pub(super) struct Ahead {
    /// Those of the first tap of the first panel; panels follow each other.
    pub(super) start: *const f32,
    /// Floats from one tap to the next.
    pub(super) stride: usize,
}

/// Runs tiles of `channels` × `width` vectors, within the limits of [`super::tile::channels`] and [`super::tile::vectors`].
///
/// # Safety
/// For every tap of every panel, `width` vectors are readable where `source` says; a target to pack to is valid for all of them.
/// `weights` has `taps * channels` floats, `bias` has `channels`; `pixels` floats, more than `count - 1` panels, are writable at
/// `target + t * plane` for every channel `t`.
pub(super) unsafe fn run(isa: Isa, channels: usize, width: usize, panels: &Panels<'_>) {
    let whole = width * isa.lanes();
    let Panels { activation, target, pixels, plane, count, .. } = *panels;
    let inside = pixels / whole;
    // SAFETY: the caller's promise. What the last panel has beyond its pixels is another's, so it goes elsewhere first.
    unsafe {
        if inside > 0 {
            run_whole(isa, channels, width, &Panels { count: inside, ..*panels });
        }
        if inside < count {
            let mut sums = [0.0; MOST_SUMS * MOST_LANES];
            let last =
                Panels { count: 1, target: sums.as_mut_ptr(), plane: whole, ..panels.from(inside, whole) };
            run_whole(isa, channels, width, &last);
            for (t, sums) in sums.chunks_exact(whole).take(channels).enumerate() {
                let target = target.add(t * plane + inside * whole);
                target.copy_from_nonoverlapping(sums.as_ptr(), pixels - inside * whole);
            }
        }
        Stored { activation, starts: &[target], counts: &[pixels], rows: channels, stride: plane }
            .activate(isa);
    }
}

/// Vectors of the largest tile.
const MOST_SUMS: usize = 24;

impl<'a> Panels<'a> {
    /// What follows from panel `first` on, panels being of `whole` pixels.
    fn from(&self, first: usize, whole: usize) -> Panels<'a> {
        let source = match self.source {
            Source::Ready { start, step, offsets, ahead } => {
                let ahead =
                    ahead.map(|ahead| Ahead { start: ahead.start.wrapping_add(first * whole), ..ahead });
                Source::Ready { start: start.wrapping_add(first * step), step, offsets, ahead }
            }
            Source::Pack { start, stride, target } => Source::Pack {
                start: start.wrapping_add(first * whole),
                stride,
                target: target.wrapping_add(first * whole * self.taps),
            },
        };
        Panels { source, ..*self }
    }
}

/// # Safety
/// As [`run`], with all pixels of all panels to write.
#[inline(never)]
unsafe fn run_whole(isa: Isa, channels: usize, width: usize, panels: &Panels<'_>) {
    let pack = matches!(panels.source, Source::Pack { .. });
    macro_rules! sizes {
        ($($t:literal: $($q:literal)*;)*) => {
            match (channels, width, pack) {
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

struct Sized<'a, const T: usize, const Q: usize, const PACK: bool>(&'a Panels<'a>);

impl<const T: usize, const Q: usize, const PACK: bool> Kernel for Sized<'_, T, Q, PACK> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        must_hold::<S>(T, Q);
        at_most(const { VECTORS.most(S::REGISTERS, T) }, Q);
        let Panels { taps, plane, .. } = *self.0;
        let whole = Q * S::LANES;
        let (start, step, stride, mut packed, offsets, ahead) = match self.0.source {
            Source::Ready { start, step, offsets, ahead } => {
                (start, step, 0, std::ptr::null_mut(), offsets.as_ptr(), ahead)
            }
            Source::Pack { start, stride, target } => (start, whole, stride, target, std::ptr::null(), None),
        };
        // A condition would cost more than asking for what is near already.
        let near = Ahead { start: self.0.weights, stride: 0 };
        let (ahead, next) = ahead.map_or((near, 0), |ahead| (ahead, whole));
        // SAFETY: all accesses are those that `run` asks its caller to allow.
        unsafe {
            for panel in 0..self.0.count {
                let mut sums = [[s.splat(0.0); Q]; T];
                for (t, row) in sums.iter_mut().enumerate() {
                    *row = [s.splat(*self.0.bias.add(t)); Q];
                }
                let source = start.add(panel * step);
                let mut weights = self.0.weights;
                let mut fetched = ahead.start.wrapping_add(panel * next);
                for tap in 0..taps {
                    if !PACK {
                        for line in 0..LINES_AHEAD {
                            s.prefetch_later(fetched.wrapping_add(line * LINE));
                        }
                        fetched = fetched.wrapping_add(ahead.stride);
                    }
                    let place = if PACK { tap * stride } else { *offsets.add(tap) as usize };
                    let mut pixels = [s.splat(0.0); Q];
                    for (q, pixel) in pixels.iter_mut().enumerate() {
                        *pixel = s.load(source.add(place + q * S::LANES));
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
                    packed = packed.wrapping_add(whole);
                    weights = weights.add(T);
                }
                let target = self.0.target.add(panel * whole);
                for (t, row) in sums.iter().enumerate() {
                    for q in 0..Q {
                        s.store(target.add(t * plane + q * S::LANES), row[q]);
                    }
                }
            }
        }
    }
}

/// Panels of one width that follow each other.
#[derive(Clone, Copy)]
pub(super) struct Run {
    /// The first vector, counted from that of the first run.
    pub(super) start: usize,
    pub(super) panels: usize,
    /// Vectors of a panel.
    pub(super) width: usize,
}

/// `vectors` in panels of nearly equal width, at most `most`: 7 are 3 + 2 + 2, never 3 + 3 + 1.
pub(super) fn runs(vectors: usize, most: usize) -> [Run; 2] {
    let panels = vectors.div_ceil(most);
    let (width, wider) = (vectors / panels, vectors % panels);
    [
        Run { start: 0, panels: wider, width: width + 1 },
        Run { start: wider * (width + 1), panels: panels - wider, width },
    ]
}
