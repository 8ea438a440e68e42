//! Max pooling with indices × every instruction set × both orders of axes, against a scan of each window in row-major order: the
//! first of the largest elements, or the last NaN, as PyTorch's `return_indices` defines it.

mod common;

use common::guarded::{Flush, Guarded};
use common::shapes::Pooling;
use common::{Random, bits, vector_sets};
use corr2d_kernels::conv::Layout;
use corr2d_kernels::geometry::{ChannelOrder, Padding, PaddingLimit, PoolGeometry, PoolMode, Rounding};
use corr2d_kernels::parallel::Pool;
use corr2d_kernels::pool::PoolPlan;
use corr2d_kernels::{Error, Isa};

const ORDERS: [ChannelOrder; 2] = [ChannelOrder::First, ChannelOrder::Last];

fn pool(threads: usize) -> Pool {
    Pool::new(threads).expect("threads can be started")
}

/// The place of an element of a tensor `[n, c, y, x]` in either order.
fn place(order: ChannelOrder, [c, h, w]: [usize; 3], [n, k, y, x]: [usize; 4]) -> usize {
    match order {
        ChannelOrder::First => ((n * c + k) * h + y) * w + x,
        ChannelOrder::Last => ((n * h + y) * w + x) * c + k,
    }
}

/// Input positions of a window along one axis: adaptive windows by their own formula, the others by definition.
fn positions(g: &corr2d_kernels::geometry::Axis, output: usize) -> Vec<usize> {
    if g.stride == 0 {
        return (output * g.input / g.output..((output + 1) * g.input).div_ceil(g.output)).collect();
    }
    let all = (0..g.kernel).map(|tap| g.position(output, tap));
    all.filter(|p| (0..g.input as isize).contains(p)).map(|p| p as usize).collect()
}

fn scan(g: &PoolGeometry, input: &[f32]) -> (Vec<f32>, Vec<i32>) {
    let (mut values, mut indices) = (vec![0.0; g.output_len()], vec![0; g.output_len()]);
    for n in 0..g.batch {
        for c in 0..g.channels {
            for y in 0..g.y.output {
                for x in 0..g.x.output {
                    let (mut best, mut index) = (f32::NEG_INFINITY, -1);
                    for row in positions(&g.y, y) {
                        for column in positions(&g.x, x) {
                            let element = input
                                [place(g.order, [g.channels, g.y.input, g.x.input], [n, c, row, column])];
                            if element > best || element.is_nan() || index < 0 {
                                (best, index) = (element, (row * g.x.input + column) as i32);
                            }
                        }
                    }
                    let at = place(g.order, [g.channels, g.y.output, g.x.output], [n, c, y, x]);
                    (values[at], indices[at]) = (best, index);
                }
            }
        }
    }
    (values, indices)
}

fn check_input(label: &str, g: &PoolGeometry, input: &[f32]) {
    let (values, expected) = scan(g, input);
    let pool = pool(1);
    for flush in [Flush::End, Flush::Start] {
        let input = Guarded::new(input, flush);
        let mut output = Guarded::new(&vec![f32::NAN; g.output_len()], flush);
        for isa in vector_sets() {
            let mut indices = vec![-7; g.output_len()];
            PoolPlan::new(*g, isa)
                .run_with_indices(input.as_slice(), None, output.as_mut_slice(), &mut indices, &pool, 1)
                .expect("exact lengths");
            output.assert_slack_untouched(label);
            assert_eq!(bits(output.as_slice()), bits(&values), "{isa:?} of {label}");
            assert_eq!(indices, expected, "{isa:?} of {label}");
        }
    }
}

/// Few different values, so that there are ties, and some NaN and infinities.
fn check(label: &str, g: PoolGeometry) {
    for order in ORDERS {
        let g = g.with_order(order);
        let mut random = Random::new(g.input_len() as u64);
        let mut input = random.integers(g.input_len(), 3);
        check_input(label, &g, &input);
        for element in &mut input {
            if random.below(6) == 0 {
                *element = random.pick(&[f32::NAN, f32::NEG_INFINITY, f32::INFINITY, -0.0, 0.0]);
            }
        }
        check_input(label, &g, &input);
        check_input(label, &g, &vec![f32::NEG_INFINITY; g.input_len()]);
    }
}

#[test]
fn windows_of_every_kind() {
    let mut checked = 0;
    for input in [[1, 1], [1, 19], [7, 23], [12, 40]] {
        for kernel in [[1, 1], [2, 2], [2, 3], [5, 5], [1, 9]] {
            for stride in [[1, 1], [2, 2], [3, 3], [2, 5]] {
                for dilation in [[1, 1], [2, 3]] {
                    for rounding in [Rounding::Floor, Rounding::Ceil, Rounding::CeilOnnx] {
                        for padding in [
                            Padding::Valid,
                            Padding::SameUpper,
                            Padding::Explicit(kernel.map(|side| [side / 2; 2])),
                        ] {
                            let pooling = Pooling {
                                batch: 2,
                                channels: 3,
                                input,
                                kernel,
                                stride,
                                dilation,
                                rounding,
                                padding,
                                ..Pooling::default()
                            };
                            if let Ok(g) = pooling.geometry() {
                                check(&format!("{pooling:?}"), g);
                                checked += 1;
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(checked > 700, "{checked}");
}

#[test]
fn adaptive_windows() {
    for input in [[1, 1], [5, 7], [12, 37]] {
        for output in [[1, 1], [3, 4], [5, 7], [7, 20]] {
            let g = PoolGeometry::adaptive([2, 17], input, output, true).expect("a valid shape");
            check(&format!("{input:?} to {output:?}"), g);
        }
    }
}

/// A window that holds only padding has no place.
#[test]
fn a_window_without_elements_is_nowhere() {
    let padding = Padding::Explicit([[0, 0], [2, 2]]);
    let pooling = Pooling { input: [1, 1], kernel: [1, 3], stride: [1, 1], padding, ..Pooling::default() };
    let pooling = Pooling { padding_limit: PaddingLimit::Window, dilation: [1, 2], ..pooling };
    let g = pooling.geometry().expect("a valid shape");
    let (mut output, mut indices) = ([0.0], [0]);
    PoolPlan::new(g, Isa::best())
        .run_with_indices(&[3.0], None, &mut output, &mut indices, &pool(1), 1)
        .expect("exact lengths");
    assert_eq!((output, indices), ([3.0], [0]));
    let wide = Pooling { input: [1, 2], kernel: [1, 2], dilation: [1, 4], stride: [1, 1], ..pooling };
    let wide = Pooling { padding: Padding::Explicit([[0, 0], [3, 3]]), ..wide };
    let g = wide.geometry().expect("a valid shape");
    let (mut output, mut indices) = (vec![0.0; g.output_len()], vec![0; g.output_len()]);
    PoolPlan::new(g, Isa::best())
        .run_with_indices(&[5.0, 6.0], None, &mut output, &mut indices, &pool(1), 1)
        .expect("exact lengths");
    assert_eq!(indices, [1, -1, -1, 0][..indices.len()].to_vec());
    assert_eq!(output[1], f32::NEG_INFINITY);
}

#[test]
fn the_same_for_any_number_of_threads_and_for_views() {
    for order in ORDERS {
        let pooling =
            Pooling { batch: 3, channels: 5, input: [130, 170], kernel: [3, 3], ..Pooling::default() };
        let g = pooling.geometry().expect("a valid shape").with_order(order);
        let input = Random::new(3).floats(g.input_len());
        let run = |input: &[f32], layout, threads| {
            let (mut output, mut indices) = (vec![0.0; g.output_len()], vec![0; g.output_len()]);
            PoolPlan::new(g, Isa::best())
                .run_with_indices(input, layout, &mut output, &mut indices, &pool(threads), threads)
                .expect("exact lengths");
            (bits(&output), indices)
        };
        let alone = run(&input, None, 1);
        for threads in [2, 3] {
            assert!(run(&input, None, threads) == alone, "{threads} threads, {order:?}");
        }
        let [_, a, b, c] = g.input_shape();
        let (row, plane) = (c + 3, (c + 3) * b + 1);
        let mut spread = vec![f32::NAN; 2 + 3 * a * plane];
        for (line, pixels) in input.chunks_exact(c).enumerate() {
            spread[2 + line / b * plane + line % b * row..][..c].copy_from_slice(pixels);
        }
        let layout = Layout { offset: 2, strides: [a * plane, plane, row] };
        assert!(run(&spread, Some(layout), 2) == alone, "{order:?}");
    }
}

#[test]
fn refuses_what_does_not_fit() {
    let pooling = Pooling { input: [4, 6], ..Pooling::default() };
    let g = pooling.geometry().expect("a valid shape");
    let run = |g, indices: usize| {
        let (mut output, mut indices) = ([-7.0; 6], vec![-7; indices]);
        let result = PoolPlan::new(g, Isa::best()).run_with_indices(
            &[1.0; 24],
            None,
            &mut output,
            &mut indices,
            &pool(1),
            1,
        );
        assert!(result.is_ok() || output == [-7.0; 6] && indices.iter().all(|place| *place == -7));
        result
    };
    assert_eq!(run(g, 6), Ok(()));
    assert_eq!(run(g, 5), Err(Error::Length { parameter: "indices", expected: 6, received: 5 }));
    let mean = PoolMode::Average { count_include_pad: true, divisor_override: None };
    assert_eq!(run(PoolGeometry { mode: mean, ..g }, 6), Err(Error::NoIndices));
}
