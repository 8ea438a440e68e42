//! Portable code for any CPU: four floats at a time in plain Rust, which compilers turn into SSE2 on baseline x86-64.

// Compilers lose their way between bytes and words, so that on x86-64 these are instructions that each such CPU has.
#[cfg(not(target_arch = "x86_64"))]
use super::plain_integers as integers;
#[cfg(target_arch = "x86_64")]
use super::sse2_integers as integers;
use crate::{Kernel, Simd};

/// Proof of nothing: this tier needs no instructions of its own.
#[derive(Clone, Copy)]
pub(crate) struct Token;

pub(crate) fn detect() -> bool {
    true
}

/// # Safety
/// None needed; `unsafe` only to have the signature of the other tiers.
#[inline(never)]
pub(crate) unsafe fn enter<K: Kernel>(kernel: K) -> K::Output {
    kernel.run(Token)
}

const LANES: usize = 4;

/// Aligned so that a copy is one 16-byte move.
#[derive(Clone, Copy)]
#[repr(C, align(16))]
pub(crate) struct V([f32; LANES]);

#[inline(always)]
fn zip(a: V, b: V, f: impl Fn(f32, f32) -> f32) -> V {
    V([f(a.0[0], b.0[0]), f(a.0[1], b.0[1]), f(a.0[2], b.0[2]), f(a.0[3], b.0[3])])
}

macro_rules! by_element {
    ($($name:ident),*) => { $(
        #[inline(always)]
        fn $name(self, a: integers::Register, b: integers::Register) -> integers::Register {
            integers::$name(a, b)
        }
    )* };
}

impl Simd for Token {
    type V = V;
    type I = integers::Register;
    const LANES: usize = LANES;
    // Fewer than there are: CPUs without AVX are rare, and small tiles keep the code for them small.
    const REGISTERS: usize = 10;
    const FUSES: bool = false;

    #[inline(always)]
    fn splat(self, x: f32) -> V {
        V([x; LANES])
    }

    #[inline(always)]
    fn add(self, a: V, b: V) -> V {
        zip(a, b, |a, b| a + b)
    }

    #[inline(always)]
    fn sub(self, a: V, b: V) -> V {
        zip(a, b, |a, b| a - b)
    }

    #[inline(always)]
    fn mul(self, a: V, b: V) -> V {
        zip(a, b, |a, b| a * b)
    }

    #[inline(always)]
    fn div(self, a: V, b: V) -> V {
        zip(a, b, |a, b| a / b)
    }

    // A fused multiply-add without the instruction is a slow library call, so this tier rounds twice.
    #[inline(always)]
    fn mul_add(self, a: V, b: V, c: V) -> V {
        self.add(self.mul(a, b), c)
    }

    #[inline(always)]
    fn fused_mul_add(self, a: V, b: V, c: V) -> V {
        fused_each(a, b, c)
    }

    #[inline(always)]
    fn sqrt(self, a: V) -> V {
        V(a.0.map(f32::sqrt))
    }

    #[inline(always)]
    fn max(self, a: V, b: V) -> V {
        zip(a, b, |a, b| if a > b || a.is_nan() { a } else { b })
    }

    #[inline(always)]
    fn min(self, a: V, b: V) -> V {
        zip(a, b, |a, b| if a < b || a.is_nan() { a } else { b })
    }

    #[inline(always)]
    fn deinterleave(self, V(a): V, V(b): V) -> (V, V) {
        (V([a[0], a[2], b[0], b[2]]), V([a[1], a[3], b[1], b[3]]))
    }

    #[inline(always)]
    fn upper(self, a: V) -> V {
        V(a.0.map(|a| f32::from_bits(a.to_bits() & 0xffff_0000)))
    }

    #[inline(always)]
    fn pair_upper(self, a: V, b: V) -> V {
        zip(a, b, |a, b| f32::from_bits(a.to_bits() >> 16 | b.to_bits() & 0xffff_0000))
    }

    #[inline(always)]
    fn split_pair(self, pair: V) -> (V, V) {
        (V(pair.0.map(|pair| f32::from_bits(pair.to_bits() << 16))), self.upper(pair))
    }

    #[inline(always)]
    unsafe fn load(self, source: *const f32) -> V {
        // SAFETY: the caller's promise: LANES readable floats.
        V(unsafe { source.cast::<[f32; LANES]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn store(self, target: *mut f32, v: V) {
        // SAFETY: the caller's promise: LANES writable floats.
        unsafe { target.cast::<[f32; LANES]>().write_unaligned(v.0) }
    }

    #[inline(always)]
    unsafe fn load_first(self, source: *const f32, count: usize) -> V {
        // SAFETY: the caller's promise.
        unsafe { if count == LANES { self.load(source) } else { load_some(source, count) } }
    }

    #[inline(always)]
    unsafe fn load_masked(self, source: *const f32, bits: u32, mut other: V) -> V {
        for (i, lane) in other.0.iter_mut().enumerate() {
            if bits >> i & 1 != 0 {
                // SAFETY: the caller's promise: the lanes of the set bits are readable.
                *lane = unsafe { source.wrapping_add(i).read() };
            }
        }
        other
    }

    #[inline(always)]
    unsafe fn store_first(self, target: *mut f32, v: V, count: usize) {
        // SAFETY: the caller's promise.
        unsafe { if count == LANES { self.store(target, v) } else { store_some(target, v, count) } }
    }

    #[inline(always)]
    unsafe fn load_u8(self, source: *const u8) -> V {
        // SAFETY: the caller's promise: LANES readable bytes.
        V(unsafe { source.cast::<[u8; LANES]>().read() }.map(f32::from))
    }

    #[inline(always)]
    unsafe fn load_u16(self, source: *const u16) -> V {
        // SAFETY: the caller's promise: LANES readable integers.
        V(unsafe { source.cast::<[u16; LANES]>().read_unaligned() }.map(f32::from))
    }

    #[inline(always)]
    unsafe fn store_u8(self, target: *mut u8, v: [V; 4]) {
        // SAFETY: the caller's promise: four times LANES writable bytes.
        unsafe { integers::store_bytes(target, integers::bytes_of(v.map(|v| v.0))) }
    }

    #[inline(always)]
    unsafe fn store_u16(self, target: *mut u16, v: [V; 2]) {
        // SAFETY: the caller's promise: twice LANES writable integers.
        unsafe { integers::store_bytes(target.cast(), integers::words_of(v.map(|v| v.0))) }
    }

    #[inline(always)]
    unsafe fn load_bytes(self, source: *const u8) -> integers::Register {
        // SAFETY: the caller's promise.
        unsafe { integers::load_bytes(source) }
    }

    #[inline(always)]
    unsafe fn load_words(self, source: *const u8) -> integers::Register {
        // SAFETY: the caller's promise.
        unsafe { integers::load_words(source) }
    }

    #[inline(always)]
    unsafe fn load_pairs(self, low: *const u8, high: *const u8) -> integers::Register {
        // SAFETY: the caller's promise.
        unsafe { integers::load_pairs(low, high) }
    }

    #[inline(always)]
    unsafe fn store_bytes(self, target: *mut u8, v: integers::Register) {
        // SAFETY: the caller's promise.
        unsafe { integers::store_bytes(target, v) }
    }

    #[inline(always)]
    unsafe fn store_words(self, target: *mut u8, v: [integers::Register; 2]) {
        // SAFETY: the caller's promise.
        unsafe { integers::store_words(target, v) }
    }

    #[inline(always)]
    fn splat_twice(self, x: u32) -> integers::Register {
        integers::splat_word(x as u16)
    }

    #[inline(always)]
    fn add_products(
        self,
        a: integers::Register,
        b: integers::Register,
        sum: integers::Register,
    ) -> integers::Register {
        integers::add_products(a, b, sum)
    }

    #[inline(always)]
    fn words_to_floats(self, a: integers::Register) -> [V; 2] {
        integers::words_to_floats(a).map(V)
    }

    #[inline(always)]
    fn splat_word(self, x: u16) -> integers::Register {
        integers::splat_word(x)
    }

    #[inline(always)]
    fn shift_words(self, a: integers::Register, count: u32) -> integers::Register {
        integers::shift_words(a, count)
    }

    by_element!(max_bytes, min_bytes, max_words, min_words, add_words, sub_words, mul_high);
}

/// The first lanes, element by element: the end of a row, for which every kernel would have the same code.
///
/// # Safety
/// `count <= LANES` floats are readable.
#[inline(never)]
unsafe fn load_some(source: *const f32, count: usize) -> V {
    let mut lanes = [0.0; LANES];
    for (i, lane) in lanes.iter_mut().enumerate().take(count) {
        // SAFETY: the caller's promise.
        *lane = unsafe { source.add(i).read() };
    }
    V(lanes)
}

/// # Safety
/// `count <= LANES` floats are writable.
#[inline(never)]
unsafe fn store_some(target: *mut f32, V(lanes): V, count: usize) {
    for (i, lane) in lanes.iter().enumerate().take(count) {
        // SAFETY: the caller's promise.
        unsafe { target.add(i).write(*lane) };
    }
}

/// By lane. Called, since so many instructions are not wanted in each place that multiplies.
#[inline(never)]
fn fused_each(V(a): V, V(b): V, V(c): V) -> V {
    V(std::array::from_fn(|lane| fused(a[lane], b[lane], c[lane])))
}

/// `a * b + c` rounded once (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", 2008): the product is exact in `f64`,
/// and its sum with `c` is rounded to odd there, so that the second rounding can't go the wrong way.
#[inline(always)]
fn fused(a: f32, b: f32, c: f32) -> f32 {
    let (product, c) = (f64::from(a) * f64::from(b), f64::from(c));
    let sum = product + c;
    // What was rounded off (Knuth's two-sum); NaN where the sum is not finite, for which no step is taken.
    let rest = sum - product;
    let error = (product - (sum - rest)) + (c - rest);
    let bits = sum.to_bits();
    let is_even = bits & 1 == 0;
    // Towards the exact sum: away from zero where the error has the sign of the sum.
    let step = if (error > 0.0) == (sum > 0.0) { 1 } else { u64::MAX };
    let is_inexact = error != 0.0 && !error.is_nan();
    f64::from_bits(if is_inexact && is_even { bits.wrapping_add(step) } else { bits }) as f32
}
