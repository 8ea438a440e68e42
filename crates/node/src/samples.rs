//! Samples of an image as an argument: a typed array of one of the types that pixels have.

use crate::array::{Array, Kept, kind_of};
use napi::bindgen_prelude::{FromNapiValue, TypeName, ValidateNapiValue};
use napi::{ValueType, sys};

macro_rules! samples {
    ($(#[$attribute:meta])* $name:ident of $array:ident) => {
        $(#[$attribute])*
        pub enum $name {
            /// A `Uint8Array` or `Uint8ClampedArray`.
            U8($array<u8>),
            /// A `Uint16Array`.
            U16($array<u16>),
            /// A `Float32Array`; whatever is no typed array ends here as an error.
            F32($array<f32>),
        }

        impl FromNapiValue for $name {
            unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
                // SAFETY: `env` and `value` belong to the running call.
                unsafe {
                    Ok(match kind_of(env, value) {
                        Some(sys::TypedarrayType::uint8_array | sys::TypedarrayType::uint8_clamped_array) => {
                            $name::U8($array::from_napi_value(env, value)?)
                        }
                        Some(sys::TypedarrayType::uint16_array) => {
                            $name::U16($array::from_napi_value(env, value)?)
                        }
                        _ => $name::F32($array::from_napi_value(env, value)?),
                    })
                }
            }
        }

        impl TypeName for $name {
            fn type_name() -> &'static str {
                "TypedArray"
            }

            fn value_type() -> ValueType {
                ValueType::Object
            }
        }

        impl ValidateNapiValue for $name {}
    };
}

samples! {
    /// Samples that a call borrows.
    Samples of Array
}

samples! {
    /// Samples that a job keeps.
    KeptSamples of Kept
}
