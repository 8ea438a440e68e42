//! Adaptive pooling × every instruction set of this machine × a grid of sides, against the oracle in `f64`: a maximum is exact, the
//! mean of small integers is the correctly rounded quotient. Every run reads and writes guarded memory.

mod common;

use common::guarded::{Flush, Guarded};
use common::{Random, bits, vector_sets};
use corr2d_kernels::geometry::PoolGeometry;
use corr2d_kernels::parallel::Pool;
use corr2d_kernels::pool::PoolPlan;
use corr2d_kernels::{Error, Isa, reference};

fn check(planes: [usize; 2], input: [usize; 2], output: [usize; 2]) {
    let pool = Pool::new(1).expect("no thread is started");
    for largest in [true, false] {
        let g = PoolGeometry::adaptive(planes, input, output, largest).expect("a valid shape");
        assert_eq!([g.y.output, g.x.output], output);
        let x = Random::new((input[0] * 100 + input[1]) as u64).integers(g.input_len(), 999);
        let exact = reference::pool2d(&g, &x);
        for flush in [Flush::End, Flush::Start] {
            let (x, mut y) = (Guarded::new(&x, flush), Guarded::new(&vec![f32::NAN; g.output_len()], flush));
            for isa in vector_sets() {
                let label = format!("{isa:?}, largest {largest}, {planes:?} {input:?} to {output:?}");
                y.as_mut_slice().fill(f32::NAN);
                PoolPlan::new(g, isa)
                    .run(x.as_slice(), None, y.as_mut_slice(), &pool, 1)
                    .expect("exact lengths");
                y.assert_slack_untouched(&label);
                for (result, exact) in y.as_slice().iter().zip(&exact) {
                    assert!(*result == *exact as f32, "{label}: {result}, not {exact}");
                }
            }
        }
    }
}

#[test]
fn every_side_to_every_side() {
    for input in 1..=24 {
        for output in 1..=26 {
            check([1, 2], [input, 25 - input], [output, 27 - output]);
        }
    }
    for width in [31, 64, 100, 257] {
        for output in [1, 2, 7, 15, 16, 17, 33, 300] {
            check([2, 3], [5, width], [2, output]);
            check([1, 1], [width, 3], [output, 2]);
        }
    }
}

/// The windows of PyTorch's definition, written out.
#[test]
fn windows_of_seven_to_three() {
    let g = PoolGeometry::adaptive([1, 1], [7, 6], [3, 3], true).expect("a valid shape");
    assert_eq!([0, 1, 2].map(|i| g.y.window(i)), [0..3, 2..5, 4..7]);
    assert_eq!([0, 1, 2].map(|i| g.x.window(i)), [0..2, 2..4, 4..6]);
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let g = PoolGeometry::adaptive([3, 40], [75, 83], [31, 37], false).expect("a valid shape");
    let x = Random::new(3).floats(g.input_len());
    let run = |threads| {
        let mut y = vec![f32::NAN; g.output_len()];
        let pool = Pool::new(threads).expect("threads start");
        PoolPlan::new(g, Isa::best()).run(&x, None, &mut y, &pool, threads).expect("exact lengths");
        bits(&y)
    };
    assert!(run(1) == run(4));
}

#[test]
fn refuses_empty_and_huge_sides() {
    let new =
        |channels, input, output| PoolGeometry::adaptive([1, channels], input, output, true).map(|_| ());
    let zero = |parameter| Err(Error::Zero { parameter });
    assert_eq!(new(0, [1, 1], [1, 1]), zero("input channels"));
    assert_eq!(new(1, [0, 1], [1, 1]), zero("input height"));
    assert_eq!(new(1, [1, 0], [1, 1]), zero("input width"));
    assert_eq!(new(1, [1, 1], [1, 0]), zero("outputSize"));
    assert_eq!(new(1, [3, 1], [usize::MAX, 1]), Err(Error::Overflow { parameter: "outputSize" }));
    assert_eq!(new(1, [1, 1], [1 << 40, 1 << 40]), Err(Error::Overflow { parameter: "output" }));
}
