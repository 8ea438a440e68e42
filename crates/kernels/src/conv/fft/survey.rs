//! What a tile holds.

use crate::lanes::MOST_LANES;
use corr2d_simd::{Isa, Kernel, Simd};

/// The largest magnitude of the elements, and the largest distance of one from an integer, which is 0 only where all are; both NaN
/// where one is. Whole registers.
pub(super) fn survey(isa: Isa, elements: &[f32]) -> [f32; 2] {
    isa.run(Survey(elements))
}

struct Survey<'a>(&'a [f32]);

/// Added to a float below 2²² and taken away again, it leaves the integer next to it.
const INTEGERS: f32 = 1.5 * (1 << 23) as f32;

impl Kernel for Survey<'_> {
    type Output = [f32; 2];

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> [f32; 2] {
        assert!(self.0.len().is_multiple_of(S::LANES));
        let (zero, integers) = (s.splat(0.0), s.splat(INTEGERS));
        let (mut most, mut fraction) = (zero, zero);
        for i in (0..self.0.len()).step_by(S::LANES) {
            // SAFETY: a register is left.
            let x = unsafe { s.load(self.0.as_ptr().add(i)) };
            let distance = s.sub(s.sub(s.add(x, integers), integers), x);
            most = s.max(most, s.max(x, s.sub(zero, x)));
            fraction = s.max(fraction, s.max(distance, s.sub(zero, distance)));
        }
        [most, fraction].map(|v| {
            let mut lanes = [0.0f32; MOST_LANES];
            // SAFETY: no register has more lanes.
            unsafe { s.store(lanes.as_mut_ptr(), v) };
            // NaN wherever there is one.
            lanes.into_iter().fold(0.0, |most, x| if x > most || x.is_nan() { x } else { most })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_is_special_in_any_place() {
        for isa in Isa::available() {
            let elements: Vec<f32> = (0..256).map(|i| (i % 9) as f32 - 4.0).collect();
            assert_eq!(survey(isa, &elements), [4.0, 0.0]);
            for place in [0, 100, 255] {
                let with = |x: f32| {
                    let mut elements = elements.clone();
                    elements[place] = x;
                    survey(isa, &elements)
                };
                assert_eq!(with(-7.25), [7.25, 0.25]);
                assert!(with(f32::NAN)[0].is_nan());
                assert_eq!(with(f32::NEG_INFINITY)[0], f32::INFINITY);
            }
        }
    }
}
