//! The sizes of an image whose channels lie side by side.

use crate::error::Error;
use crate::geometry::MAX_SIDE;

/// The sizes of an image; rows may have a gap behind them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// Interleaved channels, 1 to 4.
    pub channels: usize,
    /// Elements from one row to the next.
    pub row_stride: usize,
}

impl Frame {
    /// A frame without gaps.
    pub fn tight(width: usize, height: usize, channels: usize) -> Frame {
        Frame { width, height, channels, row_stride: width.saturating_mul(channels) }
    }

    /// Refuses a size of zero, one that can't be addressed, and a row that is longer than the stride.
    pub(super) fn check(&self) -> Result<(), Error> {
        let sizes = [(self.width, "width"), (self.height, "height"), (self.channels, "channels")];
        if let Some((_, parameter)) = sizes.into_iter().find(|(size, _)| *size == 0) {
            return Err(Error::Zero { parameter });
        }
        let row = addressable(&[self.width, self.channels]).ok_or(Error::Overflow { parameter: "width" })?;
        addressable(&[self.row_stride.max(row), self.height])
            .ok_or(Error::Overflow { parameter: "height" })?;
        if self.row_stride < row {
            return Err(Error::Length { parameter: "row stride", expected: row, received: self.row_stride });
        }
        Ok(())
    }

    /// Elements of a row.
    pub(super) fn row(&self) -> usize {
        self.width * self.channels
    }

    /// Whether the last channel is alpha: that of two or four.
    pub(super) fn has_alpha(&self) -> bool {
        matches!(self.channels, 2 | 4)
    }

    /// Whether an element of a row is alpha.
    pub(super) fn is_alpha(&self, element: usize) -> bool {
        self.has_alpha() && element % self.channels == self.channels - 1
    }

    /// Refuses memory that does not reach from the first pixel to the last.
    pub(super) fn check_input<P>(&self, input: &[P], parameter: &'static str) -> Result<(), Error> {
        let expected = (self.height - 1) * self.row_stride + self.row();
        if input.len() < expected {
            return Err(Error::Length { parameter, expected, received: input.len() });
        }
        Ok(())
    }
}

/// The product, if it is far from what can be addressed.
pub(super) fn addressable(sizes: &[usize]) -> Option<usize> {
    sizes.iter().try_fold(1usize, |product, size| product.checked_mul(*size)).filter(|n| *n < MAX_SIDE)
}
