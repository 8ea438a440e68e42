//! Vectors at the edge of a row: which of their lanes lie inside it.

/// One bit for each lane, from column `first` on, that lies in `0..width`; for [`corr2d_simd::Simd::load_masked`].
#[inline(always)]
pub(crate) fn inside(first: isize, width: usize) -> u32 {
    const LANES: isize = 32;
    let start = (-first).clamp(0, LANES);
    let end = (width as isize - first).clamp(start, LANES);
    ((1u64 << end) - (1u64 << start)) as u32
}

#[cfg(test)]
mod tests {
    use super::inside;

    #[test]
    fn bits_are_those_of_columns_inside() {
        for width in 1..70 {
            for first in -40..80 {
                for lane in 0..32 {
                    let expected = (0..width as isize).contains(&(first + lane));
                    assert_eq!(inside(first, width) >> lane & 1 != 0, expected, "{first} {width} {lane}");
                }
            }
        }
    }
}
