//! Rows of which each element is reduced with those some steps behind it: the taps of a window, down a column or along a row.

use super::cell::{Cell, MOST_LANES, first};
use super::pixel::Pixel;
use super::total::TotalOf;
use corr2d_simd::{Isa, Kernel, Simd};
use std::marker::PhantomData;

/// How taps become one.
pub(super) trait Fold {
    type Tap: Cell;
    type Reduced: Cell;

    /// # Safety
    /// `tap` is valid for reads of the lanes of a register of `Reduced`.
    unsafe fn load<S: Simd>(s: S, tap: *const Self::Tap) -> Register<Self, S>;

    fn merge<S: Simd>(s: S, a: Register<Self, S>, b: Register<Self, S>) -> Register<Self, S>;
}

type Register<F, S> = <<F as Fold>::Reduced as Cell>::Register<S>;

/// The largest tap.
pub(super) struct Largest<P>(PhantomData<P>);

/// The smallest tap.
pub(super) struct Smallest<P>(PhantomData<P>);

/// The sum of taps.
pub(super) struct Sum<P, T>(PhantomData<(P, T)>);

macro_rules! extreme {
    ($name:ident, $merge:ident) => {
        impl<P: Pixel> Fold for $name<P> {
            type Tap = P;
            type Reduced = P;

            #[inline(always)]
            unsafe fn load<S: Simd>(s: S, tap: *const P) -> P::Register<S> {
                // SAFETY: the caller's promise.
                unsafe { P::read(s, tap) }
            }

            #[inline(always)]
            fn merge<S: Simd>(s: S, a: P::Register<S>, b: P::Register<S>) -> P::Register<S> {
                P::$merge(s, a, b)
            }
        }
    };
}

extreme!(Largest, larger);
extreme!(Smallest, smaller);

impl<P: Cell, T: TotalOf<P>> Fold for Sum<P, T> {
    type Tap = P;
    type Reduced = T;

    #[inline(always)]
    unsafe fn load<S: Simd>(s: S, tap: *const P) -> T::Register<S> {
        // SAFETY: the caller's promise.
        unsafe { T::widen(s, tap) }
    }

    #[inline(always)]
    fn merge<S: Simd>(s: S, a: T::Register<S>, b: T::Register<S>) -> T::Register<S> {
        T::plus(s, a, b)
    }
}

/// Reduces the elements `i`, `i + step`, …, `count` of them, of `source` for each `i` of `target`.
#[inline(never)]
pub(super) fn fold<F: Fold>(
    isa: Isa,
    source: &[F::Tap],
    step: usize,
    count: usize,
    target: &mut [F::Reduced],
) {
    assert!(count > 0 && source.len() >= (count - 1) * step + target.len(), "all taps of all elements");
    let isa = if F::Reduced::IN_LANES { isa } else { Isa::portable() };
    isa.run(Row::<F> { source, step, count, target });
}

struct Row<'a, F: Fold> {
    source: &'a [F::Tap],
    step: usize,
    count: usize,
    target: &'a mut [F::Reduced],
}

impl<F: Fold> Kernel for Row<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Row { source, step, count, target } = self;
        let (lanes, length) = (F::Reduced::lanes::<S>(), target.len());
        let (source, target) = (source.as_ptr(), target.as_mut_ptr());
        // SAFETY: `fold` checked that taps of all elements are readable. The source is not the target, so that the last register may be
        // shifted back and reduced again.
        unsafe {
            if length < lanes {
                let mut reduced = F::load(s, first(source, length).as_ptr());
                for tap in 1..count {
                    reduced =
                        F::merge(s, reduced, F::load(s, first(source.add(tap * step), length).as_ptr()));
                }
                let mut elements = [F::Reduced::default(); MOST_LANES];
                F::Reduced::write(s, elements.as_mut_ptr(), reduced);
                std::ptr::copy_nonoverlapping(elements.as_ptr(), target, length);
                return;
            }
            let mut i = 0;
            while i + 4 * lanes <= length {
                let mut tap = source.add(i);
                let mut reduced = [
                    F::load(s, tap),
                    F::load(s, tap.add(lanes)),
                    F::load(s, tap.add(2 * lanes)),
                    F::load(s, tap.add(3 * lanes)),
                ];
                for _ in 1..count {
                    tap = tap.add(step);
                    for v in 0..4 {
                        reduced[v] = F::merge(s, reduced[v], F::load(s, tap.add(v * lanes)));
                    }
                }
                for v in 0..4 {
                    F::Reduced::write(s, target.add(i + v * lanes), reduced[v]);
                }
                i += 4 * lanes;
            }
            while i < length {
                let at = i.min(length - lanes);
                let mut tap = source.add(at);
                let mut reduced = F::load(s, tap);
                for _ in 1..count {
                    tap = tap.add(step);
                    reduced = F::merge(s, reduced, F::load(s, tap));
                }
                F::Reduced::write(s, target.add(at), reduced);
                i += lanes;
            }
        }
    }
}
