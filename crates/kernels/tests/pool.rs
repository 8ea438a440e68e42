//! Pooling × every instruction set of this machine × a grid of shapes, against the oracle in `f64`.
//!
//! The promise under test. A maximum is exact, NaN when the window has one, -inf when it has nothing. A mean of small integers is
//! the correctly rounded quotient; any other is within `(n + 2) · ε · Σ|x| / divisor` for `n` elements in the window, ε = 2⁻²³.
//!
//! Every run reads and writes guarded memory (`common::guarded`), so all of these tests are also tests of bounds.

mod common;

use common::guarded::{Flush, Guarded};
use common::shapes::Pooling;
use common::{Random, bits, vector_sets};
use corr2d_kernels::conv::Layout;
use corr2d_kernels::geometry::{Padding, PaddingLimit, PoolGeometry, PoolMode, Rounding};
use corr2d_kernels::parallel::Pool;
use corr2d_kernels::pool::PoolPlan;
use corr2d_kernels::{Error, Isa, reference};

const EPSILON: f64 = f32::EPSILON as f64;

const MODES: [PoolMode; 5] = [
    PoolMode::Max,
    PoolMode::Average { count_include_pad: true, divisor_override: None },
    PoolMode::Average { count_include_pad: false, divisor_override: None },
    PoolMode::Average { count_include_pad: true, divisor_override: Some(3) },
    PoolMode::Average { count_include_pad: false, divisor_override: Some(1000) },
];

const ROUNDINGS: [Rounding; 3] = [Rounding::Floor, Rounding::Ceil, Rounding::CeilOnnx];

fn single_thread() -> Pool {
    Pool::new(1).expect("no thread is started")
}

/// Runs on every instruction set through guarded memory and hands each result to `check`.
fn run_every_way(pooling: &Pooling, g: &PoolGeometry, input: &[f32], mut check: impl FnMut(&str, &[f32])) {
    let pool = single_thread();
    let blank = vec![f32::NAN; g.output_len()];
    for flush in [Flush::End, Flush::Start] {
        let (input, mut output) = (Guarded::new(input, flush), Guarded::new(&blank, flush));
        for isa in vector_sets() {
            let label = || format!("{isa:?} of {pooling:?}");
            output.as_mut_slice().fill(f32::NAN);
            let plan = PoolPlan::new(*g, isa);
            plan.run(input.as_slice(), None, output.as_mut_slice(), &pool, 1).expect("exact lengths");
            output.assert_slack_untouched(label());
            check(&label(), output.as_slice());
        }
    }
}

/// The place of element `i` of the output, for messages.
fn place(g: &PoolGeometry, i: usize) -> [usize; 3] {
    [i / g.plane(), i % g.plane() / g.x.output, i % g.x.output]
}

fn same(result: f32, exact: f64) -> bool {
    result == exact as f32 || result.is_nan() && exact.is_nan()
}

fn check_exact(pooling: &Pooling, g: &PoolGeometry, input: &[f32]) {
    let exact = reference::pool2d(g, input);
    assert_eq!(exact.len(), g.output_len());
    run_every_way(pooling, g, input, |label, output| {
        for (i, (result, exact)) in output.iter().zip(&exact).enumerate() {
            assert!(same(*result, *exact), "{label} at {:?}: {result}, not {exact}", place(g, i));
        }
    });
}

fn check_bound(pooling: &Pooling, g: &PoolGeometry) {
    let input = Random::new(g.input_len() as u64).floats(g.input_len());
    let exact = reference::pool2d(g, &input);
    let magnitudes = reference::pool2d(g, &input.iter().map(|x| x.abs()).collect::<Vec<f32>>());
    let elements = (g.y.kernel * g.x.kernel + 2) as f64;
    run_every_way(pooling, g, &input, |label, output| {
        for (i, ((result, exact), magnitude)) in output.iter().zip(&exact).zip(&magnitudes).enumerate() {
            let bound = if g.mode == PoolMode::Max { 0.0 } else { elements * EPSILON * magnitude };
            let error = (f64::from(*result) - exact).abs();
            let close = error <= bound || same(*result, *exact);
            assert!(close, "{label} at {:?}: {result}, not {exact} ± {bound:e}", place(g, i));
        }
    });
}

fn check(pooling: &Pooling) {
    let g = pooling.geometry().unwrap_or_else(|error| panic!("{pooling:?}: {error}"));
    let mut random = Random::new(g.input_len() as u64 + 1);
    check_exact(pooling, &g, &random.integers(g.input_len(), 999));
    check_bound(pooling, &g);
}

/// Checks those that are valid geometries in each of the modes, and returns how many were.
fn check_modes(poolings: impl IntoIterator<Item = Pooling>) -> usize {
    poolings
        .into_iter()
        .flat_map(|pooling| MODES.map(|mode| Pooling { mode, ..pooling }))
        .filter(|pooling| pooling.geometry().is_ok())
        .map(|pooling| check(&pooling))
        .count()
}

fn padded(kernel: [usize; 2]) -> Padding {
    Padding::Explicit(kernel.map(|side| [side / 2; 2]))
}

#[test]
fn every_width() {
    for width in (1..=100).chain([127, 128, 129, 255, 257, 513]) {
        let row = Pooling { input: [3, width], ..Pooling::default() };
        check_modes([
            row,
            Pooling { input: [4, width], channels: 2, ..row },
            Pooling { kernel: [3, 3], padding: padded([3, 3]), ..row },
            Pooling { kernel: [3, 3], stride: [1, 1], padding: padded([3, 3]), ..row },
            Pooling { kernel: [2, 4], stride: [1, 3], ..row },
            Pooling { kernel: [1, 2], stride: [1, 1], ..row },
            Pooling { kernel: [2, 2], rounding: Rounding::Ceil, ..row },
        ]);
    }
}

#[test]
fn every_height() {
    for height in (1..=40).chain([64, 127, 129, 255, 257]) {
        let column = Pooling { input: [height, 4], ..Pooling::default() };
        check_modes([
            column,
            Pooling { kernel: [3, 3], padding: padded([3, 3]), ..column },
            Pooling { kernel: [5, 1], stride: [1, 1], padding: padded([5, 1]), channels: 3, ..column },
        ]);
    }
}

#[test]
fn windows_of_every_kind() {
    let mut checked = 0;
    for input in [[1, 1], [1, 19], [19, 1], [7, 23], [12, 40]] {
        for kernel in [[1, 1], [2, 2], [2, 3], [3, 2], [5, 5], [7, 7], [1, 9], [9, 1]] {
            for stride in [[1, 1], [2, 2], [1, 2], [3, 3], [2, 5]] {
                for padding in [Padding::Valid, padded(kernel), Padding::SameLower, Padding::SameUpper] {
                    let pooling = Pooling { input, kernel, stride, padding, ..Pooling::default() };
                    checked += check_modes([pooling]);
                }
            }
        }
    }
    assert!(checked > 2500, "{checked}");
}

#[test]
fn dilations() {
    let mut checked = 0;
    for dilation in [[1, 2], [2, 1], [3, 3], [2, 5]] {
        for kernel in [[2, 2], [3, 3], [1, 4], [4, 1]] {
            for stride in [[1, 1], [2, 2], [3, 4]] {
                for pads in [[[0, 0], [0, 0]], [[1, 1], [1, 1]], [[2, 0], [0, 3]]] {
                    let padding = Padding::Explicit(pads);
                    let row =
                        Pooling { input: [10, 37], dilation, kernel, stride, padding, ..Pooling::default() };
                    checked += check_modes(ROUNDINGS.map(|rounding| Pooling { rounding, ..row }));
                    checked += check_modes([Pooling { input: [1, 1], ..row }]);
                }
            }
        }
    }
    assert!(checked > 1000, "{checked}");
}

#[test]
fn roundings_with_asymmetric_padding() {
    let mut checked = 0;
    for rounding in ROUNDINGS {
        for side in 1..=13 {
            for (kernel, stride) in [([2, 2], [2, 2]), ([3, 3], [2, 2]), ([3, 2], [3, 4]), ([4, 5], [3, 2])] {
                for pads in [[[0, 0], [0, 0]], [[1, 0], [0, 1]], [[0, 1], [1, 0]], [[1, 1], [1, 1]]] {
                    let padding = Padding::Explicit(pads);
                    let input = [side, 3 * side];
                    checked += check_modes([Pooling {
                        input,
                        kernel,
                        stride,
                        padding,
                        rounding,
                        ..Pooling::default()
                    }]);
                }
            }
        }
    }
    assert!(checked > 2000, "{checked}");
}

#[test]
fn padding_of_nearly_a_window() {
    let mut checked = 0;
    for rounding in ROUNDINGS {
        for side in [1, 2, 3, 7, 16, 33] {
            for (kernel, dilation) in [([3, 3], [1, 1]), ([2, 5], [1, 1]), ([3, 2], [2, 3])] {
                for stride in 1..=3 {
                    let span = [0, 1].map(|axis| (kernel[axis] - 1) * dilation[axis] + 1);
                    for pads in [span.map(|span| [span - 1, span - 1]), [[span[0] - 1, 0], [0, span[1] - 1]]]
                    {
                        checked += check_modes([Pooling {
                            input: [side, 2 * side],
                            kernel,
                            stride: [stride; 2],
                            dilation,
                            padding: Padding::Explicit(pads),
                            padding_limit: PaddingLimit::Window,
                            rounding,
                            ..Pooling::default()
                        }]);
                    }
                }
            }
        }
    }
    assert!(checked > 1500, "{checked}");
}

#[test]
fn batches_and_channels() {
    for batch in [0, 1, 3] {
        for channels in [1, 2, 5] {
            let pooling = Pooling { batch, channels, input: [7, 18], ..Pooling::default() };
            check_modes([
                pooling,
                Pooling { kernel: [3, 3], stride: [1, 1], padding: padded([3, 3]), ..pooling },
                Pooling { kernel: [7, 18], ..pooling },
            ]);
        }
    }
}

#[test]
fn planes_of_several_tiles() {
    check_modes([
        Pooling { input: [520, 530], ..Pooling::default() },
        Pooling {
            input: [260, 310],
            kernel: [3, 3],
            stride: [1, 1],
            padding: padded([3, 3]),
            ..Pooling::default()
        },
        Pooling { channels: 300, input: [14, 14], kernel: [7, 7], stride: [7, 7], ..Pooling::default() },
        Pooling { batch: 3, channels: 37, input: [7, 7], kernel: [7, 7], ..Pooling::default() },
        Pooling { channels: 40, input: [19, 23], kernel: [19, 23], ..Pooling::default() },
    ]);
}

/// Outputs of more than 16 MiB, with rows that begin anywhere in a cache line.
fn uncached() -> Pooling {
    Pooling { input: [2100, 2051], kernel: [3, 3], stride: [1, 1], ..Pooling::default() }
}

#[test]
fn outputs_larger_than_the_caches() {
    check_modes([uncached()]);
}

// Apart, so that two threads share the work.
#[test]
fn padded_outputs_larger_than_the_caches() {
    check_modes([Pooling { padding: padded([3, 3]), ..uncached() }]);
}

#[test]
fn the_maximum_of_special_values() {
    let specials =
        [f32::NAN, f32::NEG_INFINITY, f32::INFINITY, f32::MIN, f32::MAX, -0.0, 0.0, 1e-45, -1.0, -f32::NAN];
    let mut random = Random::new(11);
    for (kernel, stride, padding) in [
        ([2, 2], [2, 2], Padding::Valid),
        ([3, 3], [1, 1], padded([3, 3])),
        ([3, 3], [2, 2], padded([3, 3])),
        ([2, 3], [3, 3], Padding::Valid),
        ([1, 1], [1, 1], Padding::Valid),
    ] {
        for width in [5, 16, 37] {
            let pooling = Pooling { input: [9, width], kernel, stride, padding, ..Pooling::default() };
            let g = pooling.geometry().expect("a valid shape");
            for density in [2, 5, 40] {
                let input: Vec<f32> = (0..g.input_len())
                    .map(|_| if random.below(density) == 0 { random.pick(&specials) } else { random.float() })
                    .collect();
                check_exact(&pooling, &g, &input);
            }
            check_exact(&pooling, &g, &vec![f32::NEG_INFINITY; g.input_len()]);
            check_exact(&pooling, &g, &vec![f32::NAN; g.input_len()]);
        }
    }
}

#[test]
fn a_mean_with_an_infinity_or_a_nan_is_one() {
    for mode in &MODES[1..] {
        let pooling = Pooling {
            input: [5, 21],
            kernel: [3, 3],
            padding: padded([3, 3]),
            mode: *mode,
            ..Pooling::default()
        };
        let g = pooling.geometry().expect("a valid shape");
        let mut input = Random::new(2).integers(g.input_len(), 9);
        (input[3], input[40], input[41], input[77]) = (f32::INFINITY, f32::NAN, 1.0, f32::NEG_INFINITY);
        check_exact(&pooling, &g, &input);
    }
}

/// A window that lies wholly in padding: possible with a dilation.
#[test]
fn a_window_without_elements_is_the_identity() {
    let padding = Padding::Explicit([[2, 2], [0, 0]]);
    for (mode, expected) in [(MODES[0], f32::NEG_INFINITY), (MODES[1], 0.0), (MODES[2], 0.0), (MODES[3], 0.0)]
    {
        let pooling = Pooling {
            input: [1, 3],
            kernel: [2, 1],
            dilation: [3, 1],
            stride: [1, 1],
            padding,
            mode,
            ..Pooling::default()
        };
        let g = pooling.geometry().expect("a valid shape");
        assert_eq!(g.y.output, 2);
        run_every_way(&pooling, &g, &[5.0, f32::NAN, 7.0], |label, output| {
            assert_eq!(output, [expected; 6], "{label}");
        });
    }
}

fn large() -> Vec<Pooling> {
    [
        Pooling { batch: 3, channels: 4, input: [90, 121], ..Pooling::default() },
        Pooling {
            batch: 3,
            channels: 2,
            input: [151, 163],
            kernel: [3, 3],
            stride: [1, 1],
            padding: padded([3, 3]),
            ..Pooling::default()
        },
        Pooling {
            batch: 4,
            channels: 8,
            input: [56, 57],
            kernel: [5, 3],
            padding: padded([5, 3]),
            rounding: Rounding::Ceil,
            ..Pooling::default()
        },
        Pooling { batch: 3, channels: 61, input: [7, 9], kernel: [7, 9], ..Pooling::default() },
    ]
    .into_iter()
    .flat_map(|pooling| MODES.map(|mode| Pooling { mode, ..pooling }))
    .collect()
}

#[test]
fn the_same_bits_for_any_number_of_threads_and_split_of_the_batch() {
    let pool = Pool::new(3).expect("two threads");
    for pooling in large() {
        let g = pooling.geometry().expect("a valid shape");
        let input = Random::new(5).floats(g.input_len());
        for isa in vector_sets() {
            let run = |batch: usize, first: usize, threads: usize| {
                let g = Pooling { batch, ..pooling }.geometry().expect("a valid shape");
                let image = g.input_len() / batch;
                let mut output = vec![f32::NAN; g.output_len()];
                PoolPlan::new(g, isa)
                    .run(&input[first * image..][..batch * image], None, &mut output, &pool, threads)
                    .expect("exact lengths");
                bits(&output)
            };
            let whole = run(pooling.batch, 0, 1);
            for threads in [2, 3, 64] {
                assert!(whole == run(pooling.batch, 0, threads), "{threads} threads, {isa:?} of {pooling:?}");
            }
            let one_by_one: Vec<u32> = (0..pooling.batch).flat_map(|n| run(1, n, 2)).collect();
            assert!(whole == one_by_one, "{isa:?} of {pooling:?}");
        }
    }
}

/// Norms are within the error of a few roundings, relative to themselves: nothing cancels in a sum of absolute values.
#[test]
fn norms() {
    let mut checked = 0;
    for power in [1.0, 2.0, 3.0, 0.5, 2.75] {
        for rounding in ROUNDINGS {
            for (input, kernel, stride, padding) in [
                ([4, 37], [2, 2], [2, 2], Padding::Valid),
                ([9, 40], [3, 3], [1, 1], padded([3, 3])),
                ([9, 41], [3, 2], [2, 2], padded([3, 2])),
                ([7, 23], [2, 4], [3, 3], Padding::SameLower),
            ] {
                let mode = PoolMode::Norm(power);
                let pooling = Pooling {
                    channels: 2,
                    input,
                    kernel,
                    stride,
                    padding,
                    rounding,
                    mode,
                    ..Pooling::default()
                };
                let g = pooling.geometry().expect("a valid shape");
                let x = Random::new(9).floats(g.input_len());
                let exact = reference::pool2d(&g, &x);
                run_every_way(&pooling, &g, &x, |label, output| {
                    for (i, (result, exact)) in output.iter().zip(&exact).enumerate() {
                        let error = (f64::from(*result) - exact).abs();
                        let bound = 20.0 * EPSILON * exact;
                        assert!(error <= bound, "{label} at {:?}: {result}, not {exact}", place(&g, i));
                    }
                });
                checked += 1;
            }
        }
    }
    assert_eq!(checked, 60);
}

/// Views with gaps of NaN between rows, channels and images.
#[test]
fn views_give_the_bits_of_a_copy() {
    let pool = single_thread();
    for pooling in large() {
        let g = pooling.geometry().expect("a valid shape");
        let input = Random::new(6).floats(g.input_len());
        let [h, w] = pooling.input;
        let (row, channel) = (w + 5, (w + 5) * h + 9);
        let layout = Layout { offset: 11, strides: [channel * g.channels + 3, channel, row] };
        let start = |line: usize| {
            let (n, c, y) = (line / (g.channels * h), line / h % g.channels, line % h);
            layout.offset + n * layout.strides[0] + c * channel + y * row
        };
        let mut spread = vec![f32::NAN; start(g.batch * g.channels * h - 1) + w];
        for (line, pixels) in input.chunks_exact(w).enumerate() {
            spread[start(line)..][..w].copy_from_slice(pixels);
        }
        let spread = Guarded::new(&spread, Flush::End);
        for isa in vector_sets() {
            let plan = PoolPlan::new(g, isa);
            let (mut copied, mut viewed) = (vec![0.0; g.output_len()], vec![0.0; g.output_len()]);
            plan.run(&input, None, &mut copied, &pool, 1).expect("exact lengths");
            plan.run(spread.as_slice(), Some(layout), &mut viewed, &pool, 1).expect("inside the buffer");
            assert!(bits(&copied) == bits(&viewed), "{isa:?} of {pooling:?}");
        }
    }
}

#[test]
fn refuses_wrong_lengths_before_writing() {
    let g = Pooling { channels: 2, input: [4, 6], ..Pooling::default() }.geometry().expect("a valid shape");
    let plan = PoolPlan::new(g, Isa::best());
    assert_eq!((plan.geometry(), plan.isa()), (&g, Isa::best()));
    let run = |input: usize, layout: Option<Layout>, output: usize| {
        let mut output = vec![-7.0; output];
        let result = plan.run(&vec![1.0; input], layout, &mut output, &single_thread(), 1);
        assert!(
            result.is_ok() || output.iter().all(|element| *element == -7.0),
            "written before it was refused"
        );
        result
    };
    let length = |parameter, expected, received| Err(Error::Length { parameter, expected, received });
    assert_eq!(run(48, None, 12), Ok(()));
    assert_eq!(run(48, None, 11), length("out", 12, 11));
    assert_eq!(run(48, None, 13), length("out", 12, 13));
    assert_eq!(run(47, None, 12), length("x", 48, 47));
    assert_eq!(run(49, None, 12), length("x", 48, 49));
    for (offset, strides) in
        [(1, [48, 24, 6]), (0, [0, 24, 7]), (usize::MAX, [0; 3]), (0, [0, 0, usize::MAX / 2])]
    {
        let result = run(48, Some(Layout { offset, strides }), 12);
        assert!(matches!(result, Err(Error::ViewOutside { parameter: "x", received: 48, .. })), "{result:?}");
    }
}
