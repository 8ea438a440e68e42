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
    match failure {
        Failure::Kernel(error) => {
            let code = match error.kind() {
                ErrorKind::OutOfRange => "ERR_OUT_OF_RANGE",
                ErrorKind::ShapeMismatch => "ERR_SHAPE_MISMATCH",
                ErrorKind::Overlap => "ERR_OVERLAP",
                ErrorKind::InvalidValue => "ERR_INVALID_ARG_VALUE",
            };
            env.throw_range_error(&error.to_string(), Some(code))?;
        }
        Failure::Value(sentence) => env.throw_range_error(&sentence, Some("ERR_INVALID_ARG_VALUE"))?,
        Failure::System(sentence) => return Err(napi::Error::new(Status::GenericFailure, sentence)),
    }
    Err(napi::Error::new(Status::PendingException, String::new()))
}
