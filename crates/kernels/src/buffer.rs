//! Memory for packed weights and scratch: 64-byte aligned, so that a vector never straddles two cache lines.

use crate::pages::prefer_large;
use std::cell::RefCell;

/// One cache line of floats.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

/// Floats of a cache line.
pub(crate) const LINE: usize = 16;

/// A growable 64-byte aligned array of floats.
#[derive(Default)]
pub struct Aligned {
    lines: Vec<Line>,
    len: usize,
}

impl Aligned {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Aligned {
        let mut buffer = Aligned::of(len);
        buffer.as_mut_slice().fill(0.0);
        buffer
    }

    /// `len` floats of any values, for those who write them all.
    pub(crate) fn of(len: usize) -> Aligned {
        let mut buffer = Aligned { lines: take_spare(len.div_ceil(LINE)), len: 0 };
        buffer.grow(len);
        buffer
    }

    /// The floats of `pieces` one after the other, `len` in all. Fresh memory is touched once only.
    pub(crate) fn of_pieces<'a>(len: usize, pieces: impl Iterator<Item = &'a [f32]>) -> Aligned {
        let count = len.div_ceil(LINE);
        let mut lines = take_spare(count);
        reserve(&mut lines, count);
        let start = lines.as_mut_ptr().cast::<f32>();
        let mut written = 0;
        for piece in pieces {
            assert!(piece.len() <= len - written, "more than {len} floats");
            // SAFETY: the vector has room for `len` floats, and nobody else has its memory.
            unsafe { piece.as_ptr().copy_to_nonoverlapping(start.add(written), piece.len()) };
            written += piece.len();
        }
        assert_eq!(written, len, "fewer floats than expected");
        // SAFETY: the last line ends within the room, and with it all `count` lines are written.
        unsafe {
            start.add(len).write_bytes(0, count * LINE - len);
            lines.set_len(lines.len().max(count));
        }
        Aligned { lines, len }
    }

    /// Makes it at least `len` long; the content is kept, what is new is zero.
    fn grow(&mut self, len: usize) {
        let lines = len.div_ceil(LINE);
        if lines > self.lines.len() {
            reserve(&mut self.lines, lines);
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

/// Makes room for `count` lines in all.
fn reserve(lines: &mut Vec<Line>, count: usize) {
    if count > lines.capacity() {
        lines.reserve_exact(count - lines.len());
        prefer_large(lines.as_mut_ptr().cast(), lines.capacity() * size_of::<Line>());
    }
}

/// Smaller buffers are left to the allocator.
const LEAST_SPARE: usize = 1024;

/// Lines that a thread keeps at most: 64 MiB.
const MOST_SPARE: usize = 1 << 20;

impl Drop for Aligned {
    fn drop(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        if (LEAST_SPARE..=MOST_SPARE).contains(&lines.len()) {
            // At the end of a thread there may be nothing left to keep it.
            let _ = SPARE.try_with(|spare| {
                let mut spare = spare.borrow_mut();
                spare.push(lines);
                while spare.iter().map(Vec::len).sum::<usize>() > MOST_SPARE {
                    spare.remove(0);
                }
            });
        }
    }
}

/// A kept buffer of at least so many lines, the smallest; otherwise none. Memory that is fresh from the system costs more to touch
/// for the first time than to compute with, and a function that plans, runs and forgets would pay for it in every call.
fn take_spare(lines: usize) -> Vec<Line> {
    if lines < LEAST_SPARE {
        return Vec::new();
    }
    let take = |spare: &RefCell<Vec<Vec<Line>>>| {
        let mut spare = spare.borrow_mut();
        let fits = |buffer: &Vec<Line>| (lines..=2 * lines).contains(&buffer.len());
        let best = (0..spare.len()).filter(|i| fits(&spare[*i])).min_by_key(|i| spare[*i].len());
        best.map(|i| spare.remove(i)).unwrap_or_default()
    };
    SPARE.try_with(take).unwrap_or_default()
}

thread_local! {
    // Buffers whose owners are gone, oldest first.
    static SPARE: RefCell<Vec<Vec<Line>>> = const { RefCell::new(Vec::new()) };
    // The scratch memory that is not in use, that of the outermost call last.
    static SCRATCH: RefCell<Vec<Aligned>> = const { RefCell::new(Vec::new()) };
}

/// Calls `work` with `len` floats of the calling thread's scratch memory, which is kept from call to call. The content is whatever
/// the last user left. A nested call gets memory of its own, which is kept too.
pub(crate) fn with_scratch<R>(len: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    let mut buffer = SCRATCH.with_borrow_mut(Vec::pop).unwrap_or_default();
    buffer.grow(len);
    let result = work(&mut buffer.as_mut_slice()[..len]);
    SCRATCH.with_borrow_mut(|kept| kept.push(buffer));
    result
}
