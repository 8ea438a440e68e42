//! What the tests of this crate and of `corr2d-kernels` share.

pub(crate) mod guarded;
