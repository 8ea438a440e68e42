//! `fft`: one input channel for each output, stride 1, and a kernel so large that the products of spectra are fewer than its taps.
//! Overlap and save: the plane in tiles whose windows overlap by the kernel, each transformed, multiplied by the kernel's spectrum
//! and transformed back; what the circle has wrapped is dropped. As the kernel is real, two tiles go through as the parts of one complex
//! tile. Columns are transformed where they lie; rows as the columns of a few transposed rows at a time, which never leave the caches
//! until their product has been taken back.
//!
//! A tile whose elements are not finite or close to overflow, or whose sums are of small integers, is correlated directly.

mod survey;
mod transform;

use super::activation::{Activation, Stored};
use super::explain::{Lanes, RegisterTile};
use super::registry::{Accuracy, Algorithm, PackedConv, Problem};
use super::source::RowCopy;
use super::strip::{Filter, Target, pack_passes};
use super::swap_axes::SwapAxes;
use crate::buffer::Aligned;
use crate::geometry::{ChannelOrder, ConvGeometry};
use crate::view::{InputView, OutputView};
use corr2d_simd::{Isa, Kernel, Simd};
use survey::survey;
use transform::{Columns, Roots, turned};

pub(super) const ALGORITHM: Algorithm = Algorithm {
    name: "fft",
    supports,
    cost,
    packing: 300.0,
    // With u = ε/2, each of the 16 halvings of a transform errs by 6.7 u at most (Higham, section 24.1), the three transforms of tile,
    // kernel and product by 322 u · ‖x‖₂ · ‖w‖₂; a pair of tiles has ‖x‖₂ ≤ 363 · max|x|, a kernel ‖w‖₂ ≤ √n · max|w|. Divided by
    // (n + 1) · n for the fewest taps.
    accuracy: Accuracy::Transformed { amplification: 500.0, exact: true },
    packs_by_tap: false,
    pack,
};

/// Sides of a tile.
const SIDES: [usize; 2] = [64, 256];

/// Fewer taps are summed faster, and as exactly.
const FEWEST_TAPS: usize = 25;

/// Floats of all spectra: 32 MiB.
const MOST_SPECTRA: usize = 8 << 20;

/// Rows that are transposed at a time, floats of a cache line.
const GROUP: usize = 16;

/// What a transform may make of an element and of a kernel's weight, at most, and what floats can't hold.
const GROWTH: f32 = 2e5;

/// From here on not every integer is a float.
const EXACT: f32 = (1 << 24) as f32;

/// How a plane is cut.
#[derive(Clone, Copy)]
struct Tiling {
    /// Rows and columns of a tile.
    size: [usize; 2],
    /// Those of them that become output.
    valid: [usize; 2],
    /// Tiles down and across.
    count: [usize; 2],
}

impl Tiling {
    /// The tiling of the least cost; none where the kernel is too large for a tile.
    #[inline(never)]
    fn best(g: &ConvGeometry) -> Option<Tiling> {
        let mut best: Option<Tiling> = None;
        for index in 0..SIDES.len() * SIDES.len() {
            let size = [SIDES[index / SIDES.len()], SIDES[index % SIDES.len()]];
            // Half a tile at least is output.
            if 2 * (g.y.span() - 1) > size[0] || 2 * (g.x.span() - 1) > size[1] {
                continue;
            }
            let valid = [size[0] + 1 - g.y.span(), size[1] + 1 - g.x.span()];
            let count = [g.y.output.div_ceil(valid[0]), g.x.output.div_ceil(valid[1])];
            let tiling = Tiling { size, valid, count };
            // The same for all instruction sets, as an instruction set's registers change little.
            if best.is_none_or(|best| tiling.slots(GROUP) < best.slots(GROUP)) {
                best = Some(tiling);
            }
        }
        best
    }

    /// Tiles that go through together.
    fn pairs(&self) -> usize {
        (self.count[0] * self.count[1]).div_ceil(2)
    }

    /// Issue slots of all pairs.
    fn slots(&self, lanes: usize) -> f64 {
        let [rows, columns] = self.size;
        let halvings = f64::from((rows * columns).trailing_zeros());
        let pair = (rows * columns / lanes) as f64 * (11.5 * halvings + 30.0) + 700.0 * rows as f64;
        self.pairs() as f64 * pair
    }

    /// Floats from one row of a tile to the next: as many more that rows do not compete for the same places of a cache.
    fn stride(&self) -> usize {
        self.size[1] + GROUP
    }

    /// Floats of a tile, and of the group of its rows that is transposed; both for one part.
    fn floats(&self) -> [usize; 2] {
        [self.size[0] * self.stride(), self.size[1] * GROUP]
    }

    /// Floats of a spectrum, both parts.
    fn spectrum(&self) -> usize {
        2 * self.size[0] * self.size[1]
    }

    /// Rows and columns of the output that a tile computes, and where they start.
    fn output(&self, g: &ConvGeometry, tile: usize) -> ([usize; 2], [usize; 2]) {
        let place = [tile / self.count[1], tile % self.count[1]];
        let first = [place[0] * self.valid[0], place[1] * self.valid[1]];
        let size = [self.valid[0].min(g.y.output - first[0]), self.valid[1].min(g.x.output - first[1])];
        (first, size)
    }
}

fn supports(g: &ConvGeometry) -> bool {
    g.order == ChannelOrder::First
        && g.c_in_group() == 1
        && [g.y.stride, g.x.stride] == [1, 1]
        // The direct method, for tiles that are no matter of a spectrum, takes rows next to each other.
        && g.y.dilation == 1
        && g.taps() >= FEWEST_TAPS
        && Tiling::best(g).is_some_and(|tiling| g.c_out * tiling.spectrum() <= MOST_SPECTRA)
}

fn cost(g: &ConvGeometry, isa: Isa) -> f64 {
    let slots = Tiling::best(g).map_or(f64::INFINITY, |tiling| tiling.slots(isa.lanes()));
    g.c_out as f64 * slots + 1000.0
}

/// A kernel that is ready for both ways.
struct Weight {
    /// As the direct method has it.
    passes: Vec<f32>,
    /// Σ|w|.
    sum: f32,
    integers: bool,
}

struct Fft {
    geometry: ConvGeometry,
    isa: Isa,
    activation: Activation,
    tiling: Tiling,
    /// Of columns, and of rows.
    roots: [Roots; 2],
    bias: Vec<f32>,
    weights: Vec<Weight>,
    /// For each channel its spectrum's conjugate over the tile's elements, as [`Fft::rows`] meets it.
    spectra: Aligned,
}

fn pack(problem: Problem<'_>) -> Box<dyn PackedConv> {
    let Problem { geometry: g, weight, bias, activation, isa, .. } = problem;
    let tiling = Tiling::best(&g).expect("a supported geometry");
    let weights = weight.chunks_exact(g.taps()).map(|kernel| {
        let mut passes = Vec::with_capacity(kernel.len());
        pack_passes(kernel, g.x.kernel, &mut passes);
        let integers = kernel.iter().all(|w| w.round() == *w);
        Weight { passes, sum: kernel.iter().map(|w| w.abs()).sum(), integers }
    });
    let mut fft = Fft {
        geometry: g,
        isa,
        activation,
        tiling,
        roots: tiling.size.map(Roots::new),
        bias: bias.to_vec(),
        weights: weights.collect(),
        spectra: Aligned::default(),
    };
    let mut spectra = Aligned::of(g.c_out * tiling.spectrum());
    let mut scratch = Aligned::of(fft.scratch_len());
    let kernels = weight.chunks_exact(g.taps());
    for (kernel, spectrum) in kernels.zip(spectra.as_mut_slice().chunks_exact_mut(tiling.spectrum())) {
        fft.transform_kernel(kernel, scratch.as_mut_slice(), spectrum);
    }
    fft.spectra = spectra;
    Box::new(fft)
}

/// The parts of a tile and of a group of its rows.
struct Parts<'a> {
    tile: [&'a mut [f32]; 2],
    group: [&'a mut [f32]; 2],
}

impl Fft {
    fn parts<'a>(&self, scratch: &'a mut [f32]) -> Parts<'a> {
        let [tile, group] = self.tiling.floats();
        let (re, rest) = scratch.split_at_mut(tile);
        let (im, rest) = rest.split_at_mut(tile);
        let (group_re, rest) = rest.split_at_mut(group);
        Parts { tile: [re, im], group: [group_re, &mut rest[..group]] }
    }

    /// Writes the spectrum of a kernel.
    #[inline(never)]
    fn transform_kernel(&self, kernel: &[f32], scratch: &mut [f32], spectrum: &mut [f32]) {
        let g = &self.geometry;
        let stride = self.tiling.stride();
        let mut parts = self.parts(scratch);
        parts.tile.iter_mut().for_each(|part| part.fill(0.0));
        for (ky, row) in kernel.chunks_exact(g.x.kernel).enumerate() {
            for (kx, w) in row.iter().enumerate() {
                parts.tile[0][ky * stride + kx * g.x.dilation] = *w;
            }
        }
        self.columns(&mut parts, self.tiling.size[1], Direction::Forward);
        let scale = 1.0 / (self.tiling.size[0] * self.tiling.size[1]) as f32;
        let group = self.tiling.floats()[1];
        for (i, spectrum) in spectrum.chunks_exact_mut(2 * group).enumerate() {
            self.swap(&mut parts, i, Direction::Forward);
            self.group_columns(&mut parts, Direction::Forward);
            for (part, sign) in [scale, -scale].into_iter().enumerate() {
                for (spectrum, x) in spectrum[part * group..].iter_mut().zip(parts.group[part].iter()) {
                    *spectrum = x * sign;
                }
            }
        }
    }

    /// Transforms the first columns of a tile.
    #[inline(never)]
    fn columns(&self, parts: &mut Parts<'_>, width: usize, direction: Direction) {
        let [re, im] = &mut parts.tile;
        let columns = Columns {
            roots: &self.roots[0],
            re: re.as_mut_ptr(),
            im: im.as_mut_ptr(),
            stride: self.tiling.stride(),
            width,
        };
        assert!(width <= self.tiling.size[1] && width.is_multiple_of(GROUP));
        // SAFETY: a tile has that many rows of whole registers.
        unsafe { direction.run(columns, self.isa) }
    }

    /// Transforms a group's rows, which lie there as columns.
    #[inline(never)]
    fn group_columns(&self, parts: &mut Parts<'_>, direction: Direction) {
        let [re, im] = &mut parts.group;
        let columns = Columns {
            roots: &self.roots[1],
            re: re.as_mut_ptr(),
            im: im.as_mut_ptr(),
            stride: GROUP,
            width: GROUP,
        };
        // SAFETY: a group has a row for each of a tile's columns.
        unsafe { direction.run(columns, self.isa) }
    }

    /// Transposes group `index` of a tile's rows, or takes it back.
    #[inline(never)]
    fn swap(&self, parts: &mut Parts<'_>, index: usize, direction: Direction) {
        let (columns, stride) = (self.tiling.size[1], self.tiling.stride());
        for (tile, group) in parts.tile.iter_mut().zip(&mut parts.group) {
            let rows = &mut tile[index * GROUP * stride..][..GROUP * stride];
            let swap = match direction {
                Direction::Forward => SwapAxes {
                    source: rows.as_ptr(),
                    source_stride: stride,
                    target: group.as_mut_ptr(),
                    target_stride: GROUP,
                    size: [GROUP, columns],
                },
                Direction::Back => SwapAxes {
                    source: group.as_ptr(),
                    source_stride: GROUP,
                    target: rows.as_mut_ptr(),
                    target_stride: stride,
                    size: [columns, GROUP],
                },
            };
            // SAFETY: both have that many rows and columns, and are apart.
            unsafe { swap.run(self.isa) };
        }
    }

    /// Takes a tile, whose columns are transformed, through the product with a channel's spectrum.
    #[inline(never)]
    fn rows(&self, parts: &mut Parts<'_>, channel: usize) {
        let group = self.tiling.floats()[1];
        let len = self.tiling.spectrum();
        let spectrum = &self.spectra.as_slice()[channel * len..][..len];
        for (i, spectrum) in spectrum.chunks_exact(2 * group).enumerate() {
            self.swap(parts, i, Direction::Forward);
            self.group_columns(parts, Direction::Forward);
            let [re, im] = &mut parts.group;
            let (spectrum_re, spectrum_im) = spectrum.split_at(group);
            self.isa.run(Product { re, im, spectrum: [spectrum_re, spectrum_im] });
            if i == 0 {
                // What is added to the mean's frequency is added to every element.
                re[0] += self.bias[channel];
                im[0] += self.bias[channel];
            }
            self.group_columns(parts, Direction::Back);
            self.swap(parts, i, Direction::Back);
        }
    }

    /// Copies a tile's windows of a plane into a part, zeros around them.
    #[inline(never)]
    fn load(&self, tile: usize, [n, c]: [usize; 2], input: &InputView<'_>, part: &mut [f32]) {
        let g = &self.geometry;
        let stride = self.tiling.stride();
        if tile >= self.tiling.count[0] * self.tiling.count[1] {
            return part.fill(0.0);
        }
        let (first, size) = self.tiling.output(g, tile);
        let [rows, columns] = [size[0] + g.y.span() - 1, size[1] + g.x.span() - 1];
        let left = first[1] as isize - g.x.before as isize;
        let copy = RowCopy::new(left, 1, g.x.input, columns, g.padding_mode);
        for (y, line) in part.chunks_exact_mut(stride).enumerate() {
            let position = (first[0] + y) as isize - g.y.before as isize;
            let source = g.padding_mode.source(position, g.y.input).filter(|_| y < rows);
            let Some(source) = source else {
                line.fill(0.0);
                continue;
            };
            // SAFETY: a row of the input has `x.input` elements, and scratch is memory of its own.
            unsafe { copy.run(self.isa, input.row(n, c, source), &mut line[..columns]) };
            line[columns..].fill(0.0);
        }
    }

    /// Whether sums of a tile may not or need not be exact to the last bit, or spread what is not finite.
    #[inline(never)]
    fn is_direct(&self, channel: usize, part: &[f32]) -> bool {
        let Weight { sum, integers, .. } = self.weights[channel];
        let [most, fraction] = survey(self.isa, part);
        // Not a number where either is not.
        let is_small = most * GROWTH < f32::MAX && sum * GROWTH < f32::MAX && most * GROWTH * sum < f32::MAX;
        !is_small || integers && fraction == 0.0 && most * sum < EXACT
    }

    /// Correlates a tile in a part, or takes what became of it.
    #[inline(never)]
    fn store(
        &self,
        tile: usize,
        [n, channel]: [usize; 2],
        part: &[f32],
        direct: bool,
        output: &OutputView<'_>,
    ) {
        let g = &self.geometry;
        if tile >= self.tiling.count[0] * self.tiling.count[1] {
            return;
        }
        let (first, [rows, columns]) = self.tiling.output(g, tile);
        let start = output.at(((n * g.c_out + channel) * g.y.output + first[0]) * g.x.output + first[1]);
        let target = Target { start, stride: g.x.output, rows, columns };
        let stride = self.tiling.stride();
        if direct {
            let filter = Filter {
                passes: &self.weights[channel].passes,
                size: [g.y.kernel, g.x.kernel],
                step: g.x.dilation,
                bias: self.bias[channel],
                activation: self.activation,
                fused: false,
            };
            // SAFETY: a part has the rows of all windows, and a register more than their columns; the output's rows are the tile's own.
            unsafe { filter.run(self.isa, &|row| part[row * stride..].as_ptr(), &target) };
            return;
        }
        for y in 0..rows {
            let row = &part[y * stride..][..columns];
            // SAFETY: the output's rows are the tile's own.
            unsafe { start.add(y * g.x.output).copy_from_nonoverlapping(row.as_ptr(), columns) };
        }
        let stored = Stored {
            activation: self.activation,
            starts: &[start],
            counts: &[columns],
            rows,
            stride: g.x.output,
        };
        // SAFETY: these have just been stored.
        unsafe { stored.activate(self.isa) };
    }
}

#[derive(Clone, Copy)]
enum Direction {
    Forward,
    Back,
}

impl Direction {
    /// # Safety
    /// As [`Columns::forward`].
    unsafe fn run(self, columns: Columns<'_>, isa: Isa) {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Direction::Forward => columns.forward(isa),
                Direction::Back => columns.back(isa),
            }
        }
    }
}

impl PackedConv for Fft {
    fn tiles(&self) -> usize {
        self.geometry.batch * self.geometry.c_out * self.tiling.pairs()
    }

    fn scratch_len(&self) -> usize {
        2 * self.tiling.floats().iter().sum::<usize>()
    }

    fn register_tile(&self) -> RegisterTile {
        // The elements of a butterfly, and their parts.
        RegisterTile { rows: 4, vectors: 2, lanes: Lanes::Columns }
    }

    fn run_tile(&self, index: usize, input: &InputView<'_>, output: &OutputView<'_>, scratch: &mut [f32]) {
        let g = &self.geometry;
        let (plane, pair) = (index / self.tiling.pairs(), index % self.tiling.pairs());
        let (n, channel) = (plane / g.c_out, plane % g.c_out);
        let tiles = [2 * pair, 2 * pair + 1];
        let mut parts = self.parts(scratch);
        for (tile, part) in tiles.into_iter().zip(&mut parts.tile) {
            self.load(tile, [n, channel / g.c_out_group()], input, part);
        }
        let direct = parts.tile.iter().any(|part| self.is_direct(channel, part));
        if !direct {
            self.columns(&mut parts, self.tiling.size[1], Direction::Forward);
            self.rows(&mut parts, channel);
            let width = self.tiling.valid[1].min(g.x.output).next_multiple_of(GROUP);
            self.columns(&mut parts, width, Direction::Back);
        }
        for (tile, part) in tiles.into_iter().zip(&parts.tile) {
            self.store(tile, [n, channel], part, direct, output);
        }
    }
}

/// The product of two spectra.
struct Product<'a> {
    re: &'a mut [f32],
    im: &'a mut [f32],
    spectrum: [&'a [f32]; 2],
}

impl Kernel for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let len = self.re.len();
        assert!(
            len.is_multiple_of(GROUP) && self.im.len() == len && self.spectrum.iter().all(|p| p.len() == len)
        );
        for i in (0..len).step_by(S::LANES) {
            // SAFETY: all are as long, and whole registers.
            unsafe {
                let [re, im] = self.spectrum;
                let spectrum = [s.load(re.as_ptr().add(i)), s.load(im.as_ptr().add(i))];
                let x = [s.load(self.re.as_ptr().add(i)), s.load(self.im.as_ptr().add(i))];
                let [re, im] = turned(s, x, spectrum);
                s.store(self.re.as_mut_ptr().add(i), re);
                s.store(self.im.as_mut_ptr().add(i), im);
            }
        }
    }
}
