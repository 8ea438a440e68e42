//! WebAssembly's SIMD128 with the multiply-add of relaxed SIMD; everything else is [`super::wasm128`].

pub(crate) use super::wasm128::{detect, enter_fused as enter};

pub(crate) type Token = super::wasm128::Vectors<true>;
