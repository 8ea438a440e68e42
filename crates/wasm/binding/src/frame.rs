//! The arguments of a call.

use crate::Env;

/// More numbers than any entry point takes.
const PLACES: usize = 64;

static FRAME: Slots = Slots(std::cell::UnsafeCell::new([0.0; PLACES]));

struct Slots(std::cell::UnsafeCell<[f64; PLACES]>);

// SAFETY: the module has one thread, and no call begins within another.
unsafe impl Sync for Slots {}

/// The address at which JavaScript writes the arguments.
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
pub extern "C" fn frame() -> *mut f64 {
    FRAME.0.get().cast()
}

/// Reads one argument after another.
#[derive(Debug)]
pub struct Frame(usize);

impl Frame {
    pub(crate) fn new() -> Frame {
        Frame(0)
    }

    /// The next number.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> f64 {
        assert!(self.0 < PLACES, "too many arguments");
        // SAFETY: the place was checked; JavaScript wrote before the call and does not run during it.
        let number = unsafe { (*FRAME.0.get())[self.0] };
        self.0 += 1;
        number
    }
}

/// A type that an argument can have.
pub trait FromFrame: Sized {
    /// Reads it from the frame.
    fn from_frame(frame: &mut Frame) -> Self;
}

impl FromFrame for Env {
    fn from_frame(_: &mut Frame) -> Env {
        Env
    }
}

impl FromFrame for f64 {
    fn from_frame(frame: &mut Frame) -> f64 {
        frame.next()
    }
}

impl FromFrame for u32 {
    fn from_frame(frame: &mut Frame) -> u32 {
        frame.next() as u32
    }
}

/// Text in UTF-8: its address and its length.
impl FromFrame for String {
    fn from_frame(frame: &mut Frame) -> String {
        let (address, length) = (frame.next() as usize, frame.next() as usize);
        if length == 0 {
            return String::new();
        }
        // SAFETY: JavaScript allocated this memory for the time of the call.
        let bytes = unsafe { std::slice::from_raw_parts(std::ptr::with_exposed_provenance(address), length) };
        String::from_utf8_lossy(bytes).into_owned()
    }
}

/// Null is NaN, in the first place of the value.
impl<T: FromFrame> FromFrame for Option<T> {
    fn from_frame(frame: &mut Frame) -> Option<T> {
        let is_null = Frame(frame.0).next().is_nan();
        let value = T::from_frame(frame);
        (!is_null).then_some(value)
    }
}
