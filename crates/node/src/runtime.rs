//! What the process shares: the instruction set and the pool of threads. Every worker thread of Node uses the same ones, so that
//! eight workers do not start eight pools.

use crate::environment::variable;
use crate::error::{Failure, throw};
use corr2d_kernels::Isa;
use corr2d_kernels::conv::ALGORITHMS;
use corr2d_kernels::parallel::Pool;
use napi::Env;
use napi_derive::napi;
use std::sync::{Arc, LazyLock, RwLock};

pub(crate) struct Runtime {
    pub(crate) isa: Isa,
    pool: RwLock<Arc<Pool>>,
}

impl Runtime {
    /// `CORR2D_ISA` and `CORR2D_THREADS`, or else what this machine has.
    fn from_environment() -> Result<Runtime, String> {
        let isa = match variable("CORR2D_ISA") {
            Some(name) => Isa::named(&name).map_err(|_| {
                let names: Vec<_> = Isa::available().map(Isa::name).collect();
                format!("expected one of {} for CORR2D_ISA, received '{name}'", names.join(", "))
            })?,
            None => Isa::best(),
        };
        let threads = match variable("CORR2D_THREADS") {
            Some(count) => count
                .parse()
                .ok()
                .filter(|threads| (1..=MOST_THREADS).contains(threads))
                .ok_or_else(|| {
                    format!(
                        "expected an integer from 1 to {MOST_THREADS} for CORR2D_THREADS, received '{count}'"
                    )
                })?,
            None => Pool::default_threads(),
        };
        let pool = Pool::new(threads).map_err(|error| error.to_string())?;
        Ok(Runtime { isa, pool: RwLock::new(Arc::new(pool)) })
    }

    /// The pool; a call keeps the one it began with.
    pub(crate) fn pool(&self) -> Arc<Pool> {
        // A poisoned lock still holds a whole pool: it is replaced in one assignment.
        self.pool.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }
}

/// More threads than this are taken for a mistake.
const MOST_THREADS: usize = 1024;

static RUNTIME: LazyLock<Result<Runtime, String>> = LazyLock::new(Runtime::from_environment);

pub(crate) fn runtime() -> Result<&'static Runtime, Failure> {
    RUNTIME.as_ref().map_err(|sentence| Failure::Value(sentence.clone()))
}

/// What the native side knows about itself.
#[napi(object)]
pub struct NativeInfo {
    /// The addon's version.
    pub version: String,
    /// The instruction set in use.
    pub isa: String,
    /// Every instruction set of this machine, best first.
    pub isas: Vec<String>,
    /// Threads that work on one call.
    pub threads: u32,
    /// Names of the convolution algorithms.
    pub algorithms: Vec<String>,
}

/// What the native side knows about itself.
#[napi(catch_unwind)]
pub fn runtime_info(env: Env) -> napi::Result<NativeInfo> {
    throw(
        &env,
        runtime().map(|runtime| NativeInfo {
            version: env!("CARGO_PKG_VERSION").into(),
            isa: runtime.isa.name().into(),
            isas: Isa::available().map(|isa| isa.name().into()).collect(),
            threads: runtime.pool().threads() as u32,
            algorithms: ALGORITHMS.iter().map(|algorithm| algorithm.name.into()).collect(),
        }),
    )
}

/// Replaces the pool by one of `threads` threads, the caller of each operation among them.
#[napi(catch_unwind)]
pub fn set_threads(env: Env, threads: u32) -> napi::Result<()> {
    throw(&env, replace_pool(threads as usize))
}

fn replace_pool(threads: usize) -> Result<(), Failure> {
    if !(1..=MOST_THREADS).contains(&threads) {
        return Err(Failure::Value(format!(
            "expected an integer from 1 to {MOST_THREADS} for threads, received {threads}"
        )));
    }
    let runtime = runtime()?;
    let pool = Pool::new(threads).map_err(|error| Failure::System(error.to_string()))?;
    *runtime.pool.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = Arc::new(pool);
    Ok(())
}

/// Threads that work on one call.
#[napi(catch_unwind)]
pub fn get_threads(env: Env) -> napi::Result<u32> {
    throw(&env, runtime().map(|runtime| runtime.pool().threads() as u32))
}

/// Has the C library keep little of what is freed, share few arenas among threads, and give back now what lies unused in them: for
/// programs that take images of all sizes from file to file, whose freed blocks would otherwise lie in the arenas of many threads. It
/// holds for the whole process, and does something where that library is glibc.
#[napi(catch_unwind)]
pub fn give_memory_back(env: Env) -> napi::Result<()> {
    bound_arenas();
    throw(&env, Ok(()))
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn bound_arenas() {
    use std::ffi::c_int;
    // <malloc.h>: a threshold that is set no longer grows with what is freed. Memory that is given back must be cleared by the system
    // when it is taken again, which takes a tenth of the time to decode and encode an image; so blocks of any usual size are kept, but
    // no more than two images' worth.
    const M_TRIM_THRESHOLD: c_int = -1;
    const M_MMAP_THRESHOLD: c_int = -3;
    const M_ARENA_MAX: c_int = -8;
    unsafe extern "C" {
        fn mallopt(parameter: c_int, value: c_int) -> c_int;
        fn malloc_trim(pad: usize) -> c_int;
    }
    // SAFETY: both may be called at any time, on any thread, and a value that is refused changes nothing.
    unsafe {
        mallopt(M_TRIM_THRESHOLD, 64 << 20);
        mallopt(M_MMAP_THRESHOLD, 32 << 20);
        mallopt(M_ARENA_MAX, 2);
        malloc_trim(0);
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn bound_arenas() {}

/// Floating-point operations per second of threads (1 unless given) that only multiply and add, on an instruction set of
/// `runtimeInfo().isas` (the one in use unless given), measured now; for benchmarks that state a share of it.
#[napi(catch_unwind)]
pub fn fma_peak(env: Env, isa: Option<String>, threads: Option<u32>) -> napi::Result<f64> {
    throw(&env, peak(isa, threads))
}

fn peak(isa: Option<String>, threads: Option<u32>) -> Result<f64, Failure> {
    let isa = match isa {
        Some(name) => Isa::named(&name).map_err(|_| {
            Failure::Value(format!("expected an instruction set of this machine, received '{name}'"))
        })?,
        None => runtime()?.isa,
    };
    Ok(corr2d_kernels::peak::fma_peak_of(isa, threads_of(threads)))
}

/// Bytes per second, read and written ones added up, of threads (1 unless given) that copy within `bytes` of memory (at most 1 GiB),
/// measured now; for benchmarks that state a share of it.
#[napi(catch_unwind)]
pub fn copy_bandwidth(bytes: f64, threads: Option<u32>) -> f64 {
    corr2d_kernels::peak::copy_bandwidth((bytes as usize).min(1 << 30), threads_of(threads))
}

/// A number of threads that can be started.
fn threads_of(threads: Option<u32>) -> usize {
    threads.map_or(1, |threads| (threads as usize).clamp(1, MOST_THREADS))
}
