//! What a real-time program takes for itself: a priority, locked memory, no idle states.
//!
//! All of it belongs to this process and ends with it. Each can be refused, and the refusal names
//! the limit that stands behind it.

use std::{
    fs::{File, OpenOptions},
    io::Write as _,
};

use super::Refusal;

/// Priority, unless told otherwise. *Source*: `rt-tests` measure at 80, above threaded interrupts
/// at 50.
pub(super) const PRIORITY: i32 = 80;
/// What locking memory needs. *Source*: mlock(2).
const LOCK_NEEDS: &str =
    "needs CAP_IPC_LOCK or a greater RLIMIT_MEMLOCK (`ulimit -l`, LimitMEMLOCK=)";
/// Held at 0, it forbids idle states. *Source*: kernel documentation, `power/pm_qos_interface`.
const LATENCY: &str = "/dev/cpu_dma_latency";

/// Holds `SCHED_FIFO` for the calling thread until it is dropped.
pub(super) struct Fifo(());

impl Fifo {
    /// Takes it.
    ///
    /// *Errors*: the kernel refuses.
    pub(super) fn take(priority: i32) -> Result<Self, Refusal> {
        let wanted = libc::sched_param { sched_priority: priority };
        // A child that were started now must not have it.
        let policy = libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK;
        // SAFETY: `wanted` lives through the call, which only reads it; 0 is this thread.
        if unsafe { libc::sched_setscheduler(0, policy, &raw const wanted) } != 0 {
            let why = format!(
                "needs CAP_SYS_NICE or RLIMIT_RTPRIO of {priority}, and no cpu.rt_runtime_us of 0 in a v1 cpu cgroup"
            );
            return Err(Refusal::last("sched_setscheduler", why));
        }
        Ok(Self(()))
    }
}

impl Drop for Fifo {
    fn drop(&mut self) {
        let normal = libc::sched_param { sched_priority: 0 };
        // SAFETY: as in `take`; going back to SCHED_OTHER is always allowed.
        unsafe { libc::sched_setscheduler(0, libc::SCHED_OTHER, &raw const normal) };
    }
}

/// Tells whether the kernel says that the calling thread has `SCHED_FIFO`.
pub(super) fn is_fifo() -> bool {
    // SAFETY: reads the policy of this thread; no memory is passed.
    let policy = unsafe { libc::sched_getscheduler(0) };
    policy & !libc::SCHED_RESET_ON_FORK == libc::SCHED_FIFO
}

/// Keeps a part of memory from being paged out for as long as `held` runs.
///
/// *Errors*: the kernel refuses; `held` is not run.
pub(super) fn with_locked<T>(memory: &[u8], held: impl FnOnce() -> T) -> Result<T, Refusal> {
    // SAFETY: the range is the slice's own, which lives past the unlocking below.
    if unsafe { libc::mlock(memory.as_ptr().cast(), memory.len()) } != 0 {
        return Err(Refusal::last("mlock", LOCK_NEEDS));
    }
    let said = held();
    // SAFETY: the same range, still alive.
    unsafe { libc::munlock(memory.as_ptr().cast(), memory.len()) };
    Ok(said)
}

/// Locks all memory that this process has. What comes later is not locked: under a limit an
/// allocation that must be locked fails.
///
/// *Errors*: the kernel refuses.
pub(super) fn lock_all() -> Result<(), Refusal> {
    // SAFETY: passes no memory; it only keeps pages where they are.
    if unsafe { libc::mlockall(libc::MCL_CURRENT) } == 0 {
        return Ok(());
    }
    Err(Refusal::last("mlockall", LOCK_NEEDS))
}

/// Forbids idle states for as long as the file is held.
///
/// *Errors*: the kernel refuses.
pub(super) fn forbid_idle() -> Result<File, Refusal> {
    let held = OpenOptions::new().write(true).open(LATENCY).and_then(|mut file| {
        file.write_all(&0_i32.to_ne_bytes())?;
        Ok(file)
    });
    held.map_err(|error| {
        let errno = error.raw_os_error().unwrap_or_default();
        Refusal::of("open", errno, format!("{LATENCY}: needs root"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_priority_is_held_until_it_is_dropped_or_is_refused_with_what_it_needs() {
        match Fifo::take(1) {
            Ok(fifo) => {
                assert!(is_fifo());
                drop(fifo);
                assert!(!is_fifo());
            }
            Err(refusal) => assert!(refusal.why.contains("RLIMIT_RTPRIO of 1"), "{}", refusal.why),
        }
    }

    #[test]
    fn memory_is_locked_for_a_while_or_the_work_is_not_done() {
        let memory = vec![1; 4096];
        match with_locked(&memory, || 7) {
            Ok(said) => assert_eq!(said, 7),
            Err(refusal) => assert!(refusal.why.contains("RLIMIT_MEMLOCK"), "{}", refusal.why),
        }
    }
}
