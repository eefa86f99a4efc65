//! Reads the time-stamp counter, which is a register of x86-64.
//!
//! Elsewhere all of the instrument is built as well, so that it is checked, and none of it is run.

use std::env::consts::ARCH;

/// Tells whether this build can read it.
pub(super) const READABLE: bool = cfg!(target_arch = "x86_64");

/// Says why it cannot be read.
pub(super) fn unreadable() -> String {
    format!("the time-stamp counter is a register of x86-64, and this build is for {ARCH}")
}

/// Reads the counter; neighbouring instructions may move across it.
#[allow(clippy::inline_always, reason = "a call would cost as much as what it measures")]
#[inline(always)]
#[cfg(target_arch = "x86_64")]
pub(super) fn now() -> u64 {
    // SAFETY: every x86-64 has the instruction; where it is forbidden (PR_SET_TSC), the process
    // ends by a signal and touches nothing.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// Stands for the counter where [`READABLE`] says that there is none.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn now() -> u64 {
    unreachable!("{}", unreadable())
}

/// Reads the counter between fences: what stands before has happened, what stands after has not.
#[inline]
pub(super) fn fenced() -> u64 {
    fence();
    let now = now();
    fence();
    now
}

#[allow(clippy::inline_always, reason = "one instruction")]
#[inline(always)]
fn fence() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 has the instruction.
    unsafe {
        core::arch::x86_64::_mm_lfence();
    }
}
