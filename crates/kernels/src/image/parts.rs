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

/// What is done next where rows are kept until all results that read them are there.
pub(super) enum Step {
    /// The row `i` is loaded, counted from the first one that is read.
    Load(usize),
    /// The results of a block of rows from this one on are computed.
    Compute(usize),
}

/// The steps to `rows` of results in blocks of `block`, each of which reads `slots` rows from its first on. The last block is shifted
/// back where rows do not divide.
pub(super) fn steps(rows: usize, block: usize, slots: usize) -> impl Iterator<Item = Step> {
    let mut loaded = 0;
    let blocks = (0..rows).step_by(block).map(move |row| row.min(rows.saturating_sub(block)));
    blocks.flat_map(move |first| {
        let missing = loaded..first + slots;
        loaded = first + slots;
        missing.map(Step::Load).chain([Step::Compute(first)])
    })
}
