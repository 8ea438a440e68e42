//! One file per instruction set, each with a token that implements [`crate::Simd`], a `detect` and an `enter`.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub(crate) mod amx;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
#[cfg(target_arch = "aarch64")]
pub(crate) mod neon;
#[cfg(not(target_arch = "x86_64"))]
mod plain_integers;
pub(crate) mod scalar;
#[cfg(target_arch = "x86_64")]
mod sse2_integers;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(crate) mod wasm128;
#[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
pub(crate) mod wasm128_relaxed;
