//! What the stand-in says of itself: that it is one, and which files a simulated kernel shows.
//!
//! The driver's library has neither function. An instrument that finds them labels its answer and
//! reads no file of the host, so that a simulated card is never mixed with a real slot.

use std::ffi::{CStr, c_char, c_uint};

use serde_json::json;

use crate::{
    answer::write_text,
    scenario::{current, return_of},
};
use nvml_wrapper_sys::bindings::{
    nvmlReturn_enum_NVML_ERROR_INVALID_ARGUMENT as INVALID_ARGUMENT,
    nvmlReturn_enum_NVML_ERROR_NOT_FOUND as NOT_FOUND,
    nvmlReturn_enum_NVML_ERROR_UNKNOWN as UNKNOWN, nvmlReturn_t,
};

/// Writes the name of the scenario, or why there is none.
///
/// # Safety
/// `out` is null or valid for `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn verify_simulated_name(out: *mut c_char, length: c_uint) -> nvmlReturn_t {
    let name = current().map_or_else(|why| why, |scenario| scenario.name.as_str());
    // SAFETY: the caller promises it.
    unsafe { write_text(out, length, Ok(name)) }
}

/// Writes what the scenario holds for whoever answers in the place of a node, as JSON: name, file
/// and command, or the trouble with it.
///
/// # Safety
/// `out` is null or valid for `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn verify_simulated_scenario(
    out: *mut c_char,
    length: c_uint,
) -> nvmlReturn_t {
    let said = match current() {
        Ok(scenario) => json!({ "scenario": scenario.beside_the_cards() }),
        Err(why) => json!({ "trouble": why }),
    };
    // SAFETY: the caller promises it.
    unsafe { write_text(out, length, Ok(&said.to_string())) }
}

/// Writes what a file holds; a file that the scenario does not mention is not there.
///
/// # Safety
/// `path` is null or ends with a zero; `out` is null or valid for `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn verify_simulated_file(
    path: *const c_char,
    out: *mut c_char,
    length: c_uint,
) -> nvmlReturn_t {
    if path.is_null() {
        return INVALID_ARGUMENT;
    }
    // SAFETY: not null, and the caller promises the zero.
    let path = unsafe { CStr::from_ptr(path) };
    let Ok(scenario) = current() else { return UNKNOWN };
    let entry = path.to_str().ok().and_then(|path| scenario.entry("file", path)?.as_str());
    let found = match entry {
        Some(text) => return_of(text).map_or(Ok(text), Err),
        None => Err(NOT_FOUND),
    };
    // SAFETY: the caller promises it.
    unsafe { write_text(out, length, found) }
}
