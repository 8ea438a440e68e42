//! Kernels that are an outer product run as two passes, one along rows and one along columns.

/// The column and the row whose outer product a kernel `[kh, kw]` is. Those are their own packing for register tiles.
pub(super) struct Factors {
    pub(super) column: Vec<f32>,
    pub(super) row: Vec<f32>,
}

/// How far a product of factors may be from the weight, relative to it: two units in the last place of `f32`. A kernel that was
/// computed as an outer product and rounded is nearer; what the sum of two passes loses beside a single sum is less than what rounding
/// its many terms may lose, so that the promise about results is the same.
const TOLERANCE: f64 = 2.0 * f32::EPSILON as f64;

/// Factors of the kernel, if it has any. Where weights are whole numbers times a power of two, so are the factors, and their products
/// are the weights exactly: sums of integer pixels that were exact stay exact.
pub(super) fn factors(kernel: &[f32], kw: usize) -> Option<Factors> {
    let kh = kernel.len() / kw;
    if kernel.iter().any(|weight| !weight.is_finite()) {
        return None;
    }
    let at = |y: usize, x: usize| f64::from(kernel[y * kw + x]);
    let largest = (0..kernel.len()).max_by(|a, b| kernel[*a].abs().total_cmp(&kernel[*b].abs()))?;
    let (py, px) = (largest / kw, largest % kw);
    if at(py, px) == 0.0 {
        return None;
    }
    let mut row: Vec<f64> = (0..kw).map(|x| at(py, x)).collect();
    let column: Vec<f64>;
    if let Some(unit) = common_unit(&row) {
        row.iter_mut().for_each(|weight| *weight /= unit);
        column = (0..kh).map(|y| at(y, px) / row[px]).collect();
    } else {
        // A mean over the rounded weights is nearer to what they were rounded from.
        let energy: f64 = row.iter().map(|weight| weight * weight).sum();
        column = (0..kh).map(|y| (0..kw).map(|x| at(y, x) * row[x]).sum::<f64>() / energy).collect();
        let energy: f64 = column.iter().map(|weight| weight * weight).sum();
        row = (0..kw).map(|x| (0..kh).map(|y| at(y, x) * column[y]).sum::<f64>() / energy).collect();
    }
    let fits = (0..kernel.len()).all(|i| {
        let weight = f64::from(kernel[i]);
        (column[i / kw] * row[i % kw] - weight).abs() <= TOLERANCE * weight.abs()
    });
    let narrow = |weights: &[f64]| weights.iter().map(|weight| *weight as f32).collect();
    fits.then(|| Factors { column: narrow(&column), row: narrow(&row) })
}

/// The largest number of which all weights are whole multiples below 2¹⁶, if there is one.
fn common_unit(weights: &[f64]) -> Option<f64> {
    const MOST: f64 = 65536.0;
    let mut unit = 0.0f64;
    for weight in weights {
        let (mut a, mut b) = (unit, weight.abs());
        // Euclid's algorithm; remainders of floats are exact.
        while b != 0.0 {
            (a, b) = (b, a % b);
        }
        unit = a;
    }
    let largest = weights.iter().fold(0.0f64, |largest, weight| largest.max(weight.abs()));
    (unit > 0.0 && largest / unit < MOST).then_some(unit)
}

/// Whether two passes take less time than one: a pass along rows reads a vector for each product, which takes as long as two products.
pub(super) fn pays(kh: usize, kw: usize) -> bool {
    kh * kw > kh + 2 * kw + 8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(column: &[f32], row: &[f32]) -> Vec<f32> {
        column.iter().flat_map(|a| row.iter().map(move |b| a * b)).collect()
    }

    #[test]
    fn finds_whole_factors_of_whole_kernels() {
        for (column, row) in [
            (vec![1.0, 2.0, 1.0], vec![-1.0, 0.0, 1.0]),
            (vec![3.0, 10.0, 3.0], vec![-3.0, 0.0, 3.0]),
            (vec![2.0, 3.0], vec![1.5, -0.25, 4.0]),
            (vec![0.0, -5.0, 7.0], vec![0.0, 0.125, 0.0, 6.0]),
        ] {
            let kernel = product(&column, &row);
            let found = factors(&kernel, row.len()).expect("an outer product");
            assert_eq!(product(&found.column, &found.row), kernel);
            let exact = |weight: &f32| (weight * 1024.0).fract() == 0.0;
            assert!(found.column.iter().chain(&found.row).all(exact), "{:?} {:?}", found.column, found.row);
        }
    }

    #[test]
    fn finds_factors_of_rounded_kernels() {
        for sigma in [0.5f64, 0.8, 2.0, 3.7, 10.0] {
            let radius = (3.0 * sigma).ceil() as i32;
            let bell: Vec<f64> =
                (-radius..=radius).map(|i| (-f64::from(i * i) / (2.0 * sigma * sigma)).exp()).collect();
            let total: f64 = bell.iter().sum();
            let kernel: Vec<f32> = bell
                .iter()
                .flat_map(|a| bell.iter().map(move |b| (a / total * (b / total)) as f32))
                .collect();
            assert!(factors(&kernel, bell.len()).is_some(), "sigma {sigma}");
            let mut other = kernel.clone();
            other[3] *= 1.0 + 8.0 * f32::EPSILON;
            assert!(factors(&other, bell.len()).is_none(), "one weight is not the product");
        }
    }

    #[test]
    fn refuses_what_is_no_product() {
        for kernel in [
            [0.0, 1.0, 0.0, 1.0, -4.0, 1.0, 0.0, 1.0, 0.0],
            [0.0; 9],
            [1.0, 1.0, 1.0, 1.0, f32::NAN, 1.0, 1.0, 1.0, 1.0],
            [1.0, 1.0, 1.0, 1.0, f32::INFINITY, 1.0, 1.0, 1.0, 1.0],
            [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        ] {
            assert!(factors(&kernel, 3).is_none(), "{kernel:?}");
        }
    }
}
