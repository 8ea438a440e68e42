//! What is applied to an output element in the same pass that stores it.

use corr2d_simd::{Isa, Kernel, Simd};

/// A function of one element, fused into the store.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub enum Activation {
    /// Nothing.
    #[default]
    None,
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, lo), hi)`; ReLU6 is the clamp to 0 and 6.
    Clamp(f32, f32),
    /// `x` when positive, else `slope · x`.
    LeakyRelu(f32),
    /// `x / (1 + e⁻ˣ)`.
    Silu,
    /// `x · min(max(x + 3, 0), 6) / 6`.
    Hardswish,
}

impl Activation {
    /// The derivative at `x`. At a corner it is that of the flat side, as PyTorch has it for ReLU, ReLU6 and leaky ReLU.
    pub fn derivative(self, x: f32) -> f32 {
        let when = |is_steep| if is_steep { 1.0 } else { 0.0 };
        match self {
            Activation::None => 1.0,
            Activation::Relu => when(x > 0.0),
            Activation::Clamp(lo, hi) => when(lo < x && x < hi),
            Activation::LeakyRelu(slope) => {
                if x > 0.0 {
                    1.0
                } else {
                    slope
                }
            }
            Activation::Silu => {
                let gate = 1.0 / (1.0 + (-x).exp());
                gate * (1.0 + x * (1.0 - gate))
            }
            Activation::Hardswish => match x {
                _ if x <= -3.0 => 0.0,
                _ if x >= 3.0 => 1.0,
                _ => x / 3.0 + 0.5,
            },
        }
    }

    /// Applies it to `count` elements that were just stored. NaN stays NaN.
    ///
    /// # Safety
    /// `target` is valid for reads and writes of `count` floats.
    #[inline(always)]
    unsafe fn apply_stored<S: Simd>(self, s: S, target: *mut f32, count: usize) {
        let whole = count / S::LANES * S::LANES;
        // A loop for each function: one that chooses for every vector is slower than many of these.
        macro_rules! each {
            ($v:ident => $result:expr) => {{
                for i in (0..whole).step_by(S::LANES) {
                    let $v = s.load(target.add(i));
                    s.store(target.add(i), $result);
                }
                if whole < count {
                    let $v = s.load_first(target.add(whole), count - whole);
                    s.store_first(target.add(whole), $result, count - whole);
                }
            }};
        }
        let zero = s.splat(0.0);
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Activation::None => {}
                Activation::Relu => each!(v => s.max(v, zero)),
                Activation::Clamp(lo, hi) => each!(v => s.min(s.max(v, s.splat(lo)), s.splat(hi))),
                Activation::LeakyRelu(slope) => {
                    each!(v => s.mul_add(s.splat(slope), s.min(v, zero), s.max(v, zero)));
                }
                Activation::Silu => silu(std::slice::from_raw_parts_mut(target, count)),
                Activation::Hardswish => each!(v => {
                    let gate = s.min(s.max(s.add(v, s.splat(3.0)), zero), s.splat(6.0));
                    s.div(s.mul(v, gate), s.splat(6.0))
                }),
            }
        }
    }
}

/// By element: the exponential is the library's.
#[inline(never)]
fn silu(elements: &mut [f32]) {
    for x in elements {
        *x /= 1.0 + (-*x).exp();
    }
}

/// Floats that a register tile has just stored: for each `start`, `rows` rows of its count of floats. The tile does not apply the
/// activation to its sums: that is a loop or a call to the compiler, and either would push them out of their registers in the hot loop,
/// and be code for each of the many sizes of tiles.
pub(crate) struct Stored<'a> {
    pub(crate) activation: Activation,
    pub(crate) starts: &'a [*mut f32],
    /// As many as `starts`.
    pub(crate) counts: &'a [usize],
    pub(crate) rows: usize,
    /// Floats from one row to the next.
    pub(crate) stride: usize,
}

impl Stored<'_> {
    /// Applies the activation.
    ///
    /// # Safety
    /// All rows are valid for reads and writes.
    #[inline]
    pub(crate) unsafe fn activate(self, isa: Isa) {
        if self.activation != Activation::None {
            isa.run(self);
        }
    }
}

impl Kernel for Stored<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for (start, count) in self.starts.iter().zip(self.counts) {
            for row in 0..self.rows {
                // SAFETY: what `activate` asks its caller for.
                unsafe { self.activation.apply_stored(s, start.add(row * self.stride), *count) };
            }
        }
    }
}
