//! One `f32` vector trait ([`Simd`]), one thin file per instruction set (`arch/`), and run-time dispatch ([`Isa::run`]).
//!
//! A kernel is written once, as a [`Kernel`] generic over [`Simd`]; [`Isa::run`] instantiates it inside a function that has the
//! instruction set's `#[target_feature]`s. Dispatch happens on the thread that does the work, never outside a closure that is
//! sent to another one: target features do not cross a closure.
//!
//! To add an instruction set: write `arch/NAME.rs` and add its row to the table in `isa.rs`.

mod arch;
mod isa;
pub mod matrix;
mod simd;

pub use isa::{Isa, UnknownIsa};
pub use simd::{Kernel, Simd};
