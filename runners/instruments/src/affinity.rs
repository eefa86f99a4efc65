//! On which cpus a thread may run.

use std::{collections::BTreeSet, mem};

use crate::{Refusal, kernel_file};

/// Keeps the calling thread on these cpus; it ends with the thread.
///
/// *Errors*: the kernel gives none of them.
pub(crate) fn pin(cpus: &BTreeSet<u32>) -> Result<(), Refusal> {
    let size = size_of::<libc::cpu_set_t>();
    // SAFETY: all zeros is the empty set.
    let mut set: libc::cpu_set_t = unsafe { mem::zeroed() };
    for cpu in cpus.iter().map(|cpu| *cpu as usize).filter(|cpu| *cpu < size * 8) {
        // SAFETY: the number is within the set.
        unsafe { libc::CPU_SET(cpu, &mut set) };
    }
    // SAFETY: `set` lives through the call, which reads `size` bytes of it; 0 is this thread.
    if unsafe { libc::sched_setaffinity(0, size, &raw const set) } == 0 {
        return Ok(());
    }
    let refusal = Refusal::last("sched_setaffinity", "");
    let allowed = kernel_file::status("Cpus_allowed_list").unwrap_or_default();
    let why =
        format!("the cpuset of the cgroup holds none of them; this thread may run on {allowed}");
    Err(Refusal { why, ..refusal })
}

/// Returns the number of the calling thread.
pub(crate) fn own_thread() -> u32 {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::gettid() }.unsigned_abs()
}
