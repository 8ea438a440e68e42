//! How far transformed algorithms may be from the oracle in `f64`: their stated bound on data made to break it, and the usual error on
//! ordinary data. What `auto` promises about exact sums.

mod common;

use common::Random;
use common::shapes::Conv;
use corr2d_kernels::conv::{ALGORITHMS, Accuracy, Activation, Algorithm, ConvPlan};
use corr2d_kernels::geometry::{ChannelOrder, ConvGeometry};
use corr2d_kernels::parallel::Pool;
use corr2d_kernels::{Isa, reference};

const EPSILON: f64 = f32::EPSILON as f64;

/// The algorithms that transform their input, with the factor of their bound.
fn transformed() -> impl Iterator<Item = (&'static Algorithm, f64)> {
    ALGORITHMS.iter().filter_map(|algorithm| match algorithm.accuracy {
        Accuracy::Direct => None,
        Accuracy::Transformed { amplification, .. } => Some((algorithm, amplification)),
    })
}

fn shapes() -> impl Iterator<Item = ConvGeometry> {
    let base = Conv { c_in: 40, c_out: 18, input: [13, 15], pads: [[1, 1], [1, 1]], ..Conv::default() };
    [
        base,
        Conv { order: ChannelOrder::Last, ..base },
        Conv { stride: [2, 2], ..base },
        Conv { c_in: 3, kernel: [7, 7], stride: [2, 2], ..base },
        Conv { c_in: 3, kernel: [5, 2], ..base },
        Conv { dilation: [2, 3], pads: [[2, 2], [3, 3]], ..base },
        Conv { c_in: 2, c_out: 2, groups: 2, kernel: [9, 15], input: [90, 75], ..base },
        Conv { c_in: 1, c_out: 2, kernel: [5, 5], dilation: [1, 3], ..base },
    ]
    .map(|conv| conv.geometry().expect("a valid shape"))
    .into_iter()
}

fn run(g: &ConvGeometry, algorithm: Option<&'static Algorithm>, isa: Isa, x: &[f32], w: &[f32]) -> Vec<f32> {
    let plan = ConvPlan::new(*g, w, None, Activation::None, isa, algorithm).expect("supported");
    let mut output = vec![f32::NAN; g.output_len()];
    plan.run(x, None, &mut output, &Pool::new(1).expect("no thread"), 1).expect("exact lengths");
    output
}

/// Sum of twelve uniform numbers, less their mean: nearly normal, of variance 1.
fn normal(random: &mut Random, len: usize) -> Vec<f32> {
    (0..len).map(|_| (0..12).map(|_| random.float()).sum::<f32>() * 0.5).collect()
}

#[test]
fn the_bound_holds_on_adversarial_data() {
    let mut random = Random::new(11);
    let mut checked = 0;
    for g in shapes() {
        let (x, w) = (random.floats(g.input_len()), random.floats(g.weight_len()));
        let sign = |i: usize| if i.is_multiple_of(2) { 1.0 } else { -1.0 };
        let families: [(&str, Vec<f32>, Vec<f32>); 6] = [
            ("uniform", x.clone(), w.clone()),
            ("a large offset", x.iter().map(|v| v + 1e6).collect(), w.clone()),
            ("cancelling", (0..x.len()).map(|i| 1e4 * sign(i) + x[i]).collect(), vec![1.0; w.len()]),
            ("denormal", x.iter().map(|v| v * 1e-40).collect(), w.clone()),
            ("large", x.iter().map(|v| v * 1e18).collect(), w.iter().map(|v| v * 1e16).collect()),
            (
                "of many scales",
                x.iter().enumerate().map(|(i, v)| v * 10f32.powi(i as i32 % 9 - 4)).collect(),
                w,
            ),
        ];
        for (family, x, w) in families {
            let exact = reference::conv2d(&g, &x, &w, None);
            let largest = |values: &[f32]| values.iter().fold(0.0f64, |most, v| most.max(f64::from(v.abs())));
            let scale = g.taps() as f64 * largest(&x) * largest(&w);
            for (algorithm, amplification) in transformed().filter(|(a, _)| (a.supports)(&g)) {
                // Products below the smallest float are lost, one for each.
                let floor = (g.taps() * 200) as f64 * f64::from(f32::MIN_POSITIVE);
                let bound = amplification * (g.taps() + 1) as f64 * EPSILON * scale + floor;
                for isa in Isa::available() {
                    for (result, exact) in run(&g, Some(algorithm), isa, &x, &w).iter().zip(&exact) {
                        let error = (f64::from(*result) - exact).abs();
                        assert!(
                            error <= bound,
                            "{} on {isa:?}, {family}: {error:e} > {bound:e}",
                            algorithm.name
                        );
                    }
                    checked += 1;
                }
            }
        }
    }
    assert!(checked >= 60, "{checked}");
}

#[test]
fn ordinary_data_has_small_errors() {
    let mut random = Random::new(12);
    for g in shapes() {
        let w = normal(&mut random, g.weight_len());
        for x in [normal(&mut random, g.input_len()), random.floats(g.input_len())] {
            let exact = reference::conv2d(&g, &x, &w, None);
            let rms = (exact.iter().map(|v| v * v).sum::<f64>() / exact.len() as f64).sqrt();
            for (algorithm, _) in transformed().filter(|(a, _)| (a.supports)(&g)) {
                for isa in Isa::available() {
                    let output = run(&g, Some(algorithm), isa, &x, &w);
                    let errors = output.iter().zip(&exact).map(|(v, exact)| (f64::from(*v) - exact).abs());
                    let worst = errors.fold(0.0, f64::max) / rms;
                    assert!(worst < 2e-5, "{} on {isa:?} of {g:?}: {worst:e}", algorithm.name);
                }
            }
        }
    }
}

/// Below 16 channels, in or out, `auto` takes no algorithm whose transforms round integers.
#[test]
fn auto_is_exact_on_small_integers_below_sixteen_channels() {
    let mut random = Random::new(13);
    for (c_in, c_out) in [(15, 64), (64, 15), (3, 64), (15, 15), (1, 1)] {
        for side in [7, 28, 60] {
            let conv = Conv { c_in, c_out, input: [side, side], pads: [[1, 1], [1, 1]], ..Conv::default() };
            for conv in [conv, Conv { stride: [2, 2], ..conv }, Conv { order: ChannelOrder::Last, ..conv }] {
                let g = conv.geometry().expect("a valid shape");
                let (x, w) = (random.integers(g.input_len(), 9), random.integers(g.weight_len(), 9));
                let exact = reference::conv2d(&g, &x, &w, None);
                for isa in Isa::available() {
                    let output = run(&g, None, isa, &x, &w);
                    assert!(output.iter().zip(&exact).all(|(v, exact)| f64::from(*v) == *exact), "{g:?}");
                }
            }
        }
    }
}
