//! How an answer of the scenario reaches the caller's memory.
//!
//! One way for every function: look the value up, turn an error's name into its number, stay away
//! for ever where the scenario says so, else convert and write. A null place is an invalid
//! argument, as it is for the driver's library.

use std::{
    ffi::{c_char, c_uint},
    ptr, thread,
};

use nvml_wrapper_sys::bindings::{
    nvmlDevice_t, nvmlReturn_enum_NVML_ERROR_GPU_NOT_FOUND as GPU_NOT_FOUND,
    nvmlReturn_enum_NVML_ERROR_INSUFFICIENT_SIZE as INSUFFICIENT_SIZE,
    nvmlReturn_enum_NVML_ERROR_INVALID_ARGUMENT as INVALID_ARGUMENT,
    nvmlReturn_enum_NVML_ERROR_NOT_SUPPORTED as NOT_SUPPORTED,
    nvmlReturn_enum_NVML_ERROR_UNKNOWN as UNKNOWN, nvmlReturn_enum_NVML_SUCCESS as SUCCESS,
    nvmlReturn_t,
};
use toml::Value;

use crate::scenario::{Scenario, current, return_of};

pub(crate) type Found = Result<&'static Value, nvmlReturn_t>;

/// Looks up what a card answers, by the arguments of the call.
pub(crate) fn of_card(device: nvmlDevice_t, key: &str, args: &[u32]) -> Found {
    let scenario = current().map_err(|_| UNKNOWN)?;
    let index = index_of(device, scenario)?;
    // What a card answers while it computes stands in a table of its own.
    let loaded = crate::cuda::is_loaded().then(|| scenario.card(index, "load")?.get(key)).flatten();
    let value = loaded.or_else(|| scenario.card(index, key)).ok_or(NOT_SUPPORTED)?;
    settled(scenario, &format!("{index}/{key}"), value, args)
}

/// Looks up what the whole system answers.
pub(crate) fn of_system(key: &str, args: &[u32]) -> Found {
    let scenario = current().map_err(|_| UNKNOWN)?;
    let value = scenario.entry("system", key).ok_or(NOT_SUPPORTED)?;
    settled(scenario, key, value, args)
}

/// Returns the card behind a handle, which is its number and one.
pub(crate) fn index_of(device: nvmlDevice_t, scenario: &Scenario) -> Result<usize, nvmlReturn_t> {
    let index = device.addr().checked_sub(1).ok_or(INVALID_ARGUMENT)?;
    if index < scenario.count() { Ok(index) } else { Err(GPU_NOT_FOUND) }
}

/// Makes the handle of a card.
pub(crate) fn handle(index: usize) -> nvmlDevice_t {
    ptr::without_provenance_mut(index + 1)
}

fn settled(scenario: &Scenario, key: &str, value: &'static Value, args: &[u32]) -> Found {
    let mut value = value;
    let mut path = key.to_owned();
    for arg in args {
        let Value::Table(table) = value else { break };
        if table.contains_key("then") {
            break;
        }
        value = table.get(&arg.to_string()).or(table.get("*")).ok_or(INVALID_ARGUMENT)?;
        path = format!("{path}/{arg}");
    }
    if let Some(Value::Array(answers)) = value.as_table().and_then(|table| table.get("then")) {
        value = scenario.next(path, answers).ok_or(UNKNOWN)?;
    }
    match value.as_str() {
        Some("hang") => loop {
            thread::park();
        },
        Some(text) => return_of(text).map_or(Ok(value), Err),
        None => Ok(value),
    }
}

/// Reads a number of a value; one that does not fit is the scenario's mistake.
pub(crate) fn number<T: TryFrom<i64>>(value: &Value) -> Result<T, nvmlReturn_t> {
    value.as_integer().and_then(|number| T::try_from(number).ok()).ok_or(UNKNOWN)
}

/// Reads a field of a table; a missing one is 0.
pub(crate) fn part(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(Value::as_integer).and_then(|n| u64::try_from(n).ok()).unwrap_or(0)
}

/// Writes what was made of a value.
///
/// # Safety
/// `out` is null or valid for a write.
pub(crate) unsafe fn write<T>(out: *mut T, made: Result<T, nvmlReturn_t>) -> nvmlReturn_t {
    match made {
        _ if out.is_null() => INVALID_ARGUMENT,
        Ok(value) => {
            // SAFETY: the caller promises it; null was ruled out.
            unsafe { out.write(value) };
            SUCCESS
        }
        Err(code) => code,
    }
}

/// Writes two numbers, the same way.
///
/// # Safety
/// Both are null or valid for a write.
pub(crate) unsafe fn write_pair<T>(
    first: *mut T,
    second: *mut T,
    made: Result<(T, T), nvmlReturn_t>,
) -> nvmlReturn_t {
    if first.is_null() || second.is_null() {
        return INVALID_ARGUMENT;
    }
    let (one, two) = match made {
        Ok(pair) => pair,
        Err(code) => return code,
    };
    // SAFETY: the caller promises it; null was ruled out.
    unsafe { first.write(one) };
    // SAFETY: as above.
    unsafe { second.write(two) };
    SUCCESS
}

/// Reads a text.
pub(crate) fn text(found: Found) -> Result<&'static str, nvmlReturn_t> {
    found?.as_str().ok_or(UNKNOWN)
}

/// Reads `[a, b]`.
pub(crate) fn pair(found: Found) -> Result<(c_uint, c_uint), nvmlReturn_t> {
    let value = found?;
    let at = |index: usize| number(value.get(index).ok_or(UNKNOWN)?);
    Ok((at(0)?, at(1)?))
}

/// Writes a text with its ending zero.
///
/// # Safety
/// `out` is null or valid for `length` bytes.
pub(crate) unsafe fn write_text(
    out: *mut c_char,
    length: c_uint,
    found: Result<&str, nvmlReturn_t>,
) -> nvmlReturn_t {
    let text = match found {
        Ok(text) => text,
        Err(code) => return code,
    };
    if out.is_null() {
        return INVALID_ARGUMENT;
    }
    if text.len() >= length as usize {
        return INSUFFICIENT_SIZE;
    }
    // SAFETY: the text and its zero are no longer than `length`, and cannot overlap.
    unsafe { ptr::copy_nonoverlapping(text.as_ptr().cast(), out, text.len()) };
    // SAFETY: as above.
    let end = unsafe { out.add(text.len()) };
    // SAFETY: as above.
    unsafe { end.write(0) };
    SUCCESS
}

/// Returns a text in an array of fixed length, cut if need be.
pub(crate) fn fixed<const N: usize>(text: &str) -> [c_char; N] {
    let mut array = [0; N];
    for (to, from) in array.iter_mut().zip(text.bytes()).take(N - 1) {
        *to = from.cast_signed();
    }
    array
}
