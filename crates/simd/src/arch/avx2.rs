//! AVX2 with FMA: eight floats, sixteen registers.

use crate::{Kernel, Simd};
use core::arch::x86_64::*;

/// Proof that the CPU has AVX2 and FMA; made in [`enter`] only.
#[derive(Clone, Copy)]
pub(crate) struct Token(());

pub(crate) fn detect() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}

/// # Safety
/// [`detect`] returned true on this CPU.
#[target_feature(enable = "avx2,fma")]
pub(crate) unsafe fn enter<K: Kernel>(kernel: K) -> K::Output {
    kernel.run(Token(()))
}

const LANES: usize = 8;

/// The bits of a lane's upper half.
const UPPER: i32 = !0xffff;

// SAFETY of every intrinsic below: the token proves AVX2 and FMA, and memory is the caller's promise.
#[allow(clippy::undocumented_unsafe_blocks)]
impl Simd for Token {
    type V = __m256;
    type I = __m256i;
    const LANES: usize = LANES;
    const REGISTERS: usize = 16;
    const FUSES: bool = true;

    #[inline(always)]
    fn splat(self, x: f32) -> __m256 {
        unsafe { _mm256_set1_ps(x) }
    }

    #[inline(always)]
    fn add(self, a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_add_ps(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_sub_ps(a, b) }
    }

    #[inline(always)]
    fn mul(self, a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_mul_ps(a, b) }
    }

    #[inline(always)]
    fn div(self, a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_div_ps(a, b) }
    }

    #[inline(always)]
    fn mul_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn fused_mul_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        self.mul_add(a, b, c)
    }

    #[inline(always)]
    fn sqrt(self, a: __m256) -> __m256 {
        unsafe { _mm256_sqrt_ps(a) }
    }

    // The instruction returns `b` when either is NaN, so only a NaN in `a` is lost: its all-ones mask is a NaN again.
    #[inline(always)]
    fn max(self, a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_or_ps(_mm256_max_ps(a, b), _mm256_cmp_ps::<_CMP_UNORD_Q>(a, a)) }
    }

    #[inline(always)]
    fn min(self, a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_or_ps(_mm256_min_ps(a, b), _mm256_cmp_ps::<_CMP_UNORD_Q>(a, a)) }
    }

    #[inline(always)]
    fn deinterleave(self, a: __m256, b: __m256) -> (__m256, __m256) {
        // The shuffles work within 128-bit halves, so the halves are put in order first.
        unsafe {
            let low = _mm256_permute2f128_ps::<0x20>(a, b);
            let high = _mm256_permute2f128_ps::<0x31>(a, b);
            (_mm256_shuffle_ps::<0x88>(low, high), _mm256_shuffle_ps::<0xdd>(low, high))
        }
    }

    #[inline(always)]
    fn upper(self, a: __m256) -> __m256 {
        unsafe { _mm256_and_ps(a, _mm256_castsi256_ps(_mm256_set1_epi32(UPPER))) }
    }

    #[inline(always)]
    fn pair_upper(self, a: __m256, b: __m256) -> __m256 {
        unsafe {
            let low = _mm256_srli_epi32::<16>(_mm256_castps_si256(a));
            _mm256_or_ps(_mm256_castsi256_ps(low), self.upper(b))
        }
    }

    #[inline(always)]
    fn split_pair(self, pair: __m256) -> (__m256, __m256) {
        unsafe {
            let low = _mm256_slli_epi32::<16>(_mm256_castps_si256(pair));
            (_mm256_castsi256_ps(low), self.upper(pair))
        }
    }

    #[inline(always)]
    unsafe fn load(self, source: *const f32) -> __m256 {
        unsafe { _mm256_loadu_ps(source) }
    }

    #[inline(always)]
    unsafe fn store(self, target: *mut f32, v: __m256) {
        unsafe { _mm256_storeu_ps(target, v) }
    }

    #[inline(always)]
    unsafe fn stream(self, target: *mut f32, v: __m256) {
        unsafe { _mm256_stream_ps(target, v) }
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
    unsafe fn load_first(self, source: *const f32, count: usize) -> __m256 {
        unsafe { _mm256_maskload_ps(source, mask(count)) }
    }

    #[inline(always)]
    unsafe fn load_masked(self, source: *const f32, bits: u32, other: __m256) -> __m256 {
        unsafe {
            let lanes = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
            let mask = _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32(bits as i32), lanes), lanes);
            _mm256_blendv_ps(other, _mm256_maskload_ps(source, mask), _mm256_castsi256_ps(mask))
        }
    }

    #[inline(always)]
    unsafe fn store_first(self, target: *mut f32, v: __m256, count: usize) {
        // Of a masked store, AMD's processors make some forty operations.
        unsafe {
            match count {
                LANES => self.store(target, v),
                _ => _mm256_maskstore_ps(target, mask(count), v),
            }
        }
    }

    #[inline(always)]
    unsafe fn store_rest(self, target: *mut f32, v: __m256, count: usize) {
        unsafe { _mm256_maskstore_ps(target, _mm256_xor_si256(mask(count), _mm256_set1_epi32(-1)), v) }
    }

    #[inline(always)]
    unsafe fn load_u8(self, source: *const u8) -> __m256 {
        unsafe { _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(source.cast()))) }
    }

    #[inline(always)]
    unsafe fn load_u16(self, source: *const u16) -> __m256 {
        unsafe { _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm_loadu_si128(source.cast()))) }
    }

    #[inline(always)]
    unsafe fn store_u8(self, target: *mut u8, [a, b, c, d]: [__m256; 4]) {
        unsafe {
            let (a, b) = (rounded(a, 255.0), rounded(b, 255.0));
            let (c, d) = (rounded(c, 255.0), rounded(d, 255.0));
            // Packing works within 128-bit halves, so that four bytes of each vector follow each other.
            let packed = _mm256_packus_epi16(_mm256_packus_epi32(a, b), _mm256_packus_epi32(c, d));
            let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
            _mm256_storeu_si256(target.cast(), _mm256_permutevar8x32_epi32(packed, order));
        }
    }

    #[inline(always)]
    unsafe fn store_u16(self, target: *mut u16, [a, b]: [__m256; 2]) {
        unsafe {
            let packed = _mm256_packus_epi32(rounded(a, 65535.0), rounded(b, 65535.0));
            _mm256_storeu_si256(target.cast(), _mm256_permute4x64_epi64::<0b11_01_10_00>(packed));
        }
    }

    #[inline(always)]
    unsafe fn load_bytes(self, source: *const u8) -> __m256i {
        unsafe { _mm256_loadu_si256(source.cast()) }
    }

    #[inline(always)]
    unsafe fn load_words(self, source: *const u8) -> __m256i {
        unsafe { _mm256_cvtepu8_epi16(_mm_loadu_si128(source.cast())) }
    }

    #[inline(always)]
    unsafe fn load_pairs(self, low: *const u8, high: *const u8) -> __m256i {
        unsafe { _mm256_or_si256(self.load_words(low), _mm256_slli_epi16::<8>(self.load_words(high))) }
    }

    #[inline(always)]
    unsafe fn store_bytes(self, target: *mut u8, v: __m256i) {
        unsafe { _mm256_storeu_si256(target.cast(), v) }
    }

    #[inline(always)]
    unsafe fn store_words(self, target: *mut u8, [a, b]: [__m256i; 2]) {
        unsafe {
            let packed = _mm256_packus_epi16(a, b);
            _mm256_storeu_si256(target.cast(), _mm256_permute4x64_epi64::<0b11_01_10_00>(packed));
        }
    }

    #[inline(always)]
    fn splat_word(self, x: u16) -> __m256i {
        unsafe { _mm256_set1_epi16(x as i16) }
    }

    #[inline(always)]
    fn splat_twice(self, x: u32) -> __m256i {
        unsafe { _mm256_set1_epi32(x as i32) }
    }

    #[inline(always)]
    fn add_products(self, a: __m256i, b: __m256i, sum: __m256i) -> __m256i {
        unsafe { _mm256_add_epi16(sum, _mm256_maddubs_epi16(a, b)) }
    }

    #[inline(always)]
    fn words_to_floats(self, a: __m256i) -> [__m256; 2] {
        unsafe {
            [_mm256_castsi256_si128(a), _mm256_extracti128_si256::<1>(a)]
                .map(|half| _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(half)))
        }
    }

    #[inline(always)]
    fn max_bytes(self, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_max_epu8(a, b) }
    }

    #[inline(always)]
    fn min_bytes(self, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_min_epu8(a, b) }
    }

    #[inline(always)]
    fn max_words(self, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_max_epu16(a, b) }
    }

    #[inline(always)]
    fn min_words(self, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_min_epu16(a, b) }
    }

    #[inline(always)]
    fn add_words(self, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_add_epi16(a, b) }
    }

    #[inline(always)]
    fn sub_words(self, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_sub_epi16(a, b) }
    }

    #[inline(always)]
    fn mul_high(self, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_mulhi_epu16(a, b) }
    }

    #[inline(always)]
    fn shift_words(self, a: __m256i, count: u32) -> __m256i {
        unsafe { _mm256_srl_epi16(a, _mm_cvtsi32_si128(count as i32)) }
    }
}

/// All ones in the first `count` lanes.
///
/// # Safety
/// The CPU has AVX2.
#[inline(always)]
unsafe fn mask(count: usize) -> __m256i {
    // SAFETY: AVX2, by the caller's promise.
    unsafe { _mm256_cmpgt_epi32(_mm256_set1_epi32(count as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)) }
}

/// Integers of at most `most`, rounded half to even; NaN and what is below all of them become the least. What packs them takes
/// negative ones for 0.
///
/// # Safety
/// The CPU has AVX2.
#[inline(always)]
unsafe fn rounded(v: __m256, most: f32) -> __m256i {
    // SAFETY: AVX2, by the caller's promise. The smaller of anything and NaN is the second operand.
    unsafe { _mm256_cvtps_epi32(_mm256_min_ps(_mm256_set1_ps(most), v)) }
}
