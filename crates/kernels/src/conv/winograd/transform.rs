//! The transforms of Winograd's minimal filtering in one dimension: `y = Aᵀ[(G·w) ⊙ (Bᵀ·d)]` for three taps. A new one is an
//! implementation of [`Transform`] here and a row in the registry.
//!
//! They are Toom and Cook's with the points 0, ±p, … and ∞: row `p` of Bᵀ holds the coefficients of M(x)/(x − p), where M(x) is the
//! product of all x − p, row `p` of G is `[1, p, p²] / (M(x)/(x − p) at p)`, and A is the matrix of powers of the points. Points in
//! pairs ±p share their even and their odd part. (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016; Barabasz
//! et al., "Error Analysis and Improving the Accuracy of Winograd Convolution for Deep Neural Networks", 2020.)

use corr2d_simd::Simd;
use std::f32::consts::{FRAC_1_SQRT_2, SQRT_2};

/// `M` outputs at once from `N` input elements by `N` products.
pub(super) trait Transform<const N: usize, const M: usize>: Copy + Send + Sync + 'static {
    /// Step of the window.
    const STRIDE: usize;

    /// G, one row for each product.
    const WEIGHT: [[f32; 3]; N];

    /// Rows of G that differ: those from the last of them on are the same.
    const DISTINCT: usize = N;

    /// `Bᵀ·d`.
    fn input<S: Simd>(s: S, d: [S::V; N]) -> [S::V; N];

    /// `Aᵀ·m`.
    fn output<S: Simd>(s: S, m: [S::V; N]) -> [S::V; M];
}

/// F(2, 3): points 0, ±1, ∞.
#[derive(Clone, Copy)]
pub(super) struct F2;

impl Transform<4, 2> for F2 {
    const STRIDE: usize = 1;
    const WEIGHT: [[f32; 3]; 4] = [[-1.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.0, 0.0, 1.0]];

    #[inline(always)]
    fn input<S: Simd>(s: S, d: [S::V; 4]) -> [S::V; 4] {
        [s.sub(d[2], d[0]), s.add(d[2], d[1]), s.sub(d[2], d[1]), s.sub(d[3], d[1])]
    }

    #[inline(always)]
    fn output<S: Simd>(s: S, m: [S::V; 4]) -> [S::V; 2] {
        [s.add(m[0], s.add(m[1], m[2])), s.add(s.sub(m[1], m[2]), m[3])]
    }
}

/// F(3, 3): points ±√½, ±√2, ∞.
#[derive(Clone, Copy)]
pub(super) struct F3;

impl Transform<5, 3> for F3 {
    const STRIDE: usize = 1;
    const WEIGHT: [[f32; 3]; 5] = {
        let (a, b) = (FRAC_1_SQRT_2, SQRT_2);
        let (na, nb) = (-3.0 * a, 3.0 * b);
        [
            [1.0 / na, a / na, 0.5 / na],
            [-1.0 / na, a / na, -0.5 / na],
            [1.0 / nb, b / nb, 2.0 / nb],
            [-1.0 / nb, b / nb, -2.0 / nb],
            [0.0, 0.0, 1.0],
        ]
    };

    #[inline(always)]
    fn input<S: Simd>(s: S, d: [S::V; 5]) -> [S::V; 5] {
        let (odd_a, even_a) = (fold(s, d[3], d[1], -2.0), fold(s, d[2], d[0], -2.0));
        let (odd_b, even_b) = (fold(s, d[3], d[1], -0.5), fold(s, d[2], d[0], -0.5));
        [
            fold(s, odd_a, even_a, FRAC_1_SQRT_2),
            fold(s, odd_a, even_a, -FRAC_1_SQRT_2),
            fold(s, odd_b, even_b, SQRT_2),
            fold(s, odd_b, even_b, -SQRT_2),
            s.add(fold(s, d[0], d[2], -2.5), d[4]),
        ]
    }

    #[inline(always)]
    fn output<S: Simd>(s: S, m: [S::V; 5]) -> [S::V; 3] {
        let (sum_a, difference_a) = (s.add(m[0], m[1]), s.sub(m[0], m[1]));
        let (sum_b, difference_b) = (s.add(m[2], m[3]), s.sub(m[2], m[3]));
        [
            s.add(sum_a, sum_b),
            powers(s, difference_a, FRAC_1_SQRT_2, difference_b, SQRT_2),
            s.add(powers(s, sum_a, 0.5, sum_b, 2.0), m[4]),
        ]
    }
}

/// F(4, 3): points 0, ±√½, ±√2, ∞, which are three to five times more accurate than 0, ±1, ±2, ∞.
#[derive(Clone, Copy)]
pub(super) struct F4;

impl Transform<6, 4> for F4 {
    const STRIDE: usize = 1;
    const WEIGHT: [[f32; 3]; 6] = {
        let (a, b) = (FRAC_1_SQRT_2, SQRT_2);
        [
            [1.0, 0.0, 0.0],
            [-1.0 / 1.5, -a / 1.5, -0.5 / 1.5],
            [-1.0 / 1.5, a / 1.5, -0.5 / 1.5],
            [1.0 / 6.0, b / 6.0, 2.0 / 6.0],
            [1.0 / 6.0, -b / 6.0, 2.0 / 6.0],
            [0.0, 0.0, 1.0],
        ]
    };

    #[inline(always)]
    fn input<S: Simd>(s: S, d: [S::V; 6]) -> [S::V; 6] {
        let (even_a, odd_a) = (fold(s, d[4], d[2], -2.0), fold(s, d[3], d[1], -2.0));
        let (even_b, odd_b) = (fold(s, d[4], d[2], -0.5), fold(s, d[3], d[1], -0.5));
        [
            s.add(fold(s, d[0], d[2], -2.5), d[4]),
            fold(s, even_a, odd_a, FRAC_1_SQRT_2),
            fold(s, even_a, odd_a, -FRAC_1_SQRT_2),
            fold(s, even_b, odd_b, SQRT_2),
            fold(s, even_b, odd_b, -SQRT_2),
            s.add(fold(s, d[1], d[3], -2.5), d[5]),
        ]
    }

    #[inline(always)]
    fn output<S: Simd>(s: S, m: [S::V; 6]) -> [S::V; 4] {
        let (sum_a, difference_a) = (s.add(m[1], m[2]), s.sub(m[1], m[2]));
        let (sum_b, difference_b) = (s.add(m[3], m[4]), s.sub(m[3], m[4]));
        [
            s.add(m[0], s.add(sum_a, sum_b)),
            powers(s, difference_a, FRAC_1_SQRT_2, difference_b, SQRT_2),
            powers(s, sum_a, 0.5, sum_b, 2.0),
            s.add(powers(s, difference_a, 0.5 * FRAC_1_SQRT_2, difference_b, 2.0 * SQRT_2), m[5]),
        ]
    }
}

/// Stride 2, three outputs: the even elements meet the outer taps in F(3, 2) with points 0, ±1, ∞; the odd ones meet the middle tap.
#[derive(Clone, Copy)]
pub(super) struct Strided3;

impl Transform<7, 3> for Strided3 {
    const STRIDE: usize = 2;
    const WEIGHT: [[f32; 3]; 7] = [
        [-1.0, 0.0, 0.0],
        [0.5, 0.0, 0.5],
        [0.5, 0.0, -0.5],
        [0.0, 0.0, 1.0],
        [0.0, 1.0, 0.0],
        [0.0, 1.0, 0.0],
        [0.0, 1.0, 0.0],
    ];
    const DISTINCT: usize = 5;

    #[inline(always)]
    fn input<S: Simd>(s: S, d: [S::V; 7]) -> [S::V; 7] {
        [s.sub(d[4], d[0]), s.add(d[4], d[2]), s.sub(d[4], d[2]), s.sub(d[6], d[2]), d[1], d[3], d[5]]
    }

    #[inline(always)]
    fn output<S: Simd>(s: S, m: [S::V; 7]) -> [S::V; 3] {
        let sum = s.add(m[1], m[2]);
        [s.add(s.add(m[0], sum), m[4]), s.add(s.sub(m[1], m[2]), m[5]), s.add(s.add(sum, m[3]), m[6])]
    }
}

/// Stride 2, four outputs: the even elements meet the outer taps in F(4, 2) with the points of F(3, 3); the odd ones meet the middle
/// tap.
#[derive(Clone, Copy)]
pub(super) struct Strided4;

impl Transform<9, 4> for Strided4 {
    const STRIDE: usize = 2;
    const WEIGHT: [[f32; 3]; 9] = {
        let (a, b) = (FRAC_1_SQRT_2, SQRT_2);
        let (na, nb) = (-3.0 * a, 3.0 * b);
        [
            [1.0 / na, 0.0, a / na],
            [-1.0 / na, 0.0, a / na],
            [1.0 / nb, 0.0, b / nb],
            [-1.0 / nb, 0.0, b / nb],
            [0.0, 0.0, 1.0],
            [0.0, 1.0, 0.0],
            [0.0, 1.0, 0.0],
            [0.0, 1.0, 0.0],
            [0.0, 1.0, 0.0],
        ]
    };
    const DISTINCT: usize = 6;

    #[inline(always)]
    fn input<S: Simd>(s: S, d: [S::V; 9]) -> [S::V; 9] {
        let [a, b, c, e, f] = F3::input(s, [d[0], d[2], d[4], d[6], d[8]]);
        [a, b, c, e, f, d[1], d[3], d[5], d[7]]
    }

    #[inline(always)]
    fn output<S: Simd>(s: S, m: [S::V; 9]) -> [S::V; 4] {
        let (sum_a, difference_a) = (s.add(m[0], m[1]), s.sub(m[0], m[1]));
        let (sum_b, difference_b) = (s.add(m[2], m[3]), s.sub(m[2], m[3]));
        let cubes = powers(s, difference_a, 0.5 * FRAC_1_SQRT_2, difference_b, 2.0 * SQRT_2);
        [
            s.add(s.add(sum_a, sum_b), m[5]),
            s.add(powers(s, difference_a, FRAC_1_SQRT_2, difference_b, SQRT_2), m[6]),
            s.add(powers(s, sum_a, 0.5, sum_b, 2.0), m[7]),
            s.add(s.add(cubes, m[4]), m[8]),
        ]
    }
}

/// `a + factor · b`.
#[inline(always)]
fn fold<S: Simd>(s: S, a: S::V, b: S::V, factor: f32) -> S::V {
    s.mul_add(s.splat(factor), b, a)
}

/// `p · a + q · b`.
#[inline(always)]
fn powers<S: Simd>(s: S, a: S::V, p: f32, b: S::V, q: f32) -> S::V {
    s.mul_add(s.splat(p), a, s.mul(s.splat(q), b))
}
