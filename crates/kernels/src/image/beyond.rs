//! Where the elements of a row come from that lie beyond the image: the border is asked once for each pixel.

use super::filter::Border;

/// The places in a row of `width` pixels of those elements that follow each other from `first` on, inside or not; none where they are
/// zero.
pub(super) struct Beyond {
    border: Border,
    width: usize,
    channels: usize,
    x: isize,
    channel: usize,
    pixel: Option<usize>,
}

impl Beyond {
    pub(super) fn new(border: Border, width: usize, channels: usize, first: isize) -> Beyond {
        let (x, channel) = (first.div_euclid(channels as isize), first.rem_euclid(channels as isize));
        let mut beyond = Beyond { border, width, channels, x, channel: channel as usize, pixel: None };
        beyond.ask();
        beyond
    }

    #[inline(never)]
    fn ask(&mut self) {
        self.pixel = self.border.source(self.x, self.width);
    }
}

impl Iterator for Beyond {
    type Item = Option<usize>;

    #[inline]
    fn next(&mut self) -> Option<Option<usize>> {
        let element = self.pixel.map(|x| x * self.channels + self.channel);
        self.channel += 1;
        if self.channel == self.channels {
            (self.x, self.channel) = (self.x + 1, 0);
            self.ask();
        }
        Some(element)
    }
}

/// The elements of a padded row that lie inside the image.
pub(super) struct Inside {
    /// Those before them.
    pub(super) lead: usize,
    /// The place of the first one in the image's row.
    pub(super) start: usize,
    /// Their number.
    pub(super) count: usize,
}

impl Inside {
    /// Of `count` elements from the place `first` of a row of `length` elements on.
    pub(super) fn of(first: isize, count: usize, length: usize) -> Inside {
        let lead = ((-first).max(0) as usize).min(count);
        let start = (first + lead as isize) as usize;
        Inside { lead, start: start.min(length), count: length.saturating_sub(start).min(count - lead) }
    }
}
