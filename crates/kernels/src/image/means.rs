//! Sums of windows divided by how many pixels they are of.

use super::pixel::Pixel;
use super::total::{FloatTotal, Total};
use crate::geometry::{Axis, PoolGeometry, PoolMode};
use corr2d_simd::{Isa, Kernel, Simd};

/// The factors of each window's divisor; none where nothing is divided.
pub(super) struct Counts {
    /// That of each output row.
    rows: Vec<f32>,
    /// That of each element of an output row.
    columns: Vec<f32>,
    /// The largest of them.
    most_columns: f32,
}

impl Counts {
    pub(super) fn new(g: &PoolGeometry, channels: usize) -> Counts {
        let (count, factor): (fn(&Axis, usize) -> usize, u32) = match g.mode {
            PoolMode::Average { divisor_override: Some(divisor), .. } => (|_, _| 1, divisor),
            PoolMode::Average { count_include_pad: true, .. } => (Axis::covered, 1),
            PoolMode::Average { count_include_pad: false, .. } => (|axis, i| axis.inside(i).len(), 1),
            PoolMode::Max | PoolMode::Norm(_) => {
                return Counts { rows: Vec::new(), columns: Vec::new(), most_columns: 0.0 };
            }
        };
        let rows = (0..g.y.output).map(|i| (count(&g.y, i).max(1) as f32) * factor as f32).collect();
        let columns: Vec<f32> = (0..g.x.output)
            .flat_map(|i| std::iter::repeat_n(count(&g.x, i).max(1) as f32, channels))
            .collect();
        let most_columns = columns.iter().fold(0.0f32, |most, count| most.max(*count));
        Counts { rows, columns, most_columns }
    }

    /// The mean of each window of an output row, of integer pixels the exact one rounded half to even.
    #[inline(never)]
    pub(super) fn means<P: Pixel, T: FloatTotal>(&self, isa: Isa, sums: &[T], row: usize, target: &mut [P]) {
        let (row_count, column_counts) = (self.rows[row], &self.columns[..]);
        assert!(sums.len() == target.len() && column_counts.len() == target.len(), "a sum for each pixel");
        let block = 4 * isa.lanes();
        let is_exact = self.most_columns * row_count < P::EXACT_MEANS as f32;
        let whole = if is_exact { target.len() / block * block } else { 0 };
        isa.run(Means { sums, row_count, column_counts, target: &mut target[..whole] });
        self.means_one_by_one(sums, row, whole, target);
    }

    /// Those from the element `first` on.
    pub(super) fn means_one_by_one<P: Pixel, T: Total>(
        &self,
        sums: &[T],
        row: usize,
        first: usize,
        target: &mut [P],
    ) {
        for i in first..target.len() {
            target[i] = P::mean(sums[i].to_double(), (self.rows[row] * self.columns[i]) as usize);
        }
    }
}

/// Quotients of floats: four whole vectors at a time.
struct Means<'a, P, T> {
    sums: &'a [T],
    row_count: f32,
    column_counts: &'a [f32],
    target: &'a mut [P],
}

impl<P: Pixel, T: FloatTotal> Kernel for Means<'_, P, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Means { sums, row_count, column_counts, target } = self;
        let row_count = s.splat(row_count);
        for i in (0..target.len()).step_by(4 * S::LANES) {
            // SAFETY: `Counts::means` gave four whole vectors at a time, and checked that there are as many sums and counts.
            unsafe {
                let mut vectors = [row_count; 4];
                for (v, vector) in vectors.iter_mut().enumerate() {
                    let count = s.load(column_counts.as_ptr().add(i + v * S::LANES));
                    let sum = T::floats(s, sums.as_ptr().add(i + v * S::LANES));
                    *vector = s.div(sum, s.mul(row_count, count));
                }
                P::store(s, target.as_mut_ptr().add(i), vectors);
            }
        }
    }
}
