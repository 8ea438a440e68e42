//! Memory for packed weights and scratch: 64-byte aligned, so that a vector never straddles two cache lines.

use std::cell::Cell;

/// One cache line of floats.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

const LINE: usize = 16;

/// A growable 64-byte aligned array of floats.
#[derive(Default)]
pub struct Aligned {
    lines: Vec<Line>,
    len: usize,
}

impl Aligned {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Aligned {
        let mut buffer = Aligned::default();
        buffer.grow(len);
        buffer
    }

    /// Makes it at least `len` long; the content is kept, what is new is zero.
    fn grow(&mut self, len: usize) {
        let lines = len.div_ceil(LINE);
        if lines > self.lines.len() {
            self.lines.resize(lines, Line([0.0; LINE]));
        }
        self.len = self.len.max(len);
    }

    /// The floats.
    #[inline]
    pub fn as_slice(&self) -> &[f32] {
        // SAFETY: a line is `LINE` floats without padding, and `len` never exceeds what the lines hold.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }

    /// The floats, to write.
    #[inline]
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        // SAFETY: as in `as_slice`, and the borrow is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

thread_local! {
    static SCRATCH: Cell<Aligned> = const { Cell::new(Aligned { lines: Vec::new(), len: 0 }) };
}

/// Calls `work` with `len` floats of the calling thread's scratch memory, which is kept from call to call. The content is whatever
/// the last user left. A nested call gets fresh memory.
pub(crate) fn with_scratch<R>(len: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    let mut buffer = SCRATCH.take();
    buffer.grow(len);
    let result = work(&mut buffer.as_mut_slice()[..len]);
    SCRATCH.set(buffer);
    result
}
