//! The length of the gradient from padded rows of floats, both directions at once.

use corr2d_simd::{Isa, Kernel, Simd};

/// A pair of 3×3 kernels: a difference one way, smoothed the other way by `[side, centre, side]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gradient {
    /// `[1, 2, 1]` (Sobel and Feldman 1968).
    Sobel,
    /// `[3, 10, 3]` (Scharr 2000).
    Scharr,
    /// `[1, 1, 1]` (Prewitt 1970).
    Prewitt,
}

impl Gradient {
    /// `[side, centre]`.
    fn smoothing(self) -> [f32; 2] {
        match self {
            Gradient::Sobel => [1.0, 2.0],
            Gradient::Scharr => [3.0, 10.0],
            Gradient::Prewitt => [1.0, 1.0],
        }
    }

    /// `√(gx² + gy²)` of each element of `target`, from the three rows around it; `step` elements lie between neighbouring pixels.
    /// No product is fused with a sum, so that every instruction set gives the same bits.
    ///
    /// Rows are as long as the target, rounded up to whole vectors, plus two steps.
    pub(super) fn run(self, isa: Isa, rows: [&[f32]; 3], step: usize, target: &mut [f32]) {
        let needed = target.len().next_multiple_of(isa.lanes()) + 2 * step;
        assert!(rows.iter().all(|row| row.len() >= needed), "a row of at least {needed} elements");
        isa.run(Lengths { smoothing: self.smoothing(), rows, step, target });
    }
}

struct Lengths<'a> {
    smoothing: [f32; 2],
    rows: [&'a [f32]; 3],
    step: usize,
    target: &'a mut [f32],
}

impl Kernel for Lengths<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let [side, centre] = self.smoothing.map(|weight| s.splat(weight));
        let [above, here, below] = self.rows.map(|row| row.as_ptr());
        let step = self.step;
        for x in (0..self.target.len()).step_by(S::LANES) {
            let count = S::LANES.min(self.target.len() - x);
            // SAFETY: `Gradient::run` checked that whole vectors and two steps are readable; `count` elements are left to write.
            unsafe {
                // No closures: they would be compiled without the instruction set's target features.
                let (top_left, bottom_left) = (s.load(above.add(x)), s.load(below.add(x)));
                let (top, bottom) = (s.load(above.add(x + step)), s.load(below.add(x + step)));
                let (top_right, bottom_right) =
                    (s.load(above.add(x + 2 * step)), s.load(below.add(x + 2 * step)));
                let (left, right) = (s.load(here.add(x)), s.load(here.add(x + 2 * step)));
                let sides = s.add(s.sub(top_right, top_left), s.sub(bottom_right, bottom_left));
                let across = s.add(s.mul(side, sides), s.mul(centre, s.sub(right, left)));
                let sides = s.add(s.sub(bottom_left, top_left), s.sub(bottom_right, top_right));
                let down = s.add(s.mul(side, sides), s.mul(centre, s.sub(bottom, top)));
                let length = s.sqrt(s.add(s.mul(across, across), s.mul(down, down)));
                s.store_first(self.target.as_mut_ptr().add(x), length, count);
            }
        }
    }
}
