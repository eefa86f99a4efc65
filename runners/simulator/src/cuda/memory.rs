//! The functions that take, give back and copy memory.

use std::{
    alloc::{Layout, alloc_zeroed, dealloc},
    ffi::{c_int, c_uint, c_void},
    slice,
    sync::mpsc,
    time::Duration,
};

use super::{
    INVALID_HANDLE, INVALID_VALUE, OUT_OF_MEMORY, SUCCESS,
    content::Content,
    device::{card_of, give},
    state::{entered, flaw, rate, state},
};

/// Takes memory of the current card.
///
/// # Safety
/// `out` is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemAlloc_v2(out: *mut u64, bytes: usize) -> c_int {
    let made = entered().ok_or(INVALID_HANDLE).map(|card| state().allocate(card, bytes as u64));
    // SAFETY: the caller promises it.
    unsafe { give(out, made) }
}

/// Gives memory back.
#[unsafe(no_mangle)]
pub extern "C" fn cuMemFree_v2(at: u64) -> c_int {
    if state().blocks.remove(&at).is_some() { SUCCESS } else { INVALID_VALUE }
}

fn layout(bytes: usize) -> Option<Layout> {
    Layout::from_size_align(bytes.max(1), 4096).ok()
}

/// Takes memory of the host.
///
/// # Safety
/// `out` is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemHostAlloc(
    out: *mut *mut c_void,
    bytes: usize,
    _flags: c_uint,
) -> c_int {
    let made = layout(bytes).ok_or(INVALID_VALUE).and_then(|layout| {
        // SAFETY: the layout has at least one byte.
        let at = unsafe { alloc_zeroed(layout) };
        if at.is_null() {
            return Err(OUT_OF_MEMORY);
        }
        state().pinned.insert(at.addr(), bytes);
        Ok(at.cast::<c_void>())
    });
    // SAFETY: the caller promises it.
    unsafe { give(out, made) }
}

/// Gives memory of the host back.
///
/// # Safety
/// Nobody uses it any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemFreeHost(at: *mut c_void) -> c_int {
    let bytes = state().pinned.remove(&at.addr());
    let Some(layout) = bytes.and_then(layout) else { return INVALID_VALUE };
    // SAFETY: it was allocated with this layout and is no longer known.
    unsafe { dealloc(at.cast(), layout) };
    SUCCESS
}

/// Tells whether memory of the host stays in its place.
fn is_pinned(at: usize) -> bool {
    state().pinned.range(..=at).next_back().is_some_and(|(start, bytes)| at - start < *bytes)
}

/// Passes the time of a copy: on the stream, or for the host where the memory is pageable.
fn spend(stream: usize, card: usize, host: usize, bytes: usize, pinned: &str, pageable: &str) {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let bytes = bytes as f64;
    if is_pinned(host) {
        state().spend(stream, bytes / rate(card, pinned));
    } else {
        // Nobody sends: what is waited for is the time alone.
        let (_held, never) = mpsc::channel::<()>();
        let _ = never.recv_timeout(Duration::from_secs_f64(bytes / rate(card, pageable) / 1e9));
    }
}

/// Copies from the host.
///
/// # Safety
/// `from` is valid for so many bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpyHtoDAsync_v2(
    to: u64,
    from: *const c_void,
    bytes: usize,
    stream: *mut c_void,
) -> c_int {
    if from.is_null() {
        return INVALID_VALUE;
    }
    // SAFETY: the caller promises it; null was ruled out.
    let host = unsafe { slice::from_raw_parts(from.cast::<u8>(), bytes) };
    let card = {
        let mut state = state();
        let Some((block, 0)) = state.block(to) else { return INVALID_VALUE };
        block.content = Content::of_host(host).flawed(flaw(block.card, "to-device"));
        block.card
    };
    spend(stream.addr(), card, from.addr(), bytes, "to-device", "pageable-to-device");
    SUCCESS
}

/// Copies to the host.
///
/// # Safety
/// `to` is valid for so many bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpyDtoHAsync_v2(
    to: *mut c_void,
    from: u64,
    bytes: usize,
    stream: *mut c_void,
) -> c_int {
    if to.is_null() {
        return INVALID_VALUE;
    }
    // SAFETY: the caller promises it; null was ruled out.
    let host = unsafe { slice::from_raw_parts_mut(to.cast::<u8>(), bytes) };
    let (card, content, into) = {
        let mut state = state();
        let Some((block, into)) = state.block(from) else { return INVALID_VALUE };
        (block.card, block.content.clone(), into)
    };
    // A flaw of the way lies in a copy of all, and not in a look at one word of it.
    let on_the_way = flaw(card, "from-device").filter(|_| bytes > 64);
    content.flawed(on_the_way).write_to(host, into / 4);
    spend(stream.addr(), card, to.addr(), bytes, "from-device", "pageable-from-device");
    SUCCESS
}

/// Copies within a card. Rates count what is read and what is written.
#[unsafe(no_mangle)]
pub extern "C" fn cuMemcpyDtoDAsync_v2(
    to: u64,
    from: u64,
    bytes: usize,
    stream: *mut c_void,
) -> c_int {
    copied(to, from, 2 * bytes, stream, |card| ("copy", rate(card, "copy")))
}

/// Copies from a card to another; staged through the host unless the one reaches the other.
#[unsafe(no_mangle)]
pub extern "C" fn cuMemcpyPeerAsync(
    to: u64,
    there: *mut c_void,
    from: u64,
    _here: *mut c_void,
    bytes: usize,
    stream: *mut c_void,
) -> c_int {
    let Some(peer) = card_of(there) else { return INVALID_HANDLE };
    let granted = |card| state().reaching.contains(&(card, peer));
    copied(to, from, bytes, stream, |card| {
        let key = if granted(card) { "peer" } else { "staged" };
        ("peer", rate(card, key))
    })
}

fn copied(
    to: u64,
    from: u64,
    bytes: usize,
    stream: *mut c_void,
    way: impl FnOnce(usize) -> (&'static str, f64),
) -> c_int {
    let found = state().block(from).map(|(block, _)| (block.card, block.content.clone()));
    let Some((card, content)) = found else { return INVALID_VALUE };
    let (key, rate) = way(card);
    let mut state = state();
    let Some((block, 0)) = state.block(to) else { return INVALID_VALUE };
    block.content = content.flawed(flaw(card, key));
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let spent = state.spend(stream.addr(), bytes as f64 / rate);
    if spent { SUCCESS } else { INVALID_HANDLE }
}
