//! How cards are linked: NVLink, PCI Express, peer access; and the values that have no function.

use std::ffi::{c_int, c_uint, c_ulonglong};

use nvml_wrapper_sys::bindings::{
    nvmlDevice_t, nvmlEnableState_t, nvmlFieldValue_t, nvmlGpuP2PCapsIndex_t, nvmlGpuP2PStatus_t,
    nvmlGpuTopologyLevel_t, nvmlIntNvLinkDeviceType_t, nvmlNvLinkErrorCounter_t, nvmlPciInfo_t,
    nvmlReturn_enum_NVML_ERROR_INVALID_ARGUMENT as INVALID_ARGUMENT,
    nvmlReturn_enum_NVML_ERROR_UNKNOWN as UNKNOWN, nvmlReturn_enum_NVML_SUCCESS as SUCCESS,
    nvmlReturn_t, nvmlValue_t, nvmlValueType_enum_NVML_VALUE_TYPE_UNSIGNED_INT as UNSIGNED_INT,
    nvmlValueType_enum_NVML_VALUE_TYPE_UNSIGNED_LONG_LONG as UNSIGNED_LONG_LONG,
};

use crate::{
    answer::{index_of, number, of_card, text, write},
    device::pci,
    scenario::current,
};

/// Exports functions that give one number of a link, by no or one more argument.
macro_rules! links {
    ($($function:ident($($arg:ident: $kind:ty),*) -> $out:ty = $key:literal,)*) => {$(
        /// Writes a number of a link.
        ///
        /// # Safety
        /// `out` is null or valid for a write.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $function(
            device: nvmlDevice_t,
            link: c_uint,
            $($arg: $kind,)*
            out: *mut $out,
        ) -> nvmlReturn_t {
            let made = of_card(device, $key, &[link $(, $arg)*]).and_then(number);
            // SAFETY: the caller promises it.
            unsafe { write(out, made) }
        }
    )*};
}

links! {
    nvmlDeviceGetNvLinkState() -> nvmlEnableState_t = "NvLinkState",
    nvmlDeviceGetNvLinkVersion() -> c_uint = "NvLinkVersion",
    nvmlDeviceGetNvLinkRemoteDeviceType() -> nvmlIntNvLinkDeviceType_t = "NvLinkRemoteDeviceType",
    nvmlDeviceGetNvLinkErrorCounter(counter: nvmlNvLinkErrorCounter_t) -> c_ulonglong = "NvLinkErrorCounter",
}

/// Writes what is at the other end of a link.
///
/// # Safety
/// `out` is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetNvLinkRemotePciInfo_v2(
    device: nvmlDevice_t,
    link: c_uint,
    out: *mut nvmlPciInfo_t,
) -> nvmlReturn_t {
    let found = of_card(device, "NvLinkRemotePciInfo_v2", &[link]);
    let made = text(found).and_then(|id| pci(id, 0, 0));
    // SAFETY: the caller promises it.
    unsafe { write(out, made) }
}

/// Writes where the ways of two cards meet on PCI Express.
///
/// # Safety
/// `out` is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetTopologyCommonAncestor(
    one: nvmlDevice_t,
    other: nvmlDevice_t,
    out: *mut nvmlGpuTopologyLevel_t,
) -> nvmlReturn_t {
    let made = both(one, other).and_then(|()| of_card(one, "TopologyCommonAncestor", &[]));
    // SAFETY: the caller promises it.
    unsafe { write(out, made.and_then(number)) }
}

/// Writes whether a card may reach another.
///
/// # Safety
/// `out` is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetP2PStatus(
    one: nvmlDevice_t,
    other: nvmlDevice_t,
    capability: nvmlGpuP2PCapsIndex_t,
    out: *mut nvmlGpuP2PStatus_t,
) -> nvmlReturn_t {
    let made = both(one, other).and_then(|()| of_card(one, "P2PStatus", &[capability]));
    // SAFETY: the caller promises it.
    unsafe { write(out, made.and_then(number)) }
}

/// Demands two cards that are not the same.
fn both(one: nvmlDevice_t, other: nvmlDevice_t) -> Result<(), nvmlReturn_t> {
    let scenario = current().map_err(|_| UNKNOWN)?;
    let same = index_of(one, scenario)? == index_of(other, scenario)?;
    if same { Err(INVALID_ARGUMENT) } else { Ok(()) }
}

/// Fills values by their number and scope; each says for itself how it went.
///
/// # Safety
/// `values` is null or valid for reads and writes of `count` values.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetFieldValues(
    device: nvmlDevice_t,
    count: c_int,
    values: *mut nvmlFieldValue_t,
) -> nvmlReturn_t {
    let Ok(count) = usize::try_from(count) else { return INVALID_ARGUMENT };
    if values.is_null() {
        return INVALID_ARGUMENT;
    }
    for at in 0..count {
        // SAFETY: `at` is below the count that the caller promises.
        let place = unsafe { values.add(at) };
        // SAFETY: as above.
        let value = unsafe { &mut *place };
        let made = of_card(device, "FieldValues", &[value.fieldId, value.scopeId]);
        match made.and_then(number::<c_ulonglong>) {
            Ok(number) => {
                value.nvmlReturn = SUCCESS;
                // Counters are long; what fits is short, as the driver has it.
                let long = matches!(value.fieldId, 138..=141);
                value.valueType = if long { UNSIGNED_LONG_LONG } else { UNSIGNED_INT };
                value.value = nvmlValue_t { ullVal: number };
            }
            Err(code) => value.nvmlReturn = code,
        }
    }
    SUCCESS
}
