//! The transformed input of a pair of rows, whole rows at once: `[row][column]`.

use super::products::Element;
use corr2d_simd::{Isa, Kernel, Simd};

/// The rows of a pair.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) elements: &'a [Element],
    pub(super) source: *const f32,
    pub(super) target: *mut f32,
    /// Floats of a transformed row, whole vectors.
    pub(super) stride: usize,
}

/// Transforms the rows of a pair.
///
/// # Safety
/// `stride` floats are readable from each element's place on, and `elements.len()` times as many are writable at the target, none of
/// them in the source.
pub(super) unsafe fn transform(isa: Isa, rows: &Rows<'_>) {
    isa.run(Transform(rows));
}

struct Transform<'a>(&'a Rows<'a>);

impl Kernel for Transform<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Rows { elements, source, target, stride } = *self.0;
        for (i, element) in elements.iter().enumerate() {
            let factor = s.splat(element.factor);
            for x in (0..stride).step_by(S::LANES) {
                // SAFETY: what `transform` asks its caller for.
                unsafe {
                    let first = s.load(source.add(element.first as usize + x));
                    let second = s.load(source.add(element.second as usize + x));
                    s.store(target.add(i * stride + x), s.mul_add(factor, second, first));
                }
            }
        }
    }
}
