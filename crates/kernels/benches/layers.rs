//! The layers of `bench/suites/layers.json` one by one: criterion's statistics, and at the end a table of the best times with the
//! share of this core's multiply-add peak, measured in the same run.
//!
//! `cargo bench --bench layers -- r50` runs the layers whose names match. `CORR2D_THREADS` (1) and `CORR2D_ISA` (the best) as in the
//! package. Outputs and plans are reused, so that this is the time of a run alone. With `CORR2D_ONCE=<name>` that layer runs twice, the
//! second time in [`measured`], where a tool may count (`npm run instructions`).

use corr2d_kernels::Isa;
use corr2d_kernels::conv::{Activation, ConvPlan};
use corr2d_kernels::geometry::{
    ChannelOrder, ConvGeometry, ConvRequest, Padding, PaddingLimit, PaddingMode, PoolGeometry, PoolMode,
    PoolRequest, Rounding, Window,
};
use corr2d_kernels::parallel::Pool;
use corr2d_kernels::peak::fma_peak_of;
use corr2d_kernels::pool::PoolPlan;
use criterion::{Criterion, SamplingMode};
use serde::Deserialize;
use std::env;
use std::hint::black_box;
use std::time::{Duration, Instant};

const SUITE: &str = include_str!("../../../bench/suites/layers.json");

/// A row of the suite.
#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum Layer {
    Conv2d {
        name: String,
        n: usize,
        c_in: usize,
        h: usize,
        w: usize,
        c_out: usize,
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
        dilation: [usize; 2],
        groups: usize,
    },
    MaxPool2d(PoolLayer),
    AvgPool2d(PoolLayer),
}

#[derive(Deserialize)]
struct PoolLayer {
    name: String,
    n: usize,
    c: usize,
    h: usize,
    w: usize,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
}

/// A layer ready to run, and what a run of it counts for.
struct Job {
    name: String,
    algorithm: &'static str,
    work: Work,
    run: Box<dyn FnMut()>,
}

#[derive(Clone, Copy)]
enum Work {
    Flops(f64),
    Bytes(f64),
}

/// Where everything runs.
#[derive(Clone, Copy)]
struct Machine {
    isa: Isa,
    threads: usize,
    pool: &'static Pool,
}

impl Machine {
    fn from_environment() -> Machine {
        let isa = env::var("CORR2D_ISA").map_or_else(
            |_| Isa::best(),
            |name| Isa::named(&name).unwrap_or_else(|_| panic!("CORR2D_ISA: this CPU has no '{name}'")),
        );
        let threads = env::var("CORR2D_THREADS")
            .map_or(1, |threads| threads.parse().expect("CORR2D_THREADS: a number of threads"));
        let pool = Box::leak(Box::new(Pool::new(threads).expect("threads can be started")));
        Machine { isa, threads: pool.threads(), pool }
    }

    /// Multiply-add peak of all threads at the same time, in operations per second.
    fn peak(self) -> f64 {
        fma_peak_of(self.isa, self.threads)
    }
}

/// Numbers in `[-0.5, 0.5)` without a pattern that matters to the arithmetic.
fn data(len: usize) -> Vec<f32> {
    (0..len as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 24) as f32 - 0.5).collect()
}

impl Layer {
    fn name(&self) -> &str {
        match self {
            Layer::Conv2d { name, .. }
            | Layer::MaxPool2d(PoolLayer { name, .. })
            | Layer::AvgPool2d(PoolLayer { name, .. }) => name,
        }
    }

    fn job(self, machine: Machine) -> Job {
        match self {
            Layer::Conv2d { name, n, c_in, h, w, c_out, kernel, stride, padding, dilation, groups } => {
                let padding = Padding::Explicit(padding.map(|side| [side; 2]));
                let request = ConvRequest {
                    batch: n,
                    c_in,
                    input: [h, w],
                    c_out,
                    weight_channels: c_in / groups,
                    window: Window { kernel, stride, dilation, padding },
                    groups,
                    padding_mode: PaddingMode::Zeros,
                    order: ChannelOrder::First,
                };
                let g = ConvGeometry::new(&request).expect("the suite has valid layers");
                let (input, weight, bias) = (data(g.input_len()), data(g.weight_len()), data(c_out));
                let plan = ConvPlan::new(g, &weight, Some(&bias), Activation::None, machine.isa, None)
                    .expect("some algorithm supports it");
                let mut output = vec![0.0; g.output_len()];
                Job {
                    name,
                    algorithm: plan.algorithm().name,
                    work: Work::Flops(g.flops()),
                    run: Box::new(move || {
                        plan.run(black_box(&input), None, &mut output, machine.pool, machine.threads)
                            .expect("exact lengths");
                        black_box(&mut output);
                    }),
                }
            }
            Layer::MaxPool2d(layer) => layer.job(PoolMode::Max, machine),
            Layer::AvgPool2d(layer) => {
                layer.job(PoolMode::Average { count_include_pad: true, divisor_override: None }, machine)
            }
        }
    }
}

impl PoolLayer {
    fn job(self, mode: PoolMode, machine: Machine) -> Job {
        let PoolLayer { name, n, c, h, w, kernel, stride, padding } = self;
        let padding = Padding::Explicit(padding.map(|side| [side; 2]));
        let window = Window { kernel, stride, dilation: [1, 1], padding };
        let request = PoolRequest {
            batch: n,
            channels: c,
            input: [h, w],
            window,
            padding_limit: PaddingLimit::Half,
            rounding: Rounding::Floor,
            mode,
        };
        let g = PoolGeometry::new(&request).expect("the suite has valid layers");
        let plan = PoolPlan::new(g, machine.isa);
        let (input, mut output) = (data(g.input_len()), vec![0.0; g.output_len()]);
        Job {
            name,
            algorithm: if mode == PoolMode::Max { "max" } else { "mean" },
            work: Work::Bytes(g.bytes()),
            run: Box::new(move || {
                plan.run(black_box(&input), None, &mut output, machine.pool, machine.threads)
                    .expect("exact lengths");
                black_box(&mut output);
            }),
        }
    }
}

fn main() {
    let machine = Machine::from_environment();
    let suite: Vec<Layer> =
        serde_json::from_str(SUITE).expect("bench/suites/layers.json is a list of layers");
    if let Ok(name) = env::var("CORR2D_ONCE") {
        let layer = suite.into_iter().find(|layer| layer.name() == name);
        let mut job = layer.expect("CORR2D_ONCE: a layer of the suite").job(machine);
        (job.run)();
        measured(&mut job);
        return;
    }
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(500))
        .nresamples(2000)
        .without_plots()
        .configure_from_args();
    let mut group = criterion.benchmark_group("layers");
    // Each sample the same number of runs: a run of the longest layers already takes tens of milliseconds.
    group.sampling_mode(SamplingMode::Flat);

    let mut peak = machine.peak();
    let mut rows: Vec<(Job, f64)> = vec![];
    for layer in suite {
        // A layer is made when criterion asks for it: those that are filtered out cost nothing.
        let name = layer.name().to_owned();
        let mut layer = Some(layer);
        let mut timed: Option<(Job, f64)> = None;
        group.bench_function(name, |bencher| {
            let (job, best) =
                timed.get_or_insert_with(|| (layer.take().expect("made once").job(machine), f64::INFINITY));
            bencher.iter_custom(|runs| {
                let start = Instant::now();
                (0..runs).for_each(|_| (job.run)());
                let elapsed = start.elapsed();
                *best = best.min(elapsed.as_secs_f64() / runs as f64);
                elapsed
            });
        });
        if let Some(timed) = timed {
            // The clock changes while a suite runs; the fastest peak is the honest yardstick for the fastest runs.
            peak = peak.max(machine.peak());
            rows.push(timed);
        }
    }
    group.finish();
    print_table(machine, peak, &rows);
}

/// One run, in a function that callgrind finds by its name.
#[inline(never)]
fn measured(job: &mut Job) {
    (job.run)();
    // Something after the call, so that this is no jump to it.
    black_box(&mut job.run);
}

fn print_table(machine: Machine, peak: f64, rows: &[(Job, f64)]) {
    let Machine { isa, threads, .. } = machine;
    println!("\n{isa:?}, {threads} thread(s), multiply-add peak {:.1} GFLOP/s\n", peak / 1e9);
    println!("{:<24} {:<9} {:>10} {:>9} {:>7}  {:>7}", "layer", "how", "best µs", "GFLOP/s", "peak", "GB/s");
    for (job, seconds) in rows {
        let (name, how, micros) = (&job.name, job.algorithm, seconds * 1e6);
        match job.work {
            Work::Flops(flops) => {
                let rate = flops / seconds;
                let share = 100.0 * rate / peak;
                println!("{name:<24} {how:<9} {micros:>10.1} {:>9.1} {share:>6.1}%", rate / 1e9);
            }
            Work::Bytes(bytes) => {
                println!(
                    "{name:<24} {how:<9} {micros:>10.1} {:>9} {:>7}  {:>7.1}",
                    "",
                    "",
                    bytes / seconds / 1e9
                );
            }
        }
    }
}
