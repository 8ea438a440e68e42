//! What a kernel may ask of an instruction set.

/// Lanes of the widest vectors.
const MOST_LANES: usize = 16;

/// A vector instruction set: a zero-sized proof that the running CPU has it, and the operations on its `f32` vectors.
///
/// Every method must be `#[inline(always)]`, so that it is compiled with the caller's target features.
pub trait Simd: Copy + Send + Sync + 'static {
    /// A register of [`Self::LANES`] floats.
    type V: Copy;

    /// A register of integers, as large: `4 * LANES` bytes or `2 * LANES` words of 16 bits.
    type I: Copy;

    /// Floats per register.
    const LANES: usize;

    /// Vector registers that a kernel may use, at most those of the architecture; the register tiles of the kernels follow from it.
    const REGISTERS: usize;

    /// Whether [`Simd::mul_add`] is [`Simd::fused_mul_add`].
    const FUSES: bool;

    /// All lanes equal to `x`.
    fn splat(self, x: f32) -> Self::V;

    /// `a + b`, by lane.
    fn add(self, a: Self::V, b: Self::V) -> Self::V;

    /// `a - b`, by lane.
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;

    /// `a * b`, by lane.
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;

    /// `a / b`, by lane, correctly rounded.
    fn div(self, a: Self::V, b: Self::V) -> Self::V;

    /// `a * b + c`, by lane; with one rounding where the instruction set has a fused multiply-add, with two where it has not.
    fn mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;

    /// `a * b + c`, by lane, with one rounding on every instruction set of a CPU (in WebAssembly as the engine has it); slow where
    /// [`Simd::FUSES`] is false.
    fn fused_mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;

    /// The square root by lane, correctly rounded; NaN below zero.
    fn sqrt(self, a: Self::V) -> Self::V;

    /// The larger of the two by lane; NaN when either is NaN.
    fn max(self, a: Self::V, b: Self::V) -> Self::V;

    /// The smaller of the two by lane; NaN when either is NaN.
    fn min(self, a: Self::V, b: Self::V) -> Self::V;

    /// The even and the odd elements of the concatenation `a ++ b`.
    fn deinterleave(self, a: Self::V, b: Self::V) -> (Self::V, Self::V);

    /// The nearest bfloat16 towards zero, by lane: the bits of the upper half. Of an infinity or NaN one of them.
    fn upper(self, a: Self::V) -> Self::V;

    /// The upper halves of `a` as the lower halves, and those of `b` as the upper ones: bits, no number.
    fn pair_upper(self, a: Self::V, b: Self::V) -> Self::V;

    /// What [`Simd::pair_upper`] made a pair of.
    fn split_pair(self, pair: Self::V) -> (Self::V, Self::V);

    /// Reads `LANES` floats; any alignment.
    ///
    /// # Safety
    /// `source` is valid for reads of `LANES` floats.
    unsafe fn load(self, source: *const f32) -> Self::V;

    /// Writes `LANES` floats; any alignment.
    ///
    /// # Safety
    /// `target` is valid for writes of `LANES` floats.
    unsafe fn store(self, target: *mut f32, v: Self::V);

    /// Reads the first `count` lanes, zeros in the others; memory past them is not touched.
    ///
    /// # Safety
    /// `count <= LANES` and `source` is valid for reads of `count` floats.
    unsafe fn load_first(self, source: *const f32, count: usize) -> Self::V;

    /// Reads the lanes whose bits are set, lane 0 the lowest, and takes the others from `other`; their memory is not touched.
    ///
    /// # Safety
    /// `source + lane` is valid for reads where the bit is set; `source` itself may lie outside.
    unsafe fn load_masked(self, source: *const f32, bits: u32, other: Self::V) -> Self::V;

    /// Writes `LANES` floats past the caches, where the instruction set can; [`Simd::fence`] must follow before another thread reads.
    ///
    /// # Safety
    /// `target` is valid for writes of `LANES` floats and aligned to as many.
    #[inline(always)]
    unsafe fn stream(self, target: *mut f32, v: Self::V) {
        // SAFETY: the caller's promise.
        unsafe { self.store(target, v) }
    }

    /// Orders what was [streamed](Simd::stream) before later writes.
    #[inline(always)]
    fn fence(self) {}

    /// Asks for the cache line of any address, valid or not, to be read soon.
    #[inline(always)]
    fn prefetch(self, _: *const f32) {}

    /// The same for what is read later: it need not displace anything in the first-level cache.
    #[inline(always)]
    fn prefetch_later(self, _: *const f32) {}

    /// Writes the first `count` lanes; memory past them is not touched. All of them take no longer than with [`Simd::store`].
    ///
    /// # Safety
    /// `count <= LANES` and `target` is valid for writes of `count` floats.
    unsafe fn store_first(self, target: *mut f32, v: Self::V, count: usize);

    /// Writes the lanes from `count` on, lane `i` at `target + i`; the memory of those before is not touched.
    ///
    /// # Safety
    /// `count <= LANES` and `target + i` is valid for writes from lane `count` on; `target` itself may lie outside.
    #[inline(always)]
    unsafe fn store_rest(self, target: *mut f32, v: Self::V, count: usize) {
        let mut lanes = [0.0; MOST_LANES];
        const { assert!(Self::LANES <= MOST_LANES) };
        // SAFETY: the array holds at least LANES floats; the target is the caller's promise.
        unsafe {
            self.store(lanes.as_mut_ptr(), v);
            for lane in count..Self::LANES {
                target.wrapping_add(lane).write(lanes[lane]);
            }
        }
    }

    /// Reads `LANES` bytes as floats; any alignment.
    ///
    /// # Safety
    /// `source` is valid for reads of `LANES` bytes.
    unsafe fn load_u8(self, source: *const u8) -> Self::V;

    /// Reads `LANES` 16-bit integers as floats; any alignment.
    ///
    /// # Safety
    /// `source` is valid for reads of `LANES` integers.
    unsafe fn load_u16(self, source: *const u16) -> Self::V;

    /// Writes `4 * LANES` floats as bytes, rounded half to even and saturated, NaN as 0; any alignment.
    ///
    /// # Safety
    /// `target` is valid for writes of `4 * LANES` bytes.
    unsafe fn store_u8(self, target: *mut u8, v: [Self::V; 4]);

    /// Writes `2 * LANES` floats as 16-bit integers, rounded half to even and saturated, NaN as 0; any alignment.
    ///
    /// # Safety
    /// `target` is valid for writes of `2 * LANES` integers.
    unsafe fn store_u16(self, target: *mut u16, v: [Self::V; 2]);

    /// Reads a register of integers; any alignment.
    ///
    /// # Safety
    /// `source` is valid for reads of `4 * LANES` bytes.
    unsafe fn load_bytes(self, source: *const u8) -> Self::I;

    /// Reads bytes as words; any alignment.
    ///
    /// # Safety
    /// `source` is valid for reads of `2 * LANES` bytes.
    unsafe fn load_words(self, source: *const u8) -> Self::I;

    /// Reads words whose lower bytes are those at `low`, and whose upper ones are those at `high`; any alignment.
    ///
    /// # Safety
    /// Both are valid for reads of `2 * LANES` bytes.
    unsafe fn load_pairs(self, low: *const u8, high: *const u8) -> Self::I;

    /// Writes a register of integers; any alignment.
    ///
    /// # Safety
    /// `target` is valid for writes of `4 * LANES` bytes.
    unsafe fn store_bytes(self, target: *mut u8, v: Self::I);

    /// Writes signed words as bytes, saturated; any alignment.
    ///
    /// # Safety
    /// `target` is valid for writes of `4 * LANES` bytes.
    unsafe fn store_words(self, target: *mut u8, v: [Self::I; 2]);

    /// All words equal to `x`.
    fn splat_word(self, x: u16) -> Self::I;

    /// All words equal to both halves of `x`, which are the same: for what is read again and again.
    fn splat_twice(self, x: u32) -> Self::I;

    /// The products of the bytes of `a` and the signed bytes of `b`, both of a word added to the signed word of `sum`. No sum may leave
    /// the range of those.
    fn add_products(self, a: Self::I, b: Self::I, sum: Self::I) -> Self::I;

    /// Signed words as floats.
    fn words_to_floats(self, a: Self::I) -> [Self::V; 2];

    /// The larger of the two, by byte.
    fn max_bytes(self, a: Self::I, b: Self::I) -> Self::I;

    /// The smaller of the two, by byte.
    fn min_bytes(self, a: Self::I, b: Self::I) -> Self::I;

    /// The larger of the two, by word.
    fn max_words(self, a: Self::I, b: Self::I) -> Self::I;

    /// The smaller of the two, by word.
    fn min_words(self, a: Self::I, b: Self::I) -> Self::I;

    /// `a + b` modulo 2¹⁶, by word.
    fn add_words(self, a: Self::I, b: Self::I) -> Self::I;

    /// `a - b` modulo 2¹⁶, by word.
    fn sub_words(self, a: Self::I, b: Self::I) -> Self::I;

    /// The upper half of the product of 32 bits, by word.
    fn mul_high(self, a: Self::I, b: Self::I) -> Self::I;

    /// `a` without its lowest `count` bits, at most 15, by word.
    fn shift_words(self, a: Self::I, count: u32) -> Self::I;
}

/// A computation generic over the instruction set; see [`crate::Isa::run`].
pub trait Kernel {
    /// What the computation returns.
    type Output;

    /// Runs on the given instruction set. Implementations must be `#[inline(always)]`, as must every generic function they call
    /// in their hot loops: only code inlined into the dispatching function is compiled with its target features.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}
