//! Filters in place: what a tile reads beyond its own rows and columns, where other tiles will have written results, or beyond the image.
//! It is copied before anything is overwritten: a few rows for each edge between rows of tiles, and a few elements of each row for
//! each edge between columns of tiles. Inside, a tile overwrites a row only after it has read the rows that need it.

use super::beyond::{Beyond, Inside};
use super::filter::Border;
use super::frame::Frame;
use super::parts::Tiles;
use super::pixel::Pixel;
use std::marker::PhantomData;

/// Copies of what lies around the edges of tiles, of an image without gaps between its rows.
pub(super) struct Halos<P> {
    shape: Shape,
    /// First `[edge][kh - 1][elements of a row and what is read around it]`, then `[row][edge][elements of kw - 1 pixels]`.
    /// Not [`crate::buffer::Aligned`], which threads keep for later: the next image's are seldom as many.
    saved: Vec<f32>,
    element: PhantomData<P>,
}

/// Sizes across in bytes: one instance copies pixels of any type.
struct Shape {
    /// The window's rows, and those above its centre.
    rows: [usize; 2],
    /// A pixel.
    pixel: usize,
    /// A row of the image.
    row: usize,
    /// What the window reads around a pixel, and to the left of it.
    around: [usize; 2],
    /// Edges down and across, those of the image among them.
    edges: [Vec<usize>; 2],
    border: Border,
    /// The image's.
    height: usize,
}

impl<P: Pixel> Halos<P> {
    pub(super) fn save(
        frame: Frame,
        border: Border,
        [kh, kw]: [usize; 2],
        [down, across]: [&Tiles; 2],
        image: &[P],
    ) -> Halos<P> {
        let bytes = size_of::<P>();
        let pixel = frame.channels * bytes;
        let shape = Shape {
            rows: [kh, kh / 2],
            pixel,
            row: frame.width * pixel,
            around: [(kw - 1) * pixel, kw / 2 * pixel],
            edges: [down.edges(1), across.edges(bytes)],
            border,
            height: frame.height,
        };
        let mut saved = vec![0.0; shape.len().div_ceil(size_of::<f32>())];
        let floats = &mut saved[..];
        // SAFETY: floats and pixels are numbers, so that all bytes of theirs are, and bytes make them again.
        unsafe {
            let image = std::slice::from_raw_parts(image.as_ptr().cast(), size_of_val(image));
            let target = std::slice::from_raw_parts_mut(floats.as_mut_ptr().cast(), size_of_val(floats));
            shape.save(image, target);
        }
        Halos { shape, saved, element: PhantomData }
    }

    /// Row `y` counted from the edge before row `tile` of tiles, if it was saved; it begins with what lies to the left of the image.
    pub(super) fn row(&self, tile: usize, y: isize) -> Option<&[P]> {
        let Shape { rows: [kh, above], .. } = self.shape;
        let place = usize::try_from(y + above as isize).ok().filter(|place| *place < kh - 1)?;
        let bytes = self.shape.saved_row();
        Some(self.part((tile * (kh - 1) + place) * bytes, bytes))
    }

    /// What a row has to the left of a column of tiles, and to the right of it.
    pub(super) fn beside(&self, y: usize, tile: usize) -> [&[P]; 2] {
        let [around, left] = self.shape.around;
        let start = self.shape.rows_len() + (y * self.shape.edges[1].len() + tile) * around;
        [self.part(start, left), self.part(start + around + left, around - left)]
    }

    /// Saved bytes as what they were.
    fn part(&self, start: usize, bytes: usize) -> &[P] {
        assert!(start + bytes <= self.shape.len());
        // SAFETY: `save` wrote pixels there, whole ones from the first float on.
        unsafe {
            let first = self.saved.as_ptr().cast::<u8>().add(start);
            std::slice::from_raw_parts(first.cast(), bytes / size_of::<P>())
        }
    }
}

impl Shape {
    fn saved_row(&self) -> usize {
        self.row + self.around[0]
    }

    fn rows_len(&self) -> usize {
        self.edges[0].len() * (self.rows[0] - 1) * self.saved_row()
    }

    fn len(&self) -> usize {
        self.rows_len() + self.height * self.edges[1].len() * self.around[0]
    }

    fn save(&self, image: &[u8], target: &mut [u8]) {
        let [kh, above] = self.rows;
        let [around, left] = self.around;
        let (rows, columns) = target[..self.len()].split_at_mut(self.rows_len());
        let source = |y: usize| &image[y * self.row..][..self.row];
        // The window has a row or a column at least, and then nothing is chunked.
        for (slot, saved) in rows.chunks_exact_mut(self.saved_row()).enumerate() {
            let y = (self.edges[0][slot / (kh - 1)] + slot % (kh - 1)) as isize - above as isize;
            match self.border.source(y, self.height) {
                None => saved.fill(0),
                Some(y) => self.copy(source(y), -(left as isize), saved),
            }
        }
        for (slot, saved) in columns.chunks_exact_mut(around.max(1)).enumerate() {
            let (y, edge) = (slot / self.edges[1].len(), slot % self.edges[1].len());
            self.copy(source(y), self.edges[1][edge] as isize - left as isize, saved);
        }
    }

    /// Copies what a row has from `first` on, inside or not.
    fn copy(&self, row: &[u8], first: isize, target: &mut [u8]) {
        let Inside { lead, start, count } = Inside::of(first, target.len(), row.len());
        let (before, rest) = target.split_at_mut(lead);
        let (inside, behind) = rest.split_at_mut(count);
        inside.copy_from_slice(&row[start..][..count]);
        for (first, beyond) in [(first, before), (first + (lead + count) as isize, behind)] {
            let places = Beyond::new(self.border, self.row / self.pixel, self.pixel, first);
            for (element, place) in beyond.iter_mut().zip(places) {
                *element = place.map_or(0, |place| row[place]);
            }
        }
    }
}
