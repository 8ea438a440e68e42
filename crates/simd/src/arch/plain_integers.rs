//! Registers of integers in plain Rust.

/// Sixteen bytes or eight words.
#[derive(Clone, Copy)]
#[repr(C, align(16))]
pub(crate) struct Register([u8; 16]);

impl Register {
    #[inline(always)]
    fn bytes(self) -> [u8; 16] {
        self.0
    }

    #[inline(always)]
    fn words(self) -> [u16; 8] {
        // SAFETY: as many bits, and every pattern is a number.
        unsafe { core::mem::transmute(self.0) }
    }

    #[inline(always)]
    fn from_words(words: [u16; 8]) -> Register {
        // SAFETY: as many bits, and every pattern is a number.
        Register(unsafe { core::mem::transmute::<[u16; 8], [u8; 16]>(words) })
    }
}

/// # Safety
/// Sixteen bytes are readable.
#[inline(always)]
pub(crate) unsafe fn load_bytes(source: *const u8) -> Register {
    // SAFETY: the caller's promise.
    Register(unsafe { source.cast::<[u8; 16]>().read() })
}

/// # Safety
/// Eight bytes are readable.
#[inline(always)]
pub(crate) unsafe fn load_words(source: *const u8) -> Register {
    // SAFETY: the caller's promise.
    Register::from_words(unsafe { source.cast::<[u8; 8]>().read() }.map(u16::from))
}

/// # Safety
/// Eight bytes are readable of both.
#[inline(always)]
pub(crate) unsafe fn load_pairs(low: *const u8, high: *const u8) -> Register {
    // SAFETY: the caller's promise.
    let (low, high) = unsafe { (low.cast::<[u8; 8]>().read(), high.cast::<[u8; 8]>().read()) };
    Register(std::array::from_fn(|i| if i % 2 == 0 { low[i / 2] } else { high[i / 2] }))
}

/// # Safety
/// Sixteen bytes are writable.
#[inline(always)]
pub(crate) unsafe fn store_bytes(target: *mut u8, v: Register) {
    // SAFETY: the caller's promise.
    unsafe { target.cast::<[u8; 16]>().write(v.0) }
}

/// # Safety
/// Sixteen bytes are writable.
#[inline(always)]
pub(crate) unsafe fn store_words(target: *mut u8, v: [Register; 2]) {
    for (i, v) in v.into_iter().enumerate() {
        let bytes = v.words().map(|word| (word as i16).clamp(0, 255) as u8);
        // SAFETY: the caller's promise.
        unsafe { target.add(i * 8).cast::<[u8; 8]>().write(bytes) };
    }
}

/// Floats rounded half to even and saturated, NaN as 0.
#[inline(always)]
pub(crate) fn bytes_of(floats: [[f32; 4]; 4]) -> Register {
    let mut bytes = [0; 16];
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = rounded(floats[i / 4][i % 4], 255.0) as u8;
    }
    Register(bytes)
}

/// The same to words.
#[inline(always)]
pub(crate) fn words_of(floats: [[f32; 4]; 2]) -> Register {
    let mut words = [0; 8];
    for (i, word) in words.iter_mut().enumerate() {
        *word = rounded(floats[i / 4][i % 4], 65535.0) as u16;
    }
    Register::from_words(words)
}

/// Floats from here to twice as much have no fraction, so adding and subtracting it rounds half to even, without an instruction of
/// its own.
const INTEGERS: f32 = 8_388_608.0;

/// An integer from 0 to `most`, at most 65535: rounded half to even, NaN as 0.
#[inline(always)]
fn rounded(x: f32, most: f32) -> i32 {
    // The comparisons are false for NaN, which so becomes 0.
    let x = if x > 0.0 { x } else { 0.0 };
    let x = if x < most { x } else { most };
    // SAFETY: `0 <= x <= 65535`.
    unsafe { ((x + INTEGERS) - INTEGERS).to_int_unchecked() }
}

#[inline(always)]
pub(crate) fn splat_word(x: u16) -> Register {
    Register::from_words([x; 8])
}

#[inline(always)]
pub(crate) fn add_products(a: Register, b: Register, sum: Register) -> Register {
    let (a, b) = (a.bytes(), b.bytes());
    let mut words = sum.words();
    for (i, word) in words.iter_mut().enumerate() {
        let product = |i: usize| (i16::from(a[i]) * i16::from(b[i] as i8)) as u16;
        *word = word.wrapping_add(product(2 * i)).wrapping_add(product(2 * i + 1));
    }
    Register::from_words(words)
}

#[inline(always)]
pub(crate) fn words_to_floats(a: Register) -> [[f32; 4]; 2] {
    let words = a.words();
    std::array::from_fn(|half| std::array::from_fn(|i| f32::from(words[4 * half + i] as i16)))
}

#[inline(always)]
pub(crate) fn shift_words(a: Register, count: u32) -> Register {
    Register::from_words(a.words().map(|word| word >> count))
}

macro_rules! by_element {
    ($($name:ident, $read:ident, $write:expr, |$a:ident, $b:ident| $element:expr;)*) => { $(
        #[inline(always)]
        pub(crate) fn $name(a: Register, b: Register) -> Register {
            let (mut a, b) = (a.$read(), b.$read());
            for i in 0..a.len() {
                let ($a, $b) = (a[i], b[i]);
                a[i] = $element;
            }
            $write(a)
        }
    )* };
}

by_element! {
    max_bytes, bytes, Register, |a, b| a.max(b);
    min_bytes, bytes, Register, |a, b| a.min(b);
    max_words, words, Register::from_words, |a, b| a.max(b);
    min_words, words, Register::from_words, |a, b| a.min(b);
    add_words, words, Register::from_words, |a, b| a.wrapping_add(b);
    sub_words, words, Register::from_words, |a, b| a.wrapping_sub(b);
    mul_high, words, Register::from_words, |a, b| ((u32::from(a) * u32::from(b)) >> 16) as u16;
}
