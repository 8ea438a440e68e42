//! The table of instruction sets, its detection and its dispatch.

use crate::{Kernel, arch};
use core::fmt;

macro_rules! instruction_sets {
    ($($(#[$attribute:meta])* $tier:ident, $name:literal, $module:ident;)*) => {
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        enum Tier { $($(#[$attribute])* $tier,)* }

        impl Isa {
            const TABLE: &[(Isa, &str, fn() -> bool)] = &[
                $($(#[$attribute])* (Isa(Tier::$tier), $name, arch::$module::detect),)*
            ];

            /// Runs `kernel` compiled for this instruction set.
            #[inline]
            pub fn run<K: Kernel>(self, kernel: K) -> K::Output {
                match self.0 {
                    $($(#[$attribute])*
                    // SAFETY: an `Isa` is only handed out after its `detect` said that this CPU has it.
                    Tier::$tier => unsafe { arch::$module::enter(kernel) },)*
                }
            }

            /// Floats per vector register.
            pub fn lanes(self) -> usize {
                match self.0 {
                    $($(#[$attribute])* Tier::$tier => <arch::$module::Token as crate::Simd>::LANES,)*
                }
            }

            /// Vector registers that a kernel may use.
            pub fn registers(self) -> usize {
                match self.0 {
                    $($(#[$attribute])* Tier::$tier => <arch::$module::Token as crate::Simd>::REGISTERS,)*
                }
            }
        }
    };
}

// Best first. A row is all that a new instruction set needs here.
instruction_sets! {
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))] Amx, "avx512-amx", amx;
    #[cfg(target_arch = "x86_64")]  Avx512, "avx512", avx512;
    #[cfg(target_arch = "x86_64")]  Avx2,   "avx2",   avx2;
    #[cfg(target_arch = "aarch64")] Neon,   "neon",   neon;
    #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))] Relaxed128, "relaxed-simd", wasm128_relaxed;
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))] Wasm128, "simd128", wasm128;
                                    Scalar, "scalar", scalar;
}

/// An instruction set that the running CPU has; holding one is the proof.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Isa(Tier);

impl Isa {
    /// The best instruction set of this CPU.
    pub fn best() -> Isa {
        Isa::available().next().unwrap_or(Isa(Tier::Scalar))
    }

    /// What every CPU can run: for what is too rare for code of its own on each instruction set.
    pub fn portable() -> Isa {
        Isa(Tier::Scalar)
    }

    /// Every instruction set that this CPU can run, best first.
    pub fn available() -> impl Iterator<Item = Isa> {
        Isa::TABLE.iter().filter(|(_, _, detect)| detect()).map(|(isa, _, _)| *isa)
    }

    /// The instruction set of that name, if this CPU has it.
    pub fn named(name: &str) -> Result<Isa, UnknownIsa> {
        Isa::available().find(|isa| isa.name() == name).ok_or(UnknownIsa)
    }

    pub(crate) fn has_matrix_unit(self) -> bool {
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        return self.0 == Tier::Amx;
        #[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
        false
    }

    /// Its name in `CORR2D_ISA` and `info()`.
    pub fn name(self) -> &'static str {
        Isa::TABLE.iter().find(|(isa, _, _)| *isa == self).map_or("", |(_, name, _)| name)
    }
}

impl fmt::Debug for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No instruction set of that name, or not on this CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownIsa;
