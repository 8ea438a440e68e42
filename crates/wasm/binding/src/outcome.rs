//! The outcome of a call.

use crate::{Error, Frame, PENDING, Status};
use std::cell::RefCell;

thread_local! {
    static NUMBER: RefCell<f64> = const { RefCell::new(0.0) };
    static TEXT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// What a call returns to JavaScript, which then reads [`number`] or the text.
const IS_NUMBER: u32 = 0;
const IS_JSON: u32 = 1;
/// The text is the code, a line feed and the message.
const IS_RANGE_ERROR: u32 = 2;
const IS_ERROR: u32 = 3;

/// The number that the last call ended with.
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
pub(crate) extern "C" fn number() -> f64 {
    NUMBER.take()
}

/// The address of the text that the last call ended with.
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
pub(crate) extern "C" fn text() -> *const u8 {
    TEXT.with_borrow(|text| text.as_ptr())
}

/// Its length in bytes.
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
pub(crate) extern "C" fn text_length() -> usize {
    TEXT.with_borrow(String::len)
}

/// A type that an entry point can return.
pub trait IntoOutcome {
    /// Stores it for JavaScript and tells its kind.
    fn into_outcome(self) -> u32;
}

/// Runs an entry point on the arguments in the frame.
pub fn call<T: IntoOutcome>(entry: impl FnOnce(&mut Frame) -> T) -> u32 {
    entry(&mut Frame::new()).into_outcome()
}

fn number_outcome(number: f64) -> u32 {
    NUMBER.set(number);
    IS_NUMBER
}

fn text_outcome(text: String, kind: u32) -> u32 {
    TEXT.set(text);
    kind
}

impl IntoOutcome for () {
    fn into_outcome(self) -> u32 {
        number_outcome(0.0)
    }
}

impl IntoOutcome for f64 {
    fn into_outcome(self) -> u32 {
        number_outcome(self)
    }
}

impl IntoOutcome for u32 {
    fn into_outcome(self) -> u32 {
        number_outcome(self.into())
    }
}

impl IntoOutcome for &str {
    fn into_outcome(self) -> u32 {
        text_outcome(json(self), IS_JSON)
    }
}

impl<T: IntoOutcome> IntoOutcome for Result<T, Error> {
    fn into_outcome(self) -> u32 {
        match self {
            Ok(value) => value.into_outcome(),
            Err(error) => match (error.status, PENDING.take()) {
                (Status::PendingException, Some((code, message))) => {
                    text_outcome(format!("{code}\n{message}"), IS_RANGE_ERROR)
                }
                _ => text_outcome(error.reason, IS_ERROR),
            },
        }
    }
}

/// A value that crosses as JSON; `#[napi(object)]` implements it for a struct.
pub trait ToJson {
    /// Appends the value.
    fn write(&self, json: &mut String);
}

fn json<T: ToJson + ?Sized>(value: &T) -> String {
    let mut text = String::new();
    value.write(&mut text);
    text
}

/// The outcome of a struct with `#[napi(object)]`.
pub fn object_outcome<T: ToJson>(value: &T) -> u32 {
    text_outcome(json(value), IS_JSON)
}

impl ToJson for str {
    fn write(&self, json: &mut String) {
        json.push('"');
        for character in self.chars() {
            match character {
                '"' | '\\' => json.extend(['\\', character]),
                control if control < ' ' => json.push_str(&format!("\\u{:04x}", control as u32)),
                other => json.push(other),
            }
        }
        json.push('"');
    }
}

impl ToJson for String {
    fn write(&self, json: &mut String) {
        self.as_str().write(json);
    }
}

impl ToJson for u32 {
    fn write(&self, json: &mut String) {
        json.push_str(&self.to_string());
    }
}

impl ToJson for f64 {
    fn write(&self, json: &mut String) {
        // JSON has no NaN and no infinity.
        json.push_str(&if self.is_finite() { self.to_string() } else { "null".into() });
    }
}

impl ToJson for bool {
    fn write(&self, json: &mut String) {
        json.push_str(if *self { "true" } else { "false" });
    }
}

impl<T: ToJson> ToJson for Vec<T> {
    fn write(&self, json: &mut String) {
        json.push('[');
        for (i, value) in self.iter().enumerate() {
            if i > 0 {
                json.push(',');
            }
            value.write(json);
        }
        json.push(']');
    }
}

impl<T: ToJson> ToJson for Option<T> {
    fn write(&self, json: &mut String) {
        match self {
            Some(value) => value.write(json),
            None => json.push_str("null"),
        }
    }
}

impl<T: ToJson> IntoOutcome for Vec<T> {
    fn into_outcome(self) -> u32 {
        text_outcome(json(&self), IS_JSON)
    }
}
