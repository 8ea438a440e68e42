//! Typed arrays as arguments: where their memory is, asked once. napi's own slices also keep a registry of borrows and of
//! classes, which costs more than a small convolution.

use napi::bindgen_prelude::{FromNapiValue, TypeName, ValidateNapiValue};
use napi::{Status, ValueType, sys};
use std::marker::PhantomData;
use std::ptr;
use std::thread::{self, ThreadId};

/// An element type of a typed array.
pub trait Element: Copy + 'static {
    /// napi's name of the array type.
    const TYPE: sys::napi_typedarray_type;
    /// JavaScript's name of the array type.
    const NAME: &'static str;

    /// Whether arrays of this type hold such elements: clamped bytes are bytes.
    fn is(kind: sys::napi_typedarray_type) -> bool {
        kind == Self::TYPE
            || Self::TYPE == sys::TypedarrayType::uint8_array
                && kind == sys::TypedarrayType::uint8_clamped_array
    }
}

macro_rules! elements {
    ($($element:ty, $name:literal, $kind:ident;)*) => {
        $(impl Element for $element {
            const TYPE: sys::napi_typedarray_type = sys::TypedarrayType::$kind;
            const NAME: &'static str = $name;
        })*
    };
}

elements! {
    u8, "Uint8Array", uint8_array;
    u16, "Uint16Array", uint16_array;
    i32, "Int32Array", int32_array;
    f32, "Float32Array", float32_array;
    f64, "Float64Array", float64_array;
}

/// The type of a typed array's elements; nothing of any other value.
///
/// # Safety
/// `env` and `value` belong to the running call.
pub(crate) unsafe fn kind_of(
    env: sys::napi_env,
    value: sys::napi_value,
) -> Option<sys::napi_typedarray_type> {
    let mut kind = 0;
    // SAFETY: the caller's promise; what is not asked for may be null.
    let status = unsafe {
        sys::napi_get_typedarray_info(
            env,
            value,
            &mut kind,
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
        )
    };
    (status == sys::Status::napi_ok).then_some(kind)
}

/// A typed array that a call borrows. It must not outlive the call; what must is a [`Kept`].
pub struct Array<T> {
    start: *mut T,
    length: usize,
    element: PhantomData<T>,
}

impl<T: Element> Array<T> {
    /// Its elements.
    pub(crate) fn read(&self) -> &[T] {
        // SAFETY: napi gave this memory for the time of the call, and JavaScript of this thread does not run meanwhile.
        unsafe { std::slice::from_raw_parts(self.start, self.length) }
    }

    /// Its elements, to write. Whether another argument shares the memory is checked (`check_overlap`) before either is touched.
    pub(crate) fn write(&mut self) -> &mut [T] {
        // SAFETY: as in `read`.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.length) }
    }
}

impl<T: Element> FromNapiValue for Array<T> {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        let (mut kind, mut length, mut data, mut buffer, mut offset) =
            (0, 0, ptr::null_mut(), ptr::null_mut(), 0);
        // SAFETY: `env` and `value` belong to the running call; napi checks that the value is a typed array.
        let status = unsafe {
            sys::napi_get_typedarray_info(
                env,
                value,
                &mut kind,
                &mut length,
                &mut data,
                &mut buffer,
                &mut offset,
            )
        };
        if status != sys::Status::napi_ok || !T::is(kind) {
            return Err(napi::Error::new(
                Status::InvalidArg,
                format!("expected a {}, received something else", T::NAME),
            ));
        }
        // The address of an empty or detached array may be null, which no slice may have.
        let start = if length == 0 { ptr::dangling_mut() } else { data.cast() };
        Ok(Array { start, length, element: PhantomData })
    }
}

impl<T: Element> TypeName for Array<T> {
    fn type_name() -> &'static str {
        T::NAME
    }

    fn value_type() -> ValueType {
        ValueType::Object
    }
}

impl<T: Element> ValidateNapiValue for Array<T> {}

/// A typed array that a job keeps beyond the call that brought it, for a thread of the pool to read or write. V8 neither moves nor
/// frees the memory meanwhile; that nobody else has the array's buffer is the promise of the facade, which makes it for this.
pub struct Kept<T> {
    array: Array<T>,
    env: sys::napi_env,
    reference: sys::napi_ref,
    owner: ThreadId,
}

// SAFETY: the memory is the job's alone, and the reference is touched on its own thread only (see `drop`).
unsafe impl<T> Send for Kept<T> {}

impl<T: Element> Kept<T> {
    /// Its elements.
    pub(crate) fn read(&self) -> &[T] {
        self.array.read()
    }

    /// Its elements, to write.
    pub(crate) fn write(&mut self) -> &mut [T] {
        self.array.write()
    }
}

impl<T: Element> FromNapiValue for Kept<T> {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        // SAFETY: the caller's promise.
        let array = unsafe { Array::from_napi_value(env, value) }?;
        let mut reference = ptr::null_mut();
        // SAFETY: as above.
        let status = unsafe { sys::napi_create_reference(env, value, 1, &mut reference) };
        if status != sys::Status::napi_ok {
            return Err(napi::Error::new(Status::from(status), "an array can't be kept"));
        }
        Ok(Kept { array, env, reference, owner: thread::current().id() })
    }
}

impl<T> Drop for Kept<T> {
    fn drop(&mut self) {
        // Elsewhere it is dropped only when its own thread is coming to its end, which ends every reference.
        if thread::current().id() == self.owner {
            // SAFETY: on this thread no job outlives its environment (see `job.rs`), and the reference is deleted once.
            unsafe { sys::napi_delete_reference(self.env, self.reference) };
        }
    }
}

impl<T: Element> TypeName for Kept<T> {
    fn type_name() -> &'static str {
        T::NAME
    }

    fn value_type() -> ValueType {
        ValueType::Object
    }
}

impl<T: Element> ValidateNapiValue for Kept<T> {}
