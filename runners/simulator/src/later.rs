//! Functions that came after driver 535, kept apart so that an older library can lack them.

use std::ffi::c_uint;

use nvml_wrapper_sys::bindings::{
    nvmlDevice_t, nvmlMarginTemperature_t,
    nvmlReturn_enum_NVML_ERROR_ARGUMENT_VERSION_MISMATCH as ARGUMENT_VERSION_MISMATCH,
    nvmlReturn_enum_NVML_ERROR_INVALID_ARGUMENT as INVALID_ARGUMENT, nvmlReturn_t,
    nvmlSystemDriverBranchInfo_t,
};

use crate::answer::{fixed, number, of_card, of_system, text, write};

/// Writes the branch of the driver.
///
/// # Safety
/// `out` is null or valid for reads and writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlSystemGetDriverBranch(
    out: *mut nvmlSystemDriverBranchInfo_t,
    _length: c_uint,
) -> nvmlReturn_t {
    // SAFETY: the caller promises it; null gives no reference.
    let Some(asked) = (unsafe { out.as_ref() }) else { return INVALID_ARGUMENT };
    let version = asked.version;
    if version as usize != size_of::<nvmlSystemDriverBranchInfo_t>() | 1 << 24 {
        return ARGUMENT_VERSION_MISMATCH;
    }
    let made = text(of_system("DriverBranch", &[]))
        .map(|branch| nvmlSystemDriverBranchInfo_t { version, branch: fixed(branch) });
    // SAFETY: the caller promises it.
    unsafe { write(out, made) }
}

/// Writes how many degrees a card is below the point where it slows down.
///
/// # Safety
/// `out` is null or valid for reads and writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetMarginTemperature(
    device: nvmlDevice_t,
    out: *mut nvmlMarginTemperature_t,
) -> nvmlReturn_t {
    // SAFETY: the caller promises it; null gives no reference.
    let Some(asked) = (unsafe { out.as_ref() }) else { return INVALID_ARGUMENT };
    let version = asked.version;
    if version as usize != size_of::<nvmlMarginTemperature_t>() | 1 << 24 {
        return ARGUMENT_VERSION_MISMATCH;
    }
    let made = of_card(device, "MarginTemperature", &[])
        .and_then(number)
        .map(|degrees| nvmlMarginTemperature_t { version, marginTemperature: degrees });
    // SAFETY: the caller promises it.
    unsafe { write(out, made) }
}
