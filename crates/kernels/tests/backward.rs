//! Gradients: the definitions in `f64` against finite differences, and every instruction set of this machine against the definitions,
//! through guarded memory.

mod common;

use common::guarded::{Flush, Guarded};
use common::shapes::{Conv, Pooling, Transposed};
use common::{Random, bits};
use corr2d_kernels::backward::{self, ConvGradients, ConvOperands};
use corr2d_kernels::conv::{Activation, ConvPlan};
use corr2d_kernels::geometry::{ChannelOrder, Padding, PaddingLimit, PaddingMode, PoolMode, Rounding};
use corr2d_kernels::parallel::Pool;
use corr2d_kernels::reference::{self, Gradients};
use corr2d_kernels::{Error, Isa};

const ORDERS: [ChannelOrder; 2] = [ChannelOrder::First, ChannelOrder::Last];
const MEAN: PoolMode = PoolMode::Average { count_include_pad: true, divisor_override: None };

/// What a call was made with.
struct Data {
    input: Vec<f32>,
    weight: Vec<f32>,
    gradient: Vec<f32>,
}

impl Data {
    /// Small whole numbers, whose sums are exact in any order.
    fn integers([input, weight, output]: [usize; 3]) -> Data {
        let mut random = Random::new(input as u64 ^ (weight as u64) << 20 ^ (output as u64) << 40);
        Data {
            input: random.integers(input, 9),
            weight: random.integers(weight, 9),
            gradient: random.integers(output, 9),
        }
    }

    fn operands(&self) -> ConvOperands<'_> {
        let Data { input, weight, gradient } = self;
        ConvOperands { input, weight, bias: None, activation: Activation::None, gradient }
    }
}

/// Which of the two operators is meant, to test them alike.
#[derive(Clone, Copy, Debug)]
enum Shape {
    Conv(Conv),
    Transposed(Transposed),
}

impl Shape {
    fn is_valid(&self) -> bool {
        match self {
            Shape::Conv(conv) => conv.geometry().is_ok(),
            Shape::Transposed(transposed) => transposed.geometry().is_ok(),
        }
    }

    fn in_order(&self, order: ChannelOrder) -> Shape {
        match *self {
            Shape::Conv(conv) => Shape::Conv(Conv { order, ..conv }),
            Shape::Transposed(transposed) => Shape::Transposed(Transposed { order, ..transposed }),
        }
    }

    /// Elements of input, weight and output, and output channels.
    fn lengths(&self) -> ([usize; 3], usize) {
        match self {
            Shape::Conv(conv) => {
                let g = conv.geometry().expect("valid");
                ([g.input_len(), g.weight_len(), g.output_len()], g.c_out)
            }
            Shape::Transposed(transposed) => {
                let g = transposed.geometry().expect("valid");
                ([g.input_len(), g.weight_len(), g.output_len()], g.c_out)
            }
        }
    }

    fn forward(&self, input: &[f32], weight: &[f32]) -> Vec<f64> {
        match self {
            Shape::Conv(conv) => reference::conv2d(&conv.geometry().expect("valid"), input, weight, None),
            Shape::Transposed(transposed) => {
                reference::conv_transpose2d(&transposed.geometry().expect("valid"), input, weight, None)
            }
        }
    }

    fn exact(&self, data: &Data) -> Gradients {
        let Data { input, weight, gradient } = data;
        match self {
            Shape::Conv(conv) => {
                reference::conv2d_gradients(&conv.geometry().expect("valid"), input, weight, gradient)
            }
            Shape::Transposed(transposed) => {
                let g = transposed.geometry().expect("valid");
                reference::conv_transpose2d_gradients(&g, input, weight, gradient)
            }
        }
    }

    fn run(
        &self,
        operands: &ConvOperands<'_>,
        gradients: &mut ConvGradients<'_>,
        isa: Isa,
        pool: &Pool,
        threads: usize,
    ) -> Result<(), Error> {
        match self {
            Shape::Conv(conv) => backward::conv2d(&conv.geometry()?, operands, gradients, isa, pool, threads),
            Shape::Transposed(transposed) => {
                backward::conv_transpose2d(&transposed.geometry()?, operands, gradients, isa, pool, threads)
            }
        }
    }

    /// Input, weight and bias gradient, one after the other.
    fn all(&self, operands: &ConvOperands<'_>, isa: Isa, pool: &Pool, threads: usize) -> Vec<f32> {
        let ([input, weight, _], bias) = self.lengths();
        let mut all = vec![f32::NAN; input + weight + bias];
        let (first, rest) = all.split_at_mut(input);
        let (second, third) = rest.split_at_mut(weight);
        let mut gradients = ConvGradients { input: Some(first), weight: Some(second), bias: Some(third) };
        self.run(operands, &mut gradients, isa, pool, threads).expect("exact lengths");
        all
    }
}

fn single_thread() -> Pool {
    Pool::new(1).expect("no thread is started")
}

fn check_close(label: &str, what: &str, result: &[f32], exact: &[f64], tolerance: f64) {
    let scale = exact.iter().fold(1.0f64, |most, value| most.max(value.abs()));
    for (i, (result, exact)) in result.iter().zip(exact).enumerate() {
        let error = (f64::from(*result) - exact).abs();
        assert!(error <= tolerance * scale, "{what} of {label} at {i}: {result}, not {exact}");
    }
}

fn check_one(shape: &Shape) {
    let (lengths, c_out) = shape.lengths();
    let data = Data::integers(lengths);
    let exact = shape.exact(&data);
    let pool = single_thread();
    for isa in Isa::available() {
        let label = format!("{isa:?} of {shape:?}");
        for flush in [Flush::End, Flush::Start] {
            let guard = |values: &[f32]| Guarded::new(values, flush);
            let [input, weight, gradient] = [&data.input, &data.weight, &data.gradient].map(|v| guard(v));
            let mut targets = [lengths[0], lengths[1], c_out].map(|len| guard(&vec![f32::NAN; len]));
            let [first, second, third] = &mut targets;
            let operands = ConvOperands {
                input: input.as_slice(),
                weight: weight.as_slice(),
                gradient: gradient.as_slice(),
                ..data.operands()
            };
            let mut gradients = ConvGradients {
                input: Some(first.as_mut_slice()),
                weight: Some(second.as_mut_slice()),
                bias: Some(third.as_mut_slice()),
            };
            shape.run(&operands, &mut gradients, isa, &pool, 1).expect("exact lengths");
            // Minimal filtering rounds; every other sum of whole numbers is exact.
            check_close(&label, "input", first.as_slice(), &exact.input, 1e-5);
            check_close(&label, "weight", second.as_slice(), &exact.weight, 0.0);
            check_close(&label, "bias", third.as_slice(), &exact.bias, 0.0);
            for target in &targets {
                target.assert_slack_untouched(label.clone());
            }
        }
    }
}

/// Checks those that are valid, with their axes in either order, and returns how many were.
fn check_valid(shapes: impl IntoIterator<Item = Shape>) -> usize {
    let valid = shapes.into_iter().filter(Shape::is_valid);
    valid.map(|shape| ORDERS.iter().for_each(|order| check_one(&shape.in_order(*order)))).count()
}

fn conv(conv: Conv) -> Shape {
    Shape::Conv(conv)
}

fn transposed(shape: Transposed) -> Shape {
    Shape::Transposed(shape)
}

#[test]
fn the_definitions_are_the_slopes_of_the_forward_pass() {
    let pads = [[1, 2], [0, 1]];
    let base = Conv { batch: 2, c_in: 2, c_out: 4, input: [4, 5], kernel: [2, 3], pads, ..Conv::default() };
    let up =
        Transposed { batch: 2, c_in: 2, c_out: 4, input: [3, 2], kernel: [2, 3], ..Transposed::default() };
    let padding = Padding::Explicit([[1, 0], [0, 1]]);
    let mut shapes = vec![
        conv(base),
        conv(Conv { stride: [2, 1], dilation: [1, 2], groups: 2, ..base }),
        transposed(up),
        transposed(Transposed { stride: [2, 3], output_padding: [1, 2], groups: 2, padding, ..up }),
    ];
    for mode in [PaddingMode::Reflect, PaddingMode::Symmetric, PaddingMode::Replicate, PaddingMode::Circular]
    {
        shapes.push(conv(Conv { mode, ..base }));
    }
    for shape in shapes.iter().flat_map(|shape| ORDERS.map(|order| shape.in_order(order))) {
        let (lengths, c_out) = shape.lengths();
        let data = Data::integers(lengths);
        let exact = shape.exact(&data);
        let loss = |input: &[f32], weight: &[f32]| -> f64 {
            let output = shape.forward(input, weight);
            output.iter().zip(&data.gradient).map(|(y, gradient)| y * f64::from(*gradient)).sum()
        };
        // The loss is linear in each operand, so the difference over any distance is the slope; these are exact in binary.
        let slopes = |values: &[f32], loss: &dyn Fn(&[f32]) -> f64| -> Vec<f64> {
            let at = |i: usize, by: f32| {
                let mut moved = values.to_vec();
                moved[i] += by;
                loss(&moved)
            };
            (0..values.len()).map(|i| at(i, 0.25) - at(i, -0.25)).map(|rise| rise / 0.5).collect()
        };
        assert_eq!(slopes(&data.input, &|input| loss(input, &data.weight)), exact.input, "{shape:?}");
        assert_eq!(slopes(&data.weight, &|weight| loss(&data.input, weight)), exact.weight, "{shape:?}");
        assert_eq!(exact.bias.len(), c_out);
        assert_eq!(exact.bias.iter().sum::<f64>(), data.gradient.iter().map(|g| f64::from(*g)).sum::<f64>());
    }
}

#[test]
fn the_definition_of_a_pooling_is_the_slope_of_the_forward_pass() {
    let three = Pooling {
        batch: 2,
        channels: 3,
        input: [5, 6],
        kernel: [3, 2],
        stride: [1, 2],
        ..Pooling::default()
    };
    let padded = Pooling { padding: Padding::Explicit([[1, 1], [1, 0]]), rounding: Rounding::Ceil, ..three };
    for mode in [
        PoolMode::Max,
        MEAN,
        PoolMode::Average { count_include_pad: false, divisor_override: None },
        PoolMode::Average { count_include_pad: true, divisor_override: Some(7) },
    ] {
        for pooling in [three, padded, Pooling { dilation: [2, 3], ..three }] {
            let g = Pooling { mode, ..pooling }.geometry().expect("valid");
            let mut random = Random::new(3);
            // All different, so that a small step changes no maximum.
            let mut input: Vec<f32> = (0..g.input_len()).map(|i| i as f32).collect();
            (1..input.len()).rev().for_each(|i| input.swap(i, random.below(i + 1)));
            let gradient = random.integers(g.output_len(), 9);
            let exact = reference::pool2d_gradient(&g, &input, &gradient);
            let loss = |i: usize, by: f32| -> f64 {
                let mut moved = input.clone();
                moved[i] += by;
                let output = reference::pool2d(&g, &moved);
                output.iter().zip(&gradient).map(|(y, gradient)| y * f64::from(*gradient)).sum()
            };
            for (i, exact) in exact.iter().enumerate() {
                let slope = (loss(i, 0.25) - loss(i, -0.25)) / 0.5;
                assert!(
                    (slope - exact).abs() <= 1e-9 * exact.abs().max(1.0),
                    "{mode:?} at {i}: {slope}, not {exact}"
                );
            }
        }
    }
}

#[test]
fn the_derivative_of_an_activation_is_its_slope() {
    let activations = [
        Activation::None,
        Activation::Relu,
        Activation::Clamp(-1.0, 2.5),
        Activation::LeakyRelu(0.2),
        Activation::Silu,
        Activation::Hardswish,
    ];
    for activation in activations {
        let f = |x: f64| match activation {
            Activation::None => x,
            Activation::Relu => x.max(0.0),
            Activation::Clamp(lo, hi) => x.clamp(f64::from(lo), f64::from(hi)),
            Activation::LeakyRelu(slope) => {
                if x > 0.0 {
                    x
                } else {
                    f64::from(slope) * x
                }
            }
            Activation::Silu => x / (1.0 + (-x).exp()),
            Activation::Hardswish => x * (x + 3.0).clamp(0.0, 6.0) / 6.0,
        };
        for i in -80..80 {
            // Between the corners, which are at multiples of a half.
            let x = f64::from(i) / 16.0 + 1.0 / 64.0;
            let slope = (f(x + 1e-6) - f(x - 1e-6)) / 2e-6;
            let derivative = f64::from(activation.derivative(x as f32));
            assert!((derivative - slope).abs() < 1e-6, "{activation:?} at {x}: {derivative}, not {slope}");
        }
    }
}

#[test]
fn strides_dilations_kernels_and_padding() {
    let mut checked = 0;
    for stride in [[1, 1], [2, 2], [1, 3], [3, 2]] {
        for dilation in [[1, 1], [2, 1], [1, 3]] {
            for kernel in [[1, 1], [3, 3], [2, 2], [1, 5], [4, 2]] {
                for pads in [[[0, 0], [0, 0]], [[1, 1], [1, 1]], [[2, 0], [0, 3]]] {
                    let one = Conv { input: [6, 19], kernel, stride, dilation, pads, ..Conv::default() };
                    let many = Conv { batch: 2, input: [7, 9], c_in: 4, c_out: 6, ..one };
                    checked += check_valid([one, many, Conv { groups: 2, ..many }].map(conv));
                    let padding = Padding::Explicit(pads);
                    let one = Transposed {
                        input: [3, 9],
                        kernel,
                        stride,
                        dilation,
                        padding,
                        ..Transposed::default()
                    };
                    let many = Transposed { batch: 2, c_in: 4, c_out: 6, ..one };
                    checked += check_valid([one, many, Transposed { groups: 2, ..many }].map(transposed));
                }
            }
        }
    }
    assert!(checked > 900, "{checked}");
}

#[test]
fn every_width_and_number_of_channels() {
    for width in (1..=36).chain([47, 48, 49, 63, 64, 65, 100, 130]) {
        let pads = [[1, 1], [1, 1]];
        let row = Conv { input: [3, width], pads, ..Conv::default() };
        check_valid(
            [row, Conv { c_in: 3, c_out: 9, ..row }, Conv { c_in: 8, c_out: 8, groups: 8, ..row }].map(conv),
        );
    }
    for c_in in (1..=20).chain([31, 32, 33, 64, 65, 96, 256]) {
        for c_out in [1, 2, 5, 6, 7, 8, 9, 17] {
            let small = Conv { batch: 3, c_in, c_out, input: [4, 5], ..Conv::default() };
            check_valid([small, Conv { kernel: [1, 1], ..small }].map(conv));
        }
    }
    for (c_in, c_out, groups) in [(32, 64, 2), (40, 40, 2), (6, 12, 6), (3, 9, 3), (36, 24, 4), (24, 24, 24)]
    {
        for (stride, kernel) in [(1, 3), (2, 3), (2, 5), (1, 1)] {
            let shape = Conv {
                c_in,
                c_out,
                groups,
                input: [9, 8],
                stride: [stride; 2],
                kernel: [kernel; 2],
                ..Conv::default()
            };
            check_valid([conv(shape)]);
        }
    }
}

#[test]
fn padding_modes_fold_back() {
    let mut checked = 0;
    for mode in [PaddingMode::Reflect, PaddingMode::Symmetric, PaddingMode::Replicate, PaddingMode::Circular]
    {
        for pads in [[[1, 1], [1, 1]], [[2, 0], [3, 1]], [[4, 5], [5, 4]]] {
            for (stride, c) in [(1, 1), (2, 3), (1, 20)] {
                let shape = Conv {
                    batch: 2,
                    c_in: c,
                    c_out: c + 1,
                    input: [6, 7],
                    pads,
                    stride: [stride; 2],
                    mode,
                    ..Conv::default()
                };
                checked += check_valid([conv(shape)]);
            }
        }
    }
    assert!(checked > 30, "{checked}");
}

#[test]
fn large_images_and_batches_are_taken_in_parts() {
    let pads = [[1, 1], [1, 1]];
    check_valid([
        // More than one part of the input at a time, for the tile and for the copy.
        conv(Conv { c_in: 24, c_out: 9, input: [210, 230], pads, ..Conv::default() }),
        conv(Conv { batch: 40, c_in: 20, c_out: 9, input: [40, 40], stride: [2, 2], ..Conv::default() }),
        conv(Conv { batch: 3, c_in: 1, c_out: 3, input: [300, 290], kernel: [5, 5], ..Conv::default() }),
        conv(Conv { batch: 70, c_in: 1, c_out: 6, input: [12, 12], kernel: [5, 5], ..Conv::default() }),
    ]);
}

#[test]
fn activations_scale_the_gradient() {
    let pool = single_thread();
    for activation in
        [Activation::Relu, Activation::Clamp(-3.0, 5.0), Activation::LeakyRelu(0.5), Activation::Silu]
    {
        for order in ORDERS {
            let g = Conv { c_in: 3, c_out: 4, order, ..Conv::default() }.geometry().expect("valid");
            let mut random = Random::new(5);
            let [input, weight, bias] =
                [g.input_len(), g.weight_len(), g.c_out].map(|len| random.floats(len));
            let gradient = random.floats(g.output_len());
            let inner = reference::conv2d(&g, &input, &weight, Some(&bias));
            let scaled: Vec<f32> = inner
                .iter()
                .zip(&gradient)
                .map(|(x, gradient)| activation.derivative(*x as f32) * gradient)
                .collect();
            let exact = reference::conv2d_gradients(&g, &input, &weight, &scaled);
            for isa in Isa::available() {
                let operands = ConvOperands {
                    input: &input,
                    weight: &weight,
                    bias: Some(&bias),
                    activation,
                    gradient: &gradient,
                };
                let shape = conv(Conv { c_in: 3, c_out: 4, order, ..Conv::default() });
                let all = shape.all(&operands, isa, &pool, 1);
                let (first, rest) = all.split_at(g.input_len());
                let (second, third) = rest.split_at(g.weight_len());
                let label = format!("{activation:?} on {isa:?}");
                check_close(&label, "input", first, &exact.input, 1e-5);
                check_close(&label, "weight", second, &exact.weight, 1e-5);
                check_close(&label, "bias", third, &exact.bias, 1e-5);
            }
        }
    }
}

#[test]
fn an_infinity_stays_with_the_taps_that_read_it() {
    let pool = single_thread();
    for c in [1, 16] {
        let shape = Conv { c_in: c, c_out: 2, input: [5, 9], stride: [1, 2], ..Conv::default() };
        let g = shape.geometry().expect("valid");
        let mut data = Data::integers([g.input_len(), g.weight_len(), g.output_len()]);
        // No window reaches the last column but that of the last tap.
        data.input[8] = f32::INFINITY;
        data.gradient.iter_mut().for_each(|value| *value = value.abs() + 1.0);
        for isa in Isa::available() {
            let all = conv(shape).all(&data.operands(), isa, &pool, 1);
            let weight = &all[g.input_len()..][..g.weight_len()];
            let infinite = weight.iter().enumerate().filter(|(_, value)| !value.is_finite());
            assert_eq!(infinite.map(|(i, _)| i).collect::<Vec<_>>(), [2, c * 9 + 2], "{isa:?}");
        }
    }
}

#[test]
fn every_number_of_threads_gives_the_same_bits() {
    let pool = Pool::new(3).expect("threads can be started");
    let pads = [[1, 1], [1, 1]];
    let base = Conv { batch: 3, c_in: 20, c_out: 24, input: [30, 31], pads, ..Conv::default() };
    for shape in [
        conv(base),
        conv(Conv { stride: [2, 2], mode: PaddingMode::Reflect, ..base }),
        conv(Conv { c_in: 24, groups: 24, ..base }),
        conv(Conv { c_in: 1, kernel: [5, 5], ..base }),
        conv(Conv { kernel: [1, 1], pads: [[0, 0], [0, 0]], c_in: 200, ..base }),
        transposed(Transposed {
            batch: 3,
            c_in: 20,
            c_out: 24,
            input: [20, 21],
            stride: [2, 2],
            ..Transposed::default()
        }),
    ] {
        for order in ORDERS {
            let shape = shape.in_order(order);
            let ([input, weight, output], _) = shape.lengths();
            let mut random = Random::new(9);
            let data = Data {
                input: random.floats(input),
                weight: random.floats(weight),
                gradient: random.floats(output),
            };
            for isa in Isa::available() {
                let one = shape.all(&data.operands(), isa, &pool, 1);
                let three = shape.all(&data.operands(), isa, &pool, 3);
                assert_eq!(bits(&one), bits(&three), "{isa:?} of {shape:?}");
            }
        }
    }
}

#[test]
fn an_empty_batch_has_gradients_of_zero() {
    let pool = single_thread();
    for shape in [
        conv(Conv { batch: 0, ..Conv::default() }),
        transposed(Transposed { batch: 0, ..Transposed::default() }),
    ] {
        let (lengths, c_out) = shape.lengths();
        let data = Data::integers(lengths);
        assert_eq!(shape.all(&data.operands(), Isa::best(), &pool, 1), vec![0.0; lengths[1] + c_out]);
    }
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_written() {
    let pool = single_thread();
    let shape = conv(Conv::default());
    let (lengths, _) = shape.lengths();
    let data = Data::integers(lengths);
    let [mut input, mut weight, mut bias] = [vec![7.0; lengths[0]], vec![7.0; lengths[1]], vec![7.0; 1]];
    let short = ConvOperands { gradient: &data.gradient[1..], ..data.operands() };
    let biased = ConvOperands { bias: Some(&[1.0, 2.0]), ..data.operands() };
    for (operands, parameter) in [(short, "gradOutput"), (biased, "bias")] {
        let mut gradients =
            ConvGradients { input: Some(&mut input), weight: Some(&mut weight), bias: Some(&mut bias) };
        let error = shape.run(&operands, &mut gradients, Isa::best(), &pool, 1).expect_err("refused");
        assert!(error.to_string().contains(parameter), "{error}");
    }
    assert!([input, weight, bias].iter().flatten().all(|value| *value == 7.0));
}

fn check_pooling(pooling: &Pooling, order: ChannelOrder) {
    let g = pooling.geometry().expect("valid").with_order(order);
    let mut random = Random::new(g.input_len() as u64);
    // Equal elements too: the first of them counts.
    let input = random.integers(g.input_len(), 4);
    let gradient = random.integers(g.output_len(), 9);
    let exact = reference::pool2d_gradient(&g, &input, &gradient);
    let pool = Pool::new(2).expect("a thread can be started");
    for isa in Isa::available() {
        let mut target = Guarded::new(&vec![f32::NAN; g.input_len()], Flush::End);
        match g.mode {
            PoolMode::Max => {
                backward::max_pool2d(&g, &input, &gradient, target.as_mut_slice(), isa, &pool, 2)
            }
            _ => backward::avg_pool2d(&g, &gradient, target.as_mut_slice(), isa, &pool, 2),
        }
        .expect("exact lengths");
        check_close(&format!("{isa:?} of {order:?} {pooling:?}"), "input", target.as_slice(), &exact, 1e-6);
    }
}

#[test]
fn poolings_of_every_kind() {
    let mut checked = 0;
    let modes = [
        PoolMode::Max,
        MEAN,
        PoolMode::Average { count_include_pad: false, divisor_override: None },
        PoolMode::Average { count_include_pad: true, divisor_override: Some(5) },
    ];
    for mode in modes {
        for order in ORDERS {
            for kernel in [[2, 2], [3, 3], [1, 4], [3, 2]] {
                for stride in [[1, 1], [2, 2], [3, 1]] {
                    for dilation in [[1, 1], [2, 2]] {
                        for padding in
                            [Padding::Valid, Padding::SameLower, Padding::Explicit([[1, 1], [0, 2]])]
                        {
                            for rounding in [Rounding::Floor, Rounding::Ceil, Rounding::CeilOnnx] {
                                let pooling = Pooling {
                                    batch: 2,
                                    channels: 3,
                                    input: [7, 18],
                                    kernel,
                                    stride,
                                    dilation,
                                    padding,
                                    rounding,
                                    mode,
                                    padding_limit: PaddingLimit::Window,
                                };
                                if pooling.geometry().is_ok() {
                                    check_pooling(&pooling, order);
                                    checked += 1;
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(checked > 1000, "{checked}");
}

/// The plan that computes the gradient of a wide 3×3 layer's input is chosen like any other.
#[test]
fn the_gradient_of_an_input_is_computed_like_a_forward_pass() {
    let g = Conv { c_in: 64, c_out: 64, input: [28, 28], pads: [[1, 1], [1, 1]], ..Conv::default() };
    let g = g.geometry().expect("valid");
    let weight = vec![1.0; g.weight_len()];
    let forward = ConvPlan::new(g, &weight, None, Activation::None, Isa::best(), None).expect("valid");
    let transposed = corr2d_kernels::geometry::TransposedGeometry::input_gradient(&g);
    let back = corr2d_kernels::conv::TransposedPlan::new(
        transposed,
        &weight,
        None,
        Activation::None,
        Isa::best(),
        None,
    );
    assert_eq!(back.expect("valid").algorithm(), forward.algorithm().name);
}
