//! The matrix unit, if this CPU has one, and the halves of floats that it multiplies, against their meaning in scalar code.

use corr2d_simd::matrix::{Block, COLUMNS, PAIRS, PARTS, SIDE, STEP};
use corr2d_simd::{Isa, Kernel, Simd};

/// No vector has more lanes.
const MOST_LANES: usize = 16;

const UPPER: u32 = 0xffff_0000;

/// Bits without a pattern.
struct Random(u32);

impl Random {
    fn bits(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 ^ self.0 >> 13
    }

    /// A bfloat16 between 0.5 and 2 in magnitude, as the bits of a float.
    fn half(&mut self) -> u32 {
        let bits = self.bits();
        f32::from_bits(0x3f00_0000 | bits & 0x807f_0000).to_bits() + (bits & 0x80_0000)
    }

    fn pair(&mut self) -> u32 {
        self.half() >> 16 | self.half()
    }
}

fn halves(pair: u32) -> [f64; 2] {
    [pair << 16, pair & UPPER].map(|bits| f64::from(f32::from_bits(bits)))
}

struct Halves;

impl Kernel for Halves {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let mut random = Random(5);
        let mut floats =
            || std::array::from_fn(|_| f32::from_bits((random.bits() & 0x7fff_ffff) % 0x7f80_0000));
        for _ in 0..100 {
            let (a, b): ([f32; MOST_LANES], [f32; MOST_LANES]) = (floats(), floats());
            let mut results = [[0.0f32; MOST_LANES]; 4];
            // SAFETY: the arrays hold at least LANES floats.
            unsafe {
                let (va, vb) = (s.load(a.as_ptr()), s.load(b.as_ptr()));
                let pair = s.pair_upper(va, vb);
                let (first, second) = s.split_pair(pair);
                for (result, v) in results.iter_mut().zip([s.upper(va), pair, first, second]) {
                    s.store(result.as_mut_ptr(), v);
                }
            }
            for lane in 0..S::LANES {
                let [a, b] = [a[lane], b[lane]].map(|v| v.to_bits() & UPPER);
                let expected = [a, a >> 16 | b, a, b];
                assert_eq!(results.map(|result| result[lane].to_bits()), expected);
            }
        }
    }
}

#[test]
fn halves_of_floats() {
    Isa::available().for_each(|isa| isa.run(Halves));
}

#[test]
fn blocks_are_the_six_largest_products_of_parts() {
    let Some(unit) = Isa::best().matrix_unit() else { return };
    let mut random = Random(11);
    for (steps, start_strides) in [(1, [COLUMNS, 0]), (2, [SIDE + 5, COLUMNS]), (5, [COLUMNS, 0])] {
        let mut pairs = || (0..steps * STEP).map(|_| random.pair()).collect::<Vec<u32>>();
        let (rows, columns) = (pairs(), pairs());
        let start: Vec<f32> = (0..SIDE * start_strides[0]).map(|i| i as f32 / 16.0).collect();
        let stride = SIDE + 3;
        let mut target = vec![f32::NAN; SIDE * stride];
        let block = Block {
            steps,
            rows: rows.as_ptr(),
            columns: columns.as_ptr(),
            start: start.as_ptr(),
            start_strides,
            target: target.as_mut_ptr(),
            stride,
        };
        // SAFETY: rows and columns have all pairs of all steps, start and target all rows.
        unit.configured(|| unsafe { unit.multiply(&block) });
        for (row, line) in target.chunks_exact(stride).enumerate() {
            for (column, sum) in line[..SIDE].iter().enumerate() {
                let place = row * start_strides[0] + column / COLUMNS * start_strides[1] + column % COLUMNS;
                let mut expected = f64::from(start[place]);
                for step in 0..steps {
                    for (a, b) in (0..PARTS).flat_map(|a| (0..PARTS - a).map(move |b| (a, b))) {
                        for k in 0..PAIRS {
                            let first = halves(rows[((step * PARTS + a) * SIDE + row) * PAIRS + k]);
                            let second = halves(columns[((step * PARTS + b) * PAIRS + k) * SIDE + column]);
                            expected += first[0] * second[0] + first[1] * second[1];
                        }
                    }
                }
                assert!((f64::from(*sum) - expected).abs() < 1e-3, "{row}, {column}: {sum}, not {expected}");
            }
            assert!(line[SIDE..].iter().all(|v| v.is_nan()), "written beyond the block");
        }
    }
}
