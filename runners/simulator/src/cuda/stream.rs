//! The functions of streams and events, whose time is counted and not waited for.

use std::{
    ffi::{c_int, c_uint, c_void},
    ptr,
};

use super::{
    INVALID_HANDLE, SUCCESS,
    device::give,
    state::{entered, state},
};

/// Makes a stream of the current card.
///
/// # Safety
/// `out` is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuStreamCreate(out: *mut *mut c_void, _flags: c_uint) -> c_int {
    let made = entered().ok_or(INVALID_HANDLE).map(|card| {
        let mut state = state();
        let handle = state.handle();
        state.streams.insert(handle, (card, 0.0));
        ptr::without_provenance_mut(handle)
    });
    // SAFETY: the caller promises it.
    unsafe { give(out, made) }
}

/// Waits for a stream, which is done already.
#[unsafe(no_mangle)]
pub extern "C" fn cuStreamSynchronize(stream: *mut c_void) -> c_int {
    if state().streams.contains_key(&stream.addr()) { SUCCESS } else { INVALID_HANDLE }
}

/// Lets a stream wait for an event.
#[unsafe(no_mangle)]
pub extern "C" fn cuStreamWaitEvent(
    stream: *mut c_void,
    event: *mut c_void,
    _flags: c_uint,
) -> c_int {
    let mut state = state();
    let Some(at_ns) = state.events.get(&event.addr()).copied() else { return INVALID_HANDLE };
    let Some((_, now_ns)) = state.streams.get_mut(&stream.addr()) else { return INVALID_HANDLE };
    *now_ns = now_ns.max(at_ns);
    SUCCESS
}

/// Ends a stream.
#[unsafe(no_mangle)]
pub extern "C" fn cuStreamDestroy_v2(stream: *mut c_void) -> c_int {
    if state().streams.remove(&stream.addr()).is_some() { SUCCESS } else { INVALID_HANDLE }
}

/// Makes an event.
///
/// # Safety
/// `out` is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuEventCreate(out: *mut *mut c_void, _flags: c_uint) -> c_int {
    let mut state = state();
    let handle = state.handle();
    state.events.insert(handle, 0.0);
    drop(state);
    // SAFETY: the caller promises it.
    unsafe { give(out, Ok(ptr::without_provenance_mut(handle))) }
}

/// Keeps the time of a stream.
#[unsafe(no_mangle)]
pub extern "C" fn cuEventRecord(event: *mut c_void, stream: *mut c_void) -> c_int {
    let mut state = state();
    let Some((_, now_ns)) = state.streams.get(&stream.addr()).copied() else {
        return INVALID_HANDLE;
    };
    let Some(at_ns) = state.events.get_mut(&event.addr()) else { return INVALID_HANDLE };
    *at_ns = now_ns;
    SUCCESS
}

/// Gives the time between two events. *Units*: ms.
///
/// # Safety
/// `out` is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuEventElapsedTime(
    out: *mut f32,
    start: *mut c_void,
    end: *mut c_void,
) -> c_int {
    let state = state();
    let at = |event: *mut c_void| state.events.get(&event.addr()).copied().ok_or(INVALID_HANDLE);
    #[expect(clippy::cast_possible_truncation, reason = "the interface has no more")]
    let elapsed = at(end).and_then(|end| Ok(((end - at(start)?) / 1e6) as f32));
    // SAFETY: the caller promises it.
    unsafe { give(out, elapsed) }
}

/// Ends an event.
#[unsafe(no_mangle)]
pub extern "C" fn cuEventDestroy_v2(event: *mut c_void) -> c_int {
    if state().events.remove(&event.addr()).is_some() { SUCCESS } else { INVALID_HANDLE }
}
