//! What the entry points of `crates/node` use of napi-rs, for WebAssembly.
//!
//! JavaScript writes the arguments of a call into a frame ([`frame`]), one number after another; an array is two, its address and
//! its length, with NaN for null. The call returns the kind of its outcome, which JavaScript then reads: a number or a text.
//! `src/wasm/module.ts` is the other side.

// Elsewhere nothing is exported; the crate is compiled there for the lints.
#![cfg_attr(not(target_family = "wasm"), allow(dead_code))]

pub mod frame;
mod outcome;

pub use frame::{Frame, FromFrame};
pub use outcome::{IntoOutcome, ToJson, call, object_outcome};

use std::cell::RefCell;

/// The environment of a call. There is only one.
#[derive(Clone, Copy, Debug)]
pub struct Env;

/// What a failure is; only its kind crosses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The reason is the whole message.
    GenericFailure,
    /// [`Env::throw_range_error`] was called.
    PendingException,
}

/// A failed call.
#[derive(Clone, Debug)]
pub struct Error {
    pub(crate) status: Status,
    pub(crate) reason: String,
}

impl Error {
    /// A failure with the message of the Error that it becomes.
    pub fn new(status: Status, reason: impl Into<String>) -> Error {
        Error { status, reason: reason.into() }
    }
}

/// The result of an entry point.
pub type Result<T> = core::result::Result<T, Error>;

thread_local! {
    /// Code and message of the RangeError that the call under way ends with.
    static PENDING: RefCell<Option<(String, String)>> = const { RefCell::new(None) };
}

impl Env {
    /// The call will end with a RangeError of that message and `code`.
    pub fn throw_range_error(&self, message: &str, code: Option<&str>) -> Result<()> {
        PENDING.set(Some((code.unwrap_or_default().into(), message.into())));
        Ok(())
    }
}
