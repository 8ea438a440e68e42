//! Typed arrays: memory of the module into which JavaScript copied them, and from which it copies what a call wrote.

use napi::{Frame, FromFrame};
use std::ptr;

/// An element type of a typed array.
pub trait Element: Copy + 'static {}

impl Element for u8 {}
impl Element for u16 {}
impl Element for i32 {}
impl Element for f32 {}
impl Element for f64 {}

/// A typed array that a call borrows.
pub struct Array<T> {
    start: *mut T,
    length: usize,
}

/// A typed array of a job; here a job is over when the call is.
pub type Kept<T> = Array<T>;

impl<T: Element> Array<T> {
    /// Its elements.
    pub(crate) fn read(&self) -> &[T] {
        // SAFETY: JavaScript allocated this memory for the time of the call.
        unsafe { std::slice::from_raw_parts(self.start, self.length) }
    }

    /// Its elements, to write. Whether another argument shares the memory is checked (`check_overlap`) before either is touched.
    pub(crate) fn write(&mut self) -> &mut [T] {
        // SAFETY: as in `read`.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.length) }
    }
}

impl<T: Element> FromFrame for Array<T> {
    fn from_frame(frame: &mut Frame) -> Array<T> {
        let (address, length) = (frame.next() as usize, frame.next() as usize);
        let start = if length == 0 { ptr::dangling_mut() } else { ptr::with_exposed_provenance_mut(address) };
        Array { start, length }
    }
}
