//! Reads the time-stamp counter.

use core::arch::x86_64::{_mm_lfence, _rdtsc};

/// Reads the counter; neighbouring instructions may move across it.
#[allow(clippy::inline_always, reason = "a call would cost as much as what it measures")]
#[inline(always)]
pub(super) fn now() -> u64 {
    // SAFETY: every x86-64 has the instruction; where it is forbidden (PR_SET_TSC), the process
    // ends by a signal and touches nothing.
    unsafe { _rdtsc() }
}

/// Reads the counter between fences: what stands before has happened, what stands after has not.
#[inline]
pub(super) fn fenced() -> u64 {
    // SAFETY: every x86-64 has the instruction.
    unsafe { _mm_lfence() };
    let now = now();
    // SAFETY: as above.
    unsafe { _mm_lfence() };
    now
}
