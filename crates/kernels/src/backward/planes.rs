//! The gradient of a weight with pixels in lanes: for few channels or many groups, of which no vector could be filled. Each output
//! channel's gradient is multiplied with the input shifted by each tap, vector by vector along the rows; a register tile holds some
//! output channels × taps, and the lanes are added up at the end.

use super::weight::LATENCY;
use crate::buffer::{Aligned, with_scratch};
use crate::conv::padded_rows::PaddedRows;
use crate::geometry::ConvGeometry;
use crate::lanes::{MOST_LANES, fold};
use crate::parallel::Pool;
use crate::registers::{self, TileSizes, at_most, must_hold};
use crate::view::{InputView, OutputView};
use corr2d_simd::{Isa, Kernel, Simd};
use std::ops::Range;

/// Scratch for the input rows of a tile: half of a typical second-level cache.
const SOURCE_FLOATS: usize = 64 * 1024;

/// Enough tiles to keep many threads busy to the end.
const ENOUGH_TILES: usize = 32;

/// The most output channels and taps of a register tile.
const MOST_CHANNELS: usize = 4;
const MOST_TAPS: usize = 9;

fn most_channels(isa: Isa) -> usize {
    registers::vectors(isa.registers())
}

/// The most taps beside so many output channels: sums, gradients and one vector of the input fit the registers.
const TAPS: TileSizes = TileSizes([&[9, 9, 8, 6], &[9, 5], &[7]]);

/// The most taps beside `channels` output channels.
fn most_taps(isa: Isa, channels: usize) -> usize {
    TAPS.most(isa.registers(), channels)
}

/// Estimated time in vector multiply-add issue slots of one image.
pub(super) fn cost(g: &ConvGeometry, isa: Isa) -> f64 {
    let vectors = (g.y.output * g.x.output.div_ceil(isa.lanes())) as f64;
    let channels = g.c_out_group().min(most_channels(isa));
    let taps = g.taps().min(most_taps(isa, channels));
    let slots = (channels * taps).max(LATENCY).max(channels + taps) as f64 / (channels * taps) as f64;
    let copies = g.c_out_group().div_ceil(channels) as f64 * (g.c_in * g.y.input * g.x.input) as f64
        / isa.lanes() as f64;
    let sums = (g.c_out * g.taps()) as f64;
    vectors * sums * slots + 3.0 * copies + 4.0 * sums
}

struct Planes<'a> {
    geometry: &'a ConvGeometry,
    isa: Isa,
    /// Output rows that are gone through at a time.
    band: usize,
    rows: PaddedRows,
    /// Distance of each tap's first element from the start of the rows.
    offsets: Vec<u32>,
    /// Output channels of a tile.
    channels: usize,
}

impl<'a> Planes<'a> {
    fn new(g: &'a ConvGeometry, isa: Isa) -> Planes<'a> {
        let one = PaddedRows::new(g, isa.lanes());
        let band = one.output_rows(SOURCE_FLOATS);
        let rows = one.of_output_rows(band);
        let offsets = rows.tap_offsets();
        Planes { geometry: g, isa, band, rows, offsets, channels: most_channels(isa) }
    }

    /// Sums of a tile, each a vector: `[tap][channel]`.
    fn sums_len(&self) -> usize {
        self.geometry.taps() * self.channels * self.isa.lanes()
    }

    /// Adds what the bands `units`, counted through all images, contribute to the sums of some channels of a group.
    fn tile(
        &self,
        input: &InputView<'_>,
        gradient: &[f32],
        units: Range<usize>,
        group: usize,
        channels: Range<usize>,
        [source, sums]: [&mut [f32]; 2],
    ) {
        let g = self.geometry;
        let lanes = self.isa.lanes();
        let bands = g.y.output.div_ceil(self.band);
        let most = most_taps(self.isa, channels.len());
        let shares = g.taps().div_ceil(most);
        sums.fill(0.0);
        for unit in units {
            let (n, first_row) = (unit / bands, unit % bands * self.band);
            let rows = first_row..g.y.output.min(first_row + self.band);
            self.rows.fill(self.isa, input, n, group, rows.start, rows.len(), source);
            let mut gradients = [std::ptr::null(); MOST_CHANNELS];
            for (t, row) in gradients.iter_mut().enumerate().take(channels.len()) {
                let channel = n * g.c_out + group * g.c_out_group() + channels.start + t;
                *row = &raw const gradient[channel * g.plane() + first_row * g.x.output];
            }
            for share in 0..shares {
                let taps = share * g.taps() / shares..(share + 1) * g.taps() / shares;
                let tile = PlaneTile {
                    offsets: &self.offsets[taps.clone()],
                    source: source.as_ptr(),
                    source_row: g.y.stride * self.rows.line(),
                    gradients,
                    size: [rows.len(), g.x.output],
                    sums: (&raw mut sums[taps.start * channels.len() * lanes]),
                };
                // SAFETY: a tap's vectors lie within the scratch, whose rows are a whole number of vectors and the taps long; the
                // sums of these taps are vectors of their own.
                unsafe { run_tile(self.isa, channels.len(), taps.len(), &tile) };
            }
        }
    }
}

/// Writes the gradient of the weight `[c_out, c_in / groups, kh, kw]` to `target`. Channels are first, `g.batch` is at least 1, and
/// `gradient` is contiguous.
pub(super) fn run(
    g: &ConvGeometry,
    input: &InputView<'_>,
    gradient: &[f32],
    target: &mut [f32],
    isa: Isa,
    pool: &Pool,
    threads: usize,
) {
    let planes = Planes::new(g, isa);
    let blocks = g.c_out_group().div_ceil(planes.channels);
    let units = g.batch * g.y.output.div_ceil(planes.band);
    // Where few tiles would be, parts of the images are summed by themselves.
    let splits = ENOUGH_TILES.div_ceil(g.groups * blocks).min(units);
    let mut partial = Aligned::of(splits * target.len());
    let weight_len = target.len();
    let parts = OutputView::new(partial.as_mut_slice());
    pool.for_each(splits * g.groups * blocks, threads, |tile| {
        let (split, tile) = (tile / (g.groups * blocks), tile % (g.groups * blocks));
        let (group, block) = (tile / blocks, tile % blocks);
        let channels = block * g.c_out_group() / blocks..(block + 1) * g.c_out_group() / blocks;
        let units = split * units / splits..(split + 1) * units / splits;
        with_scratch(planes.rows.len() + planes.sums_len(), |scratch| {
            let (source, sums) = scratch.split_at_mut(planes.rows.len());
            planes.tile(input, gradient, units, group, channels.clone(), [source, sums]);
            let count = g.taps() * channels.len();
            isa.run(AddLanes(&mut sums[..count * isa.lanes()]));
            for (i, sum) in sums[..count].iter().enumerate() {
                let (tap, t) = (i / channels.len(), i % channels.len());
                let channel = group * g.c_out_group() + channels.start + t;
                // SAFETY: these sums of this part are this tile's alone.
                unsafe { *parts.at(split * weight_len + channel * g.taps() + tap) = *sum };
            }
        });
    });
    let (first, others) = partial.as_slice().split_at(weight_len);
    target.copy_from_slice(first);
    for part in others.chunks_exact(weight_len) {
        target.iter_mut().zip(part).for_each(|(sum, value)| *sum += value);
    }
}

/// Replaces vectors by the sums of their lanes, one float each, which come first.
struct AddLanes<'a>(&'a mut [f32]);

impl Kernel for AddLanes<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let count = self.0.len() / S::LANES;
        let start = self.0.as_mut_ptr();
        for first in (0..count).step_by(S::LANES) {
            let mut vectors = [s.splat(0.0); MOST_LANES];
            // SAFETY: these are vectors of the slice, and as many floats, none of which belongs to a vector that follows.
            unsafe {
                for (i, vector) in vectors.iter_mut().enumerate().take(S::LANES.min(count - first)) {
                    *vector = s.load(start.add((first + i) * S::LANES));
                }
                let sums = fold(s, vectors, |a, b| s.add(a, b));
                s.store(start.add(first), sums);
            }
        }
    }
}

/// One register tile. Row `y` of tap `k` is read at `source + y · source_row + offsets[k]`, one element for each of the gradient's.
struct PlaneTile<'a> {
    offsets: &'a [u32],
    source: *const f32,
    source_row: usize,
    /// The first row of each output channel's gradient; rows follow each other.
    gradients: [*const f32; MOST_CHANNELS],
    /// Rows and columns.
    size: [usize; 2],
    /// `[tap][channel]` vectors.
    sums: *mut f32,
}

/// # Safety
/// The elements of every tap and every gradient are readable, and the sums readable and writable, in no other operand's memory.
unsafe fn run_tile(isa: Isa, channels: usize, taps: usize, tile: &PlaneTile<'_>) {
    macro_rules! sizes {
        ($($r:literal)*) => {
            match (channels, taps) {
                $((1, $r) => isa.run(Sized::<1, $r>(tile)),
                (2, $r) => isa.run(Sized::<2, $r>(tile)),
                (3, $r) => isa.run(Sized::<3, $r>(tile)),
                (4, $r) => isa.run(Sized::<4, $r>(tile)),)*
                _ => unreachable!("a tile of {channels} channels and {taps} taps"),
            }
        };
    }
    const { assert!(MOST_TAPS == 9) };
    sizes!(1 2 3 4 5 6 7 8 9);
}

struct Sized<'a, const T: usize, const R: usize>(&'a PlaneTile<'a>);

impl<const T: usize, const R: usize> Kernel for Sized<'_, T, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        must_hold::<S>(R, T);
        at_most(const { TAPS.most(S::REGISTERS, T) }, R);
        let tile = self.0;
        let [rows, columns] = tile.size;
        let whole = columns / S::LANES * S::LANES;
        let rest = columns - whole;
        // SAFETY: all accesses are those that `run_tile` asks its caller to allow.
        unsafe {
            let mut sums = [[s.splat(0.0); T]; R];
            for (r, sums) in sums.iter_mut().enumerate() {
                for (t, sum) in sums.iter_mut().enumerate() {
                    *sum = s.load(tile.sums.add((r * T + t) * S::LANES));
                }
            }
            let mut taps = [tile.source; R];
            for (tap, offset) in taps.iter_mut().zip(tile.offsets) {
                *tap = tap.add(*offset as usize);
            }
            for y in 0..rows {
                let (source_row, gradient_row) = (y * tile.source_row, y * columns);
                for x in (0..whole).step_by(S::LANES) {
                    let mut gradients = [s.splat(0.0); T];
                    for (t, gradient) in gradients.iter_mut().enumerate() {
                        *gradient = s.load(tile.gradients[t].add(gradient_row + x));
                    }
                    for (r, sums) in sums.iter_mut().enumerate() {
                        let elements = s.load(taps[r].add(source_row + x));
                        for t in 0..T {
                            sums[t] = s.mul_add(elements, gradients[t], sums[t]);
                        }
                    }
                }
                if rest > 0 {
                    // What lies beyond the row may be infinite, so it isn't left to be multiplied by zeros.
                    let mut gradients = [s.splat(0.0); T];
                    for (t, gradient) in gradients.iter_mut().enumerate() {
                        *gradient = s.load_first(tile.gradients[t].add(gradient_row + whole), rest);
                    }
                    for (r, sums) in sums.iter_mut().enumerate() {
                        let elements = s.load_first(taps[r].add(source_row + whole), rest);
                        for t in 0..T {
                            sums[t] = s.mul_add(elements, gradients[t], sums[t]);
                        }
                    }
                }
            }
            for (r, sums) in sums.iter().enumerate() {
                for (t, sum) in sums.iter().enumerate() {
                    s.store(tile.sums.add((r * T + t) * S::LANES), *sum);
                }
            }
        }
    }
}
