//! NEON (aarch64): four floats, thirty-two registers.

use crate::{Kernel, Simd};
use core::arch::aarch64::*;

/// Proof that the CPU has NEON; made in [`enter`] only.
#[derive(Clone, Copy)]
pub(crate) struct Token(());

pub(crate) fn detect() -> bool {
    std::arch::is_aarch64_feature_detected!("neon")
}

/// # Safety
/// [`detect`] returned true on this CPU.
#[target_feature(enable = "neon")]
pub(crate) unsafe fn enter<K: Kernel>(kernel: K) -> K::Output {
    kernel.run(Token(()))
}

const LANES: usize = 4;

// SAFETY of every intrinsic below: the token proves NEON, and memory is the caller's promise.
#[allow(clippy::undocumented_unsafe_blocks)]
impl Simd for Token {
    type V = float32x4_t;
    type I = uint8x16_t;
    const LANES: usize = LANES;
    const REGISTERS: usize = 32;
    const FUSES: bool = true;

    #[inline(always)]
    fn splat(self, x: f32) -> float32x4_t {
        unsafe { vdupq_n_f32(x) }
    }

    #[inline(always)]
    fn add(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vaddq_f32(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vsubq_f32(a, b) }
    }

    #[inline(always)]
    fn mul(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vmulq_f32(a, b) }
    }

    #[inline(always)]
    fn div(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vdivq_f32(a, b) }
    }

    #[inline(always)]
    fn mul_add(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        unsafe { vfmaq_f32(c, a, b) }
    }

    #[inline(always)]
    fn fused_mul_add(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        self.mul_add(a, b, c)
    }

    #[inline(always)]
    fn sqrt(self, a: float32x4_t) -> float32x4_t {
        unsafe { vsqrtq_f32(a) }
    }

    #[inline(always)]
    fn max(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vmaxq_f32(a, b) }
    }

    #[inline(always)]
    fn min(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vminq_f32(a, b) }
    }

    #[inline(always)]
    fn deinterleave(self, a: float32x4_t, b: float32x4_t) -> (float32x4_t, float32x4_t) {
        unsafe { (vuzp1q_f32(a, b), vuzp2q_f32(a, b)) }
    }

    #[inline(always)]
    fn upper(self, a: float32x4_t) -> float32x4_t {
        unsafe { vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(a), vdupq_n_u32(0xffff_0000))) }
    }

    #[inline(always)]
    fn pair_upper(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe {
            let low = vshrq_n_u32::<16>(vreinterpretq_u32_f32(a));
            vreinterpretq_f32_u32(vorrq_u32(low, vreinterpretq_u32_f32(self.upper(b))))
        }
    }

    #[inline(always)]
    fn split_pair(self, pair: float32x4_t) -> (float32x4_t, float32x4_t) {
        unsafe {
            let low = vshlq_n_u32::<16>(vreinterpretq_u32_f32(pair));
            (vreinterpretq_f32_u32(low), self.upper(pair))
        }
    }

    #[inline(always)]
    unsafe fn load(self, source: *const f32) -> float32x4_t {
        unsafe { vld1q_f32(source) }
    }

    #[inline(always)]
    unsafe fn store(self, target: *mut f32, v: float32x4_t) {
        unsafe { vst1q_f32(target, v) }
    }

    #[inline(always)]
    unsafe fn load_masked(self, source: *const f32, bits: u32, other: float32x4_t) -> float32x4_t {
        unsafe {
            if bits & 0xf == 0xf {
                return vld1q_f32(source);
            }
            let mut v = other;
            if bits & 1 != 0 {
                v = vld1q_lane_f32::<0>(source, v);
            }
            if bits & 2 != 0 {
                v = vld1q_lane_f32::<1>(source.wrapping_add(1), v);
            }
            if bits & 4 != 0 {
                v = vld1q_lane_f32::<2>(source.wrapping_add(2), v);
            }
            if bits & 8 != 0 {
                v = vld1q_lane_f32::<3>(source.wrapping_add(3), v);
            }
            v
        }
    }

    // A copy whose length is not known when compiling would be a call of memcpy, hence the cases.
    #[inline(always)]
    unsafe fn load_first(self, source: *const f32, count: usize) -> float32x4_t {
        unsafe {
            match count {
                0 => vdupq_n_f32(0.0),
                1 => vld1q_lane_f32::<0>(source, vdupq_n_f32(0.0)),
                2 => vcombine_f32(vld1_f32(source), vdup_n_f32(0.0)),
                3 => vld1q_lane_f32::<2>(source.add(2), vcombine_f32(vld1_f32(source), vdup_n_f32(0.0))),
                _ => vld1q_f32(source),
            }
        }
    }

    #[inline(always)]
    unsafe fn store_first(self, target: *mut f32, v: float32x4_t, count: usize) {
        unsafe {
            match count {
                0 => {}
                1 => vst1q_lane_f32::<0>(target, v),
                2 => vst1_f32(target, vget_low_f32(v)),
                3 => {
                    vst1_f32(target, vget_low_f32(v));
                    vst1q_lane_f32::<2>(target.add(2), v);
                }
                _ => vst1q_f32(target, v),
            }
        }
    }

    #[inline(always)]
    unsafe fn load_u8(self, source: *const u8) -> float32x4_t {
        unsafe {
            let bytes = vcreate_u8(u64::from(source.cast::<u32>().read_unaligned()));
            vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(bytes))))
        }
    }

    #[inline(always)]
    unsafe fn load_u16(self, source: *const u16) -> float32x4_t {
        unsafe { vcvtq_f32_u32(vmovl_u16(vld1_u16(source))) }
    }

    // Conversion rounds half to even, saturates, and turns NaN into 0; narrowing saturates again.
    #[inline(always)]
    unsafe fn store_u8(self, target: *mut u8, [a, b, c, d]: [float32x4_t; 4]) {
        unsafe {
            let low = vcombine_u16(vqmovun_s32(vcvtnq_s32_f32(a)), vqmovun_s32(vcvtnq_s32_f32(b)));
            let high = vcombine_u16(vqmovun_s32(vcvtnq_s32_f32(c)), vqmovun_s32(vcvtnq_s32_f32(d)));
            vst1q_u8(target, vcombine_u8(vqmovn_u16(low), vqmovn_u16(high)));
        }
    }

    #[inline(always)]
    unsafe fn store_u16(self, target: *mut u16, [a, b]: [float32x4_t; 2]) {
        unsafe {
            let (a, b) = (vqmovun_s32(vcvtnq_s32_f32(a)), vqmovun_s32(vcvtnq_s32_f32(b)));
            vst1q_u16(target, vcombine_u16(a, b));
        }
    }

    #[inline(always)]
    unsafe fn load_bytes(self, source: *const u8) -> uint8x16_t {
        unsafe { vld1q_u8(source) }
    }

    #[inline(always)]
    unsafe fn load_words(self, source: *const u8) -> uint8x16_t {
        unsafe { vreinterpretq_u8_u16(vmovl_u8(vld1_u8(source))) }
    }

    #[inline(always)]
    unsafe fn load_pairs(self, low: *const u8, high: *const u8) -> uint8x16_t {
        unsafe {
            let (low, high) = (vld1_u8(low), vld1_u8(high));
            vcombine_u8(vzip1_u8(low, high), vzip2_u8(low, high))
        }
    }

    #[inline(always)]
    unsafe fn store_bytes(self, target: *mut u8, v: uint8x16_t) {
        unsafe { vst1q_u8(target, v) }
    }

    #[inline(always)]
    unsafe fn store_words(self, target: *mut u8, [a, b]: [uint8x16_t; 2]) {
        unsafe { vst1q_u8(target, vcombine_u8(vqmovun_s16(signed(a)), vqmovun_s16(signed(b)))) }
    }

    #[inline(always)]
    fn splat_word(self, x: u16) -> uint8x16_t {
        unsafe { vreinterpretq_u8_u16(vdupq_n_u16(x)) }
    }

    #[inline(always)]
    fn splat_twice(self, x: u32) -> uint8x16_t {
        unsafe { vreinterpretq_u8_u32(vdupq_n_u32(x)) }
    }

    #[inline(always)]
    fn add_products(self, a: uint8x16_t, b: uint8x16_t, sum: uint8x16_t) -> uint8x16_t {
        unsafe {
            let low = vreinterpretq_s16_u16(vandq_u16(words(a), vdupq_n_u16(255)));
            let high = vreinterpretq_s16_u16(vshrq_n_u16::<8>(words(a)));
            let of_low = vshrq_n_s16::<8>(vshlq_n_s16::<8>(signed(b)));
            let sum = vmlaq_s16(signed(sum), low, of_low);
            vreinterpretq_u8_s16(vmlaq_s16(sum, high, vshrq_n_s16::<8>(signed(b))))
        }
    }

    #[inline(always)]
    fn words_to_floats(self, a: uint8x16_t) -> [float32x4_t; 2] {
        unsafe {
            let (low, high) = (vget_low_s16(signed(a)), vget_high_s16(signed(a)));
            [vcvtq_f32_s32(vmovl_s16(low)), vcvtq_f32_s32(vmovl_s16(high))]
        }
    }

    #[inline(always)]
    fn max_bytes(self, a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
        unsafe { vmaxq_u8(a, b) }
    }

    #[inline(always)]
    fn min_bytes(self, a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
        unsafe { vminq_u8(a, b) }
    }

    #[inline(always)]
    fn max_words(self, a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
        unsafe { vreinterpretq_u8_u16(vmaxq_u16(words(a), words(b))) }
    }

    #[inline(always)]
    fn min_words(self, a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
        unsafe { vreinterpretq_u8_u16(vminq_u16(words(a), words(b))) }
    }

    #[inline(always)]
    fn add_words(self, a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
        unsafe { vreinterpretq_u8_u16(vaddq_u16(words(a), words(b))) }
    }

    #[inline(always)]
    fn sub_words(self, a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
        unsafe { vreinterpretq_u8_u16(vsubq_u16(words(a), words(b))) }
    }

    #[inline(always)]
    fn mul_high(self, a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
        unsafe {
            let (a, b) = (words(a), words(b));
            let low = vshrn_n_u32::<16>(vmull_u16(vget_low_u16(a), vget_low_u16(b)));
            let high = vshrn_n_u32::<16>(vmull_u16(vget_high_u16(a), vget_high_u16(b)));
            vreinterpretq_u8_u16(vcombine_u16(low, high))
        }
    }

    #[inline(always)]
    fn shift_words(self, a: uint8x16_t, count: u32) -> uint8x16_t {
        unsafe { vreinterpretq_u8_u16(vshlq_u16(words(a), vdupq_n_s16(-(count as i16)))) }
    }
}

/// The same bits as signed words.
///
/// # Safety
/// The CPU has NEON.
#[inline(always)]
unsafe fn signed(v: uint8x16_t) -> int16x8_t {
    // SAFETY: NEON, by the caller's promise.
    unsafe { vreinterpretq_s16_u8(v) }
}

/// The same bits as words.
///
/// # Safety
/// The CPU has NEON.
#[inline(always)]
unsafe fn words(v: uint8x16_t) -> uint16x8_t {
    // SAFETY: NEON, by the caller's promise.
    unsafe { vreinterpretq_u16_u8(v) }
}
