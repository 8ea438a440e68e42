//! The naive oracle: the definitions, in `f64`, element by element. Every algorithm is tested against it.

use crate::geometry::{ConvGeometry, PoolGeometry, PoolMode};

/// Cross-correlation by definition (the seed's sections 1.1, 2, 3): contiguous input, weight and bias to a contiguous output.
pub fn conv2d(g: &ConvGeometry, input: &[f32], weight: &[f32], bias: Option<&[f32]>) -> Vec<f64> {
    let mut output = Vec::with_capacity(g.output_len());
    let (c_in, c_out) = (g.c_in_group(), g.c_out_group());
    for n in 0..g.batch {
        for o in 0..g.c_out {
            for y in 0..g.y.output {
                for x in 0..g.x.output {
                    let mut sum = bias.map_or(0.0, |bias| f64::from(bias[o]));
                    for c in 0..c_in {
                        let plane = (n * g.c_in + o / c_out * c_in + c) * g.y.input * g.x.input;
                        for ky in 0..g.y.kernel {
                            let Some(row) = g.padding_mode.source(g.y.position(y, ky), g.y.input) else {
                                continue;
                            };
                            for kx in 0..g.x.kernel {
                                let Some(column) = g.padding_mode.source(g.x.position(x, kx), g.x.input)
                                else {
                                    continue;
                                };
                                let tap = ((o * c_in + c) * g.y.kernel + ky) * g.x.kernel + kx;
                                sum += f64::from(input[plane + row * g.x.input + column])
                                    * f64::from(weight[tap]);
                            }
                        }
                    }
                    output.push(sum);
                }
            }
        }
    }
    output
}

/// Pooling by definition (the seed's section 4) of a contiguous input to a contiguous output.
pub fn pool2d(g: &PoolGeometry, input: &[f32]) -> Vec<f64> {
    let mut output = Vec::with_capacity(g.output_len());
    for plane in input.chunks_exact(g.y.input * g.x.input) {
        for y in 0..g.y.output {
            for x in 0..g.x.output {
                let (mut largest, mut sum, mut inside, mut covered) = (f64::NEG_INFINITY, 0.0, 0u32, 0u32);
                for ky in 0..g.y.kernel {
                    for kx in 0..g.x.kernel {
                        let (row, column) = (g.y.position(y, ky), g.x.position(x, kx));
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
                });
            }
        }
    }
    output
}
