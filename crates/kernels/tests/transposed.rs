//! Transposed convolution on every instruction set of this machine × a grid of shapes, against the definition in `f64`, through
//! guarded memory.

mod common;

use common::guarded::{Flush, Guarded};
use common::shapes::Transposed;
use common::{Random, bits};
use corr2d_kernels::conv::{ALGORITHMS, Activation, Layout, TransposedPlan};
use corr2d_kernels::geometry::{ChannelOrder, Padding, TransposedGeometry};
use corr2d_kernels::parallel::Pool;
use corr2d_kernels::{Error, Isa, reference};

const ORDERS: [ChannelOrder; 2] = [ChannelOrder::First, ChannelOrder::Last];

struct Data {
    input: Vec<f32>,
    weight: Vec<f32>,
    bias: Option<Vec<f32>>,
}

impl Data {
    /// Whole numbers that are so small that minimal filtering is exact enough to be told from a mistake.
    fn new(g: &TransposedGeometry, bias: bool) -> Data {
        let mut random = Random::new(g.output_len() as u64 ^ (g.weight_len() as u64) << 32);
        Data {
            input: random.integers(g.input_len(), 9),
            weight: random.integers(g.weight_len(), 9),
            bias: bias.then(|| random.integers(g.c_out, 99)),
        }
    }

    fn plan(&self, g: &TransposedGeometry, activation: Activation, isa: Isa) -> TransposedPlan {
        TransposedPlan::new(*g, &self.weight, self.bias.as_deref(), activation, isa, None)
            .expect("the geometry is valid")
    }
}

fn check_one(transposed: &Transposed) {
    let g = transposed.geometry().unwrap_or_else(|error| panic!("{transposed:?}: {error}"));
    let data = Data::new(&g, !transposed.c_out.is_multiple_of(2));
    let exact = reference::conv_transpose2d(&g, &data.input, &data.weight, data.bias.as_deref());
    let scale = exact.iter().fold(1.0f64, |most, value| most.max(value.abs()));
    let pool = Pool::new(1).expect("no thread is started");
    for isa in Isa::available() {
        let plan = data.plan(&g, Activation::None, isa);
        let algorithm = ALGORITHMS.iter().find(|algorithm| algorithm.name == plan.algorithm());
        let exact_sums = algorithm.is_none_or(|algorithm| algorithm.accuracy.is_exact());
        for flush in [Flush::End, Flush::Start] {
            let input = Guarded::new(&data.input, flush);
            let mut output = Guarded::new(&vec![f32::NAN; g.output_len()], flush);
            plan.run(input.as_slice(), None, output.as_mut_slice(), &pool, 1).expect("exact lengths");
            output.assert_slack_untouched(format!("{isa:?} of {transposed:?}"));
            for (i, (result, exact)) in output.as_slice().iter().zip(&exact).enumerate() {
                let error = (f64::from(*result) - exact).abs();
                let bound = if exact_sums { 0.0 } else { 2e-5 * scale };
                assert!(error <= bound, "{isa:?} of {transposed:?} at {i}: {result}, not {exact}");
            }
        }
    }
}

/// Checks a shape with its axes in either order.
fn check(transposed: &Transposed) {
    for order in ORDERS {
        check_one(&Transposed { order, ..*transposed });
    }
}

fn check_valid(shapes: impl IntoIterator<Item = Transposed>) -> usize {
    shapes.into_iter().filter(|shape| shape.geometry().is_ok()).map(|shape| check(&shape)).count()
}

#[test]
fn strides_dilations_kernels_and_padding() {
    let mut checked = 0;
    for stride in [[1, 1], [2, 2], [1, 2], [3, 1], [3, 2], [2, 4], [4, 4], [7, 5]] {
        for dilation in [[1, 1], [2, 2], [1, 3], [4, 2]] {
            for kernel in [[1, 1], [3, 3], [2, 2], [4, 4], [1, 5], [5, 2]] {
                for pads in [[[0, 0], [0, 0]], [[1, 1], [1, 1]], [[2, 0], [0, 3]]] {
                    let padding = Padding::Explicit(pads);
                    let one = Transposed {
                        input: [4, 9],
                        kernel,
                        stride,
                        dilation,
                        padding,
                        ..Transposed::default()
                    };
                    let many = Transposed { batch: 2, c_in: 4, c_out: 6, input: [3, 5], ..one };
                    let grouped = Transposed { groups: 2, ..many };
                    checked += check_valid([one, many, grouped]);
                }
            }
        }
    }
    assert!(checked > 1500, "{checked}");
}

#[test]
fn every_width_and_many_channels() {
    for width in (1..=40).chain([63, 64, 65, 130]) {
        let row = Transposed { input: [2, width], ..Transposed::default() };
        check(&row);
        check(&Transposed { stride: [2, 2], kernel: [4, 4], padding: Padding::Explicit([[1, 1]; 2]), ..row });
        check(&Transposed { stride: [2, 2], c_out: 3, output_padding: [1, 1], ..row });
        check(&Transposed { stride: [3, 3], kernel: [2, 2], c_in: 2, ..row });
    }
    for (c_in, c_out, groups) in
        [(1, 17, 1), (16, 16, 1), (20, 33, 1), (64, 32, 1), (12, 12, 12), (6, 12, 6), (24, 36, 4)]
    {
        for stride in [1, 2] {
            let shape = Transposed {
                c_in,
                c_out,
                groups,
                input: [7, 9],
                stride: [stride; 2],
                ..Transposed::default()
            };
            check(&Transposed { padding: Padding::Explicit([[1, 1]; 2]), ..shape });
            check(&Transposed { kernel: [1, 1], ..shape });
        }
    }
}

#[test]
fn output_padding_output_shapes_and_rules() {
    let mut checked = 0;
    for stride in [1, 2, 3, 5] {
        for kernel in [1, 2, 3, 4] {
            for dilation in [1, 2] {
                for padding in [
                    Padding::SameLower,
                    Padding::SameUpper,
                    Padding::Valid,
                    Padding::Explicit([[1, 0], [0, 1]]),
                ] {
                    let base = Transposed {
                        input: [3, 4],
                        kernel: [kernel, kernel + 1],
                        stride: [stride; 2],
                        dilation: [dilation; 2],
                        padding,
                        ..Transposed::default()
                    };
                    for output_padding in [[0, 0], [stride.max(dilation) - 1, 0]] {
                        checked += check_valid([Transposed { output_padding, ..base }]);
                    }
                    for output in [[1, 1], [5, 6], [stride * 3, stride * 4], [12, 17]] {
                        checked += check_valid([Transposed { output: Some(output), ..base }]);
                    }
                }
            }
        }
    }
    assert!(checked > 400, "{checked}");
}

/// PyTorch's formula, and ONNX's rules for padding that follows from the output.
#[test]
fn the_sides_of_the_output() {
    for (input, kernel, stride, dilation, before, after, extra) in
        [(5, 3, 1, 1, 0, 0, 0), (5, 3, 2, 1, 1, 1, 1), (7, 4, 3, 2, 2, 1, 0), (1, 5, 4, 1, 2, 1, 3)]
    {
        let shape = Transposed {
            input: [input; 2],
            kernel: [kernel; 2],
            stride: [stride; 2],
            dilation: [dilation; 2],
            padding: Padding::Explicit([[before, after]; 2]),
            output_padding: [extra; 2],
            ..Transposed::default()
        };
        let g = shape.geometry().expect("valid");
        let expected = (input - 1) * stride + dilation * (kernel - 1) + extra + 1 - before - after;
        assert_eq!([g.y.output, g.x.output], [expected; 2], "{shape:?}");
    }
    let two = Transposed { input: [5, 6], kernel: [4, 5], stride: [2, 3], ..Transposed::default() };
    for (padding, before) in [(Padding::SameLower, [1, 1]), (Padding::SameUpper, [1, 1])] {
        let g = Transposed { padding, ..two }.geometry().expect("valid");
        assert_eq!(([g.y.output, g.x.output], [g.y.before, g.x.before]), ([10, 18], before));
    }
    // Of three elements too many, the rule says where two of them go.
    for (padding, before) in [(Padding::SameLower, 2), (Padding::SameUpper, 1), (Padding::Valid, 2)] {
        let g = Transposed { padding, output: Some([9, 17]), ..two }.geometry().expect("valid");
        assert_eq!(([g.y.output, g.x.output], g.y.before), ([9, 17], before));
    }
    // ONNX's convtranspose_output_shape: more than the input fills, so a row and a column of nothing after it.
    let g = Transposed { input: [3, 3], stride: [3, 2], output: Some([10, 8]), ..Transposed::default() };
    let g = g.geometry().expect("valid");
    assert_eq!([g.y.before, g.y.output, g.x.before, g.x.output], [0, 10, 0, 8]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let shape = Transposed { input: [3, 3], stride: [2, 2], ..Transposed::default() };
    let refused = |shape: Transposed| shape.geometry().expect_err("refused");
    assert!(matches!(
        refused(Transposed { output_padding: [0, 2], ..shape }),
        Error::OutputPadding { axis: "columns", limit: 1, received: 2 }
    ));
    assert!(matches!(
        refused(Transposed { padding: Padding::Explicit([[4, 3], [0, 0]]), ..shape }),
        Error::AllCut { axis: "rows", full: 7, received: 7 }
    ));
    assert!(matches!(
        refused(Transposed { output: Some([7, 9]), ..shape }),
        Error::OutputShape { axis: "columns", limit: 8, received: 9 }
    ));
    assert!(matches!(
        refused(Transposed { output: Some([7, 0]), ..shape }),
        Error::Zero { parameter: "outputShape" }
    ));
    assert!(matches!(refused(Transposed { c_in: 3, groups: 2, c_out: 2, ..shape }), Error::Groups { .. }));
    assert!(matches!(refused(Transposed { kernel: [1 << 20, 1 << 20], ..shape }), Error::Overflow { .. }));
    assert!(matches!(refused(Transposed { stride: [usize::MAX, 1], ..shape }), Error::Overflow { .. }));
    assert!(matches!(
        refused(Transposed { kernel: [0, 3], ..shape }),
        Error::Zero { parameter: "kernelSize" }
    ));
}

#[test]
fn activations_reach_what_no_tap_reaches() {
    let shape = Transposed {
        c_out: 3,
        kernel: [2, 2],
        stride: [3, 3],
        output_padding: [2, 2],
        ..Transposed::default()
    };
    for order in ORDERS {
        let g = Transposed { order, ..shape }.geometry().expect("valid");
        let data = Data { bias: Some(vec![-2.0, 0.5, 7.0]), ..Data::new(&g, true) };
        let exact = reference::conv_transpose2d(&g, &data.input, &data.weight, data.bias.as_deref());
        let pool = Pool::new(1).expect("no thread is started");
        for isa in Isa::available() {
            let mut output = vec![f32::NAN; g.output_len()];
            let plan = data.plan(&g, Activation::Clamp(-1.0, 6.0), isa);
            plan.run(&data.input, None, &mut output, &pool, 1).expect("exact lengths");
            let clamped: Vec<f32> = exact.iter().map(|value| value.clamp(-1.0, 6.0) as f32).collect();
            assert_eq!(output, clamped, "{isa:?}");
        }
    }
}

#[test]
fn strided_views_threads_and_batches_give_the_same_bits() {
    let pool = Pool::new(3).expect("threads can be started");
    for (stride, c) in [(1, 20), (2, 20), (2, 2), (3, 1)] {
        let shape = Transposed {
            batch: 3,
            c_in: c,
            c_out: c + 1,
            input: [40, 33],
            stride: [stride; 2],
            ..Transposed::default()
        };
        for order in ORDERS {
            let g = Transposed { order, ..shape }.geometry().expect("valid");
            let mut random = Random::new(7);
            let data = Data {
                input: random.floats(g.input_len()),
                weight: random.floats(g.weight_len()),
                bias: None,
            };
            for isa in Isa::available() {
                let plan = data.plan(&g, Activation::None, isa);
                let mut one = vec![0.0; g.output_len()];
                plan.run(&data.input, None, &mut one, &pool, 1).expect("exact lengths");
                let mut three = vec![0.0; g.output_len()];
                plan.run(&data.input, None, &mut three, &pool, 3).expect("exact lengths");
                assert_eq!(bits(&one), bits(&three), "{isa:?} of {shape:?}");

                let single = Transposed { batch: 1, order, ..shape }.geometry().expect("valid");
                let plan = data.plan(&single, Activation::None, isa);
                let image = g.input_len() / 3;
                let [_, b, c, d] = g.input_shape();
                for n in 0..3 {
                    // The image as a view whose rows lie apart.
                    let apart = d + 3;
                    let mut spread = vec![f32::NAN; 5 + b * c * apart];
                    for row in 0..b * c {
                        spread[5 + row * apart..][..d]
                            .copy_from_slice(&data.input[n * image + row * d..][..d]);
                    }
                    let layout = Layout { offset: 5, strides: [0, c * apart, apart] };
                    let mut part = vec![0.0; single.output_len()];
                    plan.run(&spread, Some(layout), &mut part, &pool, 1).expect("a valid view");
                    assert_eq!(
                        bits(&part),
                        bits(&one[n * part.len()..][..part.len()]),
                        "{isa:?} of {shape:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn an_algorithm_can_be_forced_where_every_phase_supports_it() {
    let shape = Transposed { c_in: 16, c_out: 16, input: [9, 9], ..Transposed::default() };
    let g = shape.geometry().expect("valid");
    let weight = vec![1.0; g.weight_len()];
    for algorithm in ALGORITHMS {
        let plan = TransposedPlan::new(g, &weight, None, Activation::None, Isa::best(), Some(algorithm));
        match plan {
            Ok(plan) => assert_eq!(plan.algorithm(), algorithm.name),
            Err(error) => assert!(matches!(error, Error::Unsupported { .. }), "{error}"),
        }
    }
}
