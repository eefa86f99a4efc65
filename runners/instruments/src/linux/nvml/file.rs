//! The files that belong to the answer: of the kernel module and of the bus.
//!
//! A stand-in library brings files of its own, and then no file of the host is read: a simulated
//! card is never compared with a real slot.

use std::{
    ffi::{CString, c_char, c_uint},
    fs,
    io::ErrorKind,
};

use nvml_wrapper_sys::bindings::{NvmlLib, nvmlReturn_t};
use serde_json::{Value, json};

use super::call::{INVALID_ARGUMENT, taken};

type Name = unsafe extern "C" fn(*mut c_char, c_uint) -> nvmlReturn_t;
type File = unsafe extern "C" fn(*const c_char, *mut c_char, c_uint) -> nvmlReturn_t;

/// *Source*: `nvml.h`, `NVML_ERROR_NOT_FOUND`.
const NOT_FOUND: nvmlReturn_t = 6;
const MODULE: &str = "/proc/driver/nvidia/version";
/// What the kernel says of a link, and under which name it is kept.
const LINK: [(&str, &str); 4] = [
    ("current-speed", "current_link_speed"),
    ("current-width", "current_link_width"),
    ("max-speed", "max_link_speed"),
    ("max-width", "max_link_width"),
];

/// Where files come from.
#[derive(Clone, Copy)]
pub(super) enum Files<'a> {
    Host,
    Simulated(&'a NvmlLib),
}

impl<'a> Files<'a> {
    /// Finds out whether a library is a stand-in, and the name of its scenario.
    pub(super) fn of(library: &'a NvmlLib) -> (Self, Option<String>) {
        // SAFETY: a function of this name exists in our stand-in only, and has this form there.
        let found = unsafe { library.__library.get::<Name>(b"verify_simulated_name\0") };
        let Ok(function) = found else { return (Self::Host, None) };
        // SAFETY: the buffer is as long as is said.
        let fill = |out, length| unsafe { function(out, length) };
        let name = taken("verify_simulated_name", fill);
        (Self::Simulated(library), Some(name.unwrap_or_else(|_| "unnamed".to_owned())))
    }

    fn read(self, path: &str) -> Value {
        match self {
            Self::Host => match fs::read_to_string(path) {
                Ok(text) => json!({ "value": text.trim() }),
                Err(error) if error.kind() == ErrorKind::NotFound => json!({ "not-there": path }),
                Err(error) => json!({ "unreadable": format!("{path}: {error}") }),
            },
            Self::Simulated(library) => simulated(library, path),
        }
    }

    /// Returns the version of the loaded kernel module.
    pub(super) fn module_version(self) -> Value {
        let read = self.read(MODULE);
        let Some(text) = read["value"].as_str() else { return read };
        // "NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.124.06  ..."; the open module says
        // "NVIDIA UNIX Open Kernel Module for x86_64  570.124.06  Release Build".
        let line = text.lines().find(|line| line.starts_with("NVRM version:")).unwrap_or_default();
        let is_version = |word: &&str| {
            word.contains('.') && word.chars().all(|c| c.is_ascii_digit() || c == '.')
        };
        match line.split_whitespace().find(is_version) {
            Some(version) => json!({ "value": version }),
            None => json!({ "unreadable": format!("{MODULE}: it names no version") }),
        }
    }

    /// Returns what the kernel says of the link of a card and of the bridge above it.
    pub(super) fn link(self, bus_id: &str) -> [(&'static str, Value); 2] {
        // The kernel follows the link to the card's own folder before it goes up.
        [("card", ""), ("slot", "../")].map(|(of, up)| {
            let read = |file| self.read(&format!("/sys/bus/pci/devices/{bus_id}/{up}{file}"));
            let entries = LINK.map(|(key, file)| (key.to_owned(), read(file)));
            (of, Value::Object(entries.into_iter().collect()))
        })
    }
}

fn simulated(library: &NvmlLib, path: &str) -> Value {
    // SAFETY: as in `Files::of`.
    let found = unsafe { library.__library.get::<File>(b"verify_simulated_file\0") };
    let (Ok(function), Ok(name)) = (found, CString::new(path)) else {
        return json!({ "unreadable": format!("{path}: the stand-in has no files") });
    };
    let mut code = INVALID_ARGUMENT;
    let text = taken("verify_simulated_file", |out, length| {
        // SAFETY: the name ends with a zero, and the buffer is as long as is said.
        code = unsafe { function(name.as_ptr(), out, length) };
        code
    });
    match text {
        Ok(text) => json!({ "value": text.trim() }),
        Err(_) if code == NOT_FOUND => json!({ "not-there": path }),
        Err(_) => json!({ "unreadable": format!("{path}: error {code} of the stand-in") }),
    }
}
