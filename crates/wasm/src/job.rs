//! Jobs run at once: there is no other thread. The other side (`src/wasm/module.ts`) starts one when JavaScript is idle, and calls
//! back at its end.

use crate::error::Failure;
use crate::runtime::runtime;
use corr2d_kernels::parallel::Pool;
use napi::{Env, Frame, FromFrame};

/// The callback at a job's end, which is the other side's business.
pub struct Done;

impl FromFrame for Done {
    fn from_frame(_: &mut Frame) -> Done {
        Done
    }
}

/// Does the work; the number that it returns means nothing.
pub(crate) fn start<K>(
    _env: &Env,
    _done: Done,
    work: impl FnOnce(&Pool) -> (Result<(), Failure>, K),
) -> Result<u32, Failure> {
    let (result, kept) = work(&runtime()?.pool());
    drop(kept);
    result.map(|()| 0)
}
