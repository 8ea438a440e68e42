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
    /// Applies it to every lane. NaN stays NaN.
    #[inline(always)]
    fn apply<S: Simd>(self, s: S, v: S::V) -> S::V {
        match self {
            Activation::None => v,
            Activation::Relu => s.max(v, s.splat(0.0)),
            Activation::Clamp(lo, hi) => s.min(s.max(v, s.splat(lo)), s.splat(hi)),
            Activation::LeakyRelu(slope) => {
                s.mul_add(s.splat(slope), s.min(v, s.splat(0.0)), s.max(v, s.splat(0.0)))
            }
            Activation::Silu => by_lane(s, v, |x| x / (1.0 + (-x).exp())),
            Activation::Hardswish => {
                let gate = s.min(s.max(s.add(v, s.splat(3.0)), s.splat(0.0)), s.splat(6.0));
                s.div(s.mul(v, gate), s.splat(6.0))
            }
        }
    }
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

    /// Applies it to `count <= LANES` elements that were just stored.
    ///
    /// # Safety
    /// `target` is valid for reads and writes of `count` floats.
    #[inline(always)]
    pub(crate) unsafe fn apply_stored<S: Simd>(self, s: S, target: *mut f32, count: usize) {
        // SAFETY: the caller's promise.
        unsafe { s.store_first(target, self.apply(s, s.load_first(target, count)), count) };
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
                for i in (0..*count).step_by(S::LANES) {
                    // SAFETY: what `activate` asks its caller for.
                    unsafe {
                        let target = start.add(row * self.stride + i);
                        self.activation.apply_stored(s, target, S::LANES.min(count - i));
                    }
                }
            }
        }
    }
}

const MOST_LANES: usize = 16;

#[inline(always)]
fn by_lane<S: Simd>(s: S, v: S::V, f: impl Fn(f32) -> f32) -> S::V {
    let mut lanes = [0.0; MOST_LANES];
    const { assert!(S::LANES <= MOST_LANES) };
    // SAFETY: the array holds at least LANES floats.
    unsafe {
        s.store(lanes.as_mut_ptr(), v);
        lanes.iter_mut().for_each(|lane| *lane = f(*lane));
        s.load(lanes.as_ptr())
    }
}
