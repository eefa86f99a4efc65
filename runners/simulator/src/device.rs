//! What one card says of itself.
//!
//! Most functions give one number or one text; two macros export those. The rest fill a structure,
//! and demand its version where the driver's library does.

use std::ffi::{c_char, c_int, c_uint, c_ulonglong};

use nvml_wrapper_sys::bindings::{
    nvmlBAR1Memory_t, nvmlClockType_t, nvmlComputeMode_t, nvmlDevice_t, nvmlDeviceArchitecture_t,
    nvmlEccCounterType_t, nvmlEnableState_t, nvmlMemory_v2_t, nvmlMemoryErrorType_t, nvmlPciInfo_t,
    nvmlPerfPolicyType_t, nvmlProcessInfo_t, nvmlPstates_t,
    nvmlReturn_enum_NVML_ERROR_ARGUMENT_VERSION_MISMATCH as ARGUMENT_VERSION_MISMATCH,
    nvmlReturn_enum_NVML_ERROR_INSUFFICIENT_SIZE as INSUFFICIENT_SIZE,
    nvmlReturn_enum_NVML_ERROR_INVALID_ARGUMENT as INVALID_ARGUMENT,
    nvmlReturn_enum_NVML_ERROR_UNKNOWN as UNKNOWN, nvmlReturn_enum_NVML_SUCCESS as SUCCESS,
    nvmlReturn_t, nvmlTemperatureSensors_t, nvmlTemperatureThresholds_t, nvmlViolationTime_t,
};
use toml::Value;

use crate::answer::{fixed, number, of_card, pair, part, text, write, write_pair, write_text};

/// Exports functions that give one number of a card, by no or by some plain arguments.
macro_rules! numbers {
    ($($function:ident($($arg:ident: $kind:ty),*) -> $out:ty = $key:literal,)*) => {$(
        /// Writes a number of a card.
        ///
        /// # Safety
        /// `out` is null or valid for a write.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $function(
            device: nvmlDevice_t,
            $($arg: $kind,)*
            out: *mut $out,
        ) -> nvmlReturn_t {
            let made = of_card(device, $key, &[$($arg),*]).and_then(number);
            // SAFETY: the caller promises it.
            unsafe { write(out, made) }
        }
    )*};
}

numbers! {
    nvmlDeviceGetMinorNumber() -> c_uint = "MinorNumber",
    nvmlDeviceGetBoardId() -> c_uint = "BoardId",
    nvmlDeviceGetArchitecture() -> nvmlDeviceArchitecture_t = "Architecture",
    nvmlDeviceGetNumGpuCores() -> c_uint = "NumGpuCores",
    nvmlDeviceGetCurrPcieLinkGeneration() -> c_uint = "CurrPcieLinkGeneration",
    nvmlDeviceGetCurrPcieLinkWidth() -> c_uint = "CurrPcieLinkWidth",
    nvmlDeviceGetMaxPcieLinkGeneration() -> c_uint = "MaxPcieLinkGeneration",
    nvmlDeviceGetMaxPcieLinkWidth() -> c_uint = "MaxPcieLinkWidth",
    nvmlDeviceGetGpuMaxPcieLinkGeneration() -> c_uint = "GpuMaxPcieLinkGeneration",
    nvmlDeviceGetPcieReplayCounter() -> c_uint = "PcieReplayCounter",
    nvmlDeviceGetPowerUsage() -> c_uint = "PowerUsage",
    nvmlDeviceGetEnforcedPowerLimit() -> c_uint = "EnforcedPowerLimit",
    nvmlDeviceGetPowerManagementLimit() -> c_uint = "PowerManagementLimit",
    nvmlDeviceGetPowerManagementDefaultLimit() -> c_uint = "PowerManagementDefaultLimit",
    nvmlDeviceGetTotalEnergyConsumption() -> c_ulonglong = "TotalEnergyConsumption",
    nvmlDeviceGetTemperature(sensor: nvmlTemperatureSensors_t) -> c_uint = "Temperature",
    nvmlDeviceGetTemperatureThreshold(which: nvmlTemperatureThresholds_t) -> c_uint = "TemperatureThreshold",
    nvmlDeviceGetFanSpeed() -> c_uint = "FanSpeed",
    nvmlDeviceGetClockInfo(clock: nvmlClockType_t) -> c_uint = "ClockInfo",
    nvmlDeviceGetMaxClockInfo(clock: nvmlClockType_t) -> c_uint = "MaxClockInfo",
    nvmlDeviceGetPerformanceState() -> nvmlPstates_t = "PerformanceState",
    nvmlDeviceGetCurrentClocksEventReasons() -> c_ulonglong = "CurrentClocksEventReasons",
    nvmlDeviceGetSupportedClocksEventReasons() -> c_ulonglong = "SupportedClocksEventReasons",
    // The name before driver 535; the same number.
    nvmlDeviceGetCurrentClocksThrottleReasons() -> c_ulonglong = "CurrentClocksEventReasons",
    nvmlDeviceGetSupportedClocksThrottleReasons() -> c_ulonglong = "SupportedClocksEventReasons",
    nvmlDeviceGetTotalEccErrors(error: nvmlMemoryErrorType_t, counter: nvmlEccCounterType_t) -> c_ulonglong = "TotalEccErrors",
    nvmlDeviceGetPersistenceMode() -> nvmlEnableState_t = "PersistenceMode",
    nvmlDeviceGetComputeMode() -> nvmlComputeMode_t = "ComputeMode",
    nvmlDeviceGetDisplayActive() -> nvmlEnableState_t = "DisplayActive",
    nvmlDeviceGetDisplayMode() -> nvmlEnableState_t = "DisplayMode",
}

/// Exports functions that give a text of a card.
macro_rules! texts {
    ($($function:ident = $key:literal,)*) => {$(
        /// Writes a text of a card.
        ///
        /// # Safety
        /// `out` is null or valid for `length` bytes.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $function(
            device: nvmlDevice_t,
            out: *mut c_char,
            length: c_uint,
        ) -> nvmlReturn_t {
            // SAFETY: the caller promises it.
            unsafe { write_text(out, length, text(of_card(device, $key, &[]))) }
        }
    )*};
}

texts! {
    nvmlDeviceGetName = "Name",
    nvmlDeviceGetUUID = "UUID",
    nvmlDeviceGetSerial = "Serial",
    nvmlDeviceGetVbiosVersion = "VbiosVersion",
    nvmlDeviceGetBoardPartNumber = "BoardPartNumber",
}

/// Exports functions that give two numbers of a card.
macro_rules! pairs {
    ($($function:ident = $key:literal,)*) => {$(
        /// Writes two numbers of a card.
        ///
        /// # Safety
        /// Both are null or valid for a write.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $function(
            device: nvmlDevice_t,
            first: *mut c_uint,
            second: *mut c_uint,
        ) -> nvmlReturn_t {
            // SAFETY: the caller promises it.
            unsafe { write_pair(first, second, pair(of_card(device, $key, &[]))) }
        }
    )*};
}

pairs! {
    nvmlDeviceGetPowerManagementLimitConstraints = "PowerManagementLimitConstraints",
    nvmlDeviceGetEccMode = "EccMode",
    nvmlDeviceGetMigMode = "MigMode",
}

/// Writes where a card is on the bus; the scenario gives `domain:bus:device.0`.
///
/// # Safety
/// `out` is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetPciInfo_v3(
    device: nvmlDevice_t,
    out: *mut nvmlPciInfo_t,
) -> nvmlReturn_t {
    let made = text(of_card(device, "PciInfo_v3", &[])).and_then(|id| {
        let number = |key| of_card(device, key, &[]).and_then(number).unwrap_or(0);
        pci(id, number("PciDeviceId"), number("PciSubSystemId"))
    });
    // SAFETY: the caller promises it.
    unsafe { write(out, made) }
}

/// Makes the structure of `0000:09:00.0`.
pub(crate) fn pci(id: &str, device_id: u32, subsystem: u32) -> Result<nvmlPciInfo_t, nvmlReturn_t> {
    let mut numbers = id.split([':', '.']).map(|part| c_uint::from_str_radix(part, 16));
    let mut next = || numbers.next().and_then(Result::ok).ok_or(UNKNOWN);
    let (domain, bus, slot) = (next()?, next()?, next()?);
    Ok(nvmlPciInfo_t {
        busIdLegacy: fixed(&format!("{domain:04X}:{bus:02X}:{slot:02X}.0")),
        domain,
        bus,
        device: slot,
        pciDeviceId: device_id,
        pciSubSystemId: subsystem,
        busId: fixed(&format!("{domain:08X}:{bus:02X}:{slot:02X}.0")),
    })
}

/// Writes the memory of a card, to who asks with the right version.
///
/// # Safety
/// `out` is null or valid for reads and writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetMemoryInfo_v2(
    device: nvmlDevice_t,
    out: *mut nvmlMemory_v2_t,
) -> nvmlReturn_t {
    // SAFETY: the caller promises it; null gives no reference.
    let Some(asked) = (unsafe { out.as_ref() }) else { return INVALID_ARGUMENT };
    let version = asked.version;
    if version as usize != size_of::<nvmlMemory_v2_t>() | 2 << 24 {
        return ARGUMENT_VERSION_MISMATCH;
    }
    let made = of_card(device, "MemoryInfo_v2", &[]).map(|said| nvmlMemory_v2_t {
        version,
        total: part(said, "total"),
        reserved: part(said, "reserved"),
        free: part(said, "free"),
        used: part(said, "used"),
    });
    // SAFETY: the caller promises it.
    unsafe { write(out, made) }
}

/// Writes the size of the window through which the host sees the memory.
///
/// # Safety
/// `out` is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetBAR1MemoryInfo(
    device: nvmlDevice_t,
    out: *mut nvmlBAR1Memory_t,
) -> nvmlReturn_t {
    let made = of_card(device, "BAR1MemoryInfo", &[]).map(|said| nvmlBAR1Memory_t {
        bar1Total: part(said, "total"),
        bar1Free: part(said, "free"),
        bar1Used: part(said, "used"),
    });
    // SAFETY: the caller promises it.
    unsafe { write(out, made) }
}

/// Writes for how long a policy held the card back.
///
/// # Safety
/// `out` is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetViolationStatus(
    device: nvmlDevice_t,
    policy: nvmlPerfPolicyType_t,
    out: *mut nvmlViolationTime_t,
) -> nvmlReturn_t {
    let made = of_card(device, "ViolationStatus", &[policy]).map(|said| nvmlViolationTime_t {
        referenceTime: 0,
        violationTime: said.as_integer().and_then(|ns| u64::try_from(ns).ok()).unwrap_or(0),
    });
    // SAFETY: the caller promises it.
    unsafe { write(out, made) }
}

/// Writes how many rows were remapped: `[corrected, uncorrected, pending, failed]`.
///
/// # Safety
/// Each is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetRemappedRows(
    device: nvmlDevice_t,
    corrected: *mut c_uint,
    uncorrected: *mut c_uint,
    pending: *mut c_uint,
    failed: *mut c_uint,
) -> nvmlReturn_t {
    let found = of_card(device, "RemappedRows", &[]);
    for (at, out) in [corrected, uncorrected, pending, failed].into_iter().enumerate() {
        let made = found.and_then(|said| number(said.get(at).ok_or(UNKNOWN)?));
        // SAFETY: the caller promises it.
        let code = unsafe { write(out, made) };
        if code != SUCCESS {
            return code;
        }
    }
    SUCCESS
}

/// Writes the processes that compute on a card.
///
/// # Safety
/// As of [`processes`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetComputeRunningProcesses_v3(
    device: nvmlDevice_t,
    count: *mut c_uint,
    infos: *mut nvmlProcessInfo_t,
) -> nvmlReturn_t {
    // SAFETY: the caller promises it.
    unsafe { processes(device, "ComputeRunningProcesses", count, infos) }
}

/// Writes the processes that draw on a card.
///
/// # Safety
/// As of [`processes`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetGraphicsRunningProcesses_v3(
    device: nvmlDevice_t,
    count: *mut c_uint,
    infos: *mut nvmlProcessInfo_t,
) -> nvmlReturn_t {
    // SAFETY: the caller promises it.
    unsafe { processes(device, "GraphicsRunningProcesses", count, infos) }
}

/// Writes processes `{ pid, used }` where there is room for all of them, else how many there are.
///
/// # Safety
/// `count` is null or valid for reads and writes; `infos` is valid for as many writes as it says.
unsafe fn processes(
    device: nvmlDevice_t,
    key: &str,
    count: *mut c_uint,
    infos: *mut nvmlProcessInfo_t,
) -> nvmlReturn_t {
    let said = match of_card(device, key, &[]).map(Value::as_array) {
        Ok(Some(said)) => said,
        Ok(None) => return UNKNOWN,
        Err(code) => return code,
    };
    // SAFETY: the caller promises it; null gives no reference.
    let Some(room) = (unsafe { count.as_mut() }) else { return INVALID_ARGUMENT };
    let fits = (*room as usize) >= said.len();
    *room = c_uint::try_from(said.len()).unwrap_or(c_uint::MAX);
    if !fits {
        return INSUFFICIENT_SIZE;
    }
    for (at, process) in said.iter().enumerate() {
        let info = nvmlProcessInfo_t {
            pid: c_uint::try_from(part(process, "pid")).unwrap_or(0),
            usedGpuMemory: process.get("used").map_or(c_ulonglong::MAX, |_| part(process, "used")),
            gpuInstanceId: c_uint::MAX,
            computeInstanceId: c_uint::MAX,
        };
        // SAFETY: `at` is below the room that the caller promises.
        let place = unsafe { infos.add(at) };
        // SAFETY: as above.
        unsafe { place.write(info) };
    }
    SUCCESS
}

/// Keeps the kinds of C that a scenario's numbers become from drifting apart.
const _: () = assert!(size_of::<c_int>() == 4 && size_of::<nvmlPciInfo_t>() == 68);
