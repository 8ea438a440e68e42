//! Every algorithm of the registry × every instruction set of this machine × a grid of shapes, against the oracle in `f64`.
//!
//! The promise under test. Small integers: exact. Any other data: with `n` products in a sum,
//!
//! > |result − exact| ≤ (n + 1) · ε · (|bias| + Σ|w·x|),  ε = 2⁻²³,
//!
//! twice the classical bound for a sum in any order with one or two roundings for each product (Higham, "Accuracy and Stability of
//! Numerical Algorithms", section 3.1). An activation multiplies it by its Lipschitz constant and adds a few roundings of its own.
//!
//! Every run reads and writes guarded memory (`common::guarded`), so all of these tests are also tests of bounds.

mod common;

use common::guarded::{Flush, Guarded};
use common::shapes::Conv;
use common::{Random, algorithm, bits, vector_sets};
use corr2d_kernels::conv::{ALGORITHMS, Accuracy, Activation, Algorithm, ConvPlan, Layout};
use corr2d_kernels::geometry::{ChannelOrder, ConvGeometry, PaddingMode};
use corr2d_kernels::parallel::Pool;
use corr2d_kernels::{Error, Isa, reference};

const EPSILON: f64 = f32::EPSILON as f64;

const MODES: [PaddingMode; 5] = [
    PaddingMode::Zeros,
    PaddingMode::Reflect,
    PaddingMode::Symmetric,
    PaddingMode::Replicate,
    PaddingMode::Circular,
];

const ORDERS: [ChannelOrder; 2] = [ChannelOrder::First, ChannelOrder::Last];

/// Each way to compute a geometry on this machine; one algorithm has use for a matrix unit.
fn ways(g: &ConvGeometry) -> impl Iterator<Item = (&'static Algorithm, Isa)> + use<> {
    let g = *g;
    ALGORITHMS.iter().filter(move |algorithm| (algorithm.supports)(&g)).flat_map(|algorithm| {
        let has_use = move |isa: &Isa| algorithm.name == "bf16x3" || vector_sets().any(|set| set == *isa);
        Isa::available().filter(has_use).map(move |isa| (algorithm, isa))
    })
}

fn single_thread() -> Pool {
    Pool::new(1).expect("no thread is started")
}

/// Weight, bias and input of one geometry.
struct Data {
    input: Vec<f32>,
    weight: Vec<f32>,
    bias: Option<Vec<f32>>,
}

impl Data {
    /// Whole numbers: every order of summation gives the same, exact result.
    fn integers(g: &ConvGeometry, bias: bool) -> Data {
        let mut random = Random::new(g.output_len() as u64 ^ (g.taps() as u64) << 32);
        Data {
            input: random.integers(g.input_len(), 9),
            weight: random.integers(g.weight_len(), 9),
            bias: bias.then(|| random.integers(g.c_out, 99)),
        }
    }

    fn floats(g: &ConvGeometry, bias: bool) -> Data {
        let mut random = Random::new(g.input_len() as u64 ^ (g.taps() as u64) << 32);
        Data {
            input: random.floats(g.input_len()),
            weight: random.floats(g.weight_len()),
            bias: bias.then(|| random.floats(g.c_out)),
        }
    }

    fn exact(&self, g: &ConvGeometry) -> Vec<f64> {
        reference::conv2d(g, &self.input, &self.weight, self.bias.as_deref())
    }

    /// The error that an algorithm may make at an output element: see [`Accuracy`].
    fn bounds(&self, g: &ConvGeometry) -> impl Fn(Accuracy, usize) -> f64 + use<> {
        let direct: Vec<f64> = self.magnitudes(g).into_iter().map(|magnitude| bound(g, magnitude)).collect();
        let transformed = bound(g, self.largest_magnitude(g));
        move |accuracy, i| match accuracy {
            Accuracy::Direct => direct[i],
            Accuracy::Transformed { amplification, .. } => amplification * transformed,
        }
    }

    /// |bias| + Σ max|w|·max|x|, the maxima over everything.
    fn largest_magnitude(&self, g: &ConvGeometry) -> f64 {
        let largest = |values: &[f32]| f64::from(values.iter().fold(0.0f32, |most, v| most.max(v.abs())));
        let bias = self.bias.as_deref().map_or(0.0, largest);
        bias + g.taps() as f64 * largest(&self.weight) * largest(&self.input)
    }

    /// |bias| + Σ|w·x| of every output element.
    fn magnitudes(&self, g: &ConvGeometry) -> Vec<f64> {
        let abs = |values: &[f32]| values.iter().map(|value| value.abs()).collect::<Vec<f32>>();
        let bias = self.bias.as_deref().map(abs);
        reference::conv2d(g, &abs(&self.input), &abs(&self.weight), bias.as_deref())
    }

    fn plan(
        &self,
        g: &ConvGeometry,
        activation: Activation,
        algorithm: &'static Algorithm,
        isa: Isa,
    ) -> ConvPlan {
        ConvPlan::new(*g, &self.weight, self.bias.as_deref(), activation, isa, Some(algorithm))
            .expect("the algorithm supports the geometry")
    }
}

/// Runs every way through guarded memory and hands each result to `check`.
fn run_every_way(
    conv: &Conv,
    g: &ConvGeometry,
    data: &Data,
    activation: Activation,
    mut check: impl FnMut(&str, Accuracy, &[f32]),
) {
    let pool = single_thread();
    let blank = vec![f32::NAN; g.output_len()];
    let mut memory = [Flush::End, Flush::Start]
        .map(|flush| (Guarded::new(&data.input, flush), Guarded::new(&blank, flush)));
    for (algorithm, isa) in ways(g) {
        let plan = data.plan(g, activation, algorithm, isa);
        for (input, output) in &mut memory {
            let label = || format!("{} on {isa:?} of {conv:?}", algorithm.name);
            output.as_mut_slice().fill(f32::NAN);
            plan.run(input.as_slice(), None, output.as_mut_slice(), &pool, 1).expect("exact lengths");
            output.assert_slack_untouched(label());
            check(&label(), algorithm.accuracy, output.as_slice());
        }
    }
}

/// The place of element `i` of the output, for messages.
fn place(g: &ConvGeometry, i: usize) -> [usize; 4] {
    let [_, b, c, d] = g.output_shape();
    [i / (b * c * d), i / (c * d) % b, i / d % c, i % d]
}

fn check_exact(conv: &Conv) {
    let g = conv.geometry().unwrap_or_else(|error| panic!("{conv:?}: {error}"));
    let data = Data::integers(&g, !conv.c_out.is_multiple_of(2));
    let exact = data.exact(&g);
    run_every_way(conv, &g, &data, Activation::None, |label, accuracy, output| {
        if !accuracy.is_exact() {
            return;
        }
        for (i, (result, exact)) in output.iter().zip(&exact).enumerate() {
            assert!(f64::from(*result) == *exact, "{label} at {:?}: {result}, not {exact}", place(&g, i));
        }
    });
}

fn check_bound(conv: &Conv) {
    let g = conv.geometry().unwrap_or_else(|error| panic!("{conv:?}: {error}"));
    let data = Data::floats(&g, conv.c_out.is_multiple_of(2));
    let (exact, bounds) = (data.exact(&g), data.bounds(&g));
    run_every_way(conv, &g, &data, Activation::None, |label, accuracy, output| {
        for (i, (result, exact)) in output.iter().zip(&exact).enumerate() {
            let (error, bound) = ((f64::from(*result) - exact).abs(), bounds(accuracy, i));
            assert!(error <= bound, "{label} at {:?}: {result}, not {exact} ± {bound:e}", place(&g, i));
        }
    });
}

fn bound(g: &ConvGeometry, magnitude: f64) -> f64 {
    (g.taps() + 1) as f64 * EPSILON * magnitude + f64::from(f32::MIN_POSITIVE)
}

/// Checks a shape with its axes in either order.
fn check(conv: &Conv) {
    for order in ORDERS {
        let conv = Conv { order, ..*conv };
        check_exact(&conv);
        check_bound(&conv);
    }
}

/// Checks those that are valid geometries and returns how many were.
fn check_valid(convs: impl IntoIterator<Item = Conv>) -> usize {
    convs.into_iter().filter(|conv| conv.geometry().is_ok()).map(|conv| check(&conv)).count()
}

const SAME_3X3: [[usize; 2]; 2] = [[1, 1], [1, 1]];

#[test]
fn every_output_width() {
    let beyond_tiles = [127, 128, 129, 143, 144, 145, 191, 193, 255, 257, 511, 512, 513, 530, 1025];
    for width in (1..=100).chain(beyond_tiles) {
        let row = Conv { input: [3, width], ..Conv::default() };
        check(&Conv { pads: SAME_3X3, ..row });
        check(&Conv { kernel: [1, 1], ..row });
        check(&Conv { kernel: [2, 5], pads: [[0, 0], [2, 2]], c_out: 3, ..row });
        if width >= 4 {
            check(&Conv { kernel: [2, 4], c_in: 2, c_out: 2, ..row });
            check(&Conv { kernel: [3, 3], stride: [2, 2], pads: [[1, 0], [1, 0]], c_in: 2, c_out: 9, ..row });
        }
    }
}

#[test]
fn every_output_height() {
    for height in (1..=40).chain([63, 64, 65, 127, 129, 255, 256, 257, 258, 259, 511, 513]) {
        let column = Conv { input: [height, 5], pads: SAME_3X3, ..Conv::default() };
        check(&column);
        check(&Conv { c_in: 3, c_out: 2, ..column });
        check(&Conv { c_in: 2, c_out: 2, groups: 2, stride: [3, 1], ..column });
    }
}

#[test]
fn every_number_of_channels() {
    for c_in in 1..=9 {
        for c_out in (1..=19).chain([24, 25, 33]) {
            check_exact(&Conv { c_in, c_out, input: [4, 9], pads: SAME_3X3, ..Conv::default() });
            check(&Conv { c_in, c_out, input: [3, 7], kernel: [1, 1], ..Conv::default() });
        }
    }
    for c_in in [16, 63, 64, 65, 130] {
        check(&Conv { c_in, c_out: 17, input: [5, 11], pads: SAME_3X3, ..Conv::default() });
        check(&Conv { c_in, c_out: 23, input: [9, 13], kernel: [1, 1], ..Conv::default() });
    }
}

#[test]
fn one_wide_and_one_high_inputs_under_any_kernel() {
    let mut checked = 0;
    for input in [[1, 1], [1, 2], [2, 1], [1, 37], [37, 1], [2, 2]] {
        for kernel in [[1, 1], [1, 7], [7, 1], [2, 2], [3, 3], [5, 4], [9, 9]] {
            for pad in [0, 1, 2, 4] {
                let pads = [[pad, pad], [pad, pad]];
                let conv = Conv { input, kernel, pads, ..Conv::default() };
                checked += check_valid([conv, Conv { c_in: 2, c_out: 3, ..conv }]);
            }
        }
    }
    assert!(checked > 150, "{checked}");
}

#[test]
fn kernels_larger_than_the_input() {
    for (input, kernel, pad) in [(3, 8, 3), (2, 11, 5), (1, 13, 6), (4, 12, 4), (5, 25, 12), (1, 2, 1)] {
        let pads = [[pad, pad], [pad, pad]];
        let conv = Conv { input: [input; 2], kernel: [kernel; 2], pads, ..Conv::default() };
        check(&conv);
        check(&Conv { c_in: 3, c_out: 5, stride: [2, 3], ..conv });
    }
}

#[test]
fn strides_and_dilations() {
    let mut checked = 0;
    for stride in [[1, 1], [1, 2], [2, 1], [2, 2], [3, 2], [2, 3], [4, 4], [1, 5], [7, 16]] {
        for dilation in [[1, 1], [1, 2], [2, 1], [2, 2], [3, 4]] {
            for kernel in [[1, 1], [1, 3], [3, 1], [3, 3], [2, 5], [4, 4]] {
                for pads in [[[0, 0], [0, 0]], [[2, 1], [1, 3]]] {
                    let one = Conv { input: [9, 41], kernel, stride, dilation, pads, ..Conv::default() };
                    let many = Conv { input: [11, 19], c_in: 4, c_out: 5, ..one };
                    checked += check_valid([one, many, Conv { c_out: 6, groups: 2, ..many }]);
                }
            }
        }
    }
    assert!(checked > 1400, "{checked}");
}

#[test]
fn groups_and_depthwise_multipliers() {
    for stride in [1, 2] {
        for (c_in, c_out, groups) in [
            (2, 2, 2),
            (6, 6, 6),
            (4, 8, 4),
            (3, 9, 3),
            (5, 85, 5),
            (4, 6, 2),
            (6, 4, 2),
            (32, 64, 2),
            (27, 27, 9),
        ] {
            for (input, kernel) in
                [([6, 21], [3, 3]), ([7, 7], [5, 5]), ([3, 50], [1, 1]), ([14, 14], [2, 3])]
            {
                let pads = [[kernel[0] / 2; 2], [kernel[1] / 2; 2]];
                let stride = [stride; 2];
                check(&Conv { c_in, c_out, groups, input, kernel, pads, stride, ..Conv::default() });
            }
        }
    }
}

#[test]
fn padding_of_every_kind_and_side() {
    let mut checked = 0;
    for mode in MODES {
        for pads in [
            [[1, 1], [1, 1]],
            [[0, 3], [2, 0]],
            [[3, 0], [0, 2]],
            [[0, 0], [4, 1]],
            [[4, 4], [0, 0]],
            [[0, 0], [20, 30]],
        ] {
            for (kernel, stride, dilation) in [
                ([3, 3], [1, 1], [1, 1]),
                ([2, 5], [2, 2], [1, 2]),
                ([4, 1], [1, 3], [1, 1]),
                ([1, 4], [1, 1], [1, 3]),
            ] {
                for input in [[6, 18], [5, 35], [1, 1], [2, 3]] {
                    let one = Conv { input, kernel, stride, dilation, pads, mode, ..Conv::default() };
                    checked += check_valid([one, Conv { c_in: 2, c_out: 3, ..one }]);
                }
            }
        }
    }
    assert!(checked > 500, "{checked}");
}

#[test]
fn batches() {
    for batch in [0, 1, 2, 3, 7] {
        let conv = Conv { batch, input: [6, 19], pads: SAME_3X3, ..Conv::default() };
        check(&conv);
        check(&Conv { c_in: 3, c_out: 10, ..conv });
        check(&Conv { c_in: 4, c_out: 4, groups: 4, ..conv });
        check(&Conv { c_in: 3, c_out: 10, kernel: [1, 1], pads: [[0, 0], [0, 0]], ..conv });
    }
}

/// Kernels of more rows than fit the registers are summed in several passes; every remainder of rows must have its tile.
#[test]
fn tall_kernels() {
    for height in 1..=45 {
        let conv = Conv { input: [50, 70], kernel: [height, 3], pads: [[1, 0], [1, 1]], ..Conv::default() };
        check_exact(&conv);
        if [12, 13, 23, 31].contains(&height) {
            check(&Conv { c_in: 2, c_out: 4, groups: 2, ..conv });
            check(&Conv { input: [8, 300], pads: [[height / 2, height / 2], [1, 1]], ..conv });
            check(&Conv { kernel: [height, height], pads: [[height / 2; 2]; 2], input: [20, 33], ..conv });
        }
    }
}

#[test]
fn several_tiles_of_every_algorithm() {
    check(&Conv { input: [300, 600], kernel: [3, 3], pads: SAME_3X3, ..Conv::default() });
    check_exact(&Conv { input: [40, 56], c_in: 24, c_out: 40, pads: SAME_3X3, ..Conv::default() });
    check_exact(&Conv { input: [56, 56], c_in: 64, c_out: 20, kernel: [1, 1], ..Conv::default() });
    check_exact(&Conv { input: [7, 7], c_in: 96, c_out: 130, kernel: [1, 1], ..Conv::default() });
    check_exact(&Conv {
        input: [64, 64],
        c_in: 3,
        c_out: 32,
        kernel: [7, 7],
        stride: [2, 2],
        pads: [[3; 2]; 2],
        ..Conv::default()
    });
}

/// Rows so wide that only their ends are copied.
#[test]
fn wide_planes() {
    for width in (1020..1030).chain([1040, 1055, 1056, 1057, 1100, 1150, 2049]) {
        for (kernel, pads) in [([3, 3], SAME_3X3), ([1, 2], [[0, 0], [0, 0]]), ([5, 5], [[2, 2], [0, 4]])] {
            let conv = Conv { input: [7, width], kernel, pads, ..Conv::default() };
            check_exact(&conv);
            check_exact(&Conv { input: [2, width], pads: [[2, 2], pads[1]], ..conv });
        }
    }
    for mode in MODES {
        let conv = Conv { input: [9, 1061], pads: [[2, 1], [3, 40]], mode, ..Conv::default() };
        check(&conv);
        check(&Conv { kernel: [4, 5], dilation: [1, 7], c_in: 2, c_out: 4, groups: 2, ..conv });
        check_exact(&Conv { input: [30, 1061], kernel: [18, 3], ..conv });
    }
    check_exact(&Conv { input: [7, 1061], kernel: [3, 1055], pads: [[0, 0], [1, 1]], ..Conv::default() });
    check_exact(&Conv { input: [7, 1061], kernel: [3, 1055], pads: [[1, 1], [600, 600]], ..Conv::default() });
}

#[test]
fn random_shapes() {
    let mut random = Random::new(3);
    let convs = std::iter::repeat_with(|| {
        let groups = random.pick(&[1, 1, 1, 2, 3]);
        let mut pair = |choices: &[usize]| [random.pick(choices), random.pick(choices)];
        let input = pair(&[1, 2, 3, 5, 8, 13, 17, 21, 32, 34, 47]);
        let kernel = pair(&[1, 1, 2, 3, 3, 4, 5, 7, 12]);
        let (stride, dilation) = (pair(&[1, 1, 1, 2, 3, 4]), pair(&[1, 1, 1, 2, 3, 5]));
        let pads = [pair(&[0, 0, 1, 2, 5]), pair(&[0, 0, 1, 2, 5])];
        let [c_in, c_out] = pair(&[1, 1, 2, 3, 5]).map(|channels| channels * groups);
        let batch = random.pick(&[1, 1, 2]);
        Conv {
            batch,
            c_in,
            c_out,
            groups,
            input,
            kernel,
            stride,
            dilation,
            pads,
            mode: random.pick(&MODES),
            order: random.pick(&ORDERS),
        }
    });
    assert!(check_valid(convs.take(1500)) > 500);
}

/// An activation in `f64`, its Lipschitz constant, and whether it is applied exactly.
fn activation_of(activation: Activation, x: f64) -> (f64, f64) {
    match activation {
        Activation::None => (x, 1.0),
        Activation::Relu => (x.max(0.0), 1.0),
        Activation::Clamp(lo, hi) => (x.max(f64::from(lo)).min(f64::from(hi)), 1.0),
        Activation::LeakyRelu(slope) if x < 0.0 => (f64::from(slope) * x, f64::from(slope).abs().max(1.0)),
        Activation::LeakyRelu(slope) => (x, f64::from(slope).abs().max(1.0)),
        Activation::Silu => (x / (1.0 + (-x).exp()), 1.1),
        Activation::Hardswish => (x * (x + 3.0).clamp(0.0, 6.0) / 6.0, 1.5),
    }
}

const ACTIVATIONS: [Activation; 9] = [
    Activation::None,
    Activation::Relu,
    Activation::Clamp(0.0, 6.0),
    Activation::Clamp(-0.5, 0.25),
    Activation::LeakyRelu(0.01),
    Activation::LeakyRelu(-0.5),
    Activation::LeakyRelu(2.0),
    Activation::Silu,
    Activation::Hardswish,
];

#[test]
fn activations_with_and_without_bias() {
    let convs = [
        Conv { input: [9, 37], pads: SAME_3X3, ..Conv::default() },
        Conv { input: [5, 23], c_in: 6, c_out: 11, pads: SAME_3X3, ..Conv::default() },
        Conv { input: [5, 32], c_in: 2, c_out: 5, pads: SAME_3X3, ..Conv::default() },
        Conv { input: [9, 14], c_in: 4, c_out: 17, kernel: [5, 5], ..Conv::default() },
        Conv { input: [30, 20], kernel: [23, 2], ..Conv::default() },
        Conv { input: [30, 40], kernel: [13, 1], c_in: 3, c_out: 6, groups: 3, ..Conv::default() },
    ];
    for (conv, activation) in convs.iter().flat_map(|conv| ACTIVATIONS.map(|activation| (conv, activation))) {
        for bias in [false, true] {
            let g = conv.geometry().expect("a valid shape");
            let data = Data::floats(&g, bias);
            let (exact, bounds) = (data.exact(&g), data.bounds(&g));
            run_every_way(conv, &g, &data, activation, |label, accuracy, output| {
                for (i, (result, exact)) in output.iter().zip(&exact).enumerate() {
                    let (expected, lipschitz) = activation_of(activation, *exact);
                    let bound =
                        lipschitz * bounds(accuracy, i) + 8.0 * EPSILON * (expected.abs() + exact.abs());
                    assert!(
                        (f64::from(*result) - expected).abs() <= bound,
                        "{activation:?} in {label} at {:?}: {result}, not {expected} ± {bound:e}",
                        place(&g, i)
                    );
                }
            });
        }
    }
}

#[test]
fn activations_of_extreme_sums() {
    let conv = Conv { input: [1, 21], kernel: [1, 1], ..Conv::default() };
    let g = conv.geometry().expect("a valid shape");
    let infinity = f32::INFINITY;
    for (activation, low, high) in [
        (Activation::None, -infinity, infinity),
        (Activation::Relu, 0.0, infinity),
        (Activation::Clamp(-2.0, 6.0), -2.0, 6.0),
        (Activation::LeakyRelu(0.5), -infinity, infinity),
        (Activation::Hardswish, f32::NAN, infinity),
        (Activation::Silu, f32::NAN, infinity),
    ] {
        let values = [-infinity, infinity, f32::NAN, -1e4, 1e4, 0.0, 1e-30];
        let input = (0..21).map(|i| values[i % values.len()]).collect();
        let data = Data { input, weight: vec![1.0], bias: None };
        run_every_way(&conv, &g, &data, activation, |label, _, output| {
            for (x, result) in data.input.iter().zip(output) {
                let correct = match *x {
                    x if x.is_nan() => result.is_nan(),
                    // The limits of hardswish and silu at -inf are -0 · inf, for which NaN and zero are both found.
                    x if x == -infinity && low.is_nan() => result.is_nan() || *result == 0.0,
                    x if x == -infinity => *result == low,
                    x if x == infinity => *result == high,
                    x => {
                        let expected = activation_of(activation, f64::from(x)).0;
                        (f64::from(*result) - expected).abs() <= 1e-6 * (expected.abs() + 1e-30)
                    }
                };
                assert!(correct, "{activation:?} of {x} is {result}: {label}");
            }
        });
    }
}

/// A NaN reaches the outputs whose windows read it, and no other.
#[test]
fn nan_stays_in_its_window() {
    let convs = [
        Conv { input: [6, 33], pads: SAME_3X3, ..Conv::default() },
        Conv { input: [6, 33], c_in: 3, c_out: 4, pads: SAME_3X3, ..Conv::default() },
        Conv { input: [6, 33], c_in: 3, c_out: 4, kernel: [1, 1], ..Conv::default() },
        Conv { input: [15, 37], c_in: 2, c_out: 5, kernel: [7, 7], stride: [2, 2], ..Conv::default() },
        Conv { input: [11, 13], c_in: 3, c_out: 16, kernel: [5, 5], ..Conv::default() },
        Conv {
            input: [9, 33],
            c_in: 2,
            c_out: 2,
            groups: 2,
            stride: [2, 2],
            dilation: [2, 3],
            ..Conv::default()
        },
        Conv { input: [33, 40], kernel: [13, 5], ..Conv::default() },
    ];
    for conv in convs {
        let g = conv.geometry().expect("a valid shape");
        let mut data = Data::integers(&g, true);
        let mut random = Random::new(7);
        for _ in 0..8 {
            let hit = random.below(g.input_len());
            let before = std::mem::replace(&mut data.input[hit], f32::NAN);
            let exact = data.exact(&g);
            run_every_way(&conv, &g, &data, Activation::None, |label, accuracy, output| {
                if !accuracy.is_exact() {
                    return;
                }
                for (i, (result, exact)) in output.iter().zip(&exact).enumerate() {
                    let same = f64::from(*result) == *exact || result.is_nan() && exact.is_nan();
                    assert!(same, "{label} at {:?}, NaN at {hit}: {result}, not {exact}", place(&g, i));
                }
            });
            data.input[hit] = before;
        }
    }
}

/// Shapes of every kind in either order of axes, large enough to be shared out to threads.
fn large() -> Vec<Conv> {
    let convs = [
        Conv { batch: 5, input: [130, 150], pads: SAME_3X3, ..Conv::default() },
        Conv { batch: 3, input: [40, 300], kernel: [23, 7], pads: [[3, 4], [3, 3]], ..Conv::default() },
        Conv { batch: 3, input: [33, 41], c_in: 16, c_out: 21, pads: SAME_3X3, ..Conv::default() },
        Conv { batch: 4, input: [28, 28], c_in: 48, c_out: 50, kernel: [1, 1], ..Conv::default() },
        Conv { batch: 1, input: [64, 64], c_in: 32, c_out: 64, kernel: [1, 1], ..Conv::default() },
        Conv {
            batch: 3,
            input: [61, 63],
            c_in: 24,
            c_out: 24,
            groups: 24,
            pads: SAME_3X3,
            ..Conv::default()
        },
        Conv { batch: 3, input: [61, 63], c_in: 12, c_out: 24, groups: 3, stride: [2, 2], ..Conv::default() },
        Conv { batch: 3, input: [61, 64], c_in: 3, c_out: 30, kernel: [5, 3], ..Conv::default() },
        Conv { batch: 40, input: [13, 14], c_in: 6, c_out: 18, kernel: [5, 5], ..Conv::default() },
        Conv {
            batch: 2,
            input: [33, 41],
            c_in: 8,
            c_out: 16,
            dilation: [2, 3],
            mode: PaddingMode::Circular,
            pads: [[5, 5], [7, 2]],
            ..Conv::default()
        },
    ];
    convs.into_iter().flat_map(|conv| ORDERS.map(|order| Conv { order, ..conv })).collect()
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let pool = Pool::new(3).expect("two threads");
    for conv in large() {
        let g = conv.geometry().expect("a valid shape");
        let data = Data::floats(&g, true);
        for (algorithm, isa) in ways(&g) {
            let plan = data.plan(&g, Activation::None, algorithm, isa);
            let results = [1, 2, 3, 64].map(|threads| {
                let mut output = vec![f32::NAN; g.output_len()];
                plan.run(&data.input, None, &mut output, &pool, threads).expect("exact lengths");
                bits(&output)
            });
            let label = || format!("{} on {isa:?} of {conv:?}", algorithm.name);
            assert!(results.iter().all(|result| *result == results[0]), "{}", label());
        }
    }
}

#[test]
fn the_same_bits_for_any_split_of_the_batch() {
    let pool = Pool::new(2).expect("a thread");
    for conv in large() {
        let g = conv.geometry().expect("a valid shape");
        let data = Data::floats(&g, true);
        let choices = ways(&g).map(|(algorithm, isa)| (Some(algorithm), isa));
        let auto = |isa: Isa| {
            let plan = ConvPlan::new(g, &data.weight, None, Activation::None, isa, None);
            plan.expect("some algorithm supports it").algorithm().name
        };
        for (algorithm, isa) in choices.chain(Isa::available().map(|isa| (None, isa))) {
            let run = |batch: usize, first: usize| {
                let g = Conv { batch, ..conv }.geometry().expect("a valid shape");
                let bias = data.bias.as_deref();
                let plan = ConvPlan::new(g, &data.weight, bias, Activation::Silu, isa, algorithm)
                    .expect("supported");
                assert!(algorithm.is_some() || plan.algorithm().name == auto(isa), "auto minds the batch");
                let image = g.input_len() / batch;
                let mut output = vec![f32::NAN; g.output_len()];
                plan.run(&data.input[first * image..][..batch * image], None, &mut output, &pool, 2)
                    .expect("exact lengths");
                bits(&output)
            };
            let whole = run(conv.batch, 0);
            let one_by_one: Vec<u32> = (0..conv.batch).flat_map(|n| run(1, n)).collect();
            let label = || format!("{:?} on {isa:?} of {conv:?}", algorithm.map(|algorithm| algorithm.name));
            assert!(whole == one_by_one, "{}", label());
            if conv.batch > 2 {
                let unequal: Vec<u32> = run(2, 0).into_iter().chain(run(conv.batch - 2, 2)).collect();
                assert!(whole == unequal, "{}", label());
            }
        }
    }
}

/// Outputs beyond the caches are stored in another way, where rows are whole vectors and where they are not.
#[test]
fn large_outputs_have_the_same_bits_or_are_exact() {
    let pool = single_thread();
    for (input, kernel, side) in
        [([2100, 2048], [3, 3], 1), ([2104, 2016], [5, 5], 2), ([2100, 2050], [3, 3], 1)]
    {
        let conv = Conv { input, kernel, pads: [[side; 2]; 2], ..Conv::default() };
        let g = conv.geometry().expect("a valid shape");
        assert!(g.output_len() * size_of::<f32>() > 16 << 20, "large enough");
        let data = Data::floats(&g, true);
        for isa in vector_sets() {
            let direct = |way: &(&Algorithm, Isa)| way.0.accuracy == Accuracy::Direct && way.1 == isa;
            let mut results = ways(&g).filter(direct).map(|(algorithm, _)| {
                let mut output = vec![f32::NAN; g.output_len()];
                data.plan(&g, Activation::None, algorithm, isa)
                    .run(&data.input, None, &mut output, &pool, 1)
                    .expect("exact lengths");
                (algorithm.name, output)
            });
            let (_, first) = results.next().expect("an algorithm");
            for (name, other) in results {
                assert!(bits(&first) == bits(&other), "{name} on {isa:?} of {conv:?}");
            }
        }
        let data = Data::integers(&g, true);
        let exact = data.exact(&g);
        for (algorithm, isa) in ways(&g).filter(|(algorithm, _)| algorithm.accuracy.is_exact()) {
            let mut output = vec![f32::NAN; g.output_len()];
            data.plan(&g, Activation::None, algorithm, isa)
                .run(&data.input, None, &mut output, &pool, 1)
                .expect("exact lengths");
            let equal = output.iter().zip(&exact).all(|(result, exact)| f64::from(*result) == *exact);
            assert!(equal, "{} on {isa:?} of {conv:?}", algorithm.name);
        }
    }
}

/// A large weight is read in parts, whose sums wait in the output or in scratch: they are the same as in one go.
#[test]
fn weights_that_are_read_in_parts() {
    let pool = single_thread();
    let algorithms = ["direct", "channels-last"].map(algorithm);
    let conv = Conv { c_in: 513, c_out: 66, input: [5, 7], pads: SAME_3X3, ..Conv::default() };
    for (order, isa) in ORDERS.iter().flat_map(|order| vector_sets().map(move |isa| (*order, isa))) {
        let g = Conv { order, ..conv }.geometry().expect("a valid shape");
        let run = |data: &Data, algorithm: &'static Algorithm| {
            let mut output = vec![f32::NAN; g.output_len()];
            data.plan(&g, Activation::Relu, algorithm, isa)
                .run(&data.input, None, &mut output, &pool, 1)
                .expect("exact lengths");
            output
        };
        let data = Data::integers(&g, true);
        for (result, exact) in run(&data, algorithms[1]).iter().zip(data.exact(&g)) {
            assert_eq!(f64::from(*result), exact.max(0.0), "{isa:?}, {order:?}");
        }
        if order == ChannelOrder::First {
            let data = Data::floats(&g, true);
            let [direct, in_parts] = algorithms.map(|algorithm| bits(&run(&data, algorithm)));
            assert!(direct == in_parts, "{isa:?}");
        }
    }
}

/// Where rows are whole vectors, vectors may be cut at cache lines, wherever the output begins.
#[test]
fn the_same_bits_at_every_distance_from_a_cache_line() {
    const LINE: usize = 16;
    let pool = single_thread();
    let same = Conv { c_in: 2, c_out: 5, pads: SAME_3X3, ..Conv::default() };
    for conv in [
        Conv { input: [7, 48], ..same },
        Conv { input: [4, 16], ..same },
        Conv { input: [6, 112], groups: 1, ..same },
        Conv { batch: 2, input: [9, 127], stride: [2, 2], ..same },
    ] {
        let g = conv.geometry().expect("a valid shape");
        let data = Data::floats(&g, true);
        for (algorithm, isa) in ways(&g) {
            let plan = data.plan(&g, Activation::Relu, algorithm, isa);
            let mut memory = vec![f32::NAN; g.output_len() + 3 * LINE];
            let mut first = None;
            for distance in 0..=LINE {
                memory.fill(f32::NAN);
                let output = &mut memory[LINE + distance..][..g.output_len()];
                plan.run(&data.input, None, output, &pool, 1).expect("exact lengths");
                let result = bits(output);
                let label = || format!("{} on {isa:?} of {conv:?}, {distance} farther", algorithm.name);
                assert!(*first.get_or_insert(result.clone()) == result, "{}", label());
                let written = memory.iter().filter(|value| !value.is_nan()).count();
                assert_eq!(written, g.output_len(), "{}", label());
            }
        }
    }
}

/// Views with gaps of NaN between rows, channels and images, at a distance from the buffer's start, and broadcast ones.
#[test]
fn views_give_the_bits_of_a_copy() {
    let pool = single_thread();
    let mut convs = large();
    convs.extend([
        Conv { batch: 2, input: [1, 17], c_in: 2, c_out: 3, kernel: [1, 4], ..Conv::default() },
        Conv { batch: 2, input: [17, 1], c_in: 2, c_out: 2, groups: 2, kernel: [4, 1], ..Conv::default() },
        Conv { batch: 2, input: [5, 5], c_in: 3, c_out: 2, kernel: [1, 1], ..Conv::default() },
    ]);
    for conv in convs {
        let g = conv.geometry().expect("a valid shape");
        let data = Data::floats(&g, true);
        let [a, b, c, width] = g.input_shape();
        let row = width + 3;
        let plane = row * c + 11;
        let image = plane * b + 5;
        let layout = Layout { offset: 7, strides: [image, plane, row] };
        let last = (a - 1) * image + (b - 1) * plane + (c - 1) * row;
        let mut spread = vec![f32::NAN; layout.offset + last + width];
        for (i, line) in data.input.chunks_exact(width).enumerate() {
            let start = i / (b * c) * image + i / c % b * plane + i % c * row;
            spread[layout.offset + start..][..width].copy_from_slice(line);
        }
        let spread = Guarded::new(&spread, Flush::End);
        for (algorithm, isa) in ways(&g) {
            let plan = data.plan(&g, Activation::None, algorithm, isa);
            let mut copied = vec![f32::NAN; g.output_len()];
            plan.run(&data.input, None, &mut copied, &pool, 1).expect("exact lengths");
            let mut viewed = vec![f32::NAN; g.output_len()];
            plan.run(spread.as_slice(), Some(layout), &mut viewed, &pool, 1).expect("inside the buffer");
            assert!(bits(&copied) == bits(&viewed), "{} on {isa:?} of {conv:?}", algorithm.name);
        }
    }
}

#[test]
fn broadcast_views_read_the_same_memory_again() {
    let pool = single_thread();
    let conv = Conv { batch: 3, c_in: 2, c_out: 2, input: [4, 19], pads: SAME_3X3, ..Conv::default() };
    let g = conv.geometry().expect("a valid shape");
    for strides in [[0, 0, 0], [0, 19, 0], [0, 0, 19], [1, 2, 3]] {
        let mut data = Data::integers(&g, true);
        let memory = Random::new(1).integers(200, 9);
        data.input = (0..g.input_len())
            .map(|i| {
                let (n, c, y, x) = (i / 152, i / 76 % 2, i / 19 % 4, i % 19);
                memory[3 + n * strides[0] + c * strides[1] + y * strides[2] + x]
            })
            .collect();
        let exact = data.exact(&g);
        for (algorithm, isa) in ways(&g).filter(|(algorithm, _)| algorithm.accuracy == Accuracy::Direct) {
            let mut output = vec![f32::NAN; g.output_len()];
            let plan = data.plan(&g, Activation::None, algorithm, isa);
            plan.run(&memory, Some(Layout { offset: 3, strides }), &mut output, &pool, 1).expect("inside");
            let same = output.iter().zip(&exact).all(|(result, exact)| f64::from(*result) == *exact);
            assert!(same, "{} on {isa:?} with strides {strides:?}", algorithm.name);
        }
    }
}

/// Scratch memory and packed weights carry nothing over from one plan or run to the next.
#[test]
fn plans_do_not_disturb_each_other() {
    let pool = single_thread();
    let mut convs = large();
    convs.truncate(4);
    let plans: Vec<(ConvPlan, Data)> = convs
        .iter()
        .map(|conv| conv.geometry().expect("a valid shape"))
        .flat_map(|g| ways(&g).map(move |(algorithm, isa)| (g, algorithm, isa)))
        .map(|(g, algorithm, isa)| {
            let data = Data::floats(&g, false);
            (data.plan(&g, Activation::None, algorithm, isa), data)
        })
        .collect();
    let run = |(plan, data): &(ConvPlan, Data)| {
        let mut output = vec![f32::NAN; plan.geometry().output_len()];
        plan.run(&data.input, None, &mut output, &pool, 1).expect("exact lengths");
        bits(&output)
    };
    let forwards: Vec<_> = plans.iter().map(run).collect();
    let mut backwards: Vec<_> = plans.iter().rev().map(run).collect();
    backwards.reverse();
    assert!(forwards == backwards);
}

#[test]
fn auto_takes_a_supporting_algorithm_and_a_forced_one_is_obeyed() {
    for conv in large() {
        let g = conv.geometry().expect("a valid shape");
        let weight = vec![0.0; g.weight_len()];
        for isa in Isa::available() {
            let plan = |algorithm| ConvPlan::new(g, &weight, None, Activation::None, isa, algorithm);
            let auto = plan(None).expect("some algorithm supports it");
            assert!((auto.algorithm().supports)(&g));
            assert_eq!((auto.isa(), *auto.geometry()), (isa, g));
            for algorithm in ALGORITHMS {
                match plan(Some(algorithm)) {
                    Ok(forced) => assert_eq!(forced.algorithm().name, algorithm.name),
                    Err(error) => {
                        assert!(!(algorithm.supports)(&g));
                        assert_eq!(error, Error::Unsupported { name: algorithm.name });
                    }
                }
            }
        }
    }
    let names: std::collections::HashSet<_> = ALGORITHMS.iter().map(|algorithm| algorithm.name).collect();
    assert_eq!(names.len(), ALGORITHMS.len(), "names are unique");
}

#[test]
fn refuses_wrong_lengths_before_writing() {
    let g = Conv { c_in: 2, c_out: 3, input: [4, 5], ..Conv::default() }.geometry().expect("a valid shape");
    let (isa, pool) = (Isa::best(), single_thread());
    let new = |weight: usize, bias: Option<usize>| {
        let (weight, bias) = (vec![1.0; weight], bias.map(|bias| vec![1.0; bias]));
        ConvPlan::new(g, &weight, bias.as_deref(), Activation::None, isa, None)
    };
    for length in [0, 53, 55] {
        let expected = Error::Length { parameter: "weight", expected: 54, received: length };
        assert_eq!(new(length, None).err(), Some(expected));
    }
    for length in [0, 2, 4] {
        assert_eq!(new(54, Some(length)).err(), Some(Error::BiasLength { expected: 3, received: length }));
    }

    let plan = new(54, Some(3)).expect("exact lengths");
    let run = |input: usize, layout: Option<Layout>, output: usize| {
        let mut output = vec![-7.0; output];
        let result = plan.run(&vec![1.0; input], layout, &mut output, &pool, 1);
        assert!(
            result.is_ok() || output.iter().all(|element| *element == -7.0),
            "written before it was refused"
        );
        result
    };
    let length = |parameter, expected, received| Err(Error::Length { parameter, expected, received });
    assert_eq!(run(40, None, 18), Ok(()));
    assert_eq!(run(40, None, 17), length("out", 18, 17));
    assert_eq!(run(40, None, 19), length("out", 18, 19));
    assert_eq!(run(39, None, 18), length("x", 40, 39));
    assert_eq!(run(41, None, 18), length("x", 40, 41));
    for (offset, strides, end) in [
        (1, [40, 20, 5], 41),
        (0, [40, 20, 6], 43),
        (0, [0, 21, 5], 41),
        (41, [0, 0, 0], 46),
        (usize::MAX, [0, 0, 0], usize::MAX),
        (0, [0, usize::MAX, 0], usize::MAX),
        (0, [0, 0, usize::MAX / 2], usize::MAX),
    ] {
        match run(40, Some(Layout { offset, strides }), 18) {
            Err(Error::ViewOutside { parameter: "x", expected, received: 40 }) => assert_eq!(expected, end),
            other => panic!("offset {offset}, strides {strides:?}: {other:?}"),
        }
    }
    assert_eq!(run(40, Some(Layout { offset: 35, strides: [0, 0, 0] }), 18), Ok(()));
}

#[test]
fn refuses_an_output_inside_the_input() {
    let g = Conv { input: [1, 8], kernel: [1, 1], ..Conv::default() }.geometry().expect("a valid shape");
    let plan = ConvPlan::new(g, &[1.0], None, Activation::None, Isa::best(), None).expect("exact lengths");
    let mut memory = vec![1.0f32; 24];
    let start = memory.as_mut_ptr();
    for (input, overlaps) in [(0..8, false), (16..24, false), (1..9, true), (8..16, true), (15..23, true)] {
        // SAFETY: both slices are inside `memory`. They may overlap, which `run` must find by their addresses before it reads or
        // writes either of them.
        let (input, output) = unsafe {
            let input = std::slice::from_raw_parts(start.add(input.start), input.len());
            (input, std::slice::from_raw_parts_mut(start.add(8), 8))
        };
        let result = plan.run(input, None, output, &single_thread(), 1);
        assert_eq!(result.is_err(), overlaps);
        assert!(result.is_ok() || result == Err(Error::Overlap { parameter: "x" }));
    }
}
