//! The naive oracle: the definitions, in `f64`, element by element. Every algorithm is tested against it.

use crate::geometry::{
    Axis, ChannelOrder, ConvGeometry, PoolGeometry, PoolMode, TransposedAxis, TransposedGeometry,
};

/// Cross-correlation by definition (the seed's sections 1.1, 2, 3): contiguous input, weight and bias to a contiguous output, in the
/// geometry's order of axes.
pub fn conv2d(g: &ConvGeometry, input: &[f32], weight: &[f32], bias: Option<&[f32]>) -> Vec<f64> {
    let images = 0..g.batch;
    let element = |n, o, y, x| {
        conv2d_element(g, input, weight, bias.map_or(0.0, |bias| f64::from(bias[o])), [n, o, y, x])
    };
    let rows =
        |n: usize, o: usize| (0..g.y.output).flat_map(move |y| (0..g.x.output).map(move |x| (n, o, y, x)));
    let pixels = |n: usize| rows(n, 0).flat_map(|(n, _, y, x)| (0..g.c_out).map(move |o| (n, o, y, x)));
    match g.order {
        ChannelOrder::First => images
            .flat_map(|n| (0..g.c_out).flat_map(move |o| rows(n, o)))
            .map(|(n, o, y, x)| element(n, o, y, x))
            .collect(),
        ChannelOrder::Last => images.flat_map(pixels).map(|(n, o, y, x)| element(n, o, y, x)).collect(),
    }
}

fn conv2d_element(
    g: &ConvGeometry,
    input: &[f32],
    weight: &[f32],
    bias: f64,
    [n, o, y, x]: [usize; 4],
) -> f64 {
    let mut sum = bias;
    for c in 0..g.c_in_group() {
        for ky in 0..g.y.kernel {
            let Some(row) = g.padding_mode.source(g.y.position(y, ky), g.y.input) else { continue };
            for kx in 0..g.x.kernel {
                let Some(column) = g.padding_mode.source(g.x.position(x, kx), g.x.input) else { continue };
                let channel = o / g.c_out_group() * g.c_in_group() + c;
                let from = match g.order {
                    ChannelOrder::First => ((n * g.c_in + channel) * g.y.input + row) * g.x.input + column,
                    ChannelOrder::Last => ((n * g.y.input + row) * g.x.input + column) * g.c_in + channel,
                };
                let tap = ((o * g.c_in_group() + c) * g.y.kernel + ky) * g.x.kernel + kx;
                sum += f64::from(input[from]) * f64::from(weight[tap]);
            }
        }
    }
    sum
}

/// Transposed convolution by definition (PyTorch `conv_transpose2d`): each input element adds its multiple of the kernel to the
/// output. Contiguous operands in the geometry's order of axes.
pub fn conv_transpose2d(
    g: &TransposedGeometry,
    input: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
) -> Vec<f64> {
    let [y, x] = [g.y, g.x];
    let at = |order, n: usize, channels: usize, c: usize, [h, w]: [usize; 2], [row, column]: [usize; 2]| {
        match order {
            ChannelOrder::First => ((n * channels + c) * h + row) * w + column,
            ChannelOrder::Last => ((n * h + row) * w + column) * channels + c,
        }
    };
    let out = |n, o, place| at(g.order, n, g.c_out, o, [y.output, x.output], place);
    let mut output = vec![0.0; g.output_len()];
    for (n, o) in (0..g.batch).flat_map(|n| (0..g.c_out).map(move |o| (n, o))) {
        let bias = bias.map_or(0.0, |bias| f64::from(bias[o]));
        for place in places([y.output, x.output]) {
            output[out(n, o, place)] = bias;
        }
        let group = o / g.c_out_group();
        for c in group * g.c_in_group()..(group + 1) * g.c_in_group() {
            for (from, [ky, kx]) in places([y.input, x.input])
                .flat_map(|from| places([y.kernel, x.kernel]).map(move |tap| (from, tap)))
            {
                let reach = |axis: &TransposedAxis, i: usize, k: usize| {
                    (i * axis.stride + k * axis.dilation)
                        .checked_sub(axis.before)
                        .filter(|to| *to < axis.output)
                };
                let (Some(row), Some(column)) = (reach(&y, from[0], ky), reach(&x, from[1], kx)) else {
                    continue;
                };
                let element = input[at(g.order, n, g.c_in, c, [y.input, x.input], from)];
                let tap = ((c * g.c_out_group() + o % g.c_out_group()) * y.kernel + ky) * x.kernel + kx;
                output[out(n, o, [row, column])] += f64::from(element) * f64::from(weight[tap]);
            }
        }
    }
    output
}

fn places([rows, columns]: [usize; 2]) -> impl Iterator<Item = [usize; 2]> {
    (0..rows).flat_map(move |row| (0..columns).map(move |column| [row, column]))
}

/// Pooling by definition (the seed's section 4) of a contiguous input to a contiguous output.
pub fn pool2d(g: &PoolGeometry, input: &[f32]) -> Vec<f64> {
    let mut output = Vec::with_capacity(g.output_len());
    for plane in input.chunks_exact(g.y.input * g.x.input) {
        for y in 0..g.y.output {
            for x in 0..g.x.output {
                let mut powers = 0.0;
                let (mut largest, mut sum, mut inside, mut covered) = (f64::NEG_INFINITY, 0.0, 0u32, 0u32);
                let (rows, columns) = (positions(&g.y, y), positions(&g.x, x));
                for row in rows {
                    for column in columns.iter().copied() {
                        let (padded_height, padded_width) =
                            ((g.y.input + g.y.after) as isize, (g.x.input + g.x.after) as isize);
                        covered += u32::from(row < padded_height && column < padded_width);
                        if row < 0 || column < 0 || row >= g.y.input as isize || column >= g.x.input as isize
                        {
                            continue;
                        }
                        let value = f64::from(plane[row as usize * g.x.input + column as usize]);
                        inside += 1;
                        sum += value;
                        if let PoolMode::Norm(power) = g.mode {
                            powers += value.abs().powf(f64::from(power));
                        }
                        if value > largest || value.is_nan() {
                            largest = value;
                        }
                    }
                }
                output.push(match g.mode {
                    PoolMode::Max => largest,
                    PoolMode::Average { divisor_override: Some(divisor), .. } => sum / f64::from(divisor),
                    PoolMode::Average { count_include_pad: true, .. } => sum / f64::from(covered.max(1)),
                    PoolMode::Average { count_include_pad: false, .. } => sum / f64::from(inside.max(1)),
                    PoolMode::Norm(power) => {
                        let whole = (g.y.kernel * g.x.kernel) as f64;
                        (powers * whole / f64::from(covered.max(1))).powf(1.0 / f64::from(power))
                    }
                });
            }
        }
    }
    output
}

/// Where the taps of a window read, in the padding too. The windows of an adaptive axis reach from `⌊i · input / output⌋` to
/// `⌈(i + 1) · input / output⌉`.
fn positions(axis: &Axis, output: usize) -> Vec<isize> {
    if axis.stride == 0 {
        let step = axis.input as f64 / axis.output as f64;
        let (start, end) =
            ((output as f64 * step + 1e-9).floor(), ((output + 1) as f64 * step - 1e-9).ceil());
        return (start as isize..end as isize).collect();
    }
    (0..axis.kernel).map(|tap| axis.position(output, tap)).collect()
}
