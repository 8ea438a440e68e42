//! How good the choice by estimated cost is: over random problems, the time of the algorithm that is taken by itself over that of the
//! fastest that could be. `npm run bench:cost`; the arguments are the number of problems (300) and a seed (1). Fails when fewer than
//! 95 % are within 10 %. `CORR2D_ISA` as in the package. One thread: the cost knows nothing of threads.

use corr2d_kernels::Isa;
use corr2d_kernels::conv::{ALGORITHMS, Activation, Algorithm, ConvPlan};
use corr2d_kernels::geometry::{ChannelOrder, ConvGeometry, ConvRequest, Padding, PaddingMode, Window};
use corr2d_kernels::parallel::Pool;
use std::env;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Times over the best that still count as good, and the share of the problems that must be.
const TOLERANCE: f64 = 1.1;
const SHARE: f64 = 0.95;

/// Algorithms estimated to take so many times as long as the best are not measured.
const HOPELESS: f64 = 4.0;

/// Time spent on each problem, in rounds over all of its algorithms.
const BUDGET: Duration = Duration::from_millis(60);

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1).map(|argument| argument.parse().expect("a whole number"));
    let problems = arguments.next().unwrap_or(300);
    let mut random = Random(arguments.next().unwrap_or(1) as u64);
    let isa = env::var("CORR2D_ISA")
        .map_or_else(|_| Isa::best(), |name| Isa::named(&name).expect("an instruction set of this CPU"));
    let pool = Pool::new(1).expect("threads can be started");
    let mut ratios = vec![];
    for _ in 0..problems {
        let g = random.problem();
        let (chosen, fastest, ratio) = compare(&g, isa, &pool);
        if ratio > TOLERANCE {
            println!("{ratio:>6.2} {chosen:<22} {fastest:<22} {}", describe(&g));
        }
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    let good = ratios.iter().filter(|ratio| **ratio <= TOLERANCE).count() as f64 / ratios.len() as f64;
    let (median, worst) = (ratios[ratios.len() / 2], ratios[ratios.len() - 1]);
    println!(
        "{isa:?}, {problems} problems: {:.1} % within 10 %, median {median:.2}, worst {worst:.2}",
        100.0 * good
    );
    if good >= SHARE { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Names of the algorithm taken and of the fastest, and the time of the former over that of the latter.
fn compare(g: &ConvGeometry, isa: Isa, pool: &Pool) -> (&'static str, &'static str, f64) {
    let supported = || ALGORITHMS.iter().filter(|algorithm| (algorithm.supports)(g));
    let cost = |algorithm: &Algorithm| (algorithm.cost)(g, isa);
    let least = supported().map(cost).fold(f64::INFINITY, f64::min);
    let algorithms: Vec<_> = supported().filter(|algorithm| cost(algorithm) <= HOPELESS * least).collect();
    let data = |len: usize| (0..len).map(|i| (i % 251) as f32 / 251.0 - 0.5).collect::<Vec<f32>>();
    let (input, weight, mut output) = (data(g.input_len()), data(g.weight_len()), vec![0.0; g.output_len()]);
    let plan = |algorithm: &&'static Algorithm| {
        ConvPlan::new(*g, &weight, None, Activation::None, isa, Some(*algorithm)).expect("supported")
    };
    let plans: Vec<ConvPlan> = algorithms.iter().map(plan).collect();
    let mut best = vec![f64::INFINITY; plans.len()];
    let start = Instant::now();
    let mut rounds = 0;
    while rounds < 4 || start.elapsed() < BUDGET {
        for (plan, best) in plans.iter().zip(&mut best) {
            let start = Instant::now();
            plan.run(&input, None, &mut output, pool, 1).expect("exact lengths");
            *best = best.min(start.elapsed().as_secs_f64());
        }
        rounds += 1;
    }
    let chosen = (0..plans.len()).min_by(|a, b| cost(algorithms[*a]).total_cmp(&cost(algorithms[*b])));
    let fastest = (0..plans.len()).min_by(|a, b| best[*a].total_cmp(&best[*b]));
    let (chosen, fastest) = (chosen.expect("some algorithm"), fastest.expect("some algorithm"));
    (algorithms[chosen].name, algorithms[fastest].name, best[chosen] / best[fastest])
}

fn describe(g: &ConvGeometry) -> String {
    let ConvGeometry { c_in, c_out, groups, y, x, order, .. } = g;
    format!(
        "{c_in}×{}×{} → {c_out}×{}×{}, {}×{} stride {} dilation {} groups {groups} {order:?}",
        y.input, x.input, y.output, x.output, y.kernel, x.kernel, x.stride, x.dilation
    )
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// Layers as networks have them, of all sizes that take some microseconds to some milliseconds.
    fn problem(&mut self) -> ConvGeometry {
        loop {
            let channels = [1, 3, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 320, 512, 1024];
            let (c_in, c_out) = (self.pick(&channels), self.pick(&channels));
            let side = self.pick(&[7, 14, 28, 56, 112, 224]) + self.pick(&[0, 0, 0, 1, 3]);
            let kernel = self.pick(&[[1, 1], [1, 1], [3, 3], [3, 3], [3, 3], [5, 5], [7, 7], [1, 7], [3, 1]]);
            let stride = self.pick(&[1, 1, 1, 2]);
            let dilation = self.pick(&[1, 1, 1, 1, 1, 2, 4]);
            // Dense, depthwise or in groups of four.
            let (c_out, groups) = match self.below(8) {
                0 => (c_in, c_in),
                1 if c_in % 4 == 0 => (c_in, c_in / 4),
                _ => (c_out, 1),
            };
            let padding = kernel.map(|side| [dilation * (side - 1) / 2; 2]);
            let request = ConvRequest {
                batch: 1,
                c_in,
                input: [side; 2],
                c_out,
                weight_channels: c_in / groups,
                window: Window {
                    kernel,
                    stride: [stride; 2],
                    dilation: [dilation; 2],
                    padding: Padding::Explicit(padding),
                },
                groups,
                padding_mode: PaddingMode::Zeros,
                order: self.pick(&[ChannelOrder::First, ChannelOrder::First, ChannelOrder::Last]),
            };
            let Ok(g) = ConvGeometry::new(&request) else { continue };
            if (1e5..4e8).contains(&g.flops()) {
                return g;
            }
        }
    }
}
