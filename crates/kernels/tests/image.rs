//! Image filters × every instruction set of this machine × pixel types, channels, borders and kernels, against a naive filter in
//! `f64` that is written here.
//!
//! The promise under test. With weights that are multiples of 1/8 the sum is exact, and so is its rounding half to even. With any
//! weights the sum `v` is within `t = (n + 3) · ε · (|scale| · Σ|w·x| + |offset|)` of the exact one, ε = 2⁻²³, and the pixel is what
//! something in `[v − t, v + t]` rounds to: it can only differ from the rounded exact value beside a tie.

mod common;

use common::guarded::{Flush, Guarded};
use common::pixel::TestPixel;
use common::{Random, vector_sets};
use corr2d_kernels::geometry::PaddingMode;
use corr2d_kernels::image::{Alpha, Frame, Gradient, ImageFilter, ImageRequest, Pixel};
use corr2d_kernels::parallel::Pool;
use corr2d_kernels::{Error, Isa};

const EPSILON: f64 = f32::EPSILON as f64;

const BORDERS: [PaddingMode; 5] = [
    PaddingMode::Reflect,
    PaddingMode::Symmetric,
    PaddingMode::Replicate,
    PaddingMode::Zeros,
    PaddingMode::Circular,
];

/// A request with the sizes of its kernel.
#[derive(Clone, Copy, Debug)]
struct Case {
    width: usize,
    height: usize,
    channels: usize,
    row_stride: usize,
    kernel: [usize; 2],
    border: PaddingMode,
    scale: f32,
    offset: f32,
    alpha: Alpha,
    linear: bool,
}

impl Case {
    fn request(&self) -> ImageRequest {
        let Case { width, height, channels, row_stride, border, scale, offset, alpha, linear, .. } = *self;
        let frame = Frame { width, height, channels, row_stride };
        ImageRequest { frame, border, scale, offset, alpha, linear }
    }

    fn filter(&self, kernel: &[f32], isa: Isa) -> Result<ImageFilter, Error> {
        ImageFilter::new(self.request(), self.kernel, kernel, isa)
    }
}

const BASE: Case = Case {
    width: 9,
    height: 7,
    channels: 1,
    row_stride: 9,
    kernel: [3, 3],
    border: PaddingMode::Reflect,
    scale: 1.0,
    offset: 0.0,
    alpha: Alpha::PassThrough,
    linear: false,
};

/// `BASE` with these sizes and rows without gaps.
fn sized(width: usize, height: usize, channels: usize, kernel: [usize; 2]) -> Case {
    Case { width, height, channels, row_stride: width * channels, kernel, ..BASE }
}

/// Walks back into `0..size` from outside, one fold at a time; `None` is a zero.
fn fold(border: PaddingMode, mut position: isize, size: usize) -> Option<usize> {
    let size = size as isize;
    while !(0..size).contains(&position) {
        position = match border {
            PaddingMode::Zeros => return None,
            PaddingMode::Replicate => position.clamp(0, size - 1),
            PaddingMode::Circular => position - size * position.signum(),
            PaddingMode::Reflect if size == 1 => 0,
            PaddingMode::Reflect if position < 0 => -position,
            PaddingMode::Reflect => 2 * (size - 1) - position,
            PaddingMode::Symmetric if position < 0 => -1 - position,
            PaddingMode::Symmetric => 2 * size - 1 - position,
        };
    }
    Some(position as usize)
}

/// The exact value of channel `c` of a pixel before rounding, and `Σ|w·x|`.
fn exact<P: TestPixel>(r: &Case, input: &[P], kernel: &[f32], place: [usize; 3]) -> (f64, f64) {
    let [y, x, c] = place;
    let (mut sum, mut magnitude) = (0.0, 0.0);
    for (tap, weight) in kernel.iter().enumerate() {
        let (ky, kx) = (tap / r.kernel[1], tap % r.kernel[1]);
        let row = fold(r.border, (y + ky) as isize - (r.kernel[0] / 2) as isize, r.height);
        let column = fold(r.border, (x + kx) as isize - (r.kernel[1] / 2) as isize, r.width);
        if let (Some(row), Some(column)) = (row, column) {
            let product = f64::from(*weight) * input[row * r.row_stride + column * r.channels + c].value();
            sum += product;
            magnitude += product.abs();
        }
    }
    (f64::from(r.scale) * sum + f64::from(r.offset), magnitude)
}

fn is_alpha(r: &Case, c: usize) -> bool {
    r.alpha == Alpha::PassThrough && [2, 4].contains(&r.channels) && c == r.channels - 1
}

/// The pixel values that `value ± tolerance` may become.
fn allowed<P: TestPixel>(value: f64, tolerance: f64) -> [f64; 2] {
    let ends = [value - tolerance, value + tolerance];
    match P::LIMIT {
        Some(most) => ends.map(|end| end.round_ties_even().clamp(0.0, most)),
        None => ends,
    }
}

/// Runs the filter on every instruction set through guarded memory and checks every pixel. `eighths` says that weights, scale and
/// offset are such that integer pixels give exact sums.
fn check<P: TestPixel>(r: &Case, input: &[P], kernel: &[f32], eighths: bool) {
    let pool = Pool::new(1).expect("no thread is started");
    let expected: Vec<Option<[f64; 2]>> = (0..r.height * r.width * r.channels)
        .map(|i| {
            let place = [i / r.channels / r.width, i / r.channels % r.width, i % r.channels];
            let (value, magnitude) = exact(r, input, kernel, place);
            // In eighths, f32 has room for sums below 2^21.
            let is_exact = eighths && P::LIMIT.is_some() && magnitude < f64::from(1 << 21);
            let size = f64::from(r.scale).abs() * magnitude + f64::from(r.offset).abs();
            let tolerance = if is_exact { 0.0 } else { (kernel.len() + 3) as f64 * EPSILON * size };
            (!is_alpha(r, place[2])).then(|| allowed::<P>(value, tolerance))
        })
        .collect();
    for (isa, flush) in vector_sets().flat_map(|isa| [(isa, Flush::Start), (isa, Flush::End)]) {
        let input = Guarded::new(input, flush);
        let mut output = Guarded::new(&vec![P::from_float(77.0); expected.len()], flush);
        let filter = r.filter(kernel, isa).expect("a valid request");
        filter.run(input.as_slice(), output.as_mut_slice(), &pool, 1).expect("exact lengths");
        output.assert_slack_untouched(format_args!("{isa:?} of {r:?}"));
        if r.row_stride == r.width * r.channels {
            let mut data = Guarded::new(input.as_slice(), flush);
            if filter.run_in_place(data.as_mut_slice(), &pool, 1).expect("exact lengths") {
                assert_eq!(data.as_slice(), output.as_slice(), "in place: {isa:?} of {r:?}");
            } else {
                assert_eq!(data.as_slice(), input.as_slice(), "left alone: {isa:?} of {r:?}");
            }
            data.assert_slack_untouched(format_args!("in place: {isa:?} of {r:?}"));
        }
        for (i, (result, expected)) in output.as_slice().iter().zip(&expected).enumerate() {
            let (y, x, c) = (i / r.channels / r.width, i / r.channels % r.width, i % r.channels);
            match expected {
                None => {
                    let source = input.as_slice()[y * r.row_stride + x * r.channels + c];
                    assert_eq!(*result, source, "alpha at row {y}, column {x}: {isa:?} of {r:?}");
                }
                Some([least, most]) => assert!(
                    *least <= result.value() && result.value() <= *most,
                    "row {y}, column {x}, channel {c}: {result:?} is not in {least}..={most}: {isa:?} of {r:?}"
                ),
            }
        }
    }
}

fn pixels<P: TestPixel>(r: &Case) -> Vec<P> {
    let mut random = Random::new((r.width * 31 + r.height) as u64);
    // The last row ends with its last pixel, so that nothing after it may be read.
    (0..(r.height - 1) * r.row_stride + r.width * r.channels).map(|_| P::random(&mut random)).collect()
}

/// Checks with weights in eighths and with arbitrary ones.
fn check_both<P: TestPixel>(r: &Case) {
    let mut random = Random::new((r.kernel[0] * 100 + r.kernel[1]) as u64);
    let taps = r.kernel[0] * r.kernel[1];
    let eighths: Vec<f32> = random.integers(taps, 8).iter().map(|weight| weight / 8.0).collect();
    let any: Vec<f32> = random.floats(taps);
    let input = pixels::<P>(r);
    check(r, &input, &eighths, true);
    check(&Case { scale: 0.37, offset: 19.6, ..*r }, &input, &any, false);
}

fn check_types(r: &Case) {
    check_both::<u8>(r);
    check_both::<u16>(r);
    check_both::<f32>(r);
}

#[test]
fn every_border_channel_count_and_kernel() {
    for border in BORDERS {
        for channels in 1..=4 {
            for kernel in [[1, 1], [3, 3], [2, 2], [1, 5], [4, 1], [5, 5], [3, 8]] {
                check_types(&Case { border, ..sized(17, 6, channels, kernel) });
            }
        }
    }
}

#[test]
fn every_width() {
    for width in (1..=70).chain([127, 129, 255, 257]) {
        check_both::<u8>(&sized(width, 3, 1, [3, 3]));
        check_both::<u8>(&sized(width, 2, 3, [2, 5]));
        check_both::<u16>(&sized(width, 2, 4, [3, 1]));
    }
}

#[test]
fn every_height() {
    for height in (1..=40).chain([63, 64, 65, 97]) {
        check_both::<u8>(&sized(5, height, 1, [3, 3]));
        check_both::<f32>(&sized(3, height, 2, [5, 2]));
    }
}

/// Kernels of small whole weights times one factor, with that factor: bytes take them in words.
fn whole_kernels([kh, kw]: [usize; 2]) -> Vec<Vec<f32>> {
    let taps = kh * kw;
    let mut random = Random::new((100 * kh + kw) as u64);
    // No sum of one sign is above 128.
    let any = random.integers(taps, if taps > 64 { 1 } else { 128usize.div_ceil(taps).min(20) });
    let mut most = vec![0.0; taps];
    most[0] = -128.0;
    most[taps - 1] = if taps > 1 { 127.0 } else { -128.0 };
    most[taps / 2] += if taps > 2 { 1.0 } else { 0.0 };
    vec![any, most]
}

#[test]
fn whole_weights_of_bytes() {
    for size in [[1, 1], [1, 2], [2, 1], [2, 2], [3, 3], [1, 7], [5, 5], [7, 4], [4, 9], [9, 9]] {
        for kernel in whole_kernels(size) {
            for (channels, border) in [1, 2, 3, 4, 3].into_iter().zip(BORDERS) {
                // Sums that are the results, those that do not fit into words, and those with a factor.
                for (unit, scale, offset) in [
                    (1.0, 1.0, 0.0),
                    (1.0, 1.0, -31.0),
                    (1.0, 1.0, 128.0),
                    (0.25, 0.5, 3.5),
                    (4.0, 1.0, 0.25),
                ] {
                    let weights: Vec<f32> = kernel.iter().map(|weight| weight * unit).collect();
                    for width in [3, 70, 131] {
                        let r = Case {
                            border,
                            scale,
                            offset,
                            alpha: Alpha::Filter,
                            ..sized(width, 6, channels, size)
                        };
                        let mut input = pixels::<u8>(&r);
                        check(&r, &input, &weights, true);
                        input.fill(255);
                        check(&r, &input, &weights, true);
                    }
                }
                let rounded: Vec<f32> = kernel.iter().map(|weight| weight / 80.0).collect();
                let r = Case { border, ..sized(70, 6, channels, size) };
                check(&r, &pixels::<u8>(&r), &rounded, false);
            }
        }
    }
}

#[test]
fn images_of_several_tiles() {
    check_both::<u8>(&sized(1100, 40, 1, [3, 3]));
    check_both::<u8>(&sized(400, 70, 3, [5, 5]));
    check_both::<u16>(&sized(520, 33, 4, [2, 3]));
}

#[test]
fn kernels_larger_than_the_image() {
    for border in BORDERS {
        for (width, height) in [(1, 1), (2, 3), (1, 9), (9, 1), (5, 4)] {
            for kernel in [[7, 7], [1, 13], [13, 1], [12, 6]] {
                for channels in [1, 3, 4] {
                    check_both::<u8>(&Case { border, ..sized(width, height, channels, kernel) });
                }
            }
        }
    }
}

#[test]
fn kernels_of_every_height() {
    for height in 1..=45 {
        check_both::<u8>(&sized(40, 12, 1, [height, 2]));
    }
    for height in [11, 12, 13, 23, 31] {
        check_types(&sized(20, 35, 3, [height, 3]));
    }
}

#[test]
fn rows_with_gaps() {
    for gap in [1, 7, 100] {
        for channels in 1..=4 {
            let tight = sized(21, 9, channels, [3, 3]);
            check_types(&Case { row_stride: tight.row_stride + gap, ..tight });
        }
    }
}

#[test]
fn alpha_is_filtered_on_demand() {
    for channels in 1..=4 {
        check_types(&Case { alpha: Alpha::Filter, ..sized(20, 8, channels, [3, 3]) });
    }
}

/// A kernel of one tap, so that each value before rounding is known: every half, and far beyond both ends.
#[test]
fn rounds_half_to_even_and_saturates() {
    let identity = |scale: f32, offset: f32| Case { scale, offset, ..sized(256, 1, 1, [1, 1]) };
    let all: Vec<u8> = (0..=255).collect();
    for (scale, offset) in
        [(0.5, 0.0), (0.5, 0.25), (-0.5, 100.0), (1.0, 0.5), (3.0, -200.5), (1e30, 0.0), (-1e30, 0.0)]
    {
        check(&identity(scale, offset), &all, &[1.0], true);
        let wide: Vec<u16> = (0..=255).map(|i| i * 257).collect();
        check(&identity(scale, offset), &wide, &[1.0], true);
    }
    let filter = identity(0.5, 0.0).filter(&[1.0], Isa::best()).expect("a valid request");
    let mut output = vec![0u8; 256];
    filter.run(&all, &mut output, &Pool::new(1).expect("no thread"), 1).expect("exact lengths");
    assert_eq!(output[..8], [0, 0, 1, 2, 2, 2, 3, 4]);
}

#[test]
fn nan_becomes_zero_and_infinity_saturates() {
    for isa in vector_sets() {
        for (weight, expected) in [(f32::NAN, 0), (f32::INFINITY, 255), (f32::NEG_INFINITY, 0)] {
            let filter = sized(37, 2, 1, [1, 1]).filter(&[weight], isa).expect("a valid request");
            let mut output = vec![9u8; 74];
            filter.run(&[1u8; 74], &mut output, &Pool::new(1).expect("no thread"), 1).expect("exact lengths");
            assert_eq!(output, [expected; 74], "{isa:?}, weight {weight}");
        }
    }
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let pool = Pool::new(3).expect("two threads");
    for r in [sized(700, 150, 3, [5, 5]), sized(1300, 90, 1, [13, 4])] {
        let input = pixels::<f32>(&r);
        let kernel = Random::new(4).floats(r.kernel[0] * r.kernel[1]);
        for isa in vector_sets() {
            let filter = r.filter(&kernel, isa).expect("a valid request");
            let results = [1, 2, 3, 64].map(|threads| {
                let mut output = vec![f32::NAN; r.height * r.width * r.channels];
                filter.run(&input, &mut output, &pool, threads).expect("exact lengths");
                common::bits(&output)
            });
            assert!(results.iter().all(|result| *result == results[0]), "{isa:?} of {r:?}");
        }
    }
}

/// Tiles overwrite what their neighbours read.
#[test]
fn the_same_pixels_in_place() {
    let pool = Pool::new(3).expect("two threads");
    let mut overwritten = 0;
    for border in BORDERS {
        for (channels, kernel) in
            [(3, [5, 5]), (1, [3, 3]), (4, [4, 2]), (3, [13, 12]), (1, [9, 801]), (3, [1, 6]), (2, [90, 1])]
        {
            let r = Case { border, alpha: Alpha::Filter, ..sized(730, 301, channels, kernel) };
            let input = pixels::<u8>(&r);
            for weights in kernels_of_all_kinds(kernel) {
                for threads in [1, 3] {
                    let filter = r.filter(&weights, Isa::best()).expect("a valid request");
                    let mut expected = vec![0; input.len()];
                    filter.run(&input, &mut expected, &pool, threads).expect("exact lengths");
                    let mut data = input.clone();
                    if filter.run_in_place(&mut data, &pool, threads).expect("exact lengths") {
                        overwritten += 1;
                        assert!(data == expected, "{threads} threads, {r:?}");
                    }
                }
            }
        }
    }
    // All but those with running sums.
    assert_eq!(overwritten, BORDERS.len() * 7 * 2 * 2);
    let alpha = sized(4, 4, 4, [3, 3]);
    let filter = alpha.filter(&[1.0; 9], Isa::best()).expect("a valid request");
    assert_eq!(filter.run_in_place(&mut [1u8; 64], &pool, 1), Ok(false), "alpha is passed through");
    assert!(filter.run_in_place(&mut [1u8; 63], &pool, 1).is_err(), "a pixel is missing");
    let gap = Case { row_stride: 17, ..alpha };
    let filter = gap.filter(&[1.0; 9], Isa::best()).expect("a valid request");
    assert!(filter.run_in_place(&mut [1u8; 68], &pool, 1).is_err(), "rows have gaps");
}

/// Bells, boxes and anything: separable, with running sums, and neither.
fn kernels_of_all_kinds(size: [usize; 2]) -> Vec<Vec<f32>> {
    let [kh, kw] = size;
    let bell = |i: usize, n: usize| (-(i as f64 - (n - 1) as f64 / 2.0).powi(2) / n as f64).exp();
    let product = (0..kh * kw).map(|i| (bell(i / kw, kh) * bell(i % kw, kw) / 9.0) as f32).collect();
    vec![product, vec![1.0 / (kh * kw) as f32; kh * kw], Random::new(9).floats(kh * kw)]
}

fn check_tiers<P: TestPixel>(r: &Case) {
    let pool = Pool::new(1).expect("no thread");
    let input = pixels::<P>(r);
    for kernel in kernels_of_all_kinds(r.kernel) {
        let results: Vec<Vec<P>> = vector_sets()
            .map(|isa| {
                let mut output = vec![P::from_float(0.0); r.height * r.width * r.channels];
                let filter = r.filter(&kernel, isa).expect("a valid request");
                filter.run(&input, &mut output, &pool, 1).expect("exact lengths");
                output
            })
            .collect();
        assert!(results.iter().all(|result| *result == results[0]), "a tier differs: {r:?}");
    }
}

/// Equal weights: the sum is exact, so the pixel is that of the floats, whichever way it is computed.
#[test]
fn means_are_those_of_floats() {
    for (width, kernel) in
        [(140, [3, 3]), (128, [5, 5]), (257, [7, 3]), (131, [4, 4]), (150, [15, 17]), (100, [1, 9])]
    {
        for channels in [1, 3] {
            for border in BORDERS {
                for (scale, offset) in [(1.0, 0.0), (1.5, -20.0), (0.5, 3.0)] {
                    let r = Case { border, scale, offset, ..sized(width, 45, channels, kernel) };
                    let weight = 1.0 / (kernel[0] * kernel[1]) as f32;
                    let ones = vec![1.0; kernel[0] * kernel[1]];
                    let input = pixels::<u8>(&r);
                    let plain = Case { scale: 1.0, offset: 0.0, ..r };
                    let expected: Vec<u8> = (0..r.height * r.width * channels)
                        .map(|i| [i / channels / width, i / channels % width, i % channels])
                        .map(|place| exact(&plain, &input, &ones, place).0 as f32)
                        .map(|sum| u8::from_float(sum * (weight * scale) + offset))
                        .collect();
                    for (isa, flush) in vector_sets().flat_map(|isa| [(isa, Flush::Start), (isa, Flush::End)])
                    {
                        let input = Guarded::new(&input, flush);
                        let mut output = Guarded::new(&vec![77u8; expected.len()], flush);
                        let filter = r.filter(&vec![weight; ones.len()], isa).expect("a valid request");
                        let pool = Pool::new(1).expect("no thread is started");
                        filter.run(input.as_slice(), output.as_mut_slice(), &pool, 1).expect("exact lengths");
                        assert!(output.as_slice() == expected, "{isa:?} of {r:?}");
                        output.assert_slack_untouched(format_args!("{isa:?} of {r:?}"));
                    }
                }
            }
        }
    }
}

#[test]
fn the_same_pixels_on_every_instruction_set() {
    for kernel in [[3, 3], [5, 5], [13, 13], [12, 1], [1, 9], [4, 7]] {
        for channels in [1, 3, 4] {
            let r = Case { scale: 0.7, offset: 3.3, ..sized(210, 40, channels, kernel) };
            check_tiers::<u8>(&r);
            check_tiers::<u16>(&r);
            check_tiers::<f32>(&r);
        }
    }
}

#[test]
fn all_kinds_of_kernels_keep_the_promise() {
    for kernel in [[3, 3], [5, 5], [7, 4], [13, 13], [31, 31]] {
        for channels in [1, 3, 4] {
            for border in BORDERS {
                let r = Case { border, ..sized(70, 20, channels, kernel) };
                for weights in kernels_of_all_kinds(kernel) {
                    check(&r, &pixels::<u8>(&r), &weights, false);
                    check(&r, &pixels::<u16>(&r), &weights, false);
                    check(&r, &pixels::<f32>(&r), &weights, false);
                }
                check(&r, &pixels::<u8>(&r), &vec![0.125; kernel[0] * kernel[1]], true);
            }
        }
    }
}

/// Tiles of two output rows and of two passes have nothing to pair a single row with.
#[test]
fn all_kinds_of_kernels_on_few_rows_and_columns() {
    for (width, height) in [(40, 1), (40, 2), (40, 3), (1, 40), (2, 9), (1, 1)] {
        for kernel in [[3, 3], [5, 5], [13, 13], [5, 1], [1, 5]] {
            for channels in [1, 3] {
                let r = sized(width, height, channels, kernel);
                for weights in kernels_of_all_kinds(kernel) {
                    check(&r, &pixels::<u8>(&r), &weights, false);
                    check(&r, &pixels::<f32>(&r), &weights, false);
                    check_tiers::<u16>(&r);
                }
            }
        }
    }
}

#[test]
fn refuses_bad_requests() {
    let error = |r: Case, kernel: usize| r.filter(&vec![1.0; kernel], Isa::best()).err();
    let zero = |parameter| Some(Error::Zero { parameter });
    assert_eq!(error(BASE, 9), None);
    assert_eq!(error(Case { width: 0, ..BASE }, 9), zero("width"));
    assert_eq!(error(Case { height: 0, ..BASE }, 9), zero("height"));
    assert_eq!(error(Case { channels: 0, ..BASE }, 9), zero("channels"));
    assert_eq!(error(Case { kernel: [0, 3], ..BASE }, 0), zero("kernel height"));
    assert_eq!(error(Case { kernel: [3, 0], ..BASE }, 0), zero("kernel width"));
    for (r, kernel) in [(BASE, 8), (BASE, 10), (Case { row_stride: 8, ..BASE }, 9)] {
        assert!(matches!(error(r, kernel), Some(Error::Length { .. })), "{r:?}, {kernel} weights");
    }
    for huge in [usize::MAX, 1 << 47, 1 << 63] {
        for r in [
            Case { width: huge, channels: 3, row_stride: usize::MAX, ..BASE },
            Case { height: huge, ..BASE },
            Case { row_stride: huge, ..BASE },
            Case { kernel: [huge, 3], ..BASE },
            Case { kernel: [3, huge], ..BASE },
        ] {
            assert!(error(r, 9).is_some(), "{r:?}");
        }
    }
}

#[test]
fn refuses_wrong_lengths_before_writing() {
    let r = Case { row_stride: 12, ..BASE };
    let filter = r.filter(&[1.0; 9], Isa::best()).expect("a valid request");
    let run = |input: usize, output: usize| {
        let mut output = vec![7u8; output];
        let result = filter.run(&vec![1u8; input], &mut output, &Pool::new(1).expect("no thread"), 1);
        assert!(result.is_ok() || output.iter().all(|pixel| *pixel == 7), "written before it was refused");
        result
    };
    assert_eq!(run(81, 63), Ok(()));
    assert_eq!(run(84, 63), Ok(()));
    assert_eq!(run(80, 63), Err(Error::Length { parameter: "data", expected: 81, received: 80 }));
    assert_eq!(run(81, 62), Err(Error::Length { parameter: "out", expected: 63, received: 62 }));
    assert_eq!(run(81, 64), Err(Error::Length { parameter: "out", expected: 63, received: 64 }));
}

/// `√(gx² + gy²)` in `f64` of channel `c` of a pixel, not rounded.
fn exact_length<P: TestPixel>(r: &Case, input: &[P], weights: [f32; 3], place: [usize; 3]) -> f64 {
    let [a, b, c] = weights;
    let across = [-a, 0.0, a, -b, 0.0, b, -c, 0.0, c];
    let down = [-a, -b, -c, 0.0, 0.0, 0.0, a, b, c];
    let plain = Case { scale: 1.0, offset: 0.0, ..*r };
    exact(&plain, input, &across, place).0.hypot(exact(&plain, input, &down, place).0)
}

fn check_gradients<P: TestPixel>(r: &Case) {
    let pool = Pool::new(2).expect("a thread");
    let input = pixels::<P>(r);
    for (gradient, weights) in [
        (Gradient::Sobel, [1.0, 2.0, 1.0]),
        (Gradient::Scharr, [3.0, 10.0, 3.0]),
        (Gradient::Prewitt, [1.0, 1.0, 1.0]),
    ] {
        let results: Vec<Vec<P>> = vector_sets()
            .map(|isa| {
                let filter = ImageFilter::gradient(r.request(), gradient, isa).expect("a valid request");
                let mut output = vec![P::from_float(77.0); r.height * r.width * r.channels];
                filter.run(&input, &mut output, &pool, 2).expect("exact lengths");
                let mut data = input.clone();
                if r.row_stride == r.width * r.channels
                    && filter.run_in_place(&mut data, &pool, 2).expect("exact lengths")
                {
                    assert_eq!(data, output, "in place: {gradient:?} of {r:?}");
                }
                output
            })
            .collect();
        assert!(results.iter().all(|result| *result == results[0]), "a tier differs: {gradient:?} of {r:?}");
        for (i, result) in results[0].iter().enumerate() {
            let place @ [y, x, c] = [i / r.channels / r.width, i / r.channels % r.width, i % r.channels];
            if is_alpha(r, c) {
                assert_eq!(*result, input[y * r.row_stride + x * r.channels + c], "alpha");
                continue;
            }
            let length = exact_length(r, &input, weights, place);
            let value = f64::from(r.scale) * length + f64::from(r.offset);
            // A float of an infinitesimal length has only the accuracy of the differences that it came from.
            let size = f64::from(r.scale).abs() * (length + 32.0) + f64::from(r.offset).abs();
            let size = if P::LIMIT.is_some() { size - 32.0 * f64::from(r.scale).abs() } else { size };
            let [least, most] = allowed::<P>(value, 4.0 * EPSILON * size);
            assert!(
                least <= result.value() && result.value() <= most,
                "{place:?}: {result:?} is not in {least}..={most}: {gradient:?} of {r:?}"
            );
        }
    }
}

#[test]
fn gradients_are_the_length_of_both_directions() {
    for border in BORDERS {
        for channels in 1..=4 {
            for (width, height) in [(1, 1), (2, 1), (1, 3), (21, 7), (70, 5)] {
                let r = Case { border, scale: 0.25, offset: 0.5, ..sized(width, height, channels, [3, 3]) };
                check_gradients::<u8>(&r);
                check_gradients::<u16>(&r);
                check_gradients::<f32>(&r);
                check_gradients::<u8>(&Case { alpha: Alpha::Filter, row_stride: r.row_stride + 3, ..r });
            }
        }
    }
    check_gradients::<u8>(&sized(1100, 65, 1, [3, 3]));
    check_gradients::<u16>(&sized(400, 40, 3, [3, 3]));
}

/// sRGB's curve (IEC 61966-2-1) and its inverse, written anew.
fn to_light(x: f64) -> f64 {
    if x <= 0.04045 { x / 12.92 } else { ((x + 0.055) / 1.055).powf(2.4) }
}

fn from_light(x: f64) -> f64 {
    if x <= 0.0031308 { x * 12.92 } else { 1.055 * x.powf(1.0 / 2.4) - 0.055 }
}

/// A mean over light, for pixels whose values are `0..=full`.
fn check_light<P: TestPixel>(input: &[P], full: f64) {
    let r = Case { linear: true, border: PaddingMode::Replicate, ..sized(input.len() / 4, 1, 4, [1, 2]) };
    for isa in vector_sets() {
        let mut output = vec![P::from_float(0.0); input.len()];
        let filter = r.filter(&[0.5, 0.5], isa).expect("a valid request");
        filter.run(input, &mut output, &Pool::new(1).expect("no thread"), 1).expect("exact lengths");
        for (i, result) in output.iter().enumerate() {
            let left = input[if i < 4 { i } else { i - 4 }].value();
            let here = input[i].value();
            let mean = (to_light(left / full) + to_light(here / full)) / 2.0;
            let expected = from_light(mean) * full;
            match P::LIMIT {
                _ if i % 4 == 3 => assert_eq!(*result, input[i], "alpha"),
                Some(_) => assert!(
                    (result.value() - expected).abs() < 0.5 + 0.02,
                    "{left} and {here} give {expected}, not {result:?}, on {isa:?}"
                ),
                None => assert!((result.value() - expected).abs() < 1e-6),
            }
        }
    }
}

#[test]
fn light_is_what_is_filtered() {
    let mut random = Random::new(8);
    check_light(&(0..4000).map(|_| random.next() as u8).collect::<Vec<_>>(), 255.0);
    check_light(&(0..8000).map(|_| random.next() as u16).collect::<Vec<_>>(), 65535.0);
    check_light(&(0..4000).map(|_| random.float().abs()).collect::<Vec<_>>(), 1.0);
}

/// Out of the curve and back in again.
#[test]
fn light_comes_back_as_it_was() {
    let r = Case { linear: true, ..sized(65536, 1, 1, [1, 1]) };
    let pool = Pool::new(1).expect("no thread");
    for isa in vector_sets() {
        let filter = r.filter(&[1.0], isa).expect("a valid request");
        let wide: Vec<u16> = (0..=65535).collect();
        let mut output = vec![0u16; wide.len()];
        filter.run(&wide, &mut output, &pool, 1).expect("exact lengths");
        assert_eq!(output, wide, "{isa:?}");
        let bytes: Vec<u8> = (0..65536).map(|i| i as u8).collect();
        let mut output = vec![0u8; bytes.len()];
        filter.run(&bytes, &mut output, &pool, 1).expect("exact lengths");
        assert_eq!(output, bytes, "{isa:?}");
    }
}
