//! The entries that run an operator, once more, as plain functions of N-API: the scope for borrowed arguments that napi-rs opens for each
//! call takes longer than a small convolution, and [`Array`](crate::array::Array) needs none. They take the places of those that
//! napi-rs exports, have their types and call the same Rust functions.

use crate::{conv, plan, pool};
use napi::bindgen_prelude::{FromNapiValue, JsError, JsObjectValue, Object, panic_to_error};
use napi::{Env, check_status, sys};
use napi_derive::napi;
use std::ffi::CStr;
use std::panic::{self, AssertUnwindSafe};
use std::ptr;

/// Lists entries: the exported name, the function, and a name for each argument after `env`.
macro_rules! entries {
    ($($name:literal $function:path: $($argument:ident)*;)*) => {
        /// The entries by their names.
        const ENTRIES: &[(&CStr, unsafe extern "C" fn(sys::napi_env, sys::napi_callback_info) -> sys::napi_value)] = &[$(($name, {
            unsafe extern "C" fn entry(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
                // SAFETY: N-API calls this with what belongs to the running call.
                unsafe {
                    call(env, info, |[$($argument),*]| {
                        $(let $argument = FromNapiValue::from_napi_value(env, $argument)?;)*
                        $function(Env::from_raw(env), $($argument),*)
                    })
                }
            }
            entry
        }),)*];
    };
}

entries! {
    c"runPlan" plan::run_plan: handle x view out;
    c"conv2d" conv::conv2d: params x view weight bias out;
    c"pool2d" pool::pool2d: params x view out;
}

/// Calls `run` with `N` arguments, those that are missing undefined, and throws what it fails or panics with.
///
/// # Safety
/// `env` and `info` belong to the running call.
unsafe fn call<const N: usize>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
    run: impl FnOnce([sys::napi_value; N]) -> napi::Result<()>,
) -> sys::napi_value {
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
        let (mut arguments, mut count) = ([ptr::null_mut(); N], N);
        // SAFETY: the caller's promise; there is room for `count` arguments, and what is not asked for may be null.
        let status = unsafe {
            sys::napi_get_cb_info(
                env,
                info,
                &mut count,
                arguments.as_mut_ptr(),
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        check_status!(status)?;
        run(arguments)
    }));
    if let Err(failure) = outcome.map_err(panic_to_error).flatten() {
        // SAFETY: the caller's promise.
        unsafe { JsError::from(failure).throw_into(env) };
    }
    ptr::null_mut()
}

/// Puts the entries in the places of those of the same names.
#[napi(module_exports)]
pub fn replace_exports(mut exports: Object<'_>, env: Env) -> napi::Result<()> {
    for (name, entry) in ENTRIES {
        let mut function = ptr::null_mut();
        // SAFETY: `env` belongs to the running call, and the name ends with a zero.
        let status = unsafe {
            sys::napi_create_function(
                env.raw(),
                name.as_ptr(),
                name.count_bytes() as isize,
                Some(*entry),
                ptr::null_mut(),
                &mut function,
            )
        };
        check_status!(status)?;
        // SAFETY: it was just created.
        let function = unsafe { napi::Unknown::from_raw_unchecked(env.raw(), function) };
        exports.set_c_named_property(name, function)?;
    }
    Ok(())
}
