//! The gradient of a bias: the sum of each output channel's gradient.

use crate::geometry::ChannelOrder;
use crate::lanes::MOST_LANES;
use crate::parallel::Pool;
use crate::view::OutputView;
use corr2d_simd::{Isa, Kernel, Simd};

/// Channels of a tile where they are last: each of its rows is some cache lines.
const BLOCK: usize = 64;

/// Writes the sums of a contiguous gradient `[n, plane of each channel]`, or `[n, pixels of all channels]`, to `target`, one for each
/// channel.
pub(super) fn run(
    order: ChannelOrder,
    images: usize,
    gradient: &[f32],
    target: &mut [f32],
    isa: Isa,
    pool: &Pool,
    threads: usize,
) {
    if images == 0 {
        target.fill(0.0);
        return;
    }
    let channels = target.len();
    let plane = gradient.len() / images / channels;
    let target = OutputView::new(target);
    let images = || gradient.chunks_exact(channels * plane);
    match order {
        ChannelOrder::First => pool.for_each(channels, threads, |o| {
            let planes = images().map(|image| &image[o * plane..][..plane]);
            let sum: f64 = planes.map(|plane| isa.run(Sum { elements: plane })).sum();
            // SAFETY: this channel is this tile's.
            unsafe { *target.at(o) = sum as f32 };
        }),
        ChannelOrder::Last => pool.for_each(channels.div_ceil(BLOCK), threads, |block| {
            let of_block = block * BLOCK..channels.min((block + 1) * BLOCK);
            let mut sums = [0.0f64; BLOCK];
            for image in images() {
                let mut image_sums = [0.0f32; BLOCK];
                for pixel in image.chunks_exact(channels) {
                    image_sums
                        .iter_mut()
                        .zip(&pixel[of_block.clone()])
                        .for_each(|(sum, value)| *sum += value);
                }
                sums.iter_mut().zip(image_sums).for_each(|(sum, value)| *sum += f64::from(value));
            }
            for (o, sum) in of_block.zip(sums) {
                // SAFETY: these channels are this tile's.
                unsafe { *target.at(o) = sum as f32 };
            }
        }),
    }
}

struct Sum<'a> {
    elements: &'a [f32],
}

impl Kernel for Sum<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f64 {
        const CHAINS: usize = 4;
        let mut sums = [s.splat(0.0); CHAINS];
        for chunk in self.elements.chunks(CHAINS * S::LANES) {
            for (sum, vector) in sums.iter_mut().zip(chunk.chunks(S::LANES)) {
                // SAFETY: that many elements are left.
                *sum = s.add(*sum, unsafe { s.load_first(vector.as_ptr(), vector.len()) });
            }
        }
        let [a, b, c, d] = sums;
        let mut lanes = [0.0; MOST_LANES];
        // SAFETY: no vector has more lanes.
        unsafe { s.store(lanes.as_mut_ptr(), s.add(s.add(a, b), s.add(c, d))) };
        lanes.map(f64::from).into_iter().sum()
    }
}
