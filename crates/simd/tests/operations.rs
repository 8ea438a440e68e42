//! Each operation of [`Simd`] on each instruction set of this machine, lane by lane, against its meaning in scalar code.

mod common;

use common::guarded::{Flush, Guarded};
use corr2d_simd::{Isa, Kernel, Simd, UnknownIsa};

/// No vector has more.
const MOST_LANES: usize = 16;

/// Zeros of both signs, subnormals, the ends of the range, infinities, NaN, and ordinary numbers.
const VALUES: [f32; 19] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    1.5,
    -2.75,
    0.1,
    1.0 + f32::EPSILON,
    -123_456.79,
    1e-20,
    f32::MIN_POSITIVE,
    1e-40,
    -1e-45,
    f32::MAX,
    f32::MIN,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
    16_777_215.0,
];

fn same(a: f32, b: f32) -> bool {
    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
}

/// Every operand pair of [`VALUES`] in every lane: call `i` puts value `i + lane` in lane `lane`.
struct Elementwise<O>(O);

/// A vector operation of three operands and what each lane should be.
trait Operation: Copy {
    fn vector<S: Simd>(self, s: S, a: S::V, b: S::V, c: S::V) -> S::V;
    fn accepts(self, a: f32, b: f32, c: f32, result: f32) -> bool;
}

impl<O: Operation> Kernel for Elementwise<O> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for shift in 0..VALUES.len() {
            for (distance_b, distance_c) in (0..VALUES.len()).flat_map(|b| [(b, 2 * b), (b, 7), (b, b)]) {
                let operand = |distance: usize| -> [f32; MOST_LANES] {
                    std::array::from_fn(|lane| VALUES[(shift + lane + distance) % VALUES.len()])
                };
                let (a, b, c) = (operand(0), operand(distance_b), operand(distance_c));
                let mut result = [0.0; MOST_LANES];
                // SAFETY: the arrays hold at least LANES floats.
                unsafe {
                    let v = self.0.vector(s, s.load(a.as_ptr()), s.load(b.as_ptr()), s.load(c.as_ptr()));
                    s.store(result.as_mut_ptr(), v);
                }
                for lane in 0..S::LANES {
                    assert!(
                        self.0.accepts(a[lane], b[lane], c[lane], result[lane]),
                        "lane {lane} of ({:?}, {:?}, {:?}) is {:?}",
                        a[lane],
                        b[lane],
                        c[lane],
                        result[lane]
                    );
                }
            }
        }
    }
}

macro_rules! operation {
    ($test:ident, |$s:ident, $a:ident, $b:ident, $c:ident| $vector:expr, |$x:ident, $y:ident, $z:ident, $r:ident| $accepts:expr) => {
        #[test]
        fn $test() {
            #[derive(Clone, Copy)]
            struct This;

            impl Operation for This {
                #[inline(always)]
                #[allow(unused_variables, reason = "most operations take fewer than three operands")]
                fn vector<S: Simd>(self, $s: S, $a: S::V, $b: S::V, $c: S::V) -> S::V {
                    $vector
                }

                #[allow(unused_variables, reason = "most operations take fewer than three operands")]
                fn accepts(self, $x: f32, $y: f32, $z: f32, $r: f32) -> bool {
                    $accepts
                }
            }

            Isa::available().for_each(|isa| isa.run(Elementwise(This)));
        }
    };
}

operation!(adds, |s, a, b, c| s.add(a, b), |x, y, z, r| same(x + y, r));
operation!(subtracts, |s, a, b, c| s.sub(a, b), |x, y, z, r| same(x - y, r));
operation!(multiplies, |s, a, b, c| s.mul(a, b), |x, y, z, r| same(x * y, r));
operation!(divides, |s, a, b, c| s.div(a, b), |x, y, z, r| same(x / y, r));

operation!(takes_square_roots, |s, a, b, c| s.sqrt(a), |x, y, z, r| same(x.sqrt(), r));

// Which of the two roundings is a property of the tier, tested below.
operation!(multiplies_and_adds, |s, a, b, c| s.mul_add(a, b, c), |x, y, z, r| same(x.mul_add(y, z), r)
    || same(x * y + z, r));

operation!(fuses_on_every_tier, |s, a, b, c| s.fused_mul_add(a, b, c), |x, y, z, r| same(x.mul_add(y, z), r));

// Equal operands leave only the sign of zero open.
operation!(
    takes_the_larger_and_keeps_nan,
    |s, a, b, c| s.max(a, b),
    |x, y, z, r| if x.is_nan() || y.is_nan() { r.is_nan() } else { r == x.max(y) }
);
operation!(
    takes_the_smaller_and_keeps_nan,
    |s, a, b, c| s.min(a, b),
    |x, y, z, r| if x.is_nan() || y.is_nan() { r.is_nan() } else { r == x.min(y) }
);

/// `mul_add` of operands whose product needs more bits than a float has.
struct Rounding;

impl Kernel for Rounding {
    type Output = f32;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f32 {
        let x = s.splat(1.0 + f32::EPSILON);
        let square = s.splat(1.0 + 2.0 * f32::EPSILON);
        let mut lanes = [0.0; MOST_LANES];
        // SAFETY: the array holds at least LANES floats.
        unsafe { s.store(lanes.as_mut_ptr(), s.mul_add(x, x, s.sub(s.splat(0.0), square))) };
        lanes[0]
    }
}

#[test]
fn fuses_on_every_tier_but_the_scalar_one() {
    for isa in Isa::available() {
        let rest = isa.run(Rounding);
        let expected = if isa.name() == "scalar" { 0.0 } else { f32::EPSILON * f32::EPSILON };
        assert_eq!(rest, expected, "{isa:?}");
    }
}

/// Fused products of random bits, against the standard library's.
struct FusedBits;

impl Kernel for FusedBits {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let mut state = 1u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 32) as u32
        };
        for round in 0..200_000 {
            let mut operand = || -> [f32; MOST_LANES] {
                // Any float at first, then those whose products are as large as what they are added to.
                std::array::from_fn(|_| match random() {
                    bits if round % 2 == 0 => f32::from_bits(bits),
                    bits => f32::from_bits(bits & 0x8fff_ffff | 0x3000_0000),
                })
            };
            let (a, b, c) = (operand(), operand(), operand());
            let mut result = [0.0; MOST_LANES];
            // SAFETY: the arrays hold at least LANES floats.
            unsafe {
                let sum = s.fused_mul_add(s.load(a.as_ptr()), s.load(b.as_ptr()), s.load(c.as_ptr()));
                s.store(result.as_mut_ptr(), sum);
            }
            for i in 0..S::LANES {
                let expected = a[i].mul_add(b[i], c[i]);
                assert!(same(expected, result[i]), "{:?} * {:?} + {:?} is {:?}", a[i], b[i], c[i], result[i]);
            }
        }
    }
}

#[test]
fn fuses_any_operands() {
    Isa::available().for_each(|isa| isa.run(FusedBits));
}

/// What a float becomes as an integer from 0 to `most`.
fn as_integer(x: f32, most: f32) -> f32 {
    if x.is_nan() { 0.0 } else { x.round_ties_even().clamp(0.0, most) }
}

/// Integers of 8 and 16 bits from and to memory beside that which cannot be accessed.
struct Integers;

impl Kernel for Integers {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for flush in [Flush::Start, Flush::End] {
            let bytes: Vec<u8> = (0..S::LANES).map(|i| (i * 17) as u8).collect();
            let words: Vec<u16> = (0..S::LANES).map(|i| (i * 4369) as u16).collect();
            let (byte_source, word_source) = (Guarded::new(&bytes, flush), Guarded::new(&words, flush));
            let mut lanes = [[0.0; MOST_LANES]; 2];
            // SAFETY: the sources hold LANES integers, the arrays at least LANES floats.
            unsafe {
                s.store(lanes[0].as_mut_ptr(), s.load_u8(byte_source.as_slice().as_ptr()));
                s.store(lanes[1].as_mut_ptr(), s.load_u16(word_source.as_slice().as_ptr()));
            }
            for i in 0..S::LANES {
                assert_eq!(lanes[0][i], f32::from(bytes[i]));
                assert_eq!(lanes[1][i], f32::from(words[i]));
            }
            let edges =
                [-0.5, 0.5, 1.5, 2.5, 254.5, 255.5, 256.0, 65534.5, 65535.5, 1e9, 3e9, -3e9, 127.5, 32768.0];
            for shift in 0..VALUES.len() + edges.len() {
                let value = |i: usize| {
                    let i = (i + shift) % (VALUES.len() + edges.len());
                    if i < edges.len() { edges[i] } else { VALUES[i - edges.len()] }
                };
                let floats: Vec<f32> = (0..4 * S::LANES).map(value).collect();
                let mut byte_target = Guarded::new(&vec![9u8; 4 * S::LANES], flush);
                let mut word_target = Guarded::new(&vec![9u16; 2 * S::LANES], flush);
                // SAFETY: four (two) times LANES integers are writable, four times LANES floats readable.
                unsafe {
                    let at = |i: usize| floats.as_ptr().add(i * S::LANES);
                    let (a, b, c, d) = (s.load(at(0)), s.load(at(1)), s.load(at(2)), s.load(at(3)));
                    s.store_u8(byte_target.as_mut_slice().as_mut_ptr(), [a, b, c, d]);
                    s.store_u16(word_target.as_mut_slice().as_mut_ptr(), [a, b]);
                }
                byte_target.assert_slack_untouched("bytes");
                word_target.assert_slack_untouched("words");
                for (i, byte) in byte_target.as_slice().iter().enumerate() {
                    assert_eq!(f32::from(*byte), as_integer(floats[i], 255.0), "{:?}", floats[i]);
                }
                for (i, word) in word_target.as_slice().iter().enumerate() {
                    assert_eq!(f32::from(*word), as_integer(floats[i], 65535.0), "{:?}", floats[i]);
                }
            }
        }
    }
}

#[test]
fn converts_integers() {
    Isa::available().for_each(|isa| isa.run(Integers));
}

/// Bytes and words in whole registers, of values from one end of the range to the other.
struct Registers;

/// No register has more bytes.
const MOST_BYTES: usize = 4 * MOST_LANES;

impl Kernel for Registers {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for shift in 0..256 {
            let at = |i: usize, step: usize| -> u16 {
                let ends = [0, 1, 0x7fff, 0x8000, 0xffff, 0x00ff, 0xff00];
                let i = i * step + shift;
                if i.is_multiple_of(5) { ends[i % ends.len()] } else { (i * 40_503) as u16 }
            };
            let (a, b): (Vec<u16>, Vec<u16>) = (0..2 * S::LANES).map(|i| (at(i, 1), at(i, 3))).unzip();
            let bytes =
                |words: &[u16]| -> Vec<u8> { words.iter().flat_map(|word| word.to_ne_bytes()).collect() };
            let (a_bytes, b_bytes) = (bytes(&a), bytes(&b));
            let both_bytes: Vec<(u8, u8)> = a_bytes.iter().copied().zip(b_bytes.iter().copied()).collect();
            let both: Vec<(u16, u16)> = a.iter().copied().zip(b.iter().copied()).collect();
            // SAFETY: the sources and the arrays hold a register's bytes.
            unsafe {
                let (x, y) = (s.load_bytes(a_bytes.as_ptr()), s.load_bytes(b_bytes.as_ptr()));
                macro_rules! same {
                    ($v:expr, $expected:expr) => {{
                        let mut stored = [9u8; MOST_BYTES];
                        s.store_bytes(stored.as_mut_ptr(), $v);
                        let expected: Vec<u8> = $expected;
                        assert_eq!(&stored[..expected.len()], expected, "{}", stringify!($v));
                        assert!(stored[expected.len()..].iter().all(|byte| *byte == 9));
                    }};
                }
                let by_word = |f: fn(u16, u16) -> u16| -> Vec<u8> {
                    bytes(&both.iter().map(|(a, b)| f(*a, *b)).collect::<Vec<u16>>())
                };
                same!(x, a_bytes.clone());
                same!(s.max_bytes(x, y), both_bytes.iter().map(|(a, b)| *a.max(b)).collect());
                same!(s.min_bytes(x, y), both_bytes.iter().map(|(a, b)| *a.min(b)).collect());
                same!(s.max_words(x, y), by_word(u16::max));
                same!(s.min_words(x, y), by_word(u16::min));
                same!(s.add_words(x, y), by_word(u16::wrapping_add));
                same!(s.sub_words(x, y), by_word(u16::wrapping_sub));
                same!(s.mul_high(x, y), by_word(|a, b| ((u32::from(a) * u32::from(b)) >> 16) as u16));
                for count in 0..16 {
                    same!(
                        s.shift_words(x, count),
                        bytes(&a.iter().map(|a| a >> count).collect::<Vec<u16>>())
                    );
                }
                same!(s.splat_word(a[1]), bytes(&vec![a[1]; a.len()]));
                same!(s.splat_twice(u32::from(a[1]) * 0x1_0001), bytes(&vec![a[1]; a.len()]));
            }
        }
    }
}

#[test]
fn computes_with_bytes_and_words() {
    Isa::available().for_each(|isa| isa.run(Registers));
}

/// Bytes read as words and words written as bytes, beside that which cannot be accessed.
struct Widths;

impl Kernel for Widths {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for flush in [Flush::Start, Flush::End] {
            let bytes: Vec<u8> = (0..2 * S::LANES).map(|i| (i * 37 + 250) as u8).collect();
            let source = Guarded::new(&bytes, flush);
            let words: Vec<u16> =
                (0..4 * S::LANES).map(|i| [0, 7, 255, 256, 32767, 0x8000, 0xffff][i % 7]).collect();
            let mut wide = [0u16; 2 * MOST_LANES];
            let mut target = Guarded::new(&vec![9u8; 4 * S::LANES], flush);
            // SAFETY: the source holds half a register's bytes, the words two registers, the target one.
            unsafe {
                s.store_bytes(wide.as_mut_ptr().cast(), s.load_words(source.as_slice().as_ptr()));
                let first = s.load_bytes(words.as_ptr().cast());
                let second = s.load_bytes(words.as_ptr().add(2 * S::LANES).cast());
                s.store_words(target.as_mut_slice().as_mut_ptr(), [first, second]);
            }
            for (i, byte) in bytes.iter().enumerate() {
                assert_eq!(wide[i], u16::from(*byte));
            }
            target.assert_slack_untouched("bytes");
            for (i, byte) in target.as_slice().iter().enumerate() {
                assert_eq!(i16::from(*byte), (words[i] as i16).clamp(0, 255));
            }
        }
    }
}

#[test]
fn changes_widths() {
    Isa::available().for_each(|isa| isa.run(Widths));
}

/// Pairs of bytes and their products, beside memory that cannot be accessed.
struct Products;

impl Kernel for Products {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for flush in [Flush::Start, Flush::End] {
            let row = |factor: usize| -> Vec<u8> { (0..2 * S::LANES).map(|i| (i * factor) as u8).collect() };
            let (low, high) = (Guarded::new(&row(37), flush), Guarded::new(&row(255), flush));
            for weights in [[1, -1], [127, 1], [-128, 0], [0, 127], [-3, 5], [-64, -64]] {
                let [first, second] = weights.map(|weight: i8| i16::from(weight));
                let word = u16::from_le_bytes(weights.map(|weight| weight as u8));
                for start in [0, -20, 30] {
                    let mut sums = [0i16; 2 * MOST_LANES];
                    let mut floats = [0.0; 2 * MOST_LANES];
                    // SAFETY: the sources hold half a register's bytes, the arrays a register of words and two of floats at least.
                    unsafe {
                        let pairs = s.load_pairs(low.as_slice().as_ptr(), high.as_slice().as_ptr());
                        let sum = s.add_products(pairs, s.splat_word(word), s.splat_word(start as u16));
                        s.store_bytes(sums.as_mut_ptr().cast(), sum);
                        let [a, b] = s.words_to_floats(sum);
                        s.store(floats.as_mut_ptr(), a);
                        s.store(floats.as_mut_ptr().add(S::LANES), b);
                    }
                    for (i, (low, high)) in low.as_slice().iter().zip(high.as_slice()).enumerate() {
                        let expected = start + first * i16::from(*low) + second * i16::from(*high);
                        assert_eq!(sums[i], expected, "{low} · {first} + {high} · {second} + {start}");
                        assert_eq!(floats[i], f32::from(expected));
                    }
                }
            }
        }
    }
}

#[test]
fn multiplies_pairs_of_bytes() {
    Isa::available().for_each(|isa| isa.run(Products));
}

struct Splat;

impl Kernel for Splat {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for value in VALUES {
            let mut lanes = [3.0; MOST_LANES];
            // SAFETY: the array holds at least LANES floats.
            unsafe { s.store(lanes.as_mut_ptr(), s.splat(value)) };
            assert!(lanes[..S::LANES].iter().all(|lane| lane.to_bits() == value.to_bits()));
            assert!(lanes[S::LANES..].iter().all(|lane| *lane == 3.0), "stored past the last lane");
        }
    }
}

#[test]
fn splats() {
    Isa::available().for_each(|isa| isa.run(Splat));
}

struct Deinterleave;

impl Kernel for Deinterleave {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let numbers: [f32; 2 * MOST_LANES] = std::array::from_fn(|i| i as f32);
        let (mut even, mut odd) = ([0.0; MOST_LANES], [0.0; MOST_LANES]);
        // SAFETY: the arrays hold at least LANES (`numbers` twice as many) floats.
        unsafe {
            let (e, o) = s.deinterleave(s.load(numbers.as_ptr()), s.load(numbers.as_ptr().add(S::LANES)));
            s.store(even.as_mut_ptr(), e);
            s.store(odd.as_mut_ptr(), o);
        }
        for lane in 0..S::LANES {
            assert_eq!((even[lane], odd[lane]), (2.0 * lane as f32, 2.0 * lane as f32 + 1.0), "lane {lane}");
        }
    }
}

#[test]
fn deinterleaves() {
    Isa::available().for_each(|isa| isa.run(Deinterleave));
}

/// Partial and whole loads and stores right beside memory that cannot be accessed.
struct Partial;

impl Kernel for Partial {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for count in 0..=S::LANES {
            for flush in [Flush::Start, Flush::End] {
                let numbers: Vec<f32> = (0..count).map(|i| i as f32 + 1.0).collect();
                let source = Guarded::new(&numbers, flush);
                let mut lanes = [7.0; MOST_LANES];
                // SAFETY: `count <= LANES` floats are readable, and the array holds at least LANES.
                unsafe { s.store(lanes.as_mut_ptr(), s.load_first(source.as_slice().as_ptr(), count)) };
                for lane in 0..S::LANES {
                    let expected = if lane < count { lane as f32 + 1.0 } else { 0.0 };
                    assert_eq!(lanes[lane].to_bits(), expected.to_bits(), "lane {lane} of {count}");
                }

                let mut target = Guarded::new(&vec![-1.0f32; count], flush);
                // SAFETY: `count <= LANES` floats are writable, and the array holds at least LANES.
                unsafe {
                    s.store_first(target.as_mut_slice().as_mut_ptr(), s.load(lanes.as_ptr()), count);
                }
                assert_eq!(target.as_slice(), numbers);
                target.assert_slack_untouched(format_args!("{count} lanes"));
            }
        }
        let numbers: Vec<f32> = (0..S::LANES).map(|i| i as f32).collect();
        for flush in [Flush::Start, Flush::End] {
            let source = Guarded::new(&numbers, flush);
            let mut target = Guarded::new(&vec![-1.0f32; S::LANES], flush);
            // SAFETY: both hold LANES floats.
            unsafe { s.store(target.as_mut_slice().as_mut_ptr(), s.load(source.as_slice().as_ptr())) };
            assert_eq!(target.as_slice(), numbers);
            target.assert_slack_untouched("a whole vector");
        }
    }
}

#[test]
fn partial_access_touches_nothing_else() {
    Isa::available().for_each(|isa| isa.run(Partial));
}

/// Masked loads that reach past both ends of memory that cannot be accessed beyond.
struct Masked;

impl Kernel for Masked {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let numbers: Vec<f32> = (0..MOST_LANES).map(|i| i as f32 + 1.0).collect();
        for flush in [Flush::Start, Flush::End] {
            let source = Guarded::new(&numbers, flush);
            for first in -(MOST_LANES as isize)..=MOST_LANES as isize {
                for pattern in [u32::MAX, 0, 0x5555_5555, 0xaaaa_aaaa, 0x1248_8421] {
                    let within = |lane: usize| {
                        (0..MOST_LANES as isize).contains(&(first + lane as isize))
                            && pattern >> lane & 1 != 0
                    };
                    let bits = (0..32).filter(|lane| within(*lane)).fold(0, |bits, lane| bits | 1 << lane);
                    let mut lanes = [0.0; MOST_LANES];
                    // SAFETY: the bits of lanes outside the numbers are not set, and the array holds at least LANES.
                    unsafe {
                        let source = source.as_slice().as_ptr().wrapping_offset(first);
                        s.store(lanes.as_mut_ptr(), s.load_masked(source, bits, s.splat(-7.0)));
                    }
                    for lane in 0..S::LANES {
                        let expected = if within(lane) { (first + lane as isize) as f32 + 1.0 } else { -7.0 };
                        assert_eq!(lanes[lane], expected, "lane {lane} from {first} with {pattern:x}");
                    }
                }
            }
        }
    }
}

#[test]
fn masked_loads_touch_nothing_else() {
    Isa::available().for_each(|isa| isa.run(Masked));
}

/// The lanes that do not come first, stored where the place of the others is not the array's.
struct Rest;

impl Kernel for Rest {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let numbers: Vec<f32> = (0..MOST_LANES).map(|lane| lane as f32 + 1.0).collect();
        for count in 0..=S::LANES {
            for flush in [Flush::End, Flush::Start] {
                let mut target = Guarded::new(&vec![-1.0; S::LANES - count], flush);
                // SAFETY: lane `count` is at the start of the target, which holds the lanes from there on.
                unsafe {
                    let v = s.load(numbers.as_ptr());
                    s.store_rest(target.as_mut_slice().as_mut_ptr().wrapping_sub(count), v, count);
                }
                target.assert_slack_untouched(format!("from lane {count} on"));
                assert_eq!(target.as_slice(), &numbers[count..S::LANES]);
            }
        }
    }
}

#[test]
fn storing_the_rest_touches_nothing_else() {
    Isa::available().for_each(|isa| isa.run(Rest));
}

/// Loads and stores at every distance from an aligned address.
struct Unaligned;

impl Kernel for Unaligned {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let numbers: Vec<f32> = (0..4 * MOST_LANES).map(|i| i as f32).collect();
        for at in 0..=MOST_LANES {
            let mut copy = vec![-1.0; numbers.len()];
            // SAFETY: `at + LANES` is less than the length of both.
            unsafe { s.store(copy.as_mut_ptr().add(at), s.load(numbers.as_ptr().add(at))) };
            for (i, value) in copy.iter().enumerate() {
                let expected = if (at..at + S::LANES).contains(&i) { i as f32 } else { -1.0 };
                assert_eq!(*value, expected, "element {i} of a vector stored at {at}");
            }
        }
    }
}

#[test]
fn needs_no_alignment() {
    Isa::available().for_each(|isa| isa.run(Unaligned));
}

struct Constants;

impl Kernel for Constants {
    type Output = (usize, usize);

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> (usize, usize) {
        (S::LANES, S::REGISTERS)
    }
}

#[test]
fn the_table_agrees_with_the_trait() {
    for isa in Isa::available() {
        let (lanes, registers) = isa.run(Constants);
        assert_eq!((isa.lanes(), isa.registers()), (lanes, registers), "{isa:?}");
        assert_eq!(size_of::<f32>() * lanes, isa.run(VectorBytes), "{isa:?}");
        // The least that a register tile of the kernels is made for: six sums, a vector and a factor, and one to spare.
        assert!(lanes.is_power_of_two() && lanes <= MOST_LANES && registers >= 9, "{isa:?}");
        assert_eq!(Isa::named(isa.name()), Ok(isa));
        assert_eq!(format!("{isa:?}"), isa.name());
    }
}

struct VectorBytes;

impl Kernel for VectorBytes {
    type Output = usize;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> usize {
        size_of::<S::V>()
    }
}

#[test]
fn the_best_tier_is_first_and_the_scalar_one_is_always_there() {
    let all: Vec<Isa> = Isa::available().collect();
    assert_eq!(all.first(), Some(&Isa::best()));
    assert_eq!(all.last().map(|isa| isa.name()), Some("scalar"));
    assert!(all.is_sorted_by(|better, worse| better.lanes() >= worse.lanes()));
    for unknown in ["", "AVX2", "sse9", "scalar "] {
        assert_eq!(Isa::named(unknown), Err(UnknownIsa), "{unknown:?}");
    }
}
