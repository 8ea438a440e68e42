//! WebAssembly's SIMD128: four floats, and sixteen registers as engines on x86-64 have them.

use crate::{Kernel, Simd};
use core::arch::wasm32::*;

/// Proof of nothing at run time: a module with these instructions is only loaded by an engine that has them. `FUSED` tells whether
/// they include the relaxed multiply-add.
#[derive(Clone, Copy)]
pub(crate) struct Vectors<const FUSED: bool>(());

pub(crate) type Token = Vectors<false>;

pub(crate) fn detect() -> bool {
    true
}

/// # Safety
/// None needed: the module was compiled for SIMD128 as a whole; `unsafe` only to have the signature of the other tiers.
pub(crate) unsafe fn enter<K: Kernel>(kernel: K) -> K::Output {
    kernel.run(Vectors::<false>(()))
}

/// # Safety
/// As for [`enter`], with relaxed SIMD.
#[cfg(target_feature = "relaxed-simd")]
pub(crate) unsafe fn enter_fused<K: Kernel>(kernel: K) -> K::Output {
    kernel.run(Vectors::<true>(()))
}

const LANES: usize = 4;

// SAFETY of every access below: memory is the caller's promise.
#[allow(clippy::undocumented_unsafe_blocks)]
impl<const FUSED: bool> Simd for Vectors<FUSED> {
    type V = v128;
    type I = v128;
    const LANES: usize = LANES;
    const REGISTERS: usize = 16;
    // There is nothing else to fuse with, and emulation would be far too slow where this is the only tier.
    const FUSES: bool = true;

    #[inline(always)]
    fn splat(self, x: f32) -> v128 {
        f32x4_splat(x)
    }

    #[inline(always)]
    fn add(self, a: v128, b: v128) -> v128 {
        f32x4_add(a, b)
    }

    #[inline(always)]
    fn sub(self, a: v128, b: v128) -> v128 {
        f32x4_sub(a, b)
    }

    #[inline(always)]
    fn mul(self, a: v128, b: v128) -> v128 {
        f32x4_mul(a, b)
    }

    #[inline(always)]
    fn div(self, a: v128, b: v128) -> v128 {
        f32x4_div(a, b)
    }

    // The relaxed instruction is one rounding where the CPU has a fused multiply-add, and two where it has not.
    #[inline(always)]
    fn mul_add(self, a: v128, b: v128, c: v128) -> v128 {
        #[cfg(target_feature = "relaxed-simd")]
        if FUSED {
            return f32x4_relaxed_madd(a, b, c);
        }
        f32x4_add(f32x4_mul(a, b), c)
    }

    #[inline(always)]
    fn fused_mul_add(self, a: v128, b: v128, c: v128) -> v128 {
        self.mul_add(a, b, c)
    }

    #[inline(always)]
    fn sqrt(self, a: v128) -> v128 {
        f32x4_sqrt(a)
    }

    #[inline(always)]
    fn max(self, a: v128, b: v128) -> v128 {
        f32x4_max(a, b)
    }

    #[inline(always)]
    fn min(self, a: v128, b: v128) -> v128 {
        f32x4_min(a, b)
    }

    #[inline(always)]
    fn deinterleave(self, a: v128, b: v128) -> (v128, v128) {
        (i32x4_shuffle::<0, 2, 4, 6>(a, b), i32x4_shuffle::<1, 3, 5, 7>(a, b))
    }

    #[inline(always)]
    fn upper(self, a: v128) -> v128 {
        v128_and(a, u32x4_splat(0xffff_0000))
    }

    #[inline(always)]
    fn pair_upper(self, a: v128, b: v128) -> v128 {
        v128_or(u32x4_shr(a, 16), self.upper(b))
    }

    #[inline(always)]
    fn split_pair(self, pair: v128) -> (v128, v128) {
        (u32x4_shl(pair, 16), self.upper(pair))
    }

    #[inline(always)]
    unsafe fn load(self, source: *const f32) -> v128 {
        unsafe { v128_load(source.cast()) }
    }

    #[inline(always)]
    unsafe fn store(self, target: *mut f32, v: v128) {
        unsafe { v128_store(target.cast(), v) }
    }

    #[inline(always)]
    unsafe fn load_first(self, source: *const f32, count: usize) -> v128 {
        unsafe {
            match count {
                0 => f32x4_splat(0.0),
                1 => v128_load32_zero(source.cast()),
                2 => v128_load64_zero(source.cast()),
                3 => v128_load32_lane::<2>(v128_load64_zero(source.cast()), source.add(2).cast()),
                _ => v128_load(source.cast()),
            }
        }
    }

    #[inline(always)]
    unsafe fn load_masked(self, source: *const f32, bits: u32, other: v128) -> v128 {
        unsafe {
            if bits & 0xf == 0xf {
                return v128_load(source.cast());
            }
            let mut v = other;
            if bits & 1 != 0 {
                v = v128_load32_lane::<0>(v, source.cast());
            }
            if bits & 2 != 0 {
                v = v128_load32_lane::<1>(v, source.wrapping_add(1).cast());
            }
            if bits & 4 != 0 {
                v = v128_load32_lane::<2>(v, source.wrapping_add(2).cast());
            }
            if bits & 8 != 0 {
                v = v128_load32_lane::<3>(v, source.wrapping_add(3).cast());
            }
            v
        }
    }

    #[inline(always)]
    unsafe fn store_first(self, target: *mut f32, v: v128, count: usize) {
        unsafe {
            match count {
                0 => {}
                1 => v128_store32_lane::<0>(v, target.cast()),
                2 => v128_store64_lane::<0>(v, target.cast()),
                3 => {
                    v128_store64_lane::<0>(v, target.cast());
                    v128_store32_lane::<2>(v, target.add(2).cast());
                }
                _ => v128_store(target.cast(), v),
            }
        }
    }

    #[inline(always)]
    unsafe fn load_u8(self, source: *const u8) -> v128 {
        let bytes = unsafe { v128_load32_zero(source.cast()) };
        f32x4_convert_u32x4(u32x4_extend_low_u16x8(u16x8_extend_low_u8x16(bytes)))
    }

    #[inline(always)]
    unsafe fn load_u16(self, source: *const u16) -> v128 {
        f32x4_convert_u32x4(unsafe { u32x4_load_extend_u16x4(source) })
    }

    // Conversion saturates and turns NaN into 0, narrowing saturates again.
    #[inline(always)]
    unsafe fn store_u8(self, target: *mut u8, [a, b, c, d]: [v128; 4]) {
        let (low, high) =
            (u16x8_narrow_i32x4(rounded(a), rounded(b)), u16x8_narrow_i32x4(rounded(c), rounded(d)));
        // Words above 32767 are negative to the next step, so bytes are cut off before.
        let most = u16x8_splat(255);
        let bytes = u8x16_narrow_i16x8(u16x8_min(low, most), u16x8_min(high, most));
        unsafe { v128_store(target.cast(), bytes) }
    }

    #[inline(always)]
    unsafe fn store_u16(self, target: *mut u16, [a, b]: [v128; 2]) {
        unsafe { v128_store(target.cast(), u16x8_narrow_i32x4(rounded(a), rounded(b))) }
    }

    #[inline(always)]
    unsafe fn load_bytes(self, source: *const u8) -> v128 {
        unsafe { v128_load(source.cast()) }
    }

    #[inline(always)]
    unsafe fn load_words(self, source: *const u8) -> v128 {
        unsafe { u16x8_load_extend_u8x8(source) }
    }

    #[inline(always)]
    unsafe fn load_pairs(self, low: *const u8, high: *const u8) -> v128 {
        unsafe { v128_or(self.load_words(low), i16x8_shl(self.load_words(high), 8)) }
    }

    #[inline(always)]
    unsafe fn store_bytes(self, target: *mut u8, v: v128) {
        unsafe { v128_store(target.cast(), v) }
    }

    #[inline(always)]
    unsafe fn store_words(self, target: *mut u8, [a, b]: [v128; 2]) {
        unsafe { v128_store(target.cast(), u8x16_narrow_i16x8(a, b)) }
    }

    #[inline(always)]
    fn splat_word(self, x: u16) -> v128 {
        u16x8_splat(x)
    }

    #[inline(always)]
    fn splat_twice(self, x: u32) -> v128 {
        u32x4_splat(x)
    }

    #[inline(always)]
    fn add_products(self, a: v128, b: v128, sum: v128) -> v128 {
        let low = i16x8_mul(v128_and(a, u16x8_splat(255)), i16x8_shr(i16x8_shl(b, 8), 8));
        i16x8_add(i16x8_add(sum, low), i16x8_mul(u16x8_shr(a, 8), i16x8_shr(b, 8)))
    }

    #[inline(always)]
    fn words_to_floats(self, a: v128) -> [v128; 2] {
        [i32x4_extend_low_i16x8(a), i32x4_extend_high_i16x8(a)].map(|half| f32x4_convert_i32x4(half))
    }

    #[inline(always)]
    fn max_bytes(self, a: v128, b: v128) -> v128 {
        u8x16_max(a, b)
    }

    #[inline(always)]
    fn min_bytes(self, a: v128, b: v128) -> v128 {
        u8x16_min(a, b)
    }

    #[inline(always)]
    fn max_words(self, a: v128, b: v128) -> v128 {
        u16x8_max(a, b)
    }

    #[inline(always)]
    fn min_words(self, a: v128, b: v128) -> v128 {
        u16x8_min(a, b)
    }

    #[inline(always)]
    fn add_words(self, a: v128, b: v128) -> v128 {
        u16x8_add(a, b)
    }

    #[inline(always)]
    fn sub_words(self, a: v128, b: v128) -> v128 {
        u16x8_sub(a, b)
    }

    #[inline(always)]
    fn mul_high(self, a: v128, b: v128) -> v128 {
        let (low, high) = (u32x4_extmul_low_u16x8(a, b), u32x4_extmul_high_u16x8(a, b));
        u16x8_shuffle::<1, 3, 5, 7, 9, 11, 13, 15>(low, high)
    }

    #[inline(always)]
    fn shift_words(self, a: v128, count: u32) -> v128 {
        u16x8_shr(a, count)
    }
}

/// Integers, rounded half to even.
#[inline(always)]
fn rounded(v: v128) -> v128 {
    i32x4_trunc_sat_f32x4(f32x4_nearest(v))
}
