//! What the transformed correlation of large kernels promises: tiles of any number, exact integers, and nothing beyond a window.

mod common;

use common::shapes::Conv;
use common::{Random, algorithm};
use corr2d_kernels::conv::{Activation, Algorithm, ConvPlan};
use corr2d_kernels::geometry::{ConvGeometry, PaddingMode};
use corr2d_kernels::parallel::Pool;
use corr2d_kernels::{Isa, reference};

fn run(g: &ConvGeometry, algorithm: Option<&'static Algorithm>, isa: Isa, x: &[f32], w: &[f32]) -> Vec<f32> {
    let bias = vec![0.5; g.c_out];
    let plan = ConvPlan::new(*g, w, Some(&bias), Activation::None, isa, algorithm).expect("supported");
    let mut output = vec![f32::NAN; g.output_len()];
    plan.run(x, None, &mut output, &Pool::new(1).expect("no thread"), 1).expect("exact lengths");
    output
}

/// An odd and an even number of tiles, of both sizes, with all kinds of padding.
#[test]
fn several_tiles() {
    let mut random = Random::new(31);
    for (input, kernel) in [([300, 470], [31, 21]), ([90, 200], [5, 33]), ([260, 70], [64, 7])] {
        for mode in [PaddingMode::Zeros, PaddingMode::Reflect] {
            let pads = [[kernel[0] / 2, kernel[0] / 2], [kernel[1] / 2, 3]];
            let conv = Conv { batch: 2, input, kernel, pads, mode, ..Conv::default() };
            let g = conv.geometry().expect("a valid shape");
            let (x, w) = (random.floats(g.input_len()), random.floats(g.weight_len()));
            let exact = reference::conv2d(&g, &x, &w, Some(&[0.5]));
            for isa in Isa::available() {
                let output = run(&g, Some(algorithm("fft")), isa, &x, &w);
                for (i, (result, exact)) in output.iter().zip(&exact).enumerate() {
                    assert!((f64::from(*result) - exact).abs() < 1e-4, "{isa:?} of {conv:?}: element {i}");
                }
            }
        }
    }
}

#[test]
fn auto_takes_it_for_templates() {
    for side in [21, 31, 63] {
        let conv = Conv { input: [1080, 1920], kernel: [side, side], ..Conv::default() };
        let g = conv.geometry().expect("a valid shape");
        for isa in Isa::available() {
            let weight = vec![1.0; g.weight_len()];
            let plan = ConvPlan::new(g, &weight, None, Activation::None, isa, None).expect("a valid shape");
            assert_eq!(plan.algorithm().name, "fft", "{side} on {isa:?}");
        }
    }
}

#[test]
fn sums_of_integers_are_exact() {
    let mut random = Random::new(32);
    let conv = Conv { input: [150, 340], kernel: [25, 25], pads: [[12, 12], [12, 12]], ..Conv::default() };
    let g = conv.geometry().expect("a valid shape");
    let (x, w) = (random.integers(g.input_len(), 255), random.integers(g.weight_len(), 9));
    let exact = reference::conv2d(&g, &x, &w, Some(&[0.5]));
    for isa in Isa::available() {
        for algorithm in [None, Some(algorithm("fft"))] {
            let output = run(&g, algorithm, isa, &x, &w);
            assert!(output.iter().zip(&exact).all(|(v, exact)| f64::from(*v) == *exact), "{isa:?}");
        }
    }
}

/// As in the direct method: what is not finite or overflows stays in the windows that hold it.
#[test]
fn special_values_stay_in_their_windows() {
    let mut random = Random::new(33);
    let conv = Conv { input: [120, 300], kernel: [21, 21], pads: [[10, 10], [10, 10]], ..Conv::default() };
    let g = conv.geometry().expect("a valid shape");
    let w = random.floats(g.weight_len());
    for special in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX] {
        for place in [0, 40 * 300 + 150, 119 * 300 + 299] {
            let mut x = random.floats(g.input_len());
            x[place] = special;
            for isa in Isa::available() {
                let direct = run(&g, Some(algorithm("filter2d")), isa, &x, &w);
                let output = run(&g, Some(algorithm("fft")), isa, &x, &w);
                for (i, (a, b)) in output.iter().zip(&direct).enumerate() {
                    let same = a.is_nan() == b.is_nan() && (a.is_nan() || a == b || (a - b).abs() < 1e-4);
                    assert!(same, "{special} on {isa:?}, element {i}: {a} for {b}");
                }
            }
        }
    }
}

/// A kernel that is not finite has no spectrum.
#[test]
fn kernels_that_are_not_finite() {
    let mut random = Random::new(34);
    let conv = Conv { input: [70, 80], kernel: [9, 9], ..Conv::default() };
    let g = conv.geometry().expect("a valid shape");
    let x = random.floats(g.input_len());
    for special in [f32::NAN, f32::INFINITY, f32::MAX] {
        let mut w = random.floats(g.weight_len());
        w[40] = special;
        for isa in Isa::available() {
            let direct = run(&g, Some(algorithm("filter2d")), isa, &x, &w);
            let output = run(&g, Some(algorithm("fft")), isa, &x, &w);
            assert!(output.iter().zip(&direct).all(|(a, b)| a.to_bits() == b.to_bits()), "{special}");
        }
    }
}
