//! What the loop takes for itself: its cpu, its memory, a priority, and no idle states.
//!
//! All of it belongs to this process and ends with it. What is refused is noted and the loop runs
//! all the same: without priority a machine can still be measured, and the reader sees how.

use std::{
    collections::BTreeSet,
    fs::{File, OpenOptions},
    io::Write as _,
};

use serde_json::{Value, json};

use crate::Refusal;

/// Held at 0, it forbids idle states. *Source*: kernel documentation, `power/pm_qos_interface`.
const LATENCY: &str = "/dev/cpu_dma_latency";

/// Returns the cpus on which this process may run; empty where the kernel does not say.
pub(super) fn allowed() -> BTreeSet<usize> {
    // SAFETY: a set of cpus is plain bits, of which none is a valid state.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    let size = size_of::<libc::cpu_set_t>();
    // SAFETY: `set` is a valid place of that size; 0 is this thread.
    if unsafe { libc::sched_getaffinity(0, size, &raw mut set) } != 0 {
        return BTreeSet::new();
    }
    let limit = usize::try_from(libc::CPU_SETSIZE).unwrap_or(0);
    // SAFETY: the number is below the size of the set.
    (0..limit).filter(|cpu| unsafe { libc::CPU_ISSET(*cpu, &set) }).collect()
}

/// Moves this thread to one cpu.
///
/// *Errors*: the kernel refuses, such as outside of the control group's cpus.
pub(super) fn pin(cpu: usize) -> Result<(), Refusal> {
    // SAFETY: a set of cpus is plain bits, of which none is a valid state.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    if cpu >= usize::try_from(libc::CPU_SETSIZE).unwrap_or(0) {
        let why = format!("cpu {cpu} is beyond what a set of cpus holds");
        return Err(Refusal { call: "sched_setaffinity", errno: libc::EINVAL, why });
    }
    // SAFETY: the number is below the size of the set.
    unsafe { libc::CPU_SET(cpu, &mut set) };
    // SAFETY: `set` lives through the call, which only reads it; 0 is this thread.
    if unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set) } != 0 {
        let why = "the cpuset of the control group or a partition leaves it out";
        return Err(Refusal::last("sched_setaffinity", why));
    }
    Ok(())
}

/// Locks all memory that this process has. What comes later is not locked: nothing is allocated in
/// the window, and under a limit an allocation that must be locked fails.
pub(super) fn lock_memory() -> Value {
    // SAFETY: passes no memory; it only keeps pages where they are.
    if unsafe { libc::mlockall(libc::MCL_CURRENT) } == 0 {
        return json!("locked");
    }
    let why = "needs CAP_IPC_LOCK or a greater RLIMIT_MEMLOCK (`ulimit -l`, LimitMEMLOCK=)";
    Refusal::last("mlockall", why).to_json()
}

/// Forbids idle states for as long as the file is held.
pub(super) fn hold_latency() -> (Option<File>, Value) {
    let held = OpenOptions::new().write(true).open(LATENCY).and_then(|mut file| {
        file.write_all(&0_i32.to_ne_bytes())?;
        Ok(file)
    });
    match held {
        Ok(file) => (Some(file), json!("held at 0 us")),
        Err(error) => {
            let errno = error.raw_os_error().unwrap_or_default();
            let why = format!("{LATENCY}: needs root");
            (None, Refusal { call: "open", errno, why }.to_json())
        }
    }
}

/// Holds a real-time priority until it is dropped.
pub(super) struct Priority(());

impl Priority {
    /// Takes `SCHED_FIFO`.
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

impl Drop for Priority {
    fn drop(&mut self) {
        let normal = libc::sched_param { sched_priority: 0 };
        // SAFETY: as above; going back to SCHED_OTHER is always allowed.
        unsafe { libc::sched_setscheduler(0, libc::SCHED_OTHER, &raw const normal) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cpu_beyond_any_machine_is_refused_and_the_affinity_stays() {
        let before = allowed();
        assert!(!before.is_empty());
        assert_eq!(pin(100_000).unwrap_err().errno, libc::EINVAL);
        assert_eq!(pin(1_023).unwrap_err().call, "sched_setaffinity");
        assert_eq!(allowed(), before);
    }
}
