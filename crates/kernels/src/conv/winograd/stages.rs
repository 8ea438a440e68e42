//! The two stages around the matrix products, with channels in lanes: pixels to products' operands, and products to pixels.

use super::transform::Transform;
use corr2d_simd::{Isa, Kernel, Simd};
use std::marker::PhantomData;
use std::mem::MaybeUninit;

/// Transforms the input of some tiles: `Bᵀ·d·B` of every channel.
#[derive(Clone, Copy)]
pub(super) struct InputStage<'a> {
    /// First pixel of the first tile's row of tiles. Where the channels are no whole vectors, what follows them is transformed too, and
    /// nobody reads it.
    pub(super) source: *const f32,
    /// Floats from one input row of a tile to the next.
    pub(super) row: usize,
    /// Floats from one input pixel of a tile to the next.
    pub(super) pixel: usize,
    /// Floats from `source` to each tile's first pixel.
    pub(super) starts: &'a [usize],
    pub(super) channels: usize,
    /// Where the first element of the first tile goes.
    pub(super) target: *mut f32,
    /// Floats from one element to the next.
    pub(super) element: usize,
    /// Floats from one tile to the next: the channels, whole vectors.
    pub(super) tile: usize,
}

impl InputStage<'_> {
    /// By the transform `T`.
    pub(super) fn run<T: Transform<N, M>, const N: usize, const M: usize>(self, isa: Isa) {
        isa.run(Input::<T, N, M>(self, PhantomData));
    }
}

struct Input<'a, T, const N: usize, const M: usize>(InputStage<'a>, PhantomData<T>);

impl<T: Transform<N, M>, const N: usize, const M: usize> Kernel for Input<'_, T, N, M> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let stage = self.0;
        for (t, start) in stage.starts.iter().enumerate() {
            for channel in (0..stage.channels).step_by(S::LANES) {
                // SAFETY: the caller gives a source with whole vectors of channels at every pixel of every tile, and a target with
                // `tile` floats, whole vectors of channels, for every element of every tile.
                unsafe {
                    let source = stage.source.add(start + channel);
                    self.vector(s, source, stage.target.add(t * stage.tile + channel));
                }
            }
        }
    }
}

impl<T: Transform<N, M>, const N: usize, const M: usize> Input<'_, T, N, M> {
    /// # Safety
    /// A vector is readable at every pixel, and writable at every element.
    #[inline(always)]
    unsafe fn vector<S: Simd>(&self, s: S, source: *const f32, target: *mut f32) {
        // So many vectors are memory, which to clear for each tile would take a while.
        let mut columns = [MaybeUninit::<[S::V; N]>::uninit(); N];
        for (x, column) in columns.iter_mut().enumerate() {
            let mut pixels = [s.splat(0.0); N];
            for (y, pixel) in pixels.iter_mut().enumerate() {
                // SAFETY: the caller's promise.
                *pixel = unsafe { s.load(source.add(y * self.0.row + x * self.0.pixel)) };
            }
            column.write(T::input(s, pixels));
        }
        for y in 0..N {
            let mut row = [s.splat(0.0); N];
            for (element, column) in row.iter_mut().zip(&columns) {
                // SAFETY: every column was written above.
                *element = unsafe { column.assume_init_ref()[y] };
            }
            for (x, element) in T::input(s, row).into_iter().enumerate() {
                // SAFETY: the caller's promise.
                unsafe { s.store(target.add((y * N + x) * self.0.element), element) };
            }
        }
    }
}

/// Transforms one tile's products of one block of channels: `Aᵀ·m·A`, the bias, the activation.
#[derive(Clone, Copy)]
pub(super) struct OutputStage {
    /// First channel of the first element.
    pub(super) source: *const f32,
    /// Floats from one element to the next.
    pub(super) element: usize,
    /// A bias for each channel, whole vectors.
    pub(super) bias: *const f32,
    /// First channel of the first pixel.
    pub(super) target: *mut f32,
    /// Floats from one output row of the tile to the next.
    pub(super) row: usize,
    /// Floats from one output pixel of the tile to the next.
    pub(super) pixel: usize,
    /// Rows and pixels that exist.
    pub(super) inside: [usize; 2],
    pub(super) channels: usize,
}

impl OutputStage {
    /// By the transform `T`.
    pub(super) fn run<T: Transform<N, M>, const N: usize, const M: usize>(self, isa: Isa) {
        isa.run(Output::<T, N, M>(self, PhantomData));
    }
}

struct Output<T, const N: usize, const M: usize>(OutputStage, PhantomData<T>);

impl<T: Transform<N, M>, const N: usize, const M: usize> Kernel for Output<T, N, M> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let stage = self.0;
        for channel in (0..stage.channels).step_by(S::LANES) {
            // As in the input stage.
            let mut columns = [MaybeUninit::<[S::V; M]>::uninit(); N];
            for (x, column) in columns.iter_mut().enumerate() {
                let mut products = [s.splat(0.0); N];
                for (y, product) in products.iter_mut().enumerate() {
                    // SAFETY: the caller gives whole vectors of channels for every element.
                    *product = unsafe { s.load(stage.source.add((y * N + x) * stage.element + channel)) };
                }
                column.write(T::output(s, products));
            }
            // SAFETY: bias is given for whole vectors of channels.
            let bias = unsafe { s.load(stage.bias.add(channel)) };
            let count = S::LANES.min(stage.channels - channel);
            for y in 0..M {
                if y >= stage.inside[0] {
                    break;
                }
                let mut row = [s.splat(0.0); N];
                for (product, column) in row.iter_mut().zip(&columns) {
                    // SAFETY: every column was written above.
                    *product = unsafe { column.assume_init_ref()[y] };
                }
                for (x, output) in T::output(s, row).into_iter().enumerate() {
                    if x < stage.inside[1] {
                        // SAFETY: the caller gives a target with `channels` floats at each of the pixels inside.
                        unsafe {
                            let target = stage.target.add(y * stage.row + x * stage.pixel + channel);
                            s.store_first(target, s.add(output, bias), count);
                        }
                    }
                }
            }
        }
    }
}
