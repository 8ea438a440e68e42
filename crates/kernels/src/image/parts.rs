//! How an output is shared out.

use std::ops::Range;

/// A multiple of this many elements is a whole number of vectors, and of cache lines of bytes.
pub(super) const PIXELS_ALIGNED: usize = 64;

/// A rectangle of the output, in rows and elements.
pub(super) struct Part {
    pub(super) rows: Range<usize>,
    pub(super) columns: Range<usize>,
}

/// A side of the output in tiles of about the same size.
pub(super) struct Tiles {
    length: usize,
    pub(super) count: usize,
    unit: usize,
}

impl Tiles {
    /// Tiles of about `size`, all but the last of whole `unit`s.
    pub(super) fn new(length: usize, size: usize, unit: usize) -> Tiles {
        Tiles { length, count: (length / size).max(1), unit }
    }

    /// Tiles of at most `size` and less than a unit more.
    pub(super) fn at_most(length: usize, size: usize, unit: usize) -> Tiles {
        Tiles { length, count: length.div_ceil(size).max(1), unit }
    }

    pub(super) fn range(&self, tile: usize) -> Range<usize> {
        self.edge(tile)..self.edge(tile + 1)
    }

    /// Where tiles begin, and the end, each times `unit`.
    pub(super) fn edges(&self, unit: usize) -> Vec<usize> {
        (0..=self.count).map(|tile| self.edge(tile) * unit).collect()
    }

    fn edge(&self, tile: usize) -> usize {
        match tile == self.count {
            true => self.length,
            false => self.length * tile / self.count / self.unit * self.unit,
        }
    }
}
