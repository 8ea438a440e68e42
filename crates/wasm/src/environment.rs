//! Environment variables, which the module is told before its first call.

use crate::array::Array;
use napi_derive::napi;
use std::cell::RefCell;
use std::collections::HashMap;

thread_local! {
    static VARIABLES: RefCell<HashMap<String, String>> = RefCell::default();
}

/// Sets a variable, both parts in UTF-8.
#[napi]
pub fn set_variable(name: Array<u8>, value: Array<u8>) {
    let text = |bytes: &Array<u8>| String::from_utf8_lossy(bytes.read()).into_owned();
    VARIABLES.with_borrow_mut(|variables| variables.insert(text(&name), text(&value)));
}

/// A variable's value, if it is set and not empty.
pub(crate) fn variable(name: &str) -> Option<String> {
    VARIABLES.with_borrow(|variables| variables.get(name).cloned()).filter(|value| !value.is_empty())
}
