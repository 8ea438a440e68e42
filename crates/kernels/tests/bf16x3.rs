//! What `bf16x3` does with numbers that are no sums of parts: infinities, NaN, and those of the largest and smallest sizes.

mod common;

use common::shapes::Conv;
use common::{Random, algorithm};
use corr2d_kernels::conv::{Activation, ConvPlan};
use corr2d_kernels::geometry::ConvGeometry;
use corr2d_kernels::parallel::Pool;
use corr2d_kernels::{Isa, reference};

fn run(g: &ConvGeometry, name: &str, isa: Isa, [x, w]: [&[f32]; 2], threads: usize) -> Vec<f32> {
    let plan = ConvPlan::new(*g, w, None, Activation::None, isa, Some(algorithm(name))).expect("supported");
    let mut output = vec![7.0; g.output_len()];
    plan.run(x, None, &mut output, &Pool::new(threads).expect("threads"), threads).expect("exact lengths");
    output
}

fn geometries() -> [ConvGeometry; 3] {
    let base = Conv { c_in: 35, c_out: 40, input: [90, 70], kernel: [1, 1], ..Conv::default() };
    [
        base,
        Conv { kernel: [3, 3], pads: [[1, 1], [1, 1]], ..base },
        Conv { c_in: 36, kernel: [3, 2], stride: [2, 2], groups: 2, ..base },
    ]
    .map(|conv| conv.geometry().expect("a valid shape"))
}

#[test]
fn infinities_and_nan_are_those_of_direct_sums_for_any_number_of_threads() {
    let mut random = Random::new(21);
    for g in geometries() {
        let (mut x, mut w) = (random.floats(g.input_len()), random.floats(g.weight_len()));
        let len = x.len();
        for (i, special) in
            [f32::INFINITY, f32::NEG_INFINITY, f32::NAN, f32::from_bits(0x7f80_0001)].into_iter().enumerate()
        {
            x[len / 5 * i + 1234] = special;
        }
        for special_weight in [None, Some(f32::INFINITY)] {
            if let Some(special) = special_weight {
                w[5] = special;
            }
            for isa in Isa::available() {
                let expected = run(&g, "direct", isa, [&x, &w], 1);
                let result = run(&g, "bf16x3", isa, [&x, &w], 1);
                for (result, expected) in result.iter().zip(&expected) {
                    assert_eq!(result.is_nan(), expected.is_nan(), "{g:?} on {isa:?}");
                    assert!(result.is_finite() || result.is_nan() || result == expected);
                    assert!(
                        !expected.is_finite() || (result - expected).abs() < 1e-3,
                        "{result}, {expected}"
                    );
                }
                for threads in [2, 3] {
                    let again = run(&g, "bf16x3", isa, [&x, &w], threads);
                    let same = again.iter().zip(&result).all(|(a, b)| a.to_bits() == b.to_bits());
                    assert!(same, "{threads} threads have other bits, {g:?} on {isa:?}");
                }
            }
        }
    }
}

/// A number that rounds to infinity as bfloat16 is still finite.
#[test]
fn the_largest_numbers_are_finite() {
    let g = geometries()[0];
    let weight = (0..g.weight_len()).map(|i| if i % 35 == 7 { f32::MAX } else { 1.0 }).collect();
    let input = (0..g.input_len()).map(|i| if i < 90 * 70 { f32::MAX } else { 1.0 }).collect();
    let cases: [(Vec<f32>, Vec<f32>); 2] =
        [(vec![0.25; g.input_len()], weight), (input, vec![0.25; g.weight_len()])];
    for (x, w) in cases {
        let exact = reference::conv2d(&g, &x, &w, None);
        for isa in Isa::available() {
            for (result, exact) in run(&g, "bf16x3", isa, [&x, &w], 1).iter().zip(&exact) {
                assert!((f64::from(*result) / exact - 1.0).abs() < 1e-6, "{result}, not {exact}");
            }
        }
    }
}
