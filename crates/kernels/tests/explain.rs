//! What a plan says about itself.

mod common;

use common::shapes::Conv;
use corr2d_kernels::Isa;
use corr2d_kernels::conv::{ALGORITHMS, Activation, ConvPlan};
use corr2d_kernels::geometry::ChannelOrder;

#[test]
fn every_algorithm_explains_itself() {
    let pads = [[1, 1], [1, 1]];
    let dense = Conv { input: [28, 28], c_in: 16, c_out: 24, pads, ..Conv::default() };
    let depthwise = Conv { c_in: 24, groups: 24, ..dense };
    let large = Conv { kernel: [11, 11], ..depthwise };
    let mut seen = vec![];
    for conv in [dense, depthwise, large, Conv { stride: [2, 2], ..dense }] {
        for order in [ChannelOrder::First, ChannelOrder::Last] {
            let g = Conv { order, ..conv }.geometry().expect("a valid shape");
            let weight = vec![1.0; g.weight_len()];
            for isa in Isa::available() {
                let auto =
                    ConvPlan::new(g, &weight, None, Activation::None, isa, None).expect("a valid plan");
                let explanation = auto.explain();
                assert!(!explanation.is_forced);
                assert_eq!(explanation.candidates[0].name, auto.algorithm().name);
                assert!(explanation.candidates.is_sorted_by(|a, b| a.cost <= b.cost));
                let able = ALGORITHMS.iter().filter(|algorithm| (algorithm.supports)(&g));
                assert_eq!(explanation.candidates.len(), able.clone().count());
                for algorithm in able {
                    let plan = ConvPlan::new(g, &weight, None, Activation::None, isa, Some(algorithm));
                    let explanation = plan.expect("supported").explain();
                    assert!(explanation.is_forced);
                    let sums = explanation.tile.rows * explanation.tile.vectors;
                    // A matrix unit has eight tiles of sixteen rows, each as long as a vector.
                    let unit = isa.matrix_unit().filter(|_| algorithm.name == "bf16x3");
                    let registers = unit.map_or(isa.registers(), |_| 8 * 16);
                    assert!((1..registers).contains(&sums), "{} keeps {sums} sums", algorithm.name);
                    assert!(explanation.parts >= 1);
                    let needs_none = algorithm.name == "depthwise";
                    assert_eq!(explanation.scratch_len == 0, needs_none, "{}", algorithm.name);
                    let (share, cost) = (explanation.expected_share, (algorithm.cost)(&g, isa));
                    assert!(share > 0.0 && share < 6.0 || cost.is_infinite(), "{} {share}", algorithm.name);
                    seen.push(algorithm.name);
                }
            }
        }
    }
    for algorithm in ALGORITHMS {
        assert!(seen.contains(&algorithm.name), "{} was not tried", algorithm.name);
    }
}

/// The layers of `MobileNet` and `EfficientNet`, of 14×14 and 7×7, took up to eight times as long where their copies were not counted.
#[test]
fn small_planes_by_themselves_are_not_copied() {
    for (channels, side, kernel) in [(960, 7, 3), (576, 14, 3), (960, 7, 5), (480, 14, 5), (240, 28, 5)] {
        let pads = [[kernel / 2; 2]; 2];
        let conv = Conv { c_in: channels, c_out: channels, groups: channels, pads, ..Conv::default() };
        let conv = Conv { input: [side, side], kernel: [kernel, kernel], ..conv };
        let g = conv.geometry().expect("a valid shape");
        let weight = vec![1.0; g.weight_len()];
        for isa in Isa::available().filter(|isa| isa.lanes() >= 8) {
            let plan = ConvPlan::new(g, &weight, None, Activation::None, isa, None).expect("a valid plan");
            assert_eq!(plan.algorithm().name, "depthwise", "{kernel}×{kernel} of {side}×{side} on {isa:?}");
        }
    }
}
