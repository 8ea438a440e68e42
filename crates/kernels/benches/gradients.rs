//! Gradients of the convolutions of `bench/suites/layers.json`: best times and shares of this core's multiply-add peak, measured in
//! the same run. The weight is packed in every call, as in a step of training.
//!
//! `cargo bench --bench gradients -- r50` runs the layers whose names have that in them. `CORR2D_THREADS` (1) and `CORR2D_ISA` (the
//! best) as in the package.

use corr2d_kernels::Isa;
use corr2d_kernels::backward::{self, ConvGradients, ConvOperands};
use corr2d_kernels::conv::Activation;
use corr2d_kernels::geometry::{ChannelOrder, ConvGeometry, ConvRequest, Padding, PaddingMode, Window};
use corr2d_kernels::parallel::Pool;
use corr2d_kernels::peak::fma_peak;
use serde::Deserialize;
use std::env;
use std::hint::black_box;
use std::time::{Duration, Instant};

const SUITE: &str = include_str!("../../../bench/suites/layers.json");

/// A row of the suite; poolings lack what a convolution has.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Layer {
    name: String,
    op: String,
    n: usize,
    #[serde(default)]
    c_in: usize,
    h: usize,
    w: usize,
    #[serde(default)]
    c_out: usize,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    #[serde(default)]
    dilation: [usize; 2],
    #[serde(default)]
    groups: usize,
}

impl Layer {
    fn geometry(&self) -> ConvGeometry {
        ConvGeometry::new(&ConvRequest {
            batch: self.n,
            c_in: self.c_in,
            input: [self.h, self.w],
            c_out: self.c_out,
            weight_channels: self.c_in / self.groups,
            window: Window {
                kernel: self.kernel,
                stride: self.stride,
                dilation: self.dilation,
                padding: Padding::Explicit(self.padding.map(|side| [side; 2])),
            },
            groups: self.groups,
            padding_mode: PaddingMode::Zeros,
            order: ChannelOrder::First,
        })
        .expect("the suite has valid layers")
    }
}

/// Numbers in `[-0.5, 0.5)` without a pattern that matters to the arithmetic.
fn data(len: usize) -> Vec<f32> {
    (0..len as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 24) as f32 - 0.5).collect()
}

/// The best time of a few hundred milliseconds of calls.
fn best(mut work: impl FnMut()) -> f64 {
    work();
    let (start, mut best) = (Instant::now(), Duration::MAX);
    while start.elapsed() < Duration::from_millis(250) {
        let call = Instant::now();
        work();
        best = best.min(call.elapsed());
    }
    best.as_secs_f64()
}

fn main() {
    let filter = env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let isa =
        env::var("CORR2D_ISA").map_or_else(|_| Isa::best(), |name| Isa::named(&name).expect("CORR2D_ISA"));
    let threads = env::var("CORR2D_THREADS").map_or(1, |threads| threads.parse().expect("CORR2D_THREADS"));
    let pool = Pool::new(threads).expect("threads can be started");
    let peak = fma_peak(isa);
    let suite: Vec<Layer> =
        serde_json::from_str(SUITE).expect("bench/suites/layers.json is a list of layers");
    println!("{isa:?}, {threads} thread(s), multiply-add peak {:.1} GFLOP/s a core\n", peak / 1e9);
    println!("{:<24} {:>12} {:>8} {:>12} {:>8}", "layer", "input µs", "peak", "weight µs", "peak");
    for layer in suite.iter().filter(|layer| layer.op == "conv2d" && layer.name.contains(&filter)) {
        let g = layer.geometry();
        let [input, weight, gradient] = [g.input_len(), g.weight_len(), g.output_len()].map(data);
        let [mut of_input, mut of_weight] = [g.input_len(), g.weight_len()].map(|len| vec![0.0; len]);
        let operands = ConvOperands {
            input: &input,
            weight: &weight,
            bias: None,
            activation: Activation::None,
            gradient: &gradient,
        };
        let run = |mut gradients: ConvGradients<'_>| {
            backward::conv2d(&g, black_box(&operands), &mut gradients, isa, &pool, threads)
                .expect("exact lengths");
        };
        let seconds = [
            best(|| run(ConvGradients { input: Some(&mut of_input), ..ConvGradients::default() })),
            best(|| run(ConvGradients { weight: Some(&mut of_weight), ..ConvGradients::default() })),
        ];
        let share = |seconds: f64| 100.0 * g.flops() / seconds / (peak * threads as f64);
        let [a, b] = seconds;
        println!(
            "{:<24} {:>12.1} {:>7.1}% {:>12.1} {:>7.1}%",
            layer.name,
            a * 1e6,
            share(a),
            b * 1e6,
            share(b)
        );
    }
}
