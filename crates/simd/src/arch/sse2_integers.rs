//! Registers of integers in SSE2, which every x86-64 CPU has.

use core::arch::x86_64::*;

/// Sixteen bytes or eight words.
pub(crate) type Register = __m128i;

/// # Safety
/// Sixteen bytes are readable.
#[inline(always)]
pub(crate) unsafe fn load_bytes(source: *const u8) -> Register {
    // SAFETY: the caller's promise.
    unsafe { _mm_loadu_si128(source.cast()) }
}

/// # Safety
/// Eight bytes are readable.
#[inline(always)]
pub(crate) unsafe fn load_words(source: *const u8) -> Register {
    // SAFETY: the caller's promise.
    unsafe { _mm_unpacklo_epi8(_mm_loadl_epi64(source.cast()), _mm_setzero_si128()) }
}

/// # Safety
/// Eight bytes are readable of both.
#[inline(always)]
pub(crate) unsafe fn load_pairs(low: *const u8, high: *const u8) -> Register {
    // SAFETY: the caller's promise.
    unsafe { _mm_unpacklo_epi8(_mm_loadl_epi64(low.cast()), _mm_loadl_epi64(high.cast())) }
}

/// # Safety
/// Sixteen bytes are writable.
#[inline(always)]
pub(crate) unsafe fn store_bytes(target: *mut u8, v: Register) {
    // SAFETY: the caller's promise.
    unsafe { _mm_storeu_si128(target.cast(), v) }
}

/// # Safety
/// Sixteen bytes are writable.
#[inline(always)]
pub(crate) unsafe fn store_words(target: *mut u8, [a, b]: [Register; 2]) {
    // SAFETY: the caller's promise.
    unsafe { _mm_storeu_si128(target.cast(), _mm_packus_epi16(a, b)) }
}

/// Floats rounded half to even and saturated, NaN as 0.
#[inline(always)]
pub(crate) fn bytes_of(floats: [[f32; 4]; 4]) -> Register {
    let [a, b, c, d] = floats.map(|floats| rounded(floats, 255.0));
    // SAFETY: every x86-64 CPU has SSE2.
    unsafe { _mm_packus_epi16(_mm_packs_epi32(a, b), _mm_packs_epi32(c, d)) }
}

/// The same to words.
#[inline(always)]
pub(crate) fn words_of(floats: [[f32; 4]; 2]) -> Register {
    let [a, b] = floats.map(|floats| rounded(floats, 65535.0));
    // SAFETY: as above. Only signed words can be packed: they are shifted there, and back.
    unsafe {
        let (half, sign) = (_mm_set1_epi32(1 << 15), _mm_set1_epi16(i16::MIN));
        _mm_xor_si128(_mm_packs_epi32(_mm_sub_epi32(a, half), _mm_sub_epi32(b, half)), sign)
    }
}

/// Integers from 0 to `most`.
#[inline(always)]
fn rounded(floats: [f32; 4], most: f32) -> Register {
    // SAFETY: every x86-64 CPU has SSE2, and an array of four floats is as long as a register. Of NaN and another, `max` takes the latter.
    unsafe {
        let positive = _mm_max_ps(_mm_loadu_ps(floats.as_ptr()), _mm_setzero_ps());
        _mm_cvtps_epi32(_mm_min_ps(positive, _mm_set1_ps(most)))
    }
}

#[inline(always)]
pub(crate) fn add_products(a: Register, b: Register, sum: Register) -> Register {
    // SAFETY: every x86-64 CPU has SSE2.
    unsafe {
        let low = _mm_mullo_epi16(
            _mm_and_si128(a, _mm_set1_epi16(255)),
            _mm_srai_epi16::<8>(_mm_slli_epi16::<8>(b)),
        );
        let high = _mm_mullo_epi16(_mm_srli_epi16::<8>(a), _mm_srai_epi16::<8>(b));
        _mm_add_epi16(_mm_add_epi16(sum, low), high)
    }
}

#[inline(always)]
pub(crate) fn words_to_floats(a: Register) -> [[f32; 4]; 2] {
    // SAFETY: every x86-64 CPU has SSE2, and a register is as long as four floats. A word that is doubled has its sign in the upper half.
    unsafe {
        [_mm_unpacklo_epi16(a, a), _mm_unpackhi_epi16(a, a)].map(|doubled| {
            let mut floats = [0.0; 4];
            _mm_storeu_ps(floats.as_mut_ptr(), _mm_cvtepi32_ps(_mm_srai_epi32::<16>(doubled)));
            floats
        })
    }
}

macro_rules! operations {
    ($($name:ident($($operand:ident: $type:ty),*) $result:expr;)*) => { $(
        #[inline(always)]
        pub(crate) fn $name($($operand: $type),*) -> Register {
            // SAFETY: every x86-64 CPU has SSE2.
            unsafe { $result }
        }
    )* };
}

operations! {
    splat_word(x: u16) _mm_set1_epi16(x as i16);
    shift_words(a: Register, count: u32) _mm_srl_epi16(a, _mm_cvtsi32_si128(count as i32));
    max_bytes(a: Register, b: Register) _mm_max_epu8(a, b);
    min_bytes(a: Register, b: Register) _mm_min_epu8(a, b);
    // The difference is 0 where `b` is the larger.
    max_words(a: Register, b: Register) _mm_add_epi16(_mm_subs_epu16(a, b), b);
    min_words(a: Register, b: Register) _mm_sub_epi16(a, _mm_subs_epu16(a, b));
    add_words(a: Register, b: Register) _mm_add_epi16(a, b);
    sub_words(a: Register, b: Register) _mm_sub_epi16(a, b);
    mul_high(a: Register, b: Register) _mm_mulhi_epu16(a, b);
}
