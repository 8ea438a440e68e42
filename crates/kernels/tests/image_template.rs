//! Template matching × every instruction set × pixel types and channels, against the definition in `f64`, written here. Scores are
//! within 2·10⁻⁵ on noise, the best place is the best of the exact scores.

mod common;

use common::pixel::TestPixel;
use common::{Random, vector_sets};
use corr2d_kernels::image::{Frame, Method, Template};
use corr2d_kernels::parallel::Pool;
use corr2d_kernels::{Error, Isa};

const METHODS: [Method; 2] = [Method::CoefficientNormed, Method::CorrelationNormed];

fn colours(frame: &Frame) -> usize {
    if matches!(frame.channels, 2 | 4) { frame.channels - 1 } else { frame.channels }
}

/// The values of one channel of a window of the size `of`.
fn window<P: TestPixel>(frame: &Frame, of: &Frame, data: &[P], at: [usize; 2], c: usize) -> Vec<f64> {
    (0..of.height * of.width)
        .map(|i| {
            let (y, x) = (at[0] + i / of.width, at[1] + i % of.width);
            data[y * frame.row_stride + x * frame.channels + c].value()
        })
        .collect()
}

fn exact<P: TestPixel>(
    frame: &Frame,
    of: &Frame,
    data: &[P],
    part: &[P],
    at: [usize; 2],
    method: Method,
) -> f64 {
    let (mut products, mut image, mut template) = (0.0, 0.0, 0.0);
    for c in 0..colours(frame) {
        let mut x = window(frame, of, data, at, c);
        let mut t = window(of, of, part, [0, 0], c);
        if method == Method::CoefficientNormed {
            for values in [&mut x, &mut t] {
                let mean = values.iter().sum::<f64>() / values.len() as f64;
                values.iter_mut().for_each(|value| *value -= mean);
            }
        }
        products += x.iter().zip(&t).map(|(x, t)| x * t).sum::<f64>();
        image += x.iter().map(|x| x * x).sum::<f64>();
        template += t.iter().map(|t| t * t).sum::<f64>();
    }
    let norm = (image * template).sqrt();
    if norm > 1e-9 { products / norm } else { 0.0 }
}

fn noise<P: TestPixel>(frame: &Frame, seed: u64) -> Vec<P> {
    let mut random = Random::new(seed);
    (0..frame.row_stride * frame.height).map(|_| P::random(&mut random)).collect()
}

fn check<P: TestPixel>(frame: &Frame, of: &Frame) {
    let (data, part) = (noise::<P>(frame, 1), noise::<P>(of, 2));
    let pool = Pool::new(2).expect("a thread");
    for (method, isa) in METHODS.iter().flat_map(|method| vector_sets().map(move |isa| (*method, isa))) {
        let template = Template::new(*frame, *of, &part, method, isa).expect("it fits");
        let [rows, columns] = template.output();
        assert_eq!([rows, columns], [frame.height - of.height + 1, frame.width - of.width + 1]);
        let mut scores = vec![f32::NAN; rows * columns];
        let best = template.run(&data, &mut scores, &pool, 2).expect("exact lengths");
        let mut most = f64::NEG_INFINITY;
        for (i, score) in scores.iter().enumerate() {
            let expected = exact(frame, of, &data, &part, [i / columns, i % columns], method);
            most = most.max(expected);
            let error = (f64::from(*score) - expected).abs();
            assert!(
                error < 2e-5,
                "place {i}: {score}, not {expected}: {method:?}, {isa:?}, {frame:?}, {of:?}"
            );
        }
        assert!((f64::from(best.score) - most).abs() < 2e-5);
        assert_eq!(best.score, scores[best.y * columns + best.x]);
    }
}

#[test]
fn scores_are_those_of_the_definition() {
    for channels in 1..=4 {
        let frame = Frame { row_stride: 29 * channels + 5, ..Frame::tight(29, 17, channels) };
        for (width, height) in [(1, 2), (3, 3), (8, 5), (29, 17), (29, 1), (1, 17)] {
            let of = Frame::tight(width, height, channels);
            check::<u8>(&frame, &of);
            check::<u16>(&frame, &of);
            check::<f32>(&frame, &of);
        }
    }
}

#[test]
fn many_rows_of_scores() {
    check::<u8>(&Frame::tight(40, 300, 1), &Frame::tight(9, 9, 1));
    check::<f32>(&Frame::tight(20, 280, 3), &Frame::tight(5, 6, 3));
}

#[test]
fn finds_a_part_whatever_its_brightness_and_contrast() {
    let (frame, of) = (Frame::tight(90, 70, 3), Frame::tight(20, 15, 3));
    let data: Vec<u8> = noise::<u8>(&frame, 3).iter().map(|pixel| pixel / 4).collect();
    let mut part = Vec::new();
    for y in 0..15 {
        part.extend(data[((33 + y) * 90 + 47) * 3..][..60].iter().map(|pixel| pixel * 2 + 50));
    }
    for isa in vector_sets() {
        let template = Template::new(frame, of, &part, Method::CoefficientNormed, isa).expect("it fits");
        let mut scores = vec![0.0; 71 * 56];
        let best = template.run(&data, &mut scores, &Pool::new(1).expect("no thread"), 1).expect("lengths");
        assert_eq!((best.x, best.y), (47, 33), "{isa:?}");
        assert!((best.score - 1.0).abs() < 1e-6, "{best:?}");
    }
}

#[test]
fn nothing_flat_scores() {
    let (frame, of) = (Frame::tight(30, 20, 1), Frame::tight(5, 4, 1));
    let pool = Pool::new(1).expect("no thread");
    let mut scores = vec![9.0; 26 * 17];
    for value in [0u8, 7, 255] {
        let (flat, noise) = (vec![value; 600], noise::<u8>(&of, 5));
        let template =
            Template::new(frame, of, &noise, Method::CoefficientNormed, Isa::best()).expect("it fits");
        template.run(&flat, &mut scores, &pool, 1).expect("lengths");
        assert!(scores.iter().all(|score| *score == 0.0));
        let template =
            Template::new(frame, of, &flat[..20], Method::CoefficientNormed, Isa::best()).expect("it fits");
        template.run(&crate::noise::<u8>(&frame, 6), &mut scores, &pool, 1).expect("lengths");
        assert!(scores.iter().all(|score| *score == 0.0));
    }
    // A float has no exact mean to take off.
    let flat = vec![0.1f32; 600];
    let template = Template::new(frame, of, &noise::<f32>(&of, 5), Method::CoefficientNormed, Isa::best());
    template.expect("it fits").run(&flat, &mut scores, &pool, 1).expect("lengths");
    assert!(scores.iter().all(|score| *score == 0.0), "{scores:?}");
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let (frame, of) = (Frame::tight(200, 400, 3), Frame::tight(30, 20, 3));
    let (data, part) = (noise::<f32>(&frame, 1), noise::<f32>(&of, 2));
    let pool = Pool::new(3).expect("threads");
    let template = Template::new(frame, of, &part, Method::CoefficientNormed, Isa::best()).expect("it fits");
    let results = [1, 2, 3].map(|threads| {
        let mut scores = vec![0.0; 171 * 381];
        template.run(&data, &mut scores, &pool, threads).expect("lengths");
        common::bits(&scores)
    });
    assert!(results.iter().all(|result| *result == results[0]));
}

#[test]
fn refuses_what_does_not_fit() {
    let frame = Frame::tight(6, 5, 3);
    let new = |of: Frame, length: usize| {
        Template::new(frame, of, &vec![1u8; length], Method::CoefficientNormed, Isa::best()).err()
    };
    assert_eq!(new(Frame::tight(6, 5, 3), 90), None);
    assert!(matches!(new(Frame::tight(7, 5, 3), 105), Some(Error::EmptyOutput { .. })));
    assert!(matches!(new(Frame::tight(6, 6, 3), 108), Some(Error::EmptyOutput { .. })));
    assert!(matches!(new(Frame::tight(2, 2, 1), 4), Some(Error::Length { .. })));
    assert!(matches!(new(Frame::tight(2, 2, 3), 11), Some(Error::Length { .. })));
    let template =
        Template::new(frame, Frame::tight(2, 2, 3), &[1u8; 12], Method::CoefficientNormed, Isa::best())
            .expect("it fits");
    let pool = Pool::new(1).expect("no thread");
    assert!(template.run(&[1u8; 89], &mut [0.0; 20], &pool, 1).is_err());
    assert!(template.run(&[1u8; 90], &mut [0.0; 19], &pool, 1).is_err());
    assert!(template.run(&[1u8; 90], &mut [0.0; 20], &pool, 1).is_ok());
}
