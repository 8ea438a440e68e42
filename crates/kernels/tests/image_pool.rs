//! Pooling of images × every instruction set of this machine × pixel types and channels, against a naive pooling that is written here.
//! Integer pixels must come out exactly; means of floats within `n · ε` of the largest element.

mod common;

use common::guarded::{Flush, Guarded};
use common::pixel::TestPixel;
use common::{Random, vector_sets};
use corr2d_kernels::geometry::{
    Padding, PaddingLimit, PoolGeometry, PoolMode, PoolRequest, Rounding, Window,
};
use corr2d_kernels::image::{Frame, ImagePool, ImagePoolMode};
use corr2d_kernels::parallel::Pool;
use corr2d_kernels::{Error, Isa};

const AVERAGE: PoolMode = PoolMode::Average { count_include_pad: true, divisor_override: None };

fn geometry(frame: &Frame, window: Window, rounding: Rounding, mode: PoolMode) -> PoolGeometry {
    let padding_limit = PaddingLimit::Half;
    let input = [frame.height, frame.width];
    PoolGeometry::new(&PoolRequest {
        batch: 1,
        channels: frame.channels,
        input,
        window,
        padding_limit,
        rounding,
        mode,
    })
    .expect("a valid request")
}

/// The exact result for channel `c` of an output pixel, not rounded.
fn exact<P: TestPixel>(
    frame: &Frame,
    g: &PoolGeometry,
    mode: ImagePoolMode,
    input: &[P],
    [y, x, c]: [usize; 3],
) -> f64 {
    let mut values = Vec::new();
    for ky in g.y.inside(y) {
        for kx in g.x.inside(x) {
            let row = g.y.position(y, ky) as usize;
            let column = g.x.position(x, kx) as usize;
            values.push(input[row * frame.row_stride + column * frame.channels + c].value());
        }
    }
    let count = match g.mode {
        PoolMode::Average { divisor_override: Some(divisor), .. } => divisor as usize,
        PoolMode::Average { count_include_pad: true, .. } => g.y.covered(y) * g.x.covered(x),
        _ => values.len(),
    };
    match mode {
        ImagePoolMode::Max => values.into_iter().fold(f64::NEG_INFINITY, f64::max),
        ImagePoolMode::Min => values.into_iter().fold(f64::INFINITY, f64::min),
        ImagePoolMode::Average => values.iter().sum::<f64>() / count as f64,
    }
}

fn check<P: TestPixel>(frame: &Frame, window: Window, rounding: Rounding) {
    let mut random = Random::new((frame.width * 31 + frame.height) as u64);
    let row = frame.width * frame.channels;
    let pixels: Vec<P> =
        (0..(frame.height - 1) * frame.row_stride + row).map(|_| P::random(&mut random)).collect();
    let excluded = PoolMode::Average { count_include_pad: false, divisor_override: None };
    let divided = PoolMode::Average { count_include_pad: true, divisor_override: Some(3) };
    for (mode, geometry_mode) in [
        (ImagePoolMode::Max, PoolMode::Max),
        (ImagePoolMode::Min, PoolMode::Max),
        (ImagePoolMode::Average, AVERAGE),
        (ImagePoolMode::Average, excluded),
        (ImagePoolMode::Average, divided),
    ] {
        if geometry_mode == divided && window.kernel[0] * window.kernel[1] > 3 {
            continue;
        }
        let g = geometry(frame, window, rounding, geometry_mode);
        for (isa, flush) in vector_sets().flat_map(|isa| [(isa, Flush::Start), (isa, Flush::End)]) {
            let input = Guarded::new(&pixels, flush);
            let pooling = ImagePool::new(*frame, g, mode, isa).expect("the frame's geometry");
            let mut output = Guarded::new(&vec![P::from_float(77.0); pooling.output_len()], flush);
            let pool = Pool::new(2).expect("a thread");
            pooling.run(input.as_slice(), output.as_mut_slice(), &pool, 2).expect("exact lengths");
            output.assert_slack_untouched(format_args!("{isa:?} of {frame:?}"));
            for (i, result) in output.as_slice().iter().enumerate() {
                let (column, c) = (i / frame.channels, i % frame.channels);
                let place = [column / g.x.output, column % g.x.output, c];
                let expected = exact(frame, &g, mode, &pixels, place);
                let context = format!("{place:?} of {mode:?}, {isa:?}, {frame:?}, {window:?}");
                match P::LIMIT {
                    Some(_) => assert_eq!(result.value(), expected.round_ties_even(), "{context}"),
                    None => assert!((result.value() - expected).abs() < 1e-5, "{context}"),
                }
            }
        }
    }
}

fn check_types(frame: &Frame, window: Window, rounding: Rounding) {
    check::<u8>(frame, window, rounding);
    check::<u16>(frame, window, rounding);
    check::<f32>(frame, window, rounding);
}

fn window(kernel: [usize; 2], stride: [usize; 2], pad: [usize; 2]) -> Window {
    let padding = Padding::Explicit([[pad[0], pad[0]], [pad[1], pad[1]]]);
    Window { kernel, stride, dilation: [1, 1], padding }
}

#[test]
fn every_window_stride_and_channel_count() {
    for channels in 1..=4 {
        for (kernel, stride, pad) in [
            ([1, 1], [1, 1], [0, 0]),
            ([2, 2], [2, 2], [0, 0]),
            ([3, 3], [1, 1], [1, 1]),
            ([3, 3], [2, 2], [1, 1]),
            ([5, 2], [3, 1], [2, 1]),
            ([2, 7], [1, 4], [1, 3]),
            ([1, 3], [1, 3], [0, 0]),
        ] {
            for rounding in [Rounding::Floor, Rounding::Ceil, Rounding::CeilOnnx] {
                check_types(&Frame::tight(23, 9, channels), window(kernel, stride, pad), rounding);
            }
        }
    }
}

#[test]
fn every_width_and_strides_of_rows() {
    for width in 3..=140 {
        let tight = Frame::tight(width, 5, 1 + width % 4);
        check::<u8>(&tight, window([3, 3], [1, 1], [1, 1]), Rounding::Floor);
        let gaps = Frame { row_stride: tight.row_stride + width % 7, ..tight };
        check::<u8>(&gaps, window([2, 2], [2, 2], [0, 0]), Rounding::Floor);
        check::<u16>(&gaps, window([3, 3], [2, 2], [1, 1]), Rounding::Ceil);
    }
}

#[test]
fn dilated_windows_and_several_tiles() {
    let dilated = Window { dilation: [2, 3], ..window([3, 3], [1, 2], [1, 2]) };
    check_types(&Frame::tight(31, 40, 3), dilated, Rounding::Floor);
    check_types(&Frame::tight(31, 70, 2), window([31, 9], [1, 1], [15, 4]), Rounding::Floor);
}

#[test]
fn means_round_half_to_even() {
    for (pair, mean) in [([0u8, 1], 0u8), ([1, 2], 2), ([2, 3], 2), ([254, 255], 254), ([255, 255], 255)] {
        let frame = Frame::tight(2, 1, 1);
        let g = geometry(&frame, window([1, 2], [1, 1], [0, 0]), Rounding::Floor, AVERAGE);
        let pooling = ImagePool::new(frame, g, ImagePoolMode::Average, Isa::best()).expect("its geometry");
        let mut output = [9u8];
        pooling.run(&pair, &mut output, &Pool::new(1).expect("no thread"), 1).expect("exact lengths");
        assert_eq!(output, [mean], "{pair:?}");
    }
}

#[test]
fn nan_goes_through_every_mode() {
    let frame = Frame::tight(3, 1, 1);
    for mode in [ImagePoolMode::Max, ImagePoolMode::Min, ImagePoolMode::Average] {
        let g = geometry(&frame, window([1, 3], [1, 1], [0, 0]), Rounding::Floor, AVERAGE);
        for at in 0..3 {
            let mut input = [1.0f32; 3];
            input[at] = f32::NAN;
            for isa in vector_sets() {
                let mut output = [0.0f32];
                let pooling = ImagePool::new(frame, g, mode, isa).expect("its geometry");
                pooling
                    .run(&input, &mut output, &Pool::new(1).expect("no thread"), 1)
                    .expect("exact lengths");
                assert!(output[0].is_nan(), "{mode:?} with NaN at {at} on {isa:?}");
            }
        }
    }
}

#[test]
fn refuses_what_does_not_fit() {
    let frame = Frame::tight(4, 4, 3);
    let g = geometry(&frame, window([2, 2], [2, 2], [0, 0]), Rounding::Floor, PoolMode::Max);
    for other in [
        Frame { width: 3, ..frame },
        Frame { height: 5, ..frame },
        Frame { channels: 2, ..frame },
        Frame { row_stride: 11, ..frame },
        Frame { width: 0, ..frame },
    ] {
        assert!(ImagePool::new(other, g, ImagePoolMode::Max, Isa::best()).is_err(), "{other:?}");
    }
    let pooling = ImagePool::new(frame, g, ImagePoolMode::Max, Isa::best()).expect("its geometry");
    let pool = Pool::new(1).expect("no thread");
    let run = |input: usize, output: usize| pooling.run(&vec![1u8; input], &mut vec![0u8; output], &pool, 1);
    assert_eq!(run(48, 12), Ok(()));
    assert_eq!(run(47, 12), Err(Error::Length { parameter: "data", expected: 48, received: 47 }));
    assert_eq!(run(48, 11), Err(Error::Length { parameter: "out", expected: 12, received: 11 }));
}
