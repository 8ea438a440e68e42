//! Errors of the kernels as JavaScript exceptions with the documented class and `code`.

use corr2d_kernels::{Error, ErrorKind};
use napi::{Env, Status};

/// What an entry can fail with.
pub(crate) enum Failure {
    /// The kernels refused the request.
    Kernel(Error),
    /// A number in the parameters or the environment is not what it must be: the whole sentence.
    Value(String),
    /// The system refused something, such as a thread.
    System(String),
}

impl Failure {
    /// The `code` of the RangeError that it becomes, none for an Error without one, and the sentence.
    pub(crate) fn code_and_message(self) -> (Option<&'static str>, String) {
        match self {
            Failure::Kernel(error) => {
                let code = match error.kind() {
                    ErrorKind::OutOfRange => "ERR_OUT_OF_RANGE",
                    ErrorKind::ShapeMismatch => "ERR_SHAPE_MISMATCH",
                    ErrorKind::Overlap => "ERR_OVERLAP",
                    ErrorKind::InvalidValue => "ERR_INVALID_ARG_VALUE",
                };
                (Some(code), error.to_string())
            }
            Failure::Value(sentence) => (Some("ERR_INVALID_ARG_VALUE"), sentence),
            Failure::System(sentence) => (None, sentence),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Kernel(error)
    }
}

/// Turns a failure into a pending exception.
pub(crate) fn throw<T>(env: &Env, result: Result<T, Failure>) -> napi::Result<T> {
    let failure = match result {
        Ok(value) => return Ok(value),
        Err(failure) => failure,
    };
    match failure.code_and_message() {
        (None, message) => Err(napi::Error::new(Status::GenericFailure, message)),
        (code, message) => {
            env.throw_range_error(&message, code)?;
            Err(napi::Error::new(Status::PendingException, String::new()))
        }
    }
}
