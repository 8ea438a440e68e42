//! AVX-512 (F, BW, DQ, VL): sixteen floats, thirty-two registers, masks.

use crate::{Kernel, Simd};
use core::arch::x86_64::*;

/// Proof that the CPU has AVX-512; made in [`enter`] only.
#[derive(Clone, Copy)]
pub(crate) struct Token(());

pub(crate) fn detect() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
        && super::avx2::detect()
}

/// # Safety
/// [`detect`] returned true on this CPU.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
pub(crate) unsafe fn enter<K: Kernel>(kernel: K) -> K::Output {
    kernel.run(Token(()))
}

const LANES: usize = 16;

/// The bits of a lane's upper half.
const UPPER: i32 = !0xffff;

// SAFETY of every intrinsic below: the token proves AVX-512, and memory is the caller's promise.
#[allow(clippy::undocumented_unsafe_blocks)]
impl Simd for Token {
    type V = __m512;
    type I = __m512i;
    const LANES: usize = LANES;
    const REGISTERS: usize = 32;
    const FUSES: bool = true;

    #[inline(always)]
    fn splat(self, x: f32) -> __m512 {
        unsafe { _mm512_set1_ps(x) }
    }

    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_add_ps(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_sub_ps(a, b) }
    }

    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_mul_ps(a, b) }
    }

    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_div_ps(a, b) }
    }

    #[inline(always)]
    fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn fused_mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        self.mul_add(a, b, c)
    }

    #[inline(always)]
    fn sqrt(self, a: __m512) -> __m512 {
        unsafe { _mm512_sqrt_ps(a) }
    }

    // The instruction returns `b` when either is NaN, so only a NaN in `a` would be lost: those lanes are left as they are.
    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_mask_max_ps(a, _mm512_cmp_ps_mask::<_CMP_ORD_Q>(a, a), a, b) }
    }

    #[inline(always)]
    fn min(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_mask_min_ps(a, _mm512_cmp_ps_mask::<_CMP_ORD_Q>(a, a), a, b) }
    }

    #[inline(always)]
    fn deinterleave(self, a: __m512, b: __m512) -> (__m512, __m512) {
        unsafe {
            let even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
            let odd = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
            (_mm512_permutex2var_ps(a, even, b), _mm512_permutex2var_ps(a, odd, b))
        }
    }

    #[inline(always)]
    fn upper(self, a: __m512) -> __m512 {
        unsafe { _mm512_and_ps(a, _mm512_castsi512_ps(_mm512_set1_epi32(UPPER))) }
    }

    #[inline(always)]
    fn pair_upper(self, a: __m512, b: __m512) -> __m512 {
        unsafe {
            let low = _mm512_srli_epi32::<16>(_mm512_castps_si512(a));
            _mm512_or_ps(_mm512_castsi512_ps(low), self.upper(b))
        }
    }

    #[inline(always)]
    fn split_pair(self, pair: __m512) -> (__m512, __m512) {
        unsafe {
            let low = _mm512_slli_epi32::<16>(_mm512_castps_si512(pair));
            (_mm512_castsi512_ps(low), self.upper(pair))
        }
    }

    #[inline(always)]
    unsafe fn load(self, source: *const f32) -> __m512 {
        unsafe { _mm512_loadu_ps(source) }
    }

    #[inline(always)]
    unsafe fn store(self, target: *mut f32, v: __m512) {
        unsafe { _mm512_storeu_ps(target, v) }
    }

    #[inline(always)]
    unsafe fn stream(self, target: *mut f32, v: __m512) {
        unsafe { _mm512_stream_ps(target, v) }
    }

    #[inline(always)]
    fn fence(self) {
        unsafe { _mm_sfence() }
    }

    #[inline(always)]
    fn prefetch(self, address: *const f32) {
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) }
    }

    #[inline(always)]
    fn prefetch_later(self, address: *const f32) {
        unsafe { _mm_prefetch::<_MM_HINT_T1>(address.cast()) }
    }

    #[inline(always)]
    unsafe fn load_first(self, source: *const f32, count: usize) -> __m512 {
        unsafe { _mm512_maskz_loadu_ps(mask(count), source) }
    }

    #[inline(always)]
    unsafe fn load_masked(self, source: *const f32, bits: u32, other: __m512) -> __m512 {
        unsafe { _mm512_mask_loadu_ps(other, bits as __mmask16, source) }
    }

    #[inline(always)]
    unsafe fn store_first(self, target: *mut f32, v: __m512, count: usize) {
        unsafe { _mm512_mask_storeu_ps(target, mask(count), v) }
    }

    #[inline(always)]
    unsafe fn store_rest(self, target: *mut f32, v: __m512, count: usize) {
        unsafe { _mm512_mask_storeu_ps(target, !mask(count), v) }
    }

    #[inline(always)]
    unsafe fn load_u8(self, source: *const u8) -> __m512 {
        unsafe { _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(source.cast()))) }
    }

    #[inline(always)]
    unsafe fn load_u16(self, source: *const u16) -> __m512 {
        unsafe { _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(_mm256_loadu_si256(source.cast()))) }
    }

    #[inline(always)]
    unsafe fn store_u8(self, target: *mut u8, [a, b, c, d]: [__m512; 4]) {
        unsafe {
            let (a, b) = (rounded(a, 255.0), rounded(b, 255.0));
            let (c, d) = (rounded(c, 255.0), rounded(d, 255.0));
            // Packing works within 128-bit parts, so that four bytes of each vector follow each other.
            let packed = _mm512_packus_epi16(_mm512_packus_epi32(a, b), _mm512_packus_epi32(c, d));
            let order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
            _mm512_storeu_si512(target.cast(), _mm512_permutexvar_epi32(order, packed));
        }
    }

    #[inline(always)]
    unsafe fn store_u16(self, target: *mut u16, [a, b]: [__m512; 2]) {
        unsafe {
            let packed = _mm512_packus_epi32(rounded(a, 65535.0), rounded(b, 65535.0));
            let order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
            _mm512_storeu_si512(target.cast(), _mm512_permutexvar_epi64(order, packed));
        }
    }

    #[inline(always)]
    unsafe fn load_bytes(self, source: *const u8) -> __m512i {
        unsafe { _mm512_loadu_si512(source.cast()) }
    }

    #[inline(always)]
    unsafe fn load_words(self, source: *const u8) -> __m512i {
        unsafe { _mm512_cvtepu8_epi16(_mm256_loadu_si256(source.cast())) }
    }

    #[inline(always)]
    unsafe fn load_pairs(self, low: *const u8, high: *const u8) -> __m512i {
        unsafe { _mm512_or_si512(self.load_words(low), _mm512_slli_epi16::<8>(self.load_words(high))) }
    }

    #[inline(always)]
    unsafe fn store_bytes(self, target: *mut u8, v: __m512i) {
        unsafe { _mm512_storeu_si512(target.cast(), v) }
    }

    #[inline(always)]
    unsafe fn store_words(self, target: *mut u8, [a, b]: [__m512i; 2]) {
        unsafe {
            let order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
            _mm512_storeu_si512(target.cast(), _mm512_permutexvar_epi64(order, _mm512_packus_epi16(a, b)));
        }
    }

    #[inline(always)]
    fn splat_word(self, x: u16) -> __m512i {
        unsafe { _mm512_set1_epi16(x as i16) }
    }

    #[inline(always)]
    fn splat_twice(self, x: u32) -> __m512i {
        unsafe { _mm512_set1_epi32(x as i32) }
    }

    #[inline(always)]
    fn add_products(self, a: __m512i, b: __m512i, sum: __m512i) -> __m512i {
        unsafe { _mm512_add_epi16(sum, _mm512_maddubs_epi16(a, b)) }
    }

    #[inline(always)]
    fn words_to_floats(self, a: __m512i) -> [__m512; 2] {
        unsafe {
            [_mm512_castsi512_si256(a), _mm512_extracti64x4_epi64::<1>(a)]
                .map(|half| _mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(half)))
        }
    }

    #[inline(always)]
    fn max_bytes(self, a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_max_epu8(a, b) }
    }

    #[inline(always)]
    fn min_bytes(self, a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_min_epu8(a, b) }
    }

    #[inline(always)]
    fn max_words(self, a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_max_epu16(a, b) }
    }

    #[inline(always)]
    fn min_words(self, a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_min_epu16(a, b) }
    }

    #[inline(always)]
    fn add_words(self, a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_add_epi16(a, b) }
    }

    #[inline(always)]
    fn sub_words(self, a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_sub_epi16(a, b) }
    }

    #[inline(always)]
    fn mul_high(self, a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_mulhi_epu16(a, b) }
    }

    #[inline(always)]
    fn shift_words(self, a: __m512i, count: u32) -> __m512i {
        unsafe { _mm512_srl_epi16(a, _mm_cvtsi32_si128(count as i32)) }
    }
}

/// Ones for the first `count` lanes, `count <= 16`.
#[inline(always)]
fn mask(count: usize) -> __mmask16 {
    ((1u32 << count) - 1) as __mmask16
}

/// Integers of at most `most`, rounded half to even; NaN and what is below all of them become the least. What packs them takes
/// negative ones for 0.
///
/// # Safety
/// The CPU has AVX-512.
#[inline(always)]
unsafe fn rounded(v: __m512, most: f32) -> __m512i {
    // SAFETY: AVX-512, by the caller's promise. The smaller of anything and NaN is the second operand.
    unsafe { _mm512_cvtps_epi32(_mm512_min_ps(_mm512_set1_ps(most), v)) }
}
