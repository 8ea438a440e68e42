//! The transformed input of some vectors of pixels, `[product][vector]`.

use super::products::Element;
use corr2d_simd::{Isa, Kernel, Simd};

/// How vectors are cut from rows.
#[derive(Clone, Copy)]
pub(super) struct Turn {
    /// Lanes of the last vector that hold the row's end; the others hold its beginning.
    pub(super) end: usize,
    /// Pixels of a row.
    pub(super) width: usize,
}

/// `width` vectors of a pair of rows.
#[derive(Clone, Copy)]
pub(super) struct Panel<'a> {
    pub(super) elements: &'a [Element],
    /// The first pixel's window.
    pub(super) source: *const f32,
    pub(super) target: *mut f32,
    pub(super) width: usize,
    /// If the last vector holds the row's end and beginning.
    pub(super) turn: Option<Turn>,
}

/// Transforms the input of a panel.
///
/// # Safety
/// For each pixel the window's elements are readable, for whole vectors if they don't turn; `target` is valid for writes of
/// `elements.len() * width` vectors, none of them in the input.
pub(super) unsafe fn transform(isa: Isa, panel: &Panel<'_>) {
    match panel.width {
        1 => isa.run(Transform::<1>(panel)),
        2 => isa.run(Transform::<2>(panel)),
        3 => isa.run(Transform::<3>(panel)),
        _ => unreachable!("a panel of {} vectors", panel.width),
    }
}

struct Transform<'a, const Q: usize>(&'a Panel<'a>);

impl<const Q: usize> Kernel for Transform<'_, Q> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Panel { elements, source, mut target, turn, .. } = *self.0;
        for element in elements {
            let factor = s.splat(element.factor);
            let first = source.wrapping_add(element.first as usize);
            let second = source.wrapping_add(element.second as usize);
            // SAFETY: what `transform` asks its caller for.
            unsafe {
                for q in 0..Q {
                    let at = q * S::LANES;
                    let (first, second) = match turn {
                        Some(turn) if q == Q - 1 => {
                            (turn.load(s, first.wrapping_add(at)), turn.load(s, second.wrapping_add(at)))
                        }
                        _ => (s.load(first.add(at)), s.load(second.add(at))),
                    };
                    s.store(target.add(at), s.mul_add(factor, second, first));
                }
            }
            target = target.wrapping_add(Q * S::LANES);
        }
    }
}

impl Turn {
    /// # Safety
    /// `end` floats from `source` on, where the row ends, and the row's first `LANES - end` are readable.
    #[inline(always)]
    unsafe fn load<S: Simd>(self, s: S, source: *const f32) -> S::V {
        let bits = (1u32 << self.end) - 1;
        // SAFETY: the caller's promise; lane `end` of the second load is the row's first pixel.
        unsafe {
            let beginning = s.load_masked(source.wrapping_sub(self.width), !bits, s.splat(0.0));
            s.load_masked(source, bits, beginning)
        }
    }
}
