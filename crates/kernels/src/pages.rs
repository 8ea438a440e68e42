//! Large pages for large buffers. A packed weight of many megabytes is read from end to end in every run; in small pages each new one
//! costs a walk through the page tables, which on a virtual machine takes longer than reading the page from the last-level cache. And
//! a result in fresh memory costs a fault for each page, which takes longer than to compute what is on a small one.

/// Asks for `bytes` of memory from `start` on, not yet touched, to be backed by large pages. The system may do as it likes.
#[cfg(target_os = "linux")]
pub(crate) fn prefer_large(start: *mut u8, bytes: usize) {
    /// Smaller buffers are too few pages to matter, and rounding them up would waste memory.
    const LEAST_BYTES: usize = 4 << 20;
    /// From the system's headers: the same on every architecture.
    const MADV_HUGEPAGE: i32 = 14;
    /// The largest page size of the architectures: advice begins and ends on such a boundary.
    const PAGE: usize = 64 << 10;
    unsafe extern "C" {
        fn madvise(start: *mut u8, bytes: usize, advice: i32) -> i32;
    }
    let skipped = start.addr().next_multiple_of(PAGE) - start.addr();
    let whole = bytes.saturating_sub(skipped) / PAGE * PAGE;
    if bytes >= LEAST_BYTES && whole > 0 {
        // SAFETY: the advice changes how the memory is backed and never what it holds; a failure changes nothing.
        unsafe { madvise(start.wrapping_add(skipped), whole, MADV_HUGEPAGE) };
    }
}

/// Other systems choose by themselves.
#[cfg(not(target_os = "linux"))]
pub(crate) fn prefer_large(_start: *mut u8, _bytes: usize) {}
