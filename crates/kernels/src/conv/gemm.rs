//! `gemm`: the convolution as a matrix product, output pixels flattened over rows so that narrow planes fill whole vectors. The
//! pixels of a tile are packed tap by tap into panels (im2col of a tile only), each panel is then read once for every block of
//! output channels (Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", 2008). A 1×1 kernel without stride
//! multiplies the first block straight from the input, packing its panels as it goes.

use super::explain::{Lanes, RegisterTile};
use super::panel_tile::{self, Ahead, LINES_AHEAD, Panels, Run, Source, runs};
use super::registry::{Accuracy, Algorithm, PackedConv, Problem, least_parts, share};
use super::source::{PlaneRows, RowCopy};
use super::tile;
use crate::buffer::{Aligned, LINE};
use crate::geometry::{ChannelOrder, ConvGeometry};
use crate::view::{InputView, OutputView};
use corr2d_simd::Isa;
use std::ops::Range;

pub(super) const ALGORITHM: Algorithm = Algorithm {
    name: "gemm",
    supports: |g| g.order == ChannelOrder::First,
    cost,
    packing: 0.0,
    accuracy: Accuracy::Direct,
    packs_by_tap: true,
    pack,
};

/// Panels that are packed before they are multiplied: beside them, those that follow and the results share a second-level cache.
const PANEL_FLOATS: usize = 32 * 1024;

/// The same where the weight is larger than [`NEAR_WEIGHT`]: it is read anew for each of such groups of panels.
const MANY_PANEL_FLOATS: usize = 128 * 1024;

/// Where pixels are copied by rows, those at both ends are copied again for the next panels: so many rows make that little, if they
/// take no more than twice the room.
const MANY_ROWS: usize = 8;

/// Floats of a weight that stays in a second-level cache beside the panels.
const NEAR_WEIGHT: usize = 192 * 1024;

/// Parts for each thread that keep all busy to the end.
const ENOUGH_PARTS: usize = 4;

/// Multiply-adds that a part should keep when there are more of them for the sake of more threads.
const LEAST_WORK: usize = 1 << 20;

/// Parts with the same pixels pack the same panels, so each must keep this many channels.
const LEAST_CHANNELS: usize = 128;

/// Smaller planes are not worth a narrow panel for the sake of aligned stores.
const LEAST_ALIGNED: usize = 512;

fn cost(g: &ConvGeometry, isa: Isa) -> f64 {
    let vectors = g.plane().div_ceil(isa.lanes()) as f64;
    let products = vectors * (g.c_out * g.taps()) as f64;
    // Panels are aligned, so each vector of pixels costs one load for a block of channels; but they must be packed, row by row.
    let block = g.c_out_group().min(tile::channels(isa)) as f64;
    let packed = vectors * (g.groups * g.taps()) as f64;
    let run = g.x.output.min(3 * isa.lanes()) as f64 / isa.lanes() as f64;
    let step = match (pointwise(g), g.x.stride) {
        (true, _) => 1.5,
        (_, 1) => 4.0 + 45.0 / run,
        _ => 12.0 + 45.0 / run,
    };
    // What can't be multiplied where it is, if only the last pixels, is copied by calls for each tap.
    let calls = if pointwise(g) && g.plane().is_multiple_of(isa.lanes()) { 0 } else { g.groups * g.taps() };
    products * (1.0 + 0.6 / block) + packed * step + 80.0 * calls as f64 + 50.0
}

/// Whether an output pixel reads exactly the input pixel at its own place, so that whole planes are copied as they are.
fn pointwise(g: &ConvGeometry) -> bool {
    [g.y, g.x].iter().all(|axis| axis.kernel == 1 && axis.stride == 1 && axis.before == 0 && axis.after == 0)
}

struct Gemm {
    geometry: ConvGeometry,
    isa: Isa,
    activation: super::Activation,
    bias: Vec<f32>,
    weights: Aligned,
    /// For each panel width in vectors, less 1, the distance of each tap from the panel's start.
    offsets: Vec<Vec<u32>>,
    /// How a row of pixels is copied for each column of the kernel.
    copies: Vec<RowCopy>,
    /// Vectors of a full panel.
    width: usize,
    /// Panels that are packed together.
    together: usize,
}

fn pack(problem: Problem<'_>) -> Box<dyn PackedConv> {
    let Problem { geometry: g, bias, activation, isa, .. } = problem;
    let lanes = isa.lanes();
    let block = tile::channels(isa);
    let width = tile::vectors(isa, block.min(g.c_out_group()));
    let tap_offsets = |q: usize| {
        let offset = |tap| u32::try_from(tap * q * lanes).expect("a tile's panel is far below 2^32 floats");
        (0..g.taps()).map(offset).collect()
    };
    let is_near = g.c_out_group() * g.taps() <= NEAR_WEIGHT;
    let panel_floats = match (is_near, pointwise(&g)) {
        (true, true) => PANEL_FLOATS,
        (true, false) => (MANY_ROWS * g.x.output * g.taps()).clamp(PANEL_FLOATS, 2 * PANEL_FLOATS),
        (false, _) => MANY_PANEL_FLOATS,
    };
    let copies = (0..g.x.kernel)
        .map(|kx| RowCopy::new(g.x.position(0, kx), g.x.stride, g.x.input, g.x.output, g.padding_mode));
    Box::new(Gemm {
        geometry: g,
        isa,
        activation,
        bias: bias.to_vec(),
        weights: tile::pack_weights(isa, problem.groups(), block),
        offsets: (1..=width).map(tap_offsets).collect(),
        copies: copies.collect(),
        width,
        together: (panel_floats / (width * lanes * g.taps())).max(1),
    })
}

/// Pixels that are packed together.
struct Pixels {
    n: usize,
    group: usize,
    first: usize,
    count: usize,
    runs: [Run; 2],
}

impl Gemm {
    /// Panels of a plane.
    fn panels(&self) -> usize {
        self.geometry.plane().div_ceil(self.isa.lanes()).div_ceil(self.width)
    }

    /// Parts that a tile's pixels and its channels are cut into, for `parts` parts or somewhat fewer.
    fn cut(&self, parts: usize) -> [usize; 2] {
        let g = &self.geometry;
        let work = g.plane() * g.c_out_group() * g.taps();
        let pixels = parts.min(work / LEAST_WORK).clamp(1, self.panels());
        let channels = parts.min(work / LEAST_WORK) / pixels;
        [pixels, channels.min(g.c_out_group() / LEAST_CHANNELS).max(1)]
    }

    /// Pixels before the first that starts a cache line of the output, where the planes of a group at `target` all are alike in it.
    /// They are computed by themselves: then no store of the others straddles two lines. Memory of JavaScript seldom starts a line.
    fn lead(&self, target: *mut f32) -> usize {
        let plane = self.geometry.plane();
        let alike = plane.is_multiple_of(LINE) && plane >= LEAST_ALIGNED;
        if alike { (target.addr() / size_of::<f32>()).wrapping_neg() % LINE } else { 0 }
    }

    /// Pixels that are packed together, at most, in whole vectors.
    fn pixels(&self) -> usize {
        let lanes = self.isa.lanes();
        (self.together * self.width * lanes).min(self.geometry.plane().next_multiple_of(lanes))
    }

    fn panels_len(&self) -> usize {
        self.pixels() * self.geometry.taps()
    }

    /// Packs the panels, from pixel `from` of the tile on.
    fn fill(&self, input: &InputView<'_>, pixels: &Pixels, from: usize, scratch: &mut [f32]) {
        let g = &self.geometry;
        let (panels, line) = scratch.split_at_mut(self.panels_len());
        let first = pixels.first + from;
        let count = pixels.count - from;
        let rows = first / g.x.output..(first + count).div_ceil(g.x.output);
        let lead = first - rows.start * g.x.output;
        let mut tap = 0;
        for c in 0..g.c_in_group() {
            let channel = pixels.group * g.c_in_group() + c;
            for ky in 0..g.y.kernel {
                let plane =
                    PlaneRows { top: g.y.position(rows.start, ky), step: g.y.stride, height: g.y.input };
                for copy in &self.copies {
                    let lines = &mut line[..rows.len() * g.x.output];
                    // SAFETY: scratch is memory of its own.
                    unsafe {
                        copy.run_plane(self.isa, input, [pixels.n, channel], &plane, lines, g.x.output)
                    };
                    self.distribute(&line[lead..lead + count], &pixels.runs, [from, tap], panels);
                    tap += 1;
                }
            }
        }
    }

    /// Copies the pixels of a tap from pixel `from` of the tile on; those past the plane are zero.
    fn distribute(&self, mut line: &[f32], runs: &[Run; 2], [from, tap]: [usize; 2], panels: &mut [f32]) {
        let lanes = self.isa.lanes();
        for run in runs {
            for panel in 0..run.panels {
                let start = (run.start + panel * run.width) * lanes;
                if start < from {
                    continue;
                }
                let width = run.width * lanes;
                let target = &mut panels[start * self.geometry.taps() + tap * width..][..width];
                let (pixels, rest) = line.split_at(width.min(line.len()));
                target[..pixels.len()].copy_from_slice(pixels);
                target[pixels.len()..].fill(0.0);
                line = rest;
            }
        }
    }
}

impl PackedConv for Gemm {
    fn tiles(&self) -> usize {
        self.geometry.batch * self.geometry.groups
    }

    fn parts(&self, threads: usize) -> usize {
        let g = &self.geometry;
        let wanted = if threads > 1 { (ENOUGH_PARTS * threads).div_ceil(self.tiles()) } else { 1 };
        let [pixels, channels] = self.cut(wanted.max(least_parts(g)));
        pixels * channels
    }

    fn scratch_len(&self) -> usize {
        let row = self.geometry.x.output;
        self.panels_len() + self.pixels().next_multiple_of(row) + row
    }

    fn register_tile(&self) -> RegisterTile {
        let block = tile::channels(self.isa).min(self.geometry.c_out_group());
        RegisterTile { rows: block, vectors: tile::vectors(self.isa, block), lanes: Lanes::Pixels }
    }

    fn run_part(
        &self,
        tile: usize,
        [part, parts]: [usize; 2],
        input: &InputView<'_>,
        output: &OutputView<'_>,
        scratch: &mut [f32],
    ) {
        let g = &self.geometry;
        let (n, group) = (tile / g.groups, tile % g.groups);
        let lanes = self.isa.lanes();
        let [pixel_parts, channel_parts] = self.cut(parts);
        let (pixel_part, channel_part) = (part / channel_parts, part % channel_parts);
        let lead = self.lead(output.at((n * g.c_out + group * g.c_out_group()) * g.plane()));
        let first = |panel: usize| (lead + panel * self.width * lanes).min(g.plane());
        let panels = share(self.panels(), pixel_parts, pixel_part);
        let blocks = share(g.c_out_group().div_ceil(tile::channels(self.isa)), channel_parts, channel_part);
        if pixel_part == 0 && lead > 0 {
            let pixels =
                Pixels { n, group, first: 0, count: lead, runs: runs(lead.div_ceil(lanes), self.width) };
            self.multiply(&pixels, None, blocks.clone(), input, output, scratch);
        }
        // Nearly equal shares of what fits the scratch.
        let steps = panels.len().div_ceil(self.together);
        for step in 0..steps {
            let together = share(panels.len(), steps, step);
            let [start, end] = [together.start, together.end].map(|panel| first(panels.start + panel));
            let count = end - start;
            let runs = runs(count.div_ceil(lanes), self.width);
            let next = (step + 1 < steps).then_some(end);
            let pixels = Pixels { n, group, first: start, count, runs };
            self.multiply(&pixels, next, blocks.clone(), input, output, scratch);
        }
    }
}

impl Gemm {
    /// Multiplies the pixels with some blocks of channels. Meanwhile those from `next` on are fetched.
    fn multiply(
        &self,
        pixels: &Pixels,
        next: Option<usize>,
        blocks: Range<usize>,
        input: &InputView<'_>,
        output: &OutputView<'_>,
        scratch: &mut [f32],
    ) {
        let g = &self.geometry;
        let &Pixels { n, group, first, count, ref runs } = pixels;
        let lanes = self.isa.lanes();
        let in_place = pointwise(g) && input.row_stride() == g.x.input;
        // A panel that ends past the plane can't be read in place.
        let last = runs[1].width * lanes;
        let whole = match in_place {
            true if count.is_multiple_of(lanes) => count,
            true => count.next_multiple_of(lanes) - last,
            false => 0,
        };
        if whole < count {
            self.fill(input, pixels, whole, scratch);
        }
        let block = tile::channels(self.isa);
        let plane = input.row(n, group * g.c_in_group(), 0);
        for index in blocks.clone() {
            let channel = index * block;
            // The first block packs, and each of those that follow fetches some of a panel's lines.
            let line = (index - blocks.start).wrapping_sub(1).wrapping_mul(LINES_AHEAD * LINE);
            for run in runs {
                let width = run.width * lanes;
                let packable = (whole / lanes).saturating_sub(run.start) / run.width;
                let packed = if index == blocks.start { packable.min(run.panels) } else { 0 };
                for (panels, from) in [(0..packed, true), (packed..run.panels, false)] {
                    let start = (run.start + panels.start * run.width) * lanes;
                    if panels.is_empty() {
                        continue;
                    }
                    let panel = scratch[start * g.taps()..].as_mut_ptr();
                    let source = if from {
                        let pixels = plane.wrapping_add(first + start);
                        Source::Pack { start: pixels, stride: input.plane_stride(), target: panel }
                    } else {
                        let ahead = next.filter(|_| in_place && line < width);
                        let ahead = ahead.map(|next| Ahead {
                            start: plane.wrapping_add(next + start + line),
                            stride: input.plane_stride(),
                        });
                        let step = width * g.taps();
                        Source::Ready { start: panel, step, offsets: &self.offsets[run.width - 1], ahead }
                    };
                    let tiles = Panels {
                        source,
                        taps: g.taps(),
                        weights: tile::block_weights(
                            &self.weights,
                            g.taps(),
                            group * g.c_out_group(),
                            channel,
                        ),
                        bias: &raw const self.bias[group * g.c_out_group() + channel],
                        target: output.at((n * g.c_out + group * g.c_out_group() + channel) * g.plane()
                            + first
                            + start),
                        plane: g.plane(),
                        count: panels.len(),
                        pixels: (panels.len() * width).min(count - start),
                        activation: self.activation,
                    };
                    let block = block.min(g.c_out_group() - channel);
                    // SAFETY: panels have `taps` lines of `width` vectors, and whole ones their pixels in the input; weights and
                    // bias are packed for these channels; targets lie in this tile's part of the output.
                    unsafe { panel_tile::run(self.isa, block, run.width, &tiles) };
                }
            }
        }
    }
}
