//! The discrete Fourier transform of the columns of a matrix, in place: radix 4, a register of columns at a time. Forward from natural
//! order to reversed digits (decimation in frequency), back from these (decimation in time): products of spectra need no order.

use corr2d_simd::{Isa, Kernel, Simd};
use std::f64::consts::TAU;

/// `e^(-2πi·k/size)` for the `k` that a radix-4 transform of `size` elements, a power of 4, multiplies by.
pub(super) struct Roots {
    size: usize,
    /// Cosines and sines.
    turns: Vec<[f32; 2]>,
}

impl Roots {
    pub(super) fn new(size: usize) -> Roots {
        assert!(size.is_power_of_two() && size.trailing_zeros().is_multiple_of(2), "{size} is no power of 4");
        let turn = |k: usize| {
            let angle = -TAU * k as f64 / size as f64;
            [angle.cos() as f32, angle.sin() as f32]
        };
        Roots { size, turns: (0..size.max(4) * 3 / 4).map(turn).collect() }
    }
}

/// A matrix of complex numbers, their parts apart: `roots.size()` rows, `stride` floats from one to the next.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a> {
    pub(super) roots: &'a Roots,
    pub(super) re: *mut f32,
    pub(super) im: *mut f32,
    pub(super) stride: usize,
    /// Columns that are transformed, whole registers.
    pub(super) width: usize,
}

impl Columns<'_> {
    /// The spectrum of each column, its frequencies with reversed digits.
    ///
    /// # Safety
    /// Both parts are valid for reads and writes of the rows, and are nobody else's.
    pub(super) unsafe fn forward(self, isa: Isa) {
        isa.run(Forward(self));
    }

    /// The columns of the spectra, times the number of rows.
    ///
    /// # Safety
    /// As [`Columns::forward`].
    pub(super) unsafe fn back(self, isa: Isa) {
        isa.run(Back(self));
    }
}

struct Forward<'a>(Columns<'a>);

struct Back<'a>(Columns<'a>);

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let size = self.0.roots.size;
        for x in (0..self.0.width).step_by(S::LANES) {
            let mut block = size;
            while block >= 4 {
                for j in 0..block / 4 {
                    // SAFETY: the caller's promise; rows are below `size`.
                    unsafe { self.0.forward_row(s, x, block, j) };
                }
                block /= 4;
            }
        }
    }
}

impl Kernel for Back<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let size = self.0.roots.size;
        for x in (0..self.0.width).step_by(S::LANES) {
            let mut block = 4;
            while block <= size {
                for j in 0..block / 4 {
                    // SAFETY: the caller's promise; rows are below `size`.
                    unsafe { self.0.back_row(s, x, block, j) };
                }
                block *= 4;
            }
        }
    }
}

type Complex<V> = [V; 2];

impl Columns<'_> {
    /// The butterflies of row `j` of every block of `block` rows.
    ///
    /// # Safety
    /// A register of columns from `x` on is valid in each row; `j < block / 4`, and `block` divides the rows.
    #[inline(always)]
    unsafe fn forward_row<S: Simd>(&self, s: S, x: usize, block: usize, j: usize) {
        let quarter = block / 4 * self.stride;
        let [turn1, turn2, turn3] = self.turns(s, block, j);
        let mut at = j * self.stride + x;
        for _ in 0..self.roots.size / block {
            // SAFETY: the caller's promise.
            unsafe {
                let (a0, a1) = (self.load(s, at), self.load(s, at + quarter));
                let (a2, a3) = (self.load(s, at + 2 * quarter), self.load(s, at + 3 * quarter));
                let (sum0, difference0) = (add(s, a0, a2), sub(s, a0, a2));
                let (sum1, difference1) = (add(s, a1, a3), sub(s, a1, a3));
                // Times i: the parts change places.
                let [re, im] = difference1;
                let minus = [s.add(difference0[0], im), s.sub(difference0[1], re)];
                let plus = [s.sub(difference0[0], im), s.add(difference0[1], re)];
                self.store(s, at, add(s, sum0, sum1));
                self.store(s, at + quarter, turned(s, minus, turn1));
                self.store(s, at + 2 * quarter, turned(s, sub(s, sum0, sum1), turn2));
                self.store(s, at + 3 * quarter, turned(s, plus, turn3));
            }
            at += block * self.stride;
        }
    }

    /// What takes [`Columns::forward_row`] back, times 4.
    ///
    /// # Safety
    /// As there.
    #[inline(always)]
    unsafe fn back_row<S: Simd>(&self, s: S, x: usize, block: usize, j: usize) {
        let quarter = block / 4 * self.stride;
        let [turn1, turn2, turn3] = self.turns(s, block, j);
        let mut at = j * self.stride + x;
        for _ in 0..self.roots.size / block {
            // SAFETY: the caller's promise.
            unsafe {
                let b0 = self.load(s, at);
                let b1 = turned_back(s, self.load(s, at + quarter), turn1);
                let b2 = turned_back(s, self.load(s, at + 2 * quarter), turn2);
                let b3 = turned_back(s, self.load(s, at + 3 * quarter), turn3);
                let (sum0, difference0) = (add(s, b0, b2), sub(s, b0, b2));
                let (sum1, difference1) = (add(s, b1, b3), sub(s, b1, b3));
                let [re, im] = difference1;
                self.store(s, at, add(s, sum0, sum1));
                self.store(s, at + quarter, [s.sub(difference0[0], im), s.add(difference0[1], re)]);
                self.store(s, at + 2 * quarter, sub(s, sum0, sum1));
                self.store(s, at + 3 * quarter, [s.add(difference0[0], im), s.sub(difference0[1], re)]);
            }
            at += block * self.stride;
        }
    }

    /// The first, second and third power of the root that row `j` of a block is multiplied by.
    #[inline(always)]
    fn turns<S: Simd>(&self, s: S, block: usize, j: usize) -> [Complex<S::V>; 3] {
        let step = j * (self.roots.size / block);
        let turn = |power: usize| {
            let [cos, sin] = self.roots.turns[power * step];
            [s.splat(cos), s.splat(sin)]
        };
        [turn(1), turn(2), turn(3)]
    }

    /// # Safety
    /// A register is valid at `place` of both parts.
    #[inline(always)]
    unsafe fn load<S: Simd>(&self, s: S, place: usize) -> Complex<S::V> {
        // SAFETY: the caller's promise.
        unsafe { [s.load(self.re.add(place)), s.load(self.im.add(place))] }
    }

    /// # Safety
    /// As [`Columns::load`].
    #[inline(always)]
    unsafe fn store<S: Simd>(&self, s: S, place: usize, [re, im]: Complex<S::V>) {
        // SAFETY: the caller's promise.
        unsafe {
            s.store(self.re.add(place), re);
            s.store(self.im.add(place), im);
        }
    }
}

#[inline(always)]
fn add<S: Simd>(s: S, a: Complex<S::V>, b: Complex<S::V>) -> Complex<S::V> {
    [s.add(a[0], b[0]), s.add(a[1], b[1])]
}

#[inline(always)]
fn sub<S: Simd>(s: S, a: Complex<S::V>, b: Complex<S::V>) -> Complex<S::V> {
    [s.sub(a[0], b[0]), s.sub(a[1], b[1])]
}

/// The product of two complex numbers.
#[inline(always)]
pub(super) fn turned<S: Simd>(s: S, [re, im]: Complex<S::V>, [cos, sin]: Complex<S::V>) -> Complex<S::V> {
    [s.sub(s.mul(re, cos), s.mul(im, sin)), s.mul_add(re, sin, s.mul(im, cos))]
}

/// The product with the conjugate of the second.
#[inline(always)]
fn turned_back<S: Simd>(s: S, [re, im]: Complex<S::V>, [cos, sin]: Complex<S::V>) -> Complex<S::V> {
    [s.mul_add(re, cos, s.mul(im, sin)), s.sub(s.mul(im, cos), s.mul(re, sin))]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the sum that defines it, and back again.
    #[test]
    fn spectra_are_sums_of_turned_elements() {
        for size in [4, 16, 64, 256] {
            let roots = Roots::new(size);
            let (width, stride) = (16, 19);
            let value = |i: usize| ((i * 7919 + 13) % 1009) as f32 / 1009.0 - 0.5;
            let re: Vec<f32> = (0..size * stride).map(value).collect();
            let im: Vec<f32> = (0..size * stride).map(|i| value(i + 77)).collect();
            for isa in Isa::available() {
                let (mut a, mut b) = (re.clone(), im.clone());
                let columns =
                    Columns { roots: &roots, re: a.as_mut_ptr(), im: b.as_mut_ptr(), stride, width };
                // SAFETY: both have `size` rows.
                unsafe { columns.forward(isa) };
                let digits = size.trailing_zeros() / 2;
                for row in 0..size {
                    // The frequency of a row has its digits to the base of 4 in reverse.
                    let frequency = (0..digits).fold(0, |f, digit| f * 4 + (row >> (2 * digit)) % 4);
                    for x in [0, 5, width - 1] {
                        let mut exact = [0.0f64; 2];
                        for y in 0..size {
                            let angle = -TAU * (frequency * y % size) as f64 / size as f64;
                            let (sin, cos) = angle.sin_cos();
                            let (re, im) = (f64::from(re[y * stride + x]), f64::from(im[y * stride + x]));
                            exact[0] += re * cos - im * sin;
                            exact[1] += re * sin + im * cos;
                        }
                        let at = row * stride + x;
                        let error = (f64::from(a[at]) - exact[0]).hypot(f64::from(b[at]) - exact[1]);
                        assert!(error < 1e-5, "{isa:?} {size} {row}: {error}");
                    }
                }
                let columns =
                    Columns { roots: &roots, re: a.as_mut_ptr(), im: b.as_mut_ptr(), stride, width };
                // SAFETY: as above.
                unsafe { columns.back(isa) };
                for (y, x) in (0..size).flat_map(|y| (0..width).map(move |x| (y, x))) {
                    let at = y * stride + x;
                    let error = (a[at] / size as f32 - re[at]).abs() + (b[at] / size as f32 - im[at]).abs();
                    assert!(error < 1e-6, "{isa:?} {size}: {error}");
                }
            }
        }
    }
}
