//! Pooling with channels last × every instruction set, against pooling of the same elements with channels first.

mod common;

use common::guarded::{Flush, Guarded};
use common::shapes::Pooling;
use common::{Random, bits, vector_sets};
use corr2d_kernels::Isa;
use corr2d_kernels::conv::Layout;
use corr2d_kernels::geometry::{ChannelOrder, Padding, PoolGeometry, PoolMode, Rounding};
use corr2d_kernels::parallel::Pool;
use corr2d_kernels::pool::PoolPlan;

fn pool(threads: usize) -> Pool {
    Pool::new(threads).expect("threads can be started")
}

fn run(g: PoolGeometry, isa: Isa, input: &[f32], threads: usize) -> Vec<f32> {
    let mut output = vec![f32::NAN; g.output_len()];
    PoolPlan::new(g, isa).run(input, None, &mut output, &pool(threads), threads).expect("exact lengths");
    output
}

/// `[n, c, plane]` to `[n, plane, c]`.
fn channels_last(data: &[f32], channels: usize, plane: usize) -> Vec<f32> {
    data.chunks_exact(channels * plane)
        .flat_map(|image| (0..plane).flat_map(move |p| (0..channels).map(move |c| image[c * plane + p])))
        .collect()
}

const MODES: [PoolMode; 6] = [
    PoolMode::Max,
    PoolMode::Average { count_include_pad: true, divisor_override: None },
    PoolMode::Average { count_include_pad: false, divisor_override: None },
    PoolMode::Average { count_include_pad: true, divisor_override: Some(3) },
    PoolMode::Norm(2.0),
    PoolMode::Norm(1.5),
];

fn check(label: &str, g: PoolGeometry) {
    let mut random = Random::new(g.input_len() as u64);
    let mut input = random.floats(g.input_len());
    if g.mode == PoolMode::Max {
        input.iter_mut().step_by(7).for_each(|element| *element = f32::NAN);
    }
    let last = channels_last(&input, g.channels, g.y.input * g.x.input);
    for flush in [Flush::End, Flush::Start] {
        let guarded = Guarded::new(&last, flush);
        let mut output = Guarded::new(&vec![f32::NAN; g.output_len()], flush);
        for isa in vector_sets() {
            let expected = channels_last(&run(g, isa, &input, 1), g.channels, g.plane());
            PoolPlan::new(g.with_order(ChannelOrder::Last), isa)
                .run(guarded.as_slice(), None, output.as_mut_slice(), &pool(1), 1)
                .expect("exact lengths");
            output.assert_slack_untouched(label);
            for (i, (result, expected)) in output.as_slice().iter().zip(&expected).enumerate() {
                let bound = if g.mode == PoolMode::Max { 0.0 } else { 2e-6 };
                let same = result.is_nan() && expected.is_nan() || result == expected;
                assert!(
                    same || (result - expected).abs() <= bound,
                    "{isa:?} of {label} at {i}: {result}, not {expected}"
                );
            }
        }
    }
}

#[test]
fn every_number_of_channels() {
    for channels in (1..=35).chain([48, 63, 65]) {
        for mode in MODES {
            let pooling = Pooling { batch: 2, channels, input: [5, 6], mode, ..Pooling::default() };
            check(&format!("{pooling:?}"), pooling.geometry().expect("a valid shape"));
        }
    }
}

#[test]
fn windows_of_every_kind() {
    let mut checked = 0;
    for mode in MODES {
        for kernel in [[1, 1], [3, 3], [2, 5], [4, 1]] {
            for stride in [[1, 1], [2, 2], [3, 4]] {
                for dilation in [[1, 1], [2, 3]] {
                    for rounding in [Rounding::Floor, Rounding::Ceil, Rounding::CeilOnnx] {
                        for padding in [
                            Padding::Valid,
                            Padding::SameLower,
                            Padding::Explicit([[kernel[0] / 2, 0], [0, kernel[1] / 2]]),
                        ] {
                            let pooling = Pooling {
                                channels: 19,
                                input: [9, 17],
                                kernel,
                                stride,
                                dilation,
                                rounding,
                                padding,
                                mode,
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
    assert!(checked > 1000, "{checked}");
}

#[test]
fn adaptive_windows() {
    for largest in [true, false] {
        for output in [[1, 1], [3, 4], [7, 20]] {
            let g = PoolGeometry::adaptive([2, 9], [5, 13], output, largest).expect("a valid shape");
            check(&format!("to {output:?}"), g);
        }
    }
}

#[test]
fn the_same_bits_for_any_number_of_threads_and_split_of_the_batch() {
    let mode = PoolMode::Average { count_include_pad: true, divisor_override: None };
    let pooling =
        Pooling { batch: 3, channels: 67, input: [60, 50], kernel: [3, 3], mode, ..Pooling::default() };
    let g = pooling.geometry().expect("a valid shape").with_order(ChannelOrder::Last);
    let input = Random::new(5).floats(g.input_len());
    for isa in vector_sets() {
        let whole = bits(&run(g, isa, &input, 1));
        for threads in [2, 3] {
            assert!(bits(&run(g, isa, &input, threads)) == whole, "{threads} threads on {isa:?}");
        }
        let one_by_one: Vec<u32> = input
            .chunks_exact(g.input_len() / 3)
            .flat_map(|image| bits(&run(PoolGeometry { batch: 1, ..g }, isa, image, 1)))
            .collect();
        assert!(one_by_one == whole, "{isa:?}");
    }
}

/// A region of an image of more channels: gaps between pixels, rows and images.
#[test]
fn views_give_the_bits_of_a_copy() {
    let g = Pooling { batch: 2, channels: 5, input: [8, 9], ..Pooling::default() }.geometry();
    let g = g.expect("a valid shape").with_order(ChannelOrder::Last);
    let input = Random::new(6).floats(g.input_len());
    let layout = Layout { offset: 3, strides: [8 * 11 * 7, 11 * 7, 7] };
    let mut spread = vec![f32::NAN; 3 + 2 * 8 * 11 * 7];
    for (pixel, channels) in input.chunks_exact(5).enumerate() {
        let (row, x) = (pixel / 9, pixel % 9);
        spread[3 + row * 11 * 7 + x * 7..][..5].copy_from_slice(channels);
    }
    for isa in vector_sets() {
        let mut viewed = vec![0.0; g.output_len()];
        PoolPlan::new(g, isa)
            .run(&spread, Some(layout), &mut viewed, &pool(1), 1)
            .expect("inside the buffer");
        assert!(bits(&viewed) == bits(&run(g, isa, &input, 1)), "{isa:?}");
    }
}
