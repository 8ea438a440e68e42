//! Memory that notices trespassers: the pages on both sides cannot be accessed at all, and what is left of the pages in between is
//! filled with bytes of ones, which as floats are NaN. A write outside the content is found by [`Guarded::assert_slack_untouched`],
//! a read of the slack spoils results with NaN, and any access beyond the slack ends the process with a segmentation fault.

use std::ptr;

/// Which side of the content has no slack, so that its neighbour is the inaccessible page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flush {
    /// The first element is the first that can be accessed.
    Start,
    /// The last element is the last that can be accessed.
    End,
}

/// Every byte of the slack: as floats NaN, as pixels the largest value.
const FILLER: u8 = 0xff;

/// A slice of plain numbers in such memory.
pub(crate) struct Guarded<T> {
    pages: Pages,
    first: *mut T,
    len: usize,
}

impl<T: Copy> Guarded<T> {
    /// A copy of `content`.
    pub(crate) fn new(content: &[T], flush: Flush) -> Guarded<T> {
        let bytes = size_of_val(content);
        let pages = Pages::new(bytes);
        let skip = match flush {
            Flush::Start => 0,
            Flush::End => pages.len - bytes,
        };
        // SAFETY: the pages hold at least `bytes` bytes, are writable, and `skip` is a multiple of the element size, as the size
        // of a page is.
        let first = unsafe {
            ptr::write_bytes(pages.start, FILLER, pages.len);
            let first = pages.start.add(skip).cast::<T>();
            ptr::copy_nonoverlapping(content.as_ptr(), first, content.len());
            first
        };
        Guarded { pages, first, len: content.len() }
    }

    pub(crate) fn as_slice(&self) -> &[T] {
        // SAFETY: written in `new`.
        unsafe { std::slice::from_raw_parts(self.first, self.len) }
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [T] {
        // SAFETY: written in `new`, and the borrow is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.first, self.len) }
    }

    /// Fails if a byte beside the content was written.
    pub(crate) fn assert_slack_untouched(&self, what: impl std::fmt::Display) {
        let content = self.first as usize..self.first as usize + self.len * size_of::<T>();
        // SAFETY: written in `new`.
        let bytes = unsafe { std::slice::from_raw_parts(self.pages.start, self.pages.len) };
        for (i, byte) in bytes.iter().enumerate() {
            let address = self.pages.start as usize + i;
            assert!(
                *byte == FILLER || content.contains(&address),
                "{what}: byte {} from the start of the {} bytes of content was written",
                address as isize - content.start as isize,
                content.len(),
            );
        }
    }
}

#[cfg(unix)]
struct Pages {
    start: *mut u8,
    len: usize,
    page: usize,
}

#[cfg(unix)]
impl Pages {
    fn new(bytes: usize) -> Pages {
        // SAFETY: a fresh mapping of which only the inside is made accessible.
        unsafe {
            let page = usize::try_from(libc::sysconf(libc::_SC_PAGESIZE)).expect("a page size");
            let len = bytes.next_multiple_of(page).max(page);
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            let base = libc::mmap(ptr::null_mut(), len + 2 * page, libc::PROT_NONE, flags, -1, 0);
            assert_ne!(base, libc::MAP_FAILED);
            let start = base.cast::<u8>().add(page);
            assert_eq!(libc::mprotect(start.cast(), len, libc::PROT_READ | libc::PROT_WRITE), 0);
            Pages { start, len, page }
        }
    }
}

#[cfg(unix)]
impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: the whole mapping of `new`.
        unsafe { libc::munmap(self.start.sub(self.page).cast(), self.len + 2 * self.page) };
    }
}

/// Elsewhere only the slack stands guard.
#[cfg(not(unix))]
struct Pages {
    start: *mut u8,
    len: usize,
    /// Pages are aligned for every number; a vector of `u64` is as well.
    _memory: Vec<u64>,
}

#[cfg(not(unix))]
impl Pages {
    fn new(bytes: usize) -> Pages {
        let mut memory = vec![0u64; bytes.div_ceil(8) + 32];
        Pages { start: memory.as_mut_ptr().cast(), len: memory.len() * 8, _memory: memory }
    }
}
