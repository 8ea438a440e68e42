//! A run allocates nothing once its thread has its scratch memory, and sizes that matter to nobody cost no memory.

mod common;

use common::shapes::{Conv, Pooling, Transposed};
use corr2d_kernels::Isa;
use corr2d_kernels::conv::{ALGORITHMS, Activation, ConvPlan, TransposedPlan};
use corr2d_kernels::geometry::{ChannelOrder, PoolGeometry, PoolMode};
use corr2d_kernels::image::{Alpha, Border, Frame, ImageFilter, ImageRequest};
use corr2d_kernels::parallel::Pool;
use corr2d_kernels::pool::PoolPlan;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::BTreeSet;

/// The system's allocator with a count for each thread, since the other threads of a test binary allocate when they please.
struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
    static BYTES: Cell<usize> = const { Cell::new(0) };
}

fn count(bytes: usize) {
    COUNT.set(COUNT.get() + 1);
    BYTES.set(BYTES.get() + bytes);
}

// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations that `work` makes on this thread.
fn allocations(work: impl FnOnce()) -> usize {
    let before = COUNT.get();
    work();
    COUNT.get() - before
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(1)))), 1);
    assert_eq!(allocations(|| ()), 0);
}

fn single_thread() -> Pool {
    Pool::new(1).expect("one thread can be started")
}

#[test]
fn a_convolution_allocates_nothing_after_its_first_run() {
    let pool = single_thread();
    let pads = [[1, 1], [1, 1]];
    let convs = [
        Conv { input: [5, 5], ..Conv::default() },
        Conv { input: [80, 700], pads, ..Conv::default() },
        Conv { input: [40, 60], kernel: [23, 5], ..Conv::default() },
        Conv { batch: 2, input: [28, 28], c_in: 16, c_out: 20, pads, ..Conv::default() },
        Conv { input: [28, 28], c_in: 16, c_out: 20, kernel: [1, 1], ..Conv::default() },
        Conv { input: [28, 28], c_in: 6, c_out: 6, groups: 3, stride: [2, 2], ..Conv::default() },
        Conv { input: [28, 28], c_in: 16, c_out: 20, stride: [2, 2], pads, ..Conv::default() },
    ];
    let last = |conv: &Conv| Conv { order: ChannelOrder::Last, ..*conv };
    let depthwise = Conv { input: [28, 28], c_in: 6, c_out: 6, groups: 6, ..last(&Conv::default()) };
    let mut run_algorithms = BTreeSet::new();
    for conv in convs.iter().copied().chain(convs.iter().map(last)).chain([depthwise]) {
        let g = conv.geometry().expect("a valid shape");
        let (input, weight) = (vec![1.0; g.input_len()], vec![1.0; g.weight_len()]);
        let mut output = vec![0.0; g.output_len()];
        for algorithm in ALGORITHMS.iter().filter(|algorithm| (algorithm.supports)(&g)) {
            run_algorithms.insert(algorithm.name);
            for (isa, activation) in Isa::available().flat_map(|isa| ACTIVATIONS.map(|a| (isa, a))) {
                let plan = ConvPlan::new(g, &weight, None, activation, isa, Some(algorithm));
                let plan = plan.expect("supported");
                let mut run = || plan.run(&input, None, &mut output, &pool, 1).expect("exact lengths");
                run();
                let later = allocations(|| (0..3).for_each(|_| run()));
                assert_eq!(later, 0, "{} with {activation:?} on {isa:?} of {conv:?}", algorithm.name);
            }
        }
    }
    assert_eq!(run_algorithms, ALGORITHMS.iter().map(|algorithm| algorithm.name).collect(), "all of them");
}

const ACTIVATIONS: [Activation; 6] = [
    Activation::None,
    Activation::Relu,
    Activation::Clamp(0.0, 6.0),
    Activation::LeakyRelu(0.1),
    Activation::Silu,
    Activation::Hardswish,
];

/// As worker threads of Node would use it.
#[test]
fn a_plan_shared_by_threads_gives_each_the_same_bits_and_allocates_nothing() {
    let g = Conv { input: [30, 37], c_in: 16, c_out: 20, pads: [[1, 1], [1, 1]], ..Conv::default() };
    let g = g.geometry().expect("a valid shape");
    let mut random = common::Random::new(1);
    let (input, weight) = (random.floats(g.input_len()), random.floats(g.weight_len()));
    let pool = single_thread();
    for algorithm in ALGORITHMS.iter().filter(|algorithm| (algorithm.supports)(&g)) {
        let plan = ConvPlan::new(g, &weight, None, Activation::Relu, Isa::best(), Some(algorithm));
        let plan = plan.expect("supported");
        let run = |output: &mut Vec<f32>| plan.run(&input, None, output, &pool, 1).expect("exact lengths");
        let mut expected = vec![0.0; g.output_len()];
        run(&mut expected);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let mut output = vec![0.0; g.output_len()];
                    run(&mut output);
                    assert_eq!(allocations(|| (0..20).for_each(|_| run(&mut output))), 0);
                    assert_eq!(common::bits(&output), common::bits(&expected), "{}", algorithm.name);
                });
            }
        });
    }
}

#[test]
fn a_transposed_convolution_allocates_nothing_after_its_first_run() {
    let pool = single_thread();
    for (stride, c_out) in [(1, 1), (1, 20), (2, 3), (3, 17)] {
        let shape = Transposed {
            batch: 2,
            c_in: 4,
            c_out,
            input: [20, 30],
            stride: [stride; 2],
            output_padding: [stride - 1; 2],
            ..Transposed::default()
        };
        let g = shape.geometry().expect("a valid shape");
        let (input, weight) = (vec![1.0; g.input_len()], vec![1.0; g.weight_len()]);
        let mut output = vec![0.0; g.output_len()];
        for isa in Isa::available() {
            let plan = TransposedPlan::new(g, &weight, None, Activation::Relu, isa, None);
            let plan = plan.expect("a valid shape");
            let mut run = || plan.run(&input, None, &mut output, &pool, 1).expect("exact lengths");
            run();
            assert_eq!(allocations(|| (0..3).for_each(|_| run())), 0, "{isa:?} of {shape:?}");
        }
    }
}

#[test]
fn a_pooling_allocates_nothing_after_its_first_run() {
    let pool = single_thread();
    let mean = PoolMode::Average { count_include_pad: true, divisor_override: None };
    let adaptive = |largest| PoolGeometry::adaptive([1, 3], [40, 70], [7, 9], largest);
    let mut geometries = vec![adaptive(true), adaptive(false)];
    for mode in [PoolMode::Max, mean, PoolMode::Norm(1.0), PoolMode::Norm(2.0), PoolMode::Norm(3.5)] {
        for (kernel, stride) in [([2, 2], [2, 2]), ([3, 3], [1, 1]), ([3, 3], [2, 2]), ([2, 5], [3, 4])] {
            let pooling =
                Pooling { channels: 3, input: [40, 70], kernel, stride, mode, ..Pooling::default() };
            geometries.push(pooling.geometry());
        }
    }
    let geometries = geometries.into_iter().map(|g| g.expect("a valid shape"));
    for g in geometries.flat_map(|g| [g, g.with_order(ChannelOrder::Last)]) {
        let (input, mut output) = (vec![1.0; g.input_len()], vec![0.0; g.output_len()]);
        let mut indices = vec![0; g.output_len()];
        for isa in Isa::available() {
            let plan = PoolPlan::new(g, isa);
            let mut run = || plan.run(&input, None, &mut output, &pool, 1).expect("exact lengths");
            run();
            assert_eq!(allocations(|| (0..3).for_each(|_| run())), 0, "{isa:?} of {g:?}");
            if g.mode == PoolMode::Max {
                let mut run = || plan.run_with_indices(&input, None, &mut output, &mut indices, &pool, 1);
                assert_eq!(allocations(|| run().expect("exact lengths")), 0, "indices on {isa:?} of {g:?}");
            }
        }
    }
}

#[test]
fn an_image_filter_allocates_nothing_after_its_first_run() {
    let pool = single_thread();
    for (kernel, channels) in [([3, 3], 1), ([5, 5], 3), ([13, 13], 4)] {
        let request = ImageRequest {
            frame: Frame::tight(400, 50, channels),
            border: Border::Reflect,
            scale: 1.0,
            offset: 0.0,
            alpha: Alpha::PassThrough,
            linear: false,
        };
        let (input, mut output) = (vec![1u8; 20_000 * channels], vec![0u8; 20_000 * channels]);
        for isa in Isa::available() {
            let weights = vec![1.0; kernel[0] * kernel[1]];
            let filter = ImageFilter::new(request, kernel, &weights, isa).expect("a valid request");
            let mut run = || filter.run(&input, &mut output, &pool, 1).expect("exact lengths");
            run();
            assert_eq!(allocations(|| (0..3).for_each(|_| run())), 0, "{isa:?} of {request:?}");
        }
    }
}

/// Sharing a call out to threads may cost a little, but not for each tile.
#[test]
fn threads_cost_a_fixed_number_of_allocations() {
    let pool = Pool::new(3).expect("two threads");
    let g =
        Conv { input: [1100, 2100], kernel: [1, 1], ..Conv::default() }.geometry().expect("a valid shape");
    let (input, mut output) = (vec![1.0; g.input_len()], vec![0.0; g.output_len()]);
    for algorithm in ALGORITHMS.iter().filter(|algorithm| (algorithm.supports)(&g)) {
        let plan = ConvPlan::new(g, &[1.0], None, Activation::None, Isa::best(), Some(algorithm));
        let plan = plan.expect("supported");
        let mut run = || plan.run(&input, None, &mut output, &pool, 3).expect("exact lengths");
        run();
        // One invitation for two helpers, and for each a job; now and then their queue needs another block.
        let later = allocations(|| (0..10).for_each(|_| run()));
        assert!(later <= 10 * 4, "{later} allocations in 10 runs of {}", algorithm.name);
    }
}

/// A stride far beyond the input asks for one output, not for memory.
#[test]
fn a_huge_stride_costs_no_memory() {
    let pool = single_thread();
    let before = BYTES.get();
    let conv = Conv { input: [6, 7], stride: [1 << 22, 1 << 22], ..Conv::default() };
    let g = conv.geometry().expect("a valid shape");
    for algorithm in ALGORITHMS.iter().filter(|algorithm| (algorithm.supports)(&g)) {
        let plan = ConvPlan::new(g, &[1.0; 9], None, Activation::None, Isa::best(), Some(algorithm));
        let mut output = [0.0];
        plan.expect("supported").run(&[1.0; 42], None, &mut output, &pool, 1).expect("exact lengths");
        assert_eq!(output, [9.0], "{}", algorithm.name);
    }
    let pooling = Pooling { input: [6, 7], stride: [1 << 22, 1 << 22], ..Pooling::default() };
    let mut output = [0.0];
    let plan = PoolPlan::new(pooling.geometry().expect("a valid shape"), Isa::best());
    plan.run(&[1.0; 42], None, &mut output, &pool, 1).expect("exact lengths");
    assert_eq!(output, [1.0]);
    let bytes = BYTES.get() - before;
    assert!(bytes < 1 << 20, "{bytes} bytes for 42 pixels");
}
