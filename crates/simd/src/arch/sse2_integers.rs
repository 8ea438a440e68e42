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
