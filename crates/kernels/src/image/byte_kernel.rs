//! Kernels of small whole weights times one factor, as most of those that have names are: images of bytes take them in the words of
//! integer registers, of which there are twice as many as floats, and four times as many products.

use super::terms::Mapping;

/// A kernel for [`super::terms::Pairs`].
pub(super) struct ByteKernel {
    /// Rows of pairs of neighbouring weights, each twice; a last one that has no neighbour has zero.
    pub(super) weights: Vec<u32>,
    /// Pairs of a row.
    pub(super) pairs: usize,
    /// What the whole weights must be multiplied by.
    unit: f32,
    /// What the weights below zero and those above it add up to.
    sums: [i32; 2],
}

/// What weights of one sign may add up to: with the largest pixels, just what a signed word holds.
const MOST_SUM: i32 = i16::MAX as i32 / u8::MAX as i32;

/// How far a whole weight times the factor may be from the weight, relative to it: two units in the last place of `f32`. One that was
/// divided and rounded is nearer, and a sum of many rounded products may be farther from the exact one, so that the promise about
/// results is the same.
const TOLERANCE: f64 = 2.0 * f32::EPSILON as f64;

/// Whether sums of pairs take less time than the two passes of floats that a kernel `[kh, kw]` allows.
pub(super) fn pays([kh, kw]: [usize; 2]) -> bool {
    kh * kw.div_ceil(2) < kh + 2 * kw + 8
}

impl ByteKernel {
    /// The kernel `[kh, kw]` as whole weights, if it is that. Where weights are whole numbers times a power of two, so is the factor, and
    /// results are exactly those of floats.
    pub(super) fn new(kernel: &[f32], kw: usize) -> Option<ByteKernel> {
        let sizes = || kernel.iter().map(|weight| f64::from(weight.abs())).filter(|size| *size != 0.0);
        let (least, total) = (sizes().fold(f64::INFINITY, f64::min), sizes().sum::<f64>());
        if !total.is_finite() || total == 0.0 {
            return None;
        }
        // The smallest weight is one of these units, or a part of it is.
        let binary = sizes().map(power_of_two).fold(f64::INFINITY, f64::min);
        let most = (2.0 * f64::from(MOST_SUM) * least / total) as u32;
        let units = [binary].into_iter().chain((1..=most).map(|parts| least / f64::from(parts)));
        let (unit, whole) = units.into_iter().find_map(|unit| Some((unit, whole_weights(kernel, unit)?)))?;
        let sum_of = |sign: i32| whole.iter().map(|weight| (weight * sign).max(0) * sign).sum::<i32>();
        let sums = [sum_of(-1), sum_of(1)];
        // The weights that are less than nothing have one more value, and need it no more than the others.
        if -sums[0] > MOST_SUM
            || sums[1] > MOST_SUM
            || whole.iter().any(|weight| i8::try_from(*weight).is_err())
        {
            return None;
        }
        let pair = |pair: &[i32]| {
            let word = u16::from_le_bytes([pair[0] as u8, pair.get(1).map_or(0, |weight| *weight as u8)]);
            u32::from(word) << 16 | u32::from(word)
        };
        let weights = whole.chunks(kw).flat_map(|row| row.chunks(2).map(pair)).collect();
        Some(ByteKernel { weights, pairs: kw.div_ceil(2), unit: unit as f32, sums })
    }

    /// `scale · sum + offset` of the kernel's own sums, from those of whole weights.
    pub(super) fn mapping(&self, scale: f32, offset: f32) -> Mapping {
        let scale = scale * self.unit;
        let most = i32::from(u8::MAX);
        let is_whole = scale == 1.0
            && offset.fract() == 0.0
            && f64::from(offset) + f64::from(self.sums[0] * most) >= f64::from(i16::MIN)
            && f64::from(offset) + f64::from(self.sums[1] * most) <= f64::from(i16::MAX);
        Mapping { factors: [scale, offset], whole: is_whole.then_some(offset as i16) }
    }
}

/// The largest power of two of which a number is a whole multiple.
fn power_of_two(x: f64) -> f64 {
    const FRACTION_BITS: u32 = f64::MANTISSA_DIGITS - 1;
    let bits = x.to_bits();
    // As a float above zero is a whole number times the place value of its last bit: each zero there doubles it.
    let zeros = bits.trailing_zeros().min(FRACTION_BITS);
    let exponent = f64::from_bits(bits >> FRACTION_BITS << FRACTION_BITS);
    exponent * f64::from(2.0f32).powi(zeros as i32 - FRACTION_BITS as i32)
}

/// How many units each weight is, if it is a whole number of them and a factor as [`crate::image`] has them holds the unit.
fn whole_weights(kernel: &[f32], unit: f64) -> Option<Vec<i32>> {
    let unit = f64::from(unit as f32);
    let whole = |weight: &f32| {
        let weight = f64::from(*weight);
        let units = (weight / unit).round();
        let is_near = (units * unit - weight).abs() <= TOLERANCE * weight.abs();
        (is_near && units.abs() <= f64::from(MOST_SUM)).then_some(units as i32)
    };
    if unit < f64::from(f32::MIN_POSITIVE) { None } else { kernel.iter().map(whole).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole weights of a kernel of one row, and the factor.
    fn found(kernel: &[f32]) -> Option<(Vec<i8>, f32)> {
        let ByteKernel { weights, unit, .. } = ByteKernel::new(kernel, kernel.len())?;
        let bytes =
            weights.iter().flat_map(|pair| pair.to_le_bytes().map(|byte| byte as i8).into_iter().take(2));
        Some((bytes.take(kernel.len()).collect(), unit))
    }

    #[test]
    fn finds_whole_weights() {
        assert_eq!(found(&[0.0, -1.0, 5.0]), Some((vec![0, -1, 5], 1.0)));
        assert_eq!(found(&[0.125, 0.25, 0.375]), Some((vec![1, 2, 3], 0.125)));
        assert_eq!(found(&[6.0, 4.0]), Some((vec![3, 2], 2.0)));
        assert_eq!(found(&[-1.0 / 80.0, 96.0 / 80.0, -0.025]), Some((vec![-1, 96, -2], 1.0 / 80.0)));
        // A third of the smallest is the unit.
        let scaled = [0.3f32, -0.7, 1.1].map(|weight| weight * 0.9);
        let (whole, unit) = found(&scaled).expect("whole numbers");
        assert_eq!(whole, [3, -7, 11]);
        assert!((unit - 0.09).abs() < 1e-7, "{unit}");
    }

    #[test]
    fn refuses_what_sums_or_weights_have_no_room_for() {
        assert_eq!(found(&[64.0, 64.0, 1.0]), None, "129 times 255");
        assert_eq!(found(&[127.0, 1.0]), Some((vec![127, 1], 1.0)));
        assert_eq!(found(&[127.0, 0.0, 1.0, -127.0, -1.0]).map(|found| found.1), Some(1.0));
        assert_eq!(found(&[1.0, 127.5]), None);
        assert_eq!(found(&[0.1, 0.3 + 1e-6]), None);
        assert_eq!(found(&[0.0, 0.0]), None);
        for odd in [f32::NAN, f32::INFINITY, -f32::INFINITY, f32::from_bits(1)] {
            assert_eq!(found(&[1.0, odd]), None, "{odd}");
            assert_eq!(found(&[odd, odd]), None, "{odd}");
        }
    }

    #[test]
    fn maps_in_words_where_they_have_room() {
        let kernel = ByteKernel::new(&[-64.0, 128.0 - 1.0, 1.0], 3).expect("whole numbers");
        let whole = |scale, offset| kernel.mapping(scale, offset).whole;
        assert_eq!(whole(1.0, 127.0), Some(127));
        assert_eq!(whole(1.0, 128.0), None, "more than a word");
        assert_eq!(whole(1.0, -16448.0), Some(-16448));
        assert_eq!(whole(1.0, -16449.0), None, "less than a word");
        assert_eq!(
            [whole(1.0, 0.5), whole(0.5, 0.0), whole(1.0, f32::NAN), whole(1.0, f32::INFINITY)],
            [None; 4]
        );
        let halves = ByteKernel::new(&[0.5, 1.5], 2).expect("whole halves");
        assert_eq!(halves.mapping(2.0, 3.0).whole, Some(3));
        assert_eq!(halves.mapping(1.0, 3.0).factors, [0.5, 3.0]);
    }
}
