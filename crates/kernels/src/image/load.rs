//! Rows of pixels become rows of floats, with what the window reads around them: from an image of its own, or from the place of the
//! results.

use super::beyond::{Beyond, Inside};
use super::filter::Border;
use super::frame::Frame;
use super::halos::Halos;
use super::light::Light;
use super::parts::Part;
use super::pixel::{Pixel, to_floats};
use super::target::Target;
use corr2d_simd::Isa;

/// Where a part's pixels come from.
#[derive(Clone, Copy)]
pub(super) enum Source<'a, P> {
    /// An image of its own.
    Apart(&'a [P]),
    /// The place of the results; with the tile's row and column.
    InPlace(&'a Halos<P>, [usize; 2]),
}

/// What a loaded row consists of.
pub(super) trait Lane<P>: Copy {
    /// Beyond the image, where nothing else is.
    const ZERO: Self;

    /// A pixel as an element; some are [`Light`], of which bytes know nothing.
    fn of(pixel: P, light: Option<&Light>) -> Self;

    /// The same for a run of pixels; others are asked for meanwhile.
    fn convert(isa: Isa, source: &[P], later: &[P], target: &mut [Self]);
}

impl<P: Pixel> Lane<P> for f32 {
    const ZERO: f32 = 0.0;

    fn of(pixel: P, light: Option<&Light>) -> f32 {
        light.map_or_else(|| pixel.to_float(), |light| light.decode(pixel))
    }

    fn convert(isa: Isa, source: &[P], later: &[P], target: &mut [f32]) {
        to_floats(isa, source, later, target);
    }
}

impl Lane<u8> for u8 {
    const ZERO: u8 = 0;

    fn of(pixel: u8, _: Option<&Light>) -> u8 {
        pixel
    }

    fn convert(_: Isa, source: &[u8], _: &[u8], target: &mut [u8]) {
        target.copy_from_slice(source);
    }
}

/// How many rows before it is converted a part's row is asked for.
const ROWS_AHEAD: isize = 4;

/// Loads the rows of a part.
pub(super) struct Loader<'a, P> {
    pub(super) isa: Isa,
    pub(super) frame: &'a Frame,
    pub(super) border: Border,
    pub(super) window: [usize; 2],
    pub(super) part: &'a Part,
    pub(super) source: Source<'a, P>,
    /// Of the results.
    pub(super) target: &'a Target<P>,
    pub(super) light: Option<&'a Light>,
    /// Whether rows that are loaded later are asked for here.
    pub(super) asks_ahead: bool,
}

impl<P: Pixel> Loader<'_, P> {
    /// Fills a padded row: row `y` of the image or beyond it.
    pub(super) fn load<L: Lane<P>>(&self, y: isize, line: &mut [L]) {
        // Elements that a result has as a tap; those behind them are read and dropped.
        let (line, rest) = line.split_at_mut(self.part.columns.len() + self.around());
        rest.fill(L::ZERO);
        match self.source {
            Source::InPlace(halos, tile) if P::MOST.is_some() => self.load_own(halos, tile, y, line),
            Source::InPlace(..) => unreachable!("floats are filtered apart"),
            Source::Apart(image) => self.load_apart(image, y, line),
        }
    }

    /// The row of the image, or beyond it, that is loaded as the part's row `i`.
    pub(super) fn position(&self, i: usize) -> isize {
        (self.part.rows.start + i) as isize - (self.window[0] / 2) as isize
    }

    /// The part's results of row `y`.
    ///
    /// # Safety
    /// The row is the part's, parts are disjoint, and nothing else of the row is borrowed meanwhile.
    #[allow(clippy::mut_from_ref, reason = "the caller promises that nothing else is borrowed")]
    pub(super) unsafe fn result(&self, y: usize) -> &mut [P] {
        let columns = &self.part.columns;
        // SAFETY: the caller's promise; the output's length was checked.
        unsafe { self.target.part(y * self.frame.row() + columns.start, columns.len()) }
    }

    /// Where the part's pixels of row `y`, or of the row that is taken for it, begin: to be asked for.
    pub(super) fn place(&self, y: isize) -> *const P {
        let pixels = match self.source {
            Source::Apart(image) => image.as_ptr(),
            Source::InPlace(..) => self.target.start(),
        };
        let y = self.border.source(y, self.frame.height).unwrap_or(0);
        pixels.wrapping_add(y * self.frame.row_stride + self.part.columns.start)
    }

    /// Elements that the window reads around one.
    fn around(&self) -> usize {
        (self.window[1] - 1) * self.frame.channels
    }

    /// From the part's own pixels, and what was saved of the others.
    fn load_own<L: Lane<P>>(&self, halos: &Halos<P>, [down, across]: [usize; 2], y: isize, line: &mut [L]) {
        let Part { rows, columns } = self.part;
        let (start, end) = (rows.start as isize, rows.end as isize);
        if y < start || y >= end {
            let (tile, edge) = if y < start { (down, start) } else { (down + 1, end) };
            return match halos.row(tile, y - edge) {
                Some(saved) => L::convert(self.isa, &saved[columns.start..][..line.len()], &[], line),
                // Only rows of results beyond the part read it, which are not stored.
                None => line.fill(L::ZERO),
            };
        }
        let [left, right] = halos.beside(y as usize, across);
        // SAFETY: parts are disjoint, and nothing of this one is borrowed when its rows are read.
        let own = |y: isize| unsafe {
            &*self.target.part(y as usize * self.frame.row() + columns.start, columns.len())
        };
        let later = y + ROWS_AHEAD;
        let later = if self.asks_ahead && later < end { own(later) } else { &[] };
        let (before, line) = line.split_at_mut(left.len());
        let (inside, behind) = line.split_at_mut(columns.len());
        L::convert(self.isa, left, &[], before);
        L::convert(self.isa, own(y), later, inside);
        L::convert(self.isa, right, &[], behind);
    }

    fn load_apart<L: Lane<P>>(&self, image: &[P], y: isize, line: &mut [L]) {
        let row = |y: isize| {
            let y = self.border.source(y, self.frame.height)?;
            Some(&image[y * self.frame.row_stride..][..self.frame.row()])
        };
        let later = if self.asks_ahead { row(y + ROWS_AHEAD) } else { None };
        let Some(row) = row(y) else { return line.fill(L::ZERO) };
        let first = self.part.columns.start as isize - (self.window[1] / 2 * self.frame.channels) as isize;
        let Inside { lead, start, count } = Inside::of(first, line.len(), row.len());
        let end = lead + count;
        let inside = &row[start..][..count];
        match self.light {
            None => {
                let later = later.map_or(&[][..], |later| &later[start..][..count]);
                L::convert(self.isa, inside, later, &mut line[lead..end]);
            }
            Some(_) => (0..count).for_each(|i| line[lead + i] = self.sample(row, start + i)),
        }
        self.load_beyond(row, first, &mut line[..lead]);
        self.load_beyond(row, first + end as isize, &mut line[end..]);
    }

    /// Fills a part of a padded row that lies beyond the image, from the element `first` of its row on.
    #[inline(never)]
    fn load_beyond<L: Lane<P>>(&self, row: &[P], first: isize, line: &mut [L]) {
        let places = Beyond::new(self.border, self.frame.width, self.frame.channels, first);
        for (element, place) in line.iter_mut().zip(places) {
            *element = place.map_or(L::ZERO, |place| self.sample(row, place));
        }
    }

    /// An element of a row as it is filtered.
    fn sample<L: Lane<P>>(&self, row: &[P], i: usize) -> L {
        L::of(row[i], self.light.filter(|_| !self.frame.is_alpha(i)))
    }
}
