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
    let (from_size, to_size) = ([g.y.input, g.x.input], [g.y.output, g.x.output]);
    let out = |n, o, place| element(g.order, n, g.c_out, o, to_size, place);
    let mut output = vec![0.0; g.output_len()];
    for (n, o) in (0..g.batch).flat_map(|n| (0..g.c_out).map(move |o| (n, o))) {
        let bias = bias.map_or(0.0, |bias| f64::from(bias[o]));
        for place in places(to_size) {
            output[out(n, o, place)] = bias;
        }
        let group = o / g.c_out_group();
        for c in group * g.c_in_group()..(group + 1) * g.c_in_group() {
            for (from, tap) in places(from_size)
                .flat_map(|from| places([g.y.kernel, g.x.kernel]).map(move |tap| (from, tap)))
            {
                let Some(to) = reach(g, from, tap) else { continue };
                let value = input[element(g.order, n, g.c_in, c, from_size, from)];
                let tap =
                    ((c * g.c_out_group() + o % g.c_out_group()) * g.y.kernel + tap[0]) * g.x.kernel + tap[1];
                output[out(n, o, to)] += f64::from(value) * f64::from(weight[tap]);
            }
        }
    }
    output
}

/// Where an input element and a tap of a transposed convolution meet in the output.
fn reach(g: &TransposedGeometry, from: [usize; 2], tap: [usize; 2]) -> Option<[usize; 2]> {
    let reach = |axis: &TransposedAxis, i: usize, k: usize| {
        (i * axis.stride + k * axis.dilation).checked_sub(axis.before).filter(|to| *to < axis.output)
    };
    Some([reach(&g.y, from[0], tap[0])?, reach(&g.x, from[1], tap[1])?])
}

/// Where an element of a contiguous tensor is.
fn element(
    order: ChannelOrder,
    n: usize,
    channels: usize,
    c: usize,
    [h, w]: [usize; 2],
    [y, x]: [usize; 2],
) -> usize {
    match order {
        ChannelOrder::First => ((n * channels + c) * h + y) * w + x,
        ChannelOrder::Last => ((n * h + y) * w + x) * channels + c,
    }
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

/// Gradients with respect to input, weight and bias.
pub struct Gradients {
    /// Of the input's shape.
    pub input: Vec<f64>,
    /// Of the weight's shape.
    pub weight: Vec<f64>,
    /// One for each output channel.
    pub bias: Vec<f64>,
}

/// The gradients of a convolution without an activation, by definition: each product of an input element and a weight passes the
/// output's gradient on to both.
pub fn conv2d_gradients(g: &ConvGeometry, input: &[f32], weight: &[f32], gradient: &[f32]) -> Gradients {
    let mut gradients = Gradients {
        input: vec![0.0; input.len()],
        weight: vec![0.0; weight.len()],
        bias: vec![0.0; g.c_out],
    };
    let [y, x] = [g.y, g.x];
    for (n, o) in (0..g.batch).flat_map(|n| (0..g.c_out).map(move |o| (n, o))) {
        for place in places([y.output, x.output]) {
            let out = f64::from(gradient[element(g.order, n, g.c_out, o, [y.output, x.output], place)]);
            gradients.bias[o] += out;
            for (c, [ky, kx]) in
                (0..g.c_in_group()).flat_map(|c| places([y.kernel, x.kernel]).map(move |tap| (c, tap)))
            {
                let Some(row) = g.padding_mode.source(y.position(place[0], ky), y.input) else { continue };
                let Some(column) = g.padding_mode.source(x.position(place[1], kx), x.input) else { continue };
                let channel = o / g.c_out_group() * g.c_in_group() + c;
                let from = element(g.order, n, g.c_in, channel, [y.input, x.input], [row, column]);
                let tap = ((o * g.c_in_group() + c) * y.kernel + ky) * x.kernel + kx;
                gradients.input[from] += out * f64::from(weight[tap]);
                gradients.weight[tap] += out * f64::from(input[from]);
            }
        }
    }
    gradients
}

/// The gradients of a transposed convolution without an activation, in the same way.
pub fn conv_transpose2d_gradients(
    g: &TransposedGeometry,
    input: &[f32],
    weight: &[f32],
    gradient: &[f32],
) -> Gradients {
    let mut gradients = Gradients {
        input: vec![0.0; input.len()],
        weight: vec![0.0; weight.len()],
        bias: vec![0.0; g.c_out],
    };
    let (from_size, to_size) = ([g.y.input, g.x.input], [g.y.output, g.x.output]);
    for (n, o) in (0..g.batch).flat_map(|n| (0..g.c_out).map(move |o| (n, o))) {
        for place in places(to_size) {
            gradients.bias[o] += f64::from(gradient[element(g.order, n, g.c_out, o, to_size, place)]);
        }
        let group = o / g.c_out_group();
        for c in group * g.c_in_group()..(group + 1) * g.c_in_group() {
            for (from, tap) in places(from_size)
                .flat_map(|from| places([g.y.kernel, g.x.kernel]).map(move |tap| (from, tap)))
            {
                let Some(to) = reach(g, from, tap) else { continue };
                let out = f64::from(gradient[element(g.order, n, g.c_out, o, to_size, to)]);
                let from = element(g.order, n, g.c_in, c, from_size, from);
                let tap =
                    ((c * g.c_out_group() + o % g.c_out_group()) * g.y.kernel + tap[0]) * g.x.kernel + tap[1];
                gradients.input[from] += out * f64::from(weight[tap]);
                gradients.weight[tap] += out * f64::from(input[from]);
            }
        }
    }
    gradients
}

/// The gradient of a pooling's input: of a max pooling to the first of the largest elements, of an average to all in equal parts.
pub fn pool2d_gradient(g: &PoolGeometry, input: &[f32], gradient: &[f32]) -> Vec<f64> {
    let mut target = vec![0.0; input.len()];
    let (from_size, to_size) = ([g.y.input, g.x.input], [g.y.output, g.x.output]);
    for (n, c) in (0..g.batch).flat_map(|n| (0..g.channels).map(move |c| (n, c))) {
        for [y, x] in places(to_size) {
            let out = f64::from(gradient[element(g.order, n, g.channels, c, to_size, [y, x])]);
            let (rows, columns) = (positions(&g.y, y), positions(&g.x, x));
            let limit = |axis: &Axis, extra: usize| (axis.input + extra) as isize;
            let padded =
                |axis: &Axis, all: &[isize]| all.iter().filter(|p| **p < limit(axis, axis.after)).count();
            let inside: Vec<usize> = rows
                .iter()
                .flat_map(|row| columns.iter().map(move |column| (*row, *column)))
                .filter(|(row, column)| {
                    (0..limit(&g.y, 0)).contains(row) && (0..limit(&g.x, 0)).contains(column)
                })
                .map(|(row, column)| {
                    element(g.order, n, g.channels, c, from_size, [row as usize, column as usize])
                })
                .collect();
            let divisor = match g.mode {
                PoolMode::Average { divisor_override: Some(divisor), .. } => divisor as usize,
                PoolMode::Average { count_include_pad: true, .. } => {
                    padded(&g.y, &rows) * padded(&g.x, &columns)
                }
                PoolMode::Average { count_include_pad: false, .. } => inside.len(),
                PoolMode::Max => {
                    let first = inside.iter().copied().reduce(|a, b| if input[b] > input[a] { b } else { a });
                    if let Some(first) = first {
                        target[first] += out;
                    }
                    continue;
                }
                PoolMode::Norm(_) => unimplemented!("there is no gradient of a norm"),
            };
            inside.iter().for_each(|element| target[*element] += out / divisor.max(1) as f64);
        }
    }
    target
}
