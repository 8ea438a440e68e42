//! Scratch memory is bounded, whatever the shape and however many threads there are.

mod common;

use common::algorithm;
use common::shapes::{Conv, Pads};
use corr2d_kernels::Isa;
use corr2d_kernels::conv::{ALGORITHMS, Activation, Algorithm, ConvPlan};
use corr2d_kernels::geometry::{ChannelOrder, ConvGeometry};

/// Floats that the threads of a run may have together: 32 MiB, or twice the output.
fn bound(g: &ConvGeometry) -> usize {
    (8 << 20).max(2 * g.output_len())
}

fn plan(g: ConvGeometry, isa: Isa, algorithm: Option<&'static Algorithm>) -> ConvPlan {
    let weight = vec![1.0; g.weight_len()];
    ConvPlan::new(g, &weight, None, Activation::None, isa, algorithm).expect("a valid plan")
}

fn around(pad: usize) -> Pads {
    [[pad, pad], [pad, pad]]
}

/// Layers of networks, some with more channels than usual, and large images.
fn ordinary() -> [Conv; 9] {
    let base = Conv { c_in: 256, c_out: 256, input: [56, 56], pads: around(1), ..Conv::default() };
    [
        base,
        Conv { c_in: 512, c_out: 512, input: [28, 28], ..base },
        Conv { c_in: 1024, c_out: 1024, input: [14, 14], ..base },
        Conv { c_in: 2048, input: [33, 33], dilation: [12, 12], pads: around(12), ..base },
        Conv { c_in: 128, c_out: 128, stride: [2, 2], ..base },
        Conv { c_in: 1024, c_out: 512, input: [28, 28], stride: [2, 2], ..base },
        Conv { c_in: 1024, input: [14, 14], kernel: [1, 1], pads: around(0), ..base },
        Conv { c_in: 3, c_out: 16, input: [1080, 1920], ..base },
        Conv { c_in: 1, c_out: 1, input: [64, 1 << 16], kernel: [5, 5], ..base },
    ]
}

#[test]
fn every_algorithm_is_bounded_at_every_thread_count() {
    for conv in ordinary() {
        for order in [ChannelOrder::First, ChannelOrder::Last] {
            let g = Conv { order, ..conv }.geometry().expect("a valid shape");
            for algorithm in ALGORITHMS.iter().filter(|algorithm| (algorithm.supports)(&g)) {
                let plan = plan(g, Isa::best(), Some(algorithm));
                for offered in [1, 2, 8, 64, 256] {
                    let threads = plan.threads(offered);
                    assert!((1..=offered).contains(&threads));
                    let floats = threads * plan.explain().scratch_len;
                    assert!(floats <= bound(&g), "{} takes {floats} floats for {conv:?}", algorithm.name);
                }
            }
        }
    }
}

#[test]
fn what_auto_takes_is_bounded_where_the_rows_of_one_window_are_not() {
    let wide = Conv { c_in: 2048, c_out: 16, input: [4, 2048], pads: around(1), ..Conv::default() };
    for conv in [
        wide,
        Conv { kernel: [1, 1], pads: around(0), input: [2, 8192], ..wide },
        Conv { kernel: [5, 5], input: [6, 1024], pads: around(2), ..wide },
        Conv { dilation: [4, 4], input: [16, 1024], pads: around(4), ..wide },
    ] {
        let g = conv.geometry().expect("a valid shape");
        let direct = algorithm("direct");
        for isa in Isa::available() {
            assert!(plan(g, isa, Some(direct)).explain().scratch_len > bound(&g) / 2);
            let auto = plan(g, isa, None);
            let floats = auto.threads(64) * auto.explain().scratch_len;
            assert!(floats <= bound(&g), "{} takes {floats} floats for {conv:?}", auto.algorithm().name);
        }
    }
}

#[test]
fn few_operations_are_for_one_thread() {
    let small = plan(Conv::default().geometry().expect("a valid shape"), Isa::best(), None);
    assert_eq!(small.threads(8), 1);
    let large = Conv { input: [1080, 1920], ..Conv::default() };
    assert_eq!(plan(large.geometry().expect("a valid shape"), Isa::best(), None).threads(8), 8);
}
