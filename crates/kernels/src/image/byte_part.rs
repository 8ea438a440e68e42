//! A part of an image of bytes under a [`ByteKernel`]: its rows become pairs of neighbouring bytes, which the tile multiplies.

use super::byte_kernel::ByteKernel;
use super::few_rows::{FewRows, Ring};
use super::load::Loader;
use super::parts::{Step, steps};
use super::terms::{Mapping, Pairs, TWO, VECTORS};
use crate::buffer::LINE;
use corr2d_simd::{Isa, Kernel, Simd};

/// Words of a cache line.
const WORDS: usize = 2 * LINE;

/// Elements of a padded row of a part with so many columns: whole tiles, and what the window reads besides.
pub(super) fn padded(columns: usize, isa: Isa, taps: usize) -> usize {
    (columns.next_multiple_of(VECTORS * 2 * isa.lanes()) + taps).next_multiple_of(WORDS)
}

/// What a part needs.
pub struct BytePart<'a, P> {
    pub(super) kernel: &'a ByteKernel,
    pub(super) mapping: Mapping,
    pub(super) loader: Loader<'a, P>,
    /// Elements of a padded row.
    pub(super) columns: usize,
}

/// Rows that are kept for a kernel of `kh` rows.
pub(super) fn kept_rows(kh: usize) -> usize {
    kh - 1 + TWO
}

/// Floats of scratch for a kernel of `kh` rows: the words of the rows that are kept, `columns` each, and the bytes of one and a pixel.
pub(super) fn scratch_len(kh: usize, columns: usize, channels: usize) -> usize {
    kept_rows(kh) * columns / 2 + (columns + channels).div_ceil(size_of::<f32>())
}

impl BytePart<'_, u8> {
    pub(super) fn run(self, scratch: &mut [f32]) {
        let BytePart { kernel, mapping, loader, columns } = self;
        let channels = loader.frame.channels;
        let kh = loader.window[0];
        let slots = kept_rows(kh);
        assert!(scratch.len() >= scratch_len(kh, columns, channels));
        let (kept, line) = scratch.split_at_mut(slots * columns / 2);
        // SAFETY: floats are as aligned as words and bytes are, all of whose bits mean something, and there is room for so many.
        let (kept, line) = unsafe {
            (
                std::slice::from_raw_parts_mut(kept.as_mut_ptr().cast::<u16>(), slots * columns),
                std::slice::from_raw_parts_mut(line.as_mut_ptr().cast::<u8>(), columns + channels),
            )
        };
        let part = loader.part;
        for step in steps(part.rows.len(), TWO, slots) {
            match step {
                Step::Load(i) => {
                    loader.load(loader.position(i), line);
                    let target = &mut kept[i % slots * columns..][..columns];
                    loader.isa.run(Pair { line, step: channels, target });
                }
                Step::Compute(first) => {
                    let mut rows = (part.rows.start + first..part.rows.end)
                        // SAFETY: parts are disjoint, and rows of one different ones.
                        .map(|y| unsafe { loader.result(y) });
                    FewRows::<u8, Pairs, TWO> {
                        weights: &kernel.weights,
                        kw: kernel.pairs,
                        step: 2 * channels,
                        mapping,
                        ring: Ring { elements: kept, slots, columns },
                        first,
                        targets: std::array::from_fn(|_| rows.next()),
                        ahead: std::array::from_fn(|row| loader.place(loader.position(first + slots + row))),
                    }
                    .run(loader.isa);
                }
            }
        }
    }
}

/// Bytes and those `step` behind them become words.
struct Pair<'a> {
    line: &'a [u8],
    step: usize,
    target: &'a mut [u16],
}

impl Kernel for Pair<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let words = 2 * S::LANES;
        let count = self.target.len();
        assert!(count.is_multiple_of(words) && count + self.step <= self.line.len());
        for i in (0..count).step_by(words) {
            // SAFETY: a register of words is left of the target, and as many bytes from both places on.
            unsafe {
                let low = self.line.as_ptr().add(i);
                let pairs = s.load_pairs(low, low.add(self.step));
                s.store_bytes(self.target.as_mut_ptr().add(i).cast(), pairs);
            }
        }
    }
}
