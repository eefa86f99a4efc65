//! The functions that concern no card, and those that find one.

use std::ffi::{c_char, c_int, c_uint};

use nvml_wrapper_sys::bindings::{
    nvmlDevice_t, nvmlReturn_enum_NVML_ERROR_INVALID_ARGUMENT as INVALID_ARGUMENT,
    nvmlReturn_enum_NVML_ERROR_NOT_SUPPORTED as NOT_SUPPORTED,
    nvmlReturn_enum_NVML_ERROR_UNKNOWN as UNKNOWN, nvmlReturn_enum_NVML_SUCCESS as SUCCESS,
    nvmlReturn_t,
};

use crate::{
    answer::{handle, number, of_card, of_system, text, write, write_text},
    scenario::current,
};

/// Starts as the scenario says under `Init`.
#[unsafe(no_mangle)]
pub extern "C" fn nvmlInit_v2() -> nvmlReturn_t {
    begun()
}

fn begun() -> nvmlReturn_t {
    match (current(), of_system("Init", &[])) {
        (Err(_), _) => UNKNOWN,
        (Ok(_), Err(code)) if code != NOT_SUPPORTED => code,
        _ => SUCCESS,
    }
}

/// Starts, whatever the flags are.
#[unsafe(no_mangle)]
pub extern "C" fn nvmlInitWithFlags(_flags: c_uint) -> nvmlReturn_t {
    begun()
}

/// Ends.
#[unsafe(no_mangle)]
pub extern "C" fn nvmlShutdown() -> nvmlReturn_t {
    SUCCESS
}

/// Exports functions that give a text of the system.
macro_rules! texts {
    ($($function:ident = $key:literal,)*) => {$(
        /// Writes a text of the system.
        ///
        /// # Safety
        /// `out` is null or valid for `length` bytes.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $function(out: *mut c_char, length: c_uint) -> nvmlReturn_t {
            // SAFETY: the caller promises it.
            unsafe { write_text(out, length, text(of_system($key, &[]))) }
        }
    )*};
}

texts! {
    nvmlSystemGetDriverVersion = "DriverVersion",
    nvmlSystemGetNVMLVersion = "NVMLVersion",
}

/// Writes the version of the CUDA driver.
///
/// # Safety
/// `out` is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlSystemGetCudaDriverVersion_v2(out: *mut c_int) -> nvmlReturn_t {
    let made = of_system("CudaDriverVersion_v2", &[]).and_then(number);
    // SAFETY: the caller promises it.
    unsafe { write(out, made) }
}

/// Writes the name of a process.
///
/// # Safety
/// `out` is null or valid for `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlSystemGetProcessName(
    pid: c_uint,
    out: *mut c_char,
    length: c_uint,
) -> nvmlReturn_t {
    // SAFETY: the caller promises it.
    unsafe { write_text(out, length, text(of_system("ProcessName", &[pid]))) }
}

/// Writes how many cards there are, lost ones included.
///
/// # Safety
/// `out` is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetCount_v2(out: *mut c_uint) -> nvmlReturn_t {
    let made = current().map_err(|_| UNKNOWN).and_then(|scenario| {
        let said = of_system("DeviceCount", &[]);
        let counted = c_uint::try_from(scenario.count()).map_err(|_| UNKNOWN);
        said.map_or_else(|code| if code == NOT_SUPPORTED { counted } else { Err(code) }, number)
    });
    // SAFETY: the caller promises it.
    unsafe { write(out, made) }
}

/// Writes the handle of a card, unless the scenario says `Handle`.
///
/// # Safety
/// `out` is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetHandleByIndex_v2(
    index: c_uint,
    out: *mut nvmlDevice_t,
) -> nvmlReturn_t {
    let device = handle(index as usize);
    let made = match (current(), of_card(device, "Handle", &[])) {
        (Ok(scenario), _) if index as usize >= scenario.count() => Err(INVALID_ARGUMENT),
        (Ok(_), Err(code)) if code != NOT_SUPPORTED => Err(code),
        (Ok(_), _) => Ok(device),
        (Err(_), _) => Err(UNKNOWN),
    };
    // SAFETY: the caller promises it.
    unsafe { write(out, made) }
}
