//! The functions that concern the driver, its devices and their contexts.

use std::{
    ffi::{c_char, c_int, c_uint, c_void},
    ptr,
};

use toml::Value;

use super::{
    INVALID_HANDLE, INVALID_VALUE, NAMES, PEER_ALREADY_ENABLED, PEER_UNSUPPORTED, SUCCESS,
    state::{begun, card_at, cards, enter, entered, entry, scenario, state},
};

/// Writes a value where the caller has room for it.
///
/// # Safety
/// `out` is null or valid for a write.
pub(super) unsafe fn give<T>(out: *mut T, made: Result<T, i32>) -> c_int {
    match made {
        _ if out.is_null() => INVALID_VALUE,
        Ok(value) => {
            // SAFETY: the caller promises it; null was ruled out.
            unsafe { out.write(value) };
            SUCCESS
        }
        Err(code) => code,
    }
}

/// Starts as the scenario says.
#[unsafe(no_mangle)]
pub extern "C" fn cuInit(_flags: c_uint) -> c_int {
    begun()
}

/// Gives the version that the driver can run.
///
/// # Safety
/// `out` is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDriverGetVersion(out: *mut c_int) -> c_int {
    let version = scenario().map(|scenario| {
        let own = scenario.entry("cuda", "version").and_then(Value::as_integer);
        let nvml = scenario.entry("system", "CudaDriverVersion_v2").and_then(Value::as_integer);
        own.or(nvml).and_then(|n| c_int::try_from(n).ok()).unwrap_or(0)
    });
    // SAFETY: the caller promises it.
    unsafe { give(out, version) }
}

/// Gives the name of an answer.
///
/// # Safety
/// `out` is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuGetErrorName(code: c_int, out: *mut *const c_char) -> c_int {
    let name = NAMES.iter().find(|(known, _)| *known == code);
    // SAFETY: the caller promises it.
    unsafe { give(out, name.map(|(_, name)| name.as_ptr()).ok_or(INVALID_VALUE)) }
}

/// Counts the devices that a program sees.
///
/// # Safety
/// `out` is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetCount(out: *mut c_int) -> c_int {
    let count = cards().map(|cards| c_int::try_from(cards.len()).unwrap_or(c_int::MAX));
    // SAFETY: the caller promises it.
    unsafe { give(out, count) }
}

/// Gives a device, which is its place.
///
/// # Safety
/// `out` is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGet(out: *mut c_int, place: c_int) -> c_int {
    // SAFETY: the caller promises it.
    unsafe { give(out, card_at(place).map(|_| place)) }
}

/// Writes a device's name.
///
/// # Safety
/// `out` is null or valid for `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetName(out: *mut c_char, length: c_int, device: c_int) -> c_int {
    let name = card_at(device).and_then(|card| {
        scenario()?.card(card, "Name").and_then(Value::as_str).ok_or(INVALID_VALUE)
    });
    let (name, length) = match (name, u32::try_from(length)) {
        (Ok(name), Ok(length)) => (name, length),
        (Err(code), _) => return code,
        (_, Err(_)) => return INVALID_VALUE,
    };
    // SAFETY: the caller promises it.
    let written = unsafe { crate::answer::write_text(out, length, Ok(name)) };
    if written == 0 { SUCCESS } else { INVALID_VALUE }
}

/// Gives a device's identity.
///
/// # Safety
/// `out` is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetUuid_v2(out: *mut [u8; 16], device: c_int) -> c_int {
    let uuid = card_at(device).and_then(|card| {
        let text = scenario()?.card(card, "UUID").and_then(Value::as_str).ok_or(INVALID_VALUE)?;
        let hex: Vec<u8> =
            text.trim_start_matches("GPU-").bytes().filter(u8::is_ascii_hexdigit).collect();
        let value = |digit: u8| char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok());
        let mut bytes = [0_u8; 16];
        for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
            *byte = value(pair[0]).zip(value(pair[1])).map_or(0, |(high, low)| high << 4 | low);
        }
        Ok(bytes)
    });
    // SAFETY: the caller promises it.
    unsafe { give(out, uuid) }
}

/// Gives the size of a device's memory.
///
/// # Safety
/// `out` is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceTotalMem_v2(out: *mut usize, device: c_int) -> c_int {
    // SAFETY: the caller promises it.
    unsafe { give(out, card_at(device).and_then(|card| memory_of(card, "total"))) }
}

/// Returns a part of a card's memory. *Units*: B.
fn memory_of(card: usize, part: &str) -> Result<usize, i32> {
    let memory = scenario()?.card(card, "MemoryInfo_v2");
    let bytes = memory.and_then(|memory| memory.get(part)).and_then(Value::as_integer);
    bytes.and_then(|bytes| usize::try_from(bytes).ok()).ok_or(INVALID_VALUE)
}

/// Gives the free and the whole memory of the current card.
///
/// # Safety
/// Both are null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemGetInfo_v2(free: *mut usize, total: *mut usize) -> c_int {
    let Some(card) = entered() else { return INVALID_HANDLE };
    let used = |card| {
        let state = state();
        let own = state.blocks.values().filter(|block| block.card == card);
        own.map(|block| usize::try_from(block.bytes).unwrap_or(usize::MAX)).sum::<usize>()
    };
    let left = memory_of(card, "free").map(|bytes| bytes.saturating_sub(used(card)));
    // SAFETY: the caller promises it.
    let given = unsafe { give(free, left) };
    if given != SUCCESS {
        return given;
    }
    // SAFETY: as above.
    unsafe { give(total, memory_of(card, "total")) }
}

/// Gives an attribute: `cuda.attribute` of the card by number; what stands in PCI follows from NVML.
///
/// # Safety
/// `out` is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetAttribute(
    out: *mut c_int,
    number: c_int,
    device: c_int,
) -> c_int {
    let value = card_at(device).and_then(|card| {
        let own = entry(card, "attribute").and_then(|table| table.get(number.to_string()));
        let own = own.and_then(Value::as_integer).and_then(|n| c_int::try_from(n).ok());
        own.or_else(|| pci(card, number)).ok_or(INVALID_VALUE)
    });
    // SAFETY: the caller promises it.
    unsafe { give(out, value) }
}

/// Returns a part of a card's place, `0000:09:00.0`: its bus, device or domain.
fn pci(card: usize, number: c_int) -> Option<c_int> {
    let place = scenario().ok()?.card(card, "PciInfo_v3")?.as_str()?;
    let parts: Vec<&str> = place.split([':', '.']).collect();
    let at = match number {
        33 => 1,
        34 => 2,
        50 => 0,
        _ => return None,
    };
    c_int::from_str_radix(parts.get(at)?, 16).ok()
}

/// Tells whether one device reaches another: `cuda.reaches` of the card lists the others.
fn reaches(from: usize, to: usize) -> bool {
    let list = entry(from, "reaches").and_then(Value::as_array);
    let other = i64::try_from(to).ok();
    list.is_some_and(|list| list.iter().any(|card| card.as_integer() == other))
}

/// Tells whether one device may read the memory of another.
///
/// # Safety
/// `out` is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceCanAccessPeer(
    out: *mut c_int,
    device: c_int,
    peer: c_int,
) -> c_int {
    let can = card_at(device).and_then(|from| Ok(c_int::from(reaches(from, card_at(peer)?))));
    // SAFETY: the caller promises it.
    unsafe { give(out, can) }
}

/// Gives what one device can do with another.
///
/// # Safety
/// `out` is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetP2PAttribute(
    out: *mut c_int,
    attribute: c_int,
    device: c_int,
    peer: c_int,
) -> c_int {
    let value = card_at(device).and_then(|from| {
        let reached = reaches(from, card_at(peer)?);
        // The rank is better the smaller it is; atomics and arrays go with access.
        Ok(c_int::from(if attribute == 1 { !reached } else { reached }))
    });
    // SAFETY: the caller promises it.
    unsafe { give(out, value) }
}

/// Makes the handle of a card's context.
fn handle(card: usize) -> *mut c_void {
    ptr::without_provenance_mut(card + 1)
}

/// Returns the card of a context.
pub(super) fn card_of(context: *mut c_void) -> Option<usize> {
    let card = context.addr().checked_sub(1)?;
    scenario().is_ok_and(|scenario| card < scenario.count()).then_some(card)
}

/// Gives a context, unless the card is lost.
///
/// # Safety
/// `out` is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDevicePrimaryCtxRetain(out: *mut *mut c_void, device: c_int) -> c_int {
    let made = card_at(device).and_then(|card| {
        let fails = entry(card, "context").and_then(Value::as_integer);
        match fails.and_then(|code| i32::try_from(code).ok()) {
            Some(code) => Err(code),
            None => Ok(handle(card)),
        }
    });
    // SAFETY: the caller promises it.
    unsafe { give(out, made) }
}

/// Gives a context back.
#[unsafe(no_mangle)]
pub extern "C" fn cuDevicePrimaryCtxRelease_v2(_device: c_int) -> c_int {
    SUCCESS
}

/// Makes a context current.
#[unsafe(no_mangle)]
pub extern "C" fn cuCtxSetCurrent(context: *mut c_void) -> c_int {
    let card = card_of(context);
    enter(card);
    if card.is_some() || context.is_null() { SUCCESS } else { INVALID_HANDLE }
}

/// Lets the current device reach another.
#[unsafe(no_mangle)]
pub extern "C" fn cuCtxEnablePeerAccess(peer: *mut c_void, _flags: c_uint) -> c_int {
    let (Some(from), Some(to)) = (entered(), card_of(peer)) else { return INVALID_HANDLE };
    if !reaches(from, to) {
        return PEER_UNSUPPORTED;
    }
    let mut state = state();
    if state.reaching.contains(&(from, to)) {
        return PEER_ALREADY_ENABLED;
    }
    state.reaching.push((from, to));
    SUCCESS
}
