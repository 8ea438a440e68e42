//! Borrowed memory with a shape: what a run reads and where its tiles write.

use crate::buffer::Aligned;
use crate::conv::Layout;
use crate::error::Error;
use crate::geometry::ChannelOrder;
use crate::pages::prefer_large;
use std::marker::PhantomData;
use std::ops::Range;

/// A view of a buffer as a tensor of four axes, the last one contiguous; strides are in elements. The names of the axes are those of
/// `[n, c, h, w]`; with channels last they are `[n, h, w, c]`.
#[derive(Clone, Copy)]
pub struct InputView<'a> {
    start: *const f32,
    strides: [usize; 3],
    memory: PhantomData<&'a [f32]>,
}

// SAFETY: the view stands for a shared slice, which may be read from any thread.
unsafe impl Send for InputView<'_> {}
// SAFETY: as above.
unsafe impl Sync for InputView<'_> {}

impl<'a> InputView<'a> {
    /// A view of `data` starting at element `offset`, with strides for batch, channel and row. Every element of `shape` must lie
    /// inside the buffer. Strides may overlap (broadcasting is a stride of 0).
    pub fn new(
        data: &'a [f32],
        offset: usize,
        strides: [usize; 3],
        shape: [usize; 4],
    ) -> Result<Self, Error> {
        let [n, c, h, w] = shape;
        let end = if [n, c, h, w].contains(&0) {
            Some(offset)
        } else {
            [(n, strides[0]), (c, strides[1]), (h, strides[2])]
                .iter()
                .try_fold(offset, |end, (size, stride)| (size - 1).checked_mul(*stride)?.checked_add(end))
                .and_then(|last| last.checked_add(w))
        };
        match end {
            Some(end) if end <= data.len() => {
                // SAFETY: `offset <= end <= data.len()`.
                let start = unsafe { data.as_ptr().add(offset) };
                Ok(InputView { start, strides, memory: PhantomData })
            }
            end => Err(Error::ViewOutside {
                parameter: "x",
                expected: end.unwrap_or(usize::MAX),
                received: data.len(),
            }),
        }
    }

    /// A view of the whole of `data`, which must have exactly the elements of `shape`.
    pub fn contiguous(data: &'a [f32], shape: [usize; 4]) -> Result<Self, Error> {
        let [_, c, h, w] = shape;
        let expected = shape.iter().try_fold(1usize, |n, size| n.checked_mul(*size)).unwrap_or(usize::MAX);
        if data.len() != expected {
            return Err(Error::Length { parameter: "x", expected, received: data.len() });
        }
        InputView::new(data, 0, [c * h * w, h * w, w], shape)
    }

    /// The first element of a row; with channels last, of a pixel: `[n, y, x]`.
    #[inline(always)]
    pub(crate) fn row(&self, n: usize, c: usize, y: usize) -> *const f32 {
        self.start.wrapping_add(n * self.strides[0] + c * self.strides[1] + y * self.strides[2])
    }

    /// What follows from image `n`, row `y` and column `x` on.
    pub(crate) fn at_pixel(&self, order: ChannelOrder, n: usize, [y, x]: [usize; 2]) -> InputView<'a> {
        let [image, second, third] = self.strides;
        let elements = match order {
            ChannelOrder::First => n * image + y * third + x,
            ChannelOrder::Last => n * image + y * second + x * third,
        };
        InputView { start: self.start.wrapping_add(elements), ..*self }
    }

    /// Elements from one plane to the next.
    #[inline(always)]
    pub(crate) fn plane_stride(&self) -> usize {
        self.strides[1]
    }

    /// Elements from one row to the next.
    #[inline(always)]
    pub(crate) fn row_stride(&self) -> usize {
        self.strides[2]
    }
}

/// The elements of a view without gaps, in memory that is kept from copy to copy (see [`Aligned`]). It reads exactly the view.
pub fn copied(data: &[f32], layout: Option<Layout>, shape: [usize; 4]) -> Result<Aligned, Error> {
    let view = match layout {
        Some(Layout { offset, strides }) => InputView::new(data, offset, strides, shape)?,
        None => InputView::contiguous(data, shape)?,
    };
    let [n, c, h, w] = shape;
    let is_dense = view.strides[1..] == [h * w, w] && (n == 1 || view.strides[0] == c * h * w);
    let line = if is_dense { n * c * h * w } else { w };
    let lines = (0..(n * c * h * w) / line.max(1)).map(|i| {
        let source = view.row(i / (c * h), i / h % c, i % h);
        // SAFETY: the view's rows, or all of it without gaps, are readable.
        unsafe { std::slice::from_raw_parts(source, line) }
    });
    Ok(Aligned::of_pieces(n * c * h * w, lines))
}

/// An output that several threads fill, each its own elements.
#[derive(Clone, Copy)]
pub(crate) struct OutputView<'a, T = f32> {
    start: *mut T,
    memory: PhantomData<&'a mut [T]>,
}

// SAFETY: tiles write disjoint elements, which every `run_tile` promises.
unsafe impl<T: Send> Send for OutputView<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for OutputView<'_, T> {}

impl<'a, T> OutputView<'a, T> {
    /// All of an output. Large memory that nobody has touched will be backed by large pages: a page fault costs more than the
    /// computation of what is on a small page.
    pub(crate) fn new(output: &'a mut [T]) -> Self {
        prefer_large(output.as_mut_ptr().cast(), size_of_val(output));
        OutputView { start: output.as_mut_ptr(), memory: PhantomData }
    }

    /// What follows from `element` on.
    pub(crate) fn from(&self, element: usize) -> Self {
        OutputView { start: self.at(element), memory: PhantomData }
    }

    #[inline(always)]
    pub(crate) fn at(&self, element: usize) -> *mut T {
        self.start.wrapping_add(element)
    }
}

/// Refuses an output that shares memory with an input.
pub fn check_overlap<A, B>(output: &[A], input: &[B], parameter: &'static str) -> Result<(), Error> {
    let (out, inp): (Range<_>, Range<_>) = (output.as_ptr_range(), input.as_ptr_range());
    let (out, inp) = (out.start as usize..out.end as usize, inp.start as usize..inp.end as usize);
    if out.start < inp.end && inp.start < out.end { Err(Error::Overlap { parameter }) } else { Ok(()) }
}
