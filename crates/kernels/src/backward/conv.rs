//! The gradients of convolution and transposed convolution. The two are each other's transpose, so each takes its input's gradient
//! from the other's plans, and both take the weight's from the same product of windows and gradients.

use super::{bias, fold, planes, weight};
use crate::buffer::Aligned;
use crate::conv::swap_axes::SwapAxes;
use crate::conv::{Activation, ConvPlan, Layout, TransposedPlan, choose_once};
use crate::error::Error;
use crate::geometry::{ChannelOrder, ConvGeometry, PaddingMode, TransposedGeometry};
use crate::parallel::Pool;
use crate::view::{InputView, OutputView, check_overlap};
use corr2d_simd::Isa;

/// What a call was made with, and the gradient of its result. All contiguous.
#[derive(Clone, Copy)]
pub struct ConvOperands<'a> {
    /// The input.
    pub input: &'a [f32],
    /// The weight.
    pub weight: &'a [f32],
    /// The bias; it matters to the activation only.
    pub bias: Option<&'a [f32]>,
    /// The activation of the call.
    pub activation: Activation,
    /// The gradient with respect to the result.
    pub gradient: &'a [f32],
}

/// Where the gradients that are wanted go, each of its operand's shape; the bias's has one element for each output channel, whether
/// there was a bias or not.
#[derive(Default)]
pub struct ConvGradients<'a> {
    /// With respect to the input.
    pub input: Option<&'a mut [f32]>,
    /// With respect to the weight.
    pub weight: Option<&'a mut [f32]>,
    /// With respect to the bias.
    pub bias: Option<&'a mut [f32]>,
}

/// Where a call runs.
#[derive(Clone, Copy)]
struct Machine<'a> {
    isa: Isa,
    pool: &'a Pool,
    threads: usize,
}

/// Elements of a tile of work on single elements.
const TILE: usize = 1 << 15;

/// The gradients of a convolution (PyTorch's `conv2d`): of the elements that a padding mode repeats, all repetitions count.
pub fn conv2d(
    g: &ConvGeometry,
    operands: &ConvOperands<'_>,
    gradients: &mut ConvGradients<'_>,
    isa: Isa,
    pool: &Pool,
    threads: usize,
) -> Result<(), Error> {
    check(operands, gradients, [g.input_len(), g.weight_len(), g.c_out, g.output_len()])?;
    let machine = Machine { isa, pool, threads };
    let ConvOperands { input, weight, bias, activation, gradient } = *operands;
    let inner = match activation {
        Activation::None => None,
        _ => {
            let mut inner = Aligned::of(g.output_len());
            let plan = ConvPlan::new(*g, weight, bias, Activation::None, isa, None)?;
            plan.run(input, None, inner.as_mut_slice(), pool, threads)?;
            Some(inner)
        }
    };
    let inner = inner.map(|inner| machine.through(activation, inner, gradient));
    let gradient = inner.as_ref().map_or(gradient, Aligned::as_slice);

    if let Some(target) = gradients.input.as_deref_mut() {
        let transposed = TransposedGeometry::input_gradient(g);
        let plan = TransposedPlan::once(transposed, weight, isa)?;
        if g.padding_mode == PaddingMode::Zeros {
            plan.run(gradient, None, target, pool, threads)?;
        } else {
            let mut padded = Aligned::of(transposed.output_len());
            plan.run(gradient, None, padded.as_mut_slice(), pool, threads)?;
            fold::run(g, padded.as_slice(), target, pool, threads);
        }
    }
    if let Some(target) = gradients.weight.as_deref_mut() {
        let input = InputView::contiguous(input, g.input_shape())?;
        machine.weight(g, &input, gradient, target);
    }
    if let Some(target) = gradients.bias.as_deref_mut() {
        bias::run(g.order, g.batch, gradient, target, isa, pool, threads);
    }
    Ok(())
}

/// The gradients of a transposed convolution (PyTorch's `conv_transpose2d`).
pub fn conv_transpose2d(
    g: &TransposedGeometry,
    operands: &ConvOperands<'_>,
    gradients: &mut ConvGradients<'_>,
    isa: Isa,
    pool: &Pool,
    threads: usize,
) -> Result<(), Error> {
    check(operands, gradients, [g.input_len(), g.weight_len(), g.c_out, g.output_len()])?;
    let machine = Machine { isa, pool, threads };
    let ConvOperands { input, weight, bias, activation, gradient } = *operands;
    let inner = match activation {
        Activation::None => None,
        _ => {
            let mut inner = Aligned::of(g.output_len());
            let plan = TransposedPlan::new(*g, weight, bias, Activation::None, isa, None)?;
            plan.run(input, None, inner.as_mut_slice(), pool, threads)?;
            Some(inner)
        }
    };
    let inner = inner.map(|inner| machine.through(activation, inner, gradient));
    let gradient = inner.as_ref().map_or(gradient, Aligned::as_slice);

    let adjoint = g.adjoint()?;
    let [_, b, c, d] = g.output_shape();
    let layout = Layout { offset: 0, strides: [b * c * d, c * d, d] };
    if let Some(target) = gradients.input.as_deref_mut() {
        match &adjoint {
            Some(conv) => {
                let algorithm = Some(choose_once(conv, isa));
                let plan = ConvPlan::new(*conv, weight, None, Activation::None, isa, algorithm)?;
                plan.run(gradient, Some(layout), target, pool, threads)?;
            }
            None => target.fill(0.0),
        }
    }
    if let Some(target) = gradients.weight.as_deref_mut() {
        match &adjoint {
            Some(conv) => {
                let windows = InputView::new(gradient, 0, layout.strides, conv.input_shape())?;
                machine.weight(conv, &windows, input, target);
            }
            None => target.fill(0.0),
        }
    }
    if let Some(target) = gradients.bias.as_deref_mut() {
        bias::run(g.order, g.batch, gradient, target, isa, pool, threads);
    }
    Ok(())
}

/// Refuses lengths that are not those of input, weight, output channels and output, and gradients in the operands' memory.
fn check(
    operands: &ConvOperands<'_>,
    gradients: &ConvGradients<'_>,
    [input, weight, c_out, output]: [usize; 4],
) -> Result<(), Error> {
    let targets = [&gradients.input, &gradients.weight, &gradients.bias].map(Option::as_deref);
    let len = |target: Option<&[f32]>, otherwise| target.map_or(otherwise, <[f32]>::len);
    for (parameter, expected, received) in [
        ("x", input, operands.input.len()),
        ("weight", weight, operands.weight.len()),
        ("gradOutput", output, operands.gradient.len()),
        ("the gradient of x", input, len(targets[0], input)),
        ("the gradient of weight", weight, len(targets[1], weight)),
        ("the gradient of bias", c_out, len(targets[2], c_out)),
    ] {
        if received != expected {
            return Err(Error::Length { parameter, expected, received });
        }
    }
    if let Some(bias) = operands.bias.filter(|bias| bias.len() != c_out) {
        return Err(Error::BiasLength { expected: c_out, received: bias.len() });
    }
    for gradient in targets.into_iter().flatten() {
        check_overlap(gradient, operands.input, "x")?;
        check_overlap(gradient, operands.weight, "weight")?;
        check_overlap(gradient, operands.gradient, "gradOutput")?;
        check_overlap(gradient, operands.bias.unwrap_or_default(), "bias")?;
    }
    Ok(())
}

impl Machine<'_> {
    /// The gradient before an activation, from what went into it and the gradient after it.
    fn through(self, activation: Activation, mut inner: Aligned, gradient: &[f32]) -> Aligned {
        let target = OutputView::new(&mut inner.as_mut_slice()[..gradient.len()]);
        self.pool.for_each(gradient.len().div_ceil(TILE), self.threads, |tile| {
            let part = &gradient[tile * TILE..gradient.len().min((tile + 1) * TILE)];
            // SAFETY: these elements are this tile's.
            let inner = unsafe { std::slice::from_raw_parts_mut(target.at(tile * TILE), part.len()) };
            inner.iter_mut().zip(part).for_each(|(x, gradient)| *x = gradient * activation.derivative(*x));
        });
        inner
    }

    /// The weight's gradient, of windows of `input` and a contiguous gradient of them.
    fn weight(self, g: &ConvGeometry, input: &InputView<'_>, gradient: &[f32], target: &mut [f32]) {
        let Machine { isa, pool, threads } = self;
        if g.batch == 0 {
            target.fill(0.0);
            return;
        }
        let in_order = ConvGeometry { order: ChannelOrder::First, ..*g };
        if weight::cost(g, isa) <= planes::cost(&in_order, isa) {
            weight::run(g, input, gradient, target, isa, pool, threads);
        } else if g.order == ChannelOrder::First {
            planes::run(g, input, gradient, target, isa, pool, threads);
        } else {
            let elements = self.to_planes([g.batch, g.y.input, g.x.input, g.c_in], input);
            let shape = [g.batch, g.y.output, g.x.output, g.c_out];
            let view = InputView::contiguous(gradient, shape).expect("as long as its shape says");
            let gradient = self.to_planes(shape, &view);
            let view = InputView::contiguous(elements.as_slice(), in_order.input_shape());
            let view = view.expect("as long as its shape says");
            planes::run(&in_order, &view, gradient.as_slice(), target, isa, pool, threads);
        }
    }

    /// Channels last to channels first.
    fn to_planes(self, [n, h, w, c]: [usize; 4], pixels: &InputView<'_>) -> Aligned {
        let mut planes = Aligned::of(n * h * w * c);
        let target = OutputView::new(planes.as_mut_slice());
        self.pool.for_each(n * h, self.threads, |row| {
            let swap = SwapAxes {
                source: pixels.row(row / h, row % h, 0),
                source_stride: pixels.row_stride(),
                target: target.at((row / h * c * h + row % h) * w),
                target_stride: h * w,
                size: [w, c],
            };
            // SAFETY: a row has `w` pixels of `c` channels, and this row of every plane is this tile's.
            unsafe { swap.run(self.isa) };
        });
        planes
    }
}
