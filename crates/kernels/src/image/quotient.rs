//! Means of bytes in words: a product with the divisor's inverse (Granlund and Montgomery, "Division by invariant integers using
//! multiplication", 1994), where it is what the product of floats rounds to for each sum there is.

use super::pixel::Pixel;
use corr2d_simd::{Isa, Kernel, Simd};

/// `((sum + bias) · multiplier) >> 16 >> shift` as the rounded `factor · sum + offset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quotient {
    bias: u16,
    /// As often as a register holds it.
    multiplier: [u16; MOST_WORDS],
    shift: u32,
}

/// No register holds more.
const MOST_WORDS: usize = 32;

/// The fewest windows of a row: what registers of any instruction set hold at a time.
pub(super) const FEWEST: usize = 128;

impl Quotient {
    /// The same pixel as `factor · sum + offset`, rounded half to even, for each whole sum up to `most`; none where there is a
    /// difference, as for means that can be a half.
    pub(super) fn new(factor: f32, offset: f32, most: u16) -> Option<Quotient> {
        if !(factor > 0.0 && factor < 0.5) {
            return None;
        }
        let wide = f64::from(factor);
        // As many bits of the inverse as a word holds.
        let inverse = |shift: u32| (wide * f64::from(1u32 << (16 + shift))).ceil();
        let shift = (1..15).rev().find(|shift| inverse(*shift) < 65536.0)?;
        let multiplier = inverse(shift);
        let bias = ((0.5 + f64::from(offset)) / wide).floor();
        if !(0.0..=f64::from(u16::MAX - most)).contains(&bias) {
            return None;
        }
        let quotient = Quotient { bias: bias as u16, multiplier: [multiplier as u16; MOST_WORDS], shift };
        // Neither falls where the sum rises, so that they are the same if each pixel is reached at the same sum.
        let reaches = |sum: u64, pixel: u64| u64::from(u8::from_float(sum as f32 * factor + offset)) >= pixel;
        let same = |pixel: u64| {
            let first = (pixel << (16 + shift)).div_ceil(u64::from(quotient.multiplier[0]));
            let first = first.saturating_sub(u64::from(quotient.bias));
            let most = u64::from(most);
            (first > most || reaches(first, pixel)) && (first == 0 || !reaches(most.min(first - 1), pixel))
        };
        // More than the last pixel would be cut off to it by the floats only.
        (quotient.of(most) <= 255 && (1..=255).all(same)).then_some(quotient)
    }

    fn of(&self, sum: u16) -> u32 {
        ((u32::from(sum) + u32::from(self.bias)) * u32::from(self.multiplier[0])) >> 16 >> self.shift
    }

    /// The pixel of each window of `count` sums, `step` elements apart; of [`FEWEST`] windows at least.
    #[inline(never)]
    pub(super) fn run(&self, isa: Isa, sums: &[u16], step: usize, count: usize, target: &mut [u8]) {
        assert!(target.len() >= FEWEST && target.len() >= 8 * isa.lanes(), "as many as the registers hold");
        assert!(count > 0 && sums.len() >= (count - 1) * step + target.len(), "all sums of all windows");
        isa.run(Windows { quotient: self, sums, step, count, target });
    }
}

struct Windows<'a> {
    quotient: &'a Quotient,
    sums: &'a [u16],
    step: usize,
    count: usize,
    target: &'a mut [u8],
}

impl Kernel for Windows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Windows { quotient, sums, step, count, target } = self;
        let bias = s.splat_word(quotient.bias);
        let (lanes, length) = (2 * S::LANES, target.len());
        for i in (0..length).step_by(4 * lanes) {
            // SAFETY: `Quotient::run` checked that the taps of all windows are readable. The last registers are shifted back.
            unsafe {
                let i = i.min(length - 4 * lanes);
                let mut sum = sums.as_ptr().add(i);
                let mut totals = [bias; 4];
                for _ in 0..count {
                    for v in 0..4 {
                        totals[v] = s.add_words(totals[v], s.load_bytes(sum.add(v * lanes).cast()));
                    }
                    sum = sum.wrapping_add(step);
                }
                // Read again each time: from a register, compilers would make the product one of double words.
                let multiplier = s.load_bytes(quotient.multiplier.as_ptr().cast());
                for v in 0..4 {
                    totals[v] = s.shift_words(s.mul_high(totals[v], multiplier), quotient.shift);
                }
                let [a, b, c, d] = totals;
                s.store_words(target.as_mut_ptr().add(i), [a, b]);
                s.store_words(target.as_mut_ptr().add(i + 2 * lanes), [c, d]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_float_rounded_for_every_sum() {
        let mut found = 0;
        for count in 2..=257u16 {
            let most = 255 * count;
            for (scale, offset) in [(1.0, 0.0), (1.0, 0.25), (0.5, 3.0), (0.999, 0.0), (1.5, 0.0)] {
                let factor = (1.0 / f32::from(count)) * scale;
                let Some(quotient) = Quotient::new(factor, offset, most) else { continue };
                found += 1;
                for sum in 0..=most {
                    let expected = u8::from_float(f32::from(sum) * factor + offset);
                    assert_eq!(quotient.of(sum), u32::from(expected), "{sum} · {factor} + {offset}");
                }
            }
        }
        assert!(found > 100, "{found}");
    }

    #[test]
    fn means_of_odd_windows_are_quotients() {
        for count in [3u16, 5, 9, 15, 25, 49, 81, 121, 169, 225] {
            assert!(Quotient::new(1.0 / f32::from(count), 0.0, 255 * count).is_some(), "{count}");
        }
        assert_eq!(Quotient::new(0.25, 0.0, 1020), None, "a half");
    }
}
