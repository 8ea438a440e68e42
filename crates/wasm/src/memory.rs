//! Memory for the arguments of a call.

use std::alloc::{Layout, alloc, dealloc};

/// As the widest element and the widest vector like it.
const ALIGNMENT: usize = 64;

fn layout(bytes: usize) -> Option<Layout> {
    Layout::from_size_align(bytes.max(1), ALIGNMENT).ok()
}

/// Memory of that many bytes, or 0 when there is none.
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
extern "C" fn allocate(bytes: usize) -> *mut u8 {
    // SAFETY: the size is not 0.
    layout(bytes).map_or(std::ptr::null_mut(), |layout| unsafe { alloc(layout) })
}

/// Gives memory back; `bytes` as it was asked for.
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
extern "C" fn release(address: *mut u8, bytes: usize) {
    if let Some(layout) = layout(bytes) {
        // SAFETY: JavaScript got it from `allocate` with that size, and gives it back once.
        unsafe { dealloc(address, layout) };
    }
}
