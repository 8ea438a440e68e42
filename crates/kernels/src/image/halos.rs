//! Filters in place: what a tile reads beyond its own rows and columns, where other tiles will have written results, or beyond the image.
//! It is copied before anything is overwritten: a few rows for each edge between rows of tiles, and a few elements of each row for
//! each edge between columns of tiles. Inside, a tile overwrites a row only after it has read the rows that need it.

use super::filter::Border;
use super::frame::Frame;
use super::parts::Tiles;
use super::pixel::Pixel;

/// Copies of what lies around the edges of tiles, of an image without gaps between its rows.
pub(super) struct Halos<P> {
    frame: Frame,
    window: [usize; 2],
    /// `[edge][kh - 1][elements of a row and what is read around it]`
    rows: Vec<P>,
    /// `[row][edge][elements of kw - 1 pixels]`
    columns: Vec<P>,
    /// Edges between columns, those of the image among them.
    edges: usize,
}

impl<P: Pixel> Halos<P> {
    pub(super) fn save(
        frame: Frame,
        border: Border,
        window: [usize; 2],
        [down, across]: [&Tiles; 2],
        image: &[P],
    ) -> Halos<P> {
        let [kh, kw] = window;
        let row = frame.row();
        let (lead, around) = (kw / 2 * frame.channels, (kw - 1) * frame.channels);
        let mut rows = Vec::with_capacity((down.count + 1) * (kh - 1) * (row + around));
        let ends = |tiles: &Tiles| (0..=tiles.count).map(|tile| tiles.edge(tile)).collect::<Vec<_>>();
        for edge in ends(down) {
            for y in (edge..edge + kh - 1).map(|y| y as isize - (kh / 2) as isize) {
                match border.source(y, frame.height) {
                    None => rows.resize(rows.len() + row + around, P::default()),
                    Some(y) => {
                        let source = &image[y * row..][..row];
                        let beyond = |rows: &mut Vec<P>, first, count| {
                            rows.extend((0..count).map(|i| at(&frame, border, source, first + i as isize)));
                        };
                        beyond(&mut rows, -(lead as isize), lead);
                        rows.extend_from_slice(source);
                        beyond(&mut rows, row as isize, around - lead);
                    }
                }
            }
        }
        let edges = ends(across);
        let mut columns = Vec::with_capacity(frame.height * edges.len() * around);
        for source in image.chunks_exact(row) {
            for edge in &edges {
                match edge.checked_sub(lead).and_then(|first| source.get(first..first + around)) {
                    Some(inside) => columns.extend_from_slice(inside),
                    None => columns.extend(
                        (0..around).map(|i| at(&frame, border, source, (edge + i) as isize - lead as isize)),
                    ),
                }
            }
        }
        Halos { frame, window, rows, columns, edges: edges.len() }
    }

    /// Row `y` counted from the edge before row `tile` of tiles, if it was saved; it begins with what lies to the left of the image.
    pub(super) fn row(&self, tile: usize, y: isize) -> Option<&[P]> {
        let [kh, kw] = self.window;
        let columns = self.frame.row() + (kw - 1) * self.frame.channels;
        let place = usize::try_from(y + (kh / 2) as isize).ok().filter(|place| *place < kh - 1)?;
        Some(&self.rows[(tile * (kh - 1) + place) * columns..][..columns])
    }

    /// What a row has to the left of a column of tiles, and to the right of it.
    pub(super) fn beside(&self, y: usize, tile: usize) -> [&[P]; 2] {
        let (lead, around) =
            (self.window[1] / 2 * self.frame.channels, (self.window[1] - 1) * self.frame.channels);
        let start = (y * self.edges + tile) * around;
        [&self.columns[start..][..lead], &self.columns[start + around + lead..][..around - lead]]
    }
}

/// The element that a row has at `place`, inside or not.
fn at<P: Pixel>(frame: &Frame, border: Border, row: &[P], place: isize) -> P {
    let channels = frame.channels as isize;
    let channel = place.rem_euclid(channels) as usize;
    let pixel = border.source(place.div_euclid(channels), frame.width);
    pixel.map_or(P::default(), |x| row[x * frame.channels + channel])
}
