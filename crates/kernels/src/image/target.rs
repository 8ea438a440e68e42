//! An output that several tiles fill.

use crate::pages::prefer_large;

/// Where an output begins; tiles write disjoint elements of it.
pub(super) struct Target<P>(*mut P);

// SAFETY: what is written through it is the promise of [`Target::part`]'s callers.
unsafe impl<P: Send> Sync for Target<P> {}

impl<P> Target<P> {
    pub(super) fn new(output: &mut [P]) -> Target<P> {
        prefer_large(output.as_mut_ptr().cast(), size_of_val(output));
        Target::in_place(output)
    }

    /// Of memory that holds what is overwritten.
    pub(super) fn in_place(data: &mut [P]) -> Target<P> {
        Target(data.as_mut_ptr())
    }

    /// The first element's place.
    pub(super) fn start(&self) -> *const P {
        self.0
    }

    /// Elements `first..first + count`.
    ///
    /// # Safety
    /// They lie within the output, which lives and is not used otherwise meanwhile, and no one else has any of them.
    #[allow(clippy::mut_from_ref, reason = "the caller promises that parts are disjoint")]
    pub(super) unsafe fn part(&self, first: usize, count: usize) -> &mut [P] {
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(first), count) }
    }
}
