//! Rows of which each element is reduced with those some steps behind it: the taps of a window, down a column or along a row.

/// How taps become one.
pub(super) trait Fold<P> {
    /// What taps are reduced to: a number without invalid bits.
    type Reduced: Copy;

    fn element(tap: P) -> Self::Reduced;

    fn merge(a: Self::Reduced, b: Self::Reduced) -> Self::Reduced;
}

/// Reduces the elements `i`, `i + step`, …, `count` of them, of `source` for each `i` of `target`.
#[inline(always)]
pub(super) fn fold<P: Copy, F: Fold<P>>(source: &[P], step: usize, count: usize, target: &mut [F::Reduced]) {
    // A few taps at a time keep what they are reduced to in registers. Loops over places and not over iterators, which are not always
    // compiled into the function with the instruction set's features.
    let n = target.len();
    macro_rules! first {
        ($a:ident $($b:ident $k:literal)*) => {{
            let $a = &source[..n];
            $(let $b = &source[$k * step..][..n];)*
            for i in 0..n {
                let merged = F::element($a[i]);
                $(let merged = F::merge(merged, F::element($b[i]));)*
                target[i] = merged;
            }
        }};
    }
    macro_rules! more {
        ($done:ident: $($a:ident $k:literal)*) => {{
            $(let $a = &source[($done + $k) * step..][..n];)*
            for i in 0..n {
                let merged = target[i];
                $(let merged = F::merge(merged, F::element($a[i]));)*
                target[i] = merged;
            }
        }};
    }
    match count {
        0 => return,
        1 => first!(a),
        2 => first!(a b 1),
        3 => first!(a b 1 c 2),
        4 => first!(a b 1 c 2 d 3),
        _ => first!(a b 1 c 2 d 3 e 4),
    }
    for done in (5..count).step_by(4) {
        match count - done {
            1 => more!(done: a 0),
            2 => more!(done: a 0 b 1),
            3 => more!(done: a 0 b 1 c 2),
            _ => more!(done: a 0 b 1 c 2 d 3),
        }
    }
}
