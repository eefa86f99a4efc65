//! Whether real-time scheduling can be had: `SCHED_FIFO` really taken, memory really locked.
//!
//! Taken by this process and read back; both end with it. A refusal names the limit that stands
//! behind it. Latency under that priority is measured elsewhere.

use serde_json::{Value, json};

use crate::{
    Instrument, Refusal,
    kernel_file::{number, status},
};

pub(crate) const INSTRUMENT: Instrument = Instrument {
    name: "scheduling",
    summary: "Takes SCHED_FIFO and locks memory, and says what refused.",
    arguments: "",
    run,
};

/// Priority that is tried. *Source*: `rt-tests` measure at 80, above threaded interrupts at 50.
const PRIORITY: i32 = 80;
/// Memory that is locked. *Units*: B. *Source*: eight times the default `RLIMIT_MEMLOCK` of 8 MiB.
const LOCKED: usize = 64 << 20;

fn run(args: &[String]) -> Result<Value, String> {
    if let Some(extra) = args.first() {
        return Err(format!("it takes no argument, found `{extra}`"));
    }
    // Locked before the priority rises: touching 64 MiB is no work for a real-time task.
    let memory = memory_lock().unwrap_or_else(|refusal| refusal.to_json());
    let fifo = fifo().unwrap_or_else(|refusal| refusal.to_json());
    Ok(json!({
        "fifo": fifo,
        "memory-lock": memory,
        "capabilities": status("CapEff"),
        "limit-rtprio": limit(libc::RLIMIT_RTPRIO),
        "limit-memlock-bytes": limit(libc::RLIMIT_MEMLOCK),
        "rt-runtime-us": number("/proc/sys/kernel/sched_rt_runtime_us"),
    }))
}

fn fifo() -> Result<Value, Refusal> {
    let wanted = libc::sched_param { sched_priority: PRIORITY };
    // SAFETY: `wanted` lives through the call, which only reads it; 0 is this process.
    let taken = unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const wanted) };
    if taken != 0 {
        let why = format!(
            "needs CAP_SYS_NICE or RLIMIT_RTPRIO of {PRIORITY}, and no cpu.rt_runtime_us of 0 in a v1 cpu cgroup"
        );
        return Err(Refusal::last("sched_setscheduler", why));
    }
    // SAFETY: reads the policy of this process; no memory is passed.
    let policy = unsafe { libc::sched_getscheduler(0) };
    let normal = libc::sched_param { sched_priority: 0 };
    // SAFETY: as above; going back to SCHED_OTHER is always allowed.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_OTHER, &raw const normal) };
    Ok(json!({ "taken": policy == libc::SCHED_FIFO, "priority": PRIORITY }))
}

fn memory_lock() -> Result<Value, Refusal> {
    let memory = vec![1_u8; LOCKED];
    // SAFETY: the range is this vector's own, which lives past the unlocking below.
    let locked = unsafe { libc::mlock(memory.as_ptr().cast(), LOCKED) };
    if locked != 0 {
        let why = "needs CAP_IPC_LOCK or a greater RLIMIT_MEMLOCK (`ulimit -l`, LimitMEMLOCK=)";
        return Err(Refusal::last("mlock", why));
    }
    let kept = status("VmLck");
    // SAFETY: the same range, still alive.
    unsafe { libc::munlock(memory.as_ptr().cast(), LOCKED) };
    Ok(json!({ "locked-bytes": LOCKED, "read-back": kept }))
}

/// Returns a soft limit; null where there is none or it cannot be read.
fn limit(resource: libc::__rlimit_resource_t) -> Value {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a valid place for the answer.
    let read = unsafe { libc::getrlimit(resource, &raw mut limit) };
    match (read, limit.rlim_cur) {
        (0, libc::RLIM_INFINITY) => json!("unlimited"),
        (0, value) => json!(value),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_is_taken_or_refused_with_the_limit_that_stands_behind_it() {
        let result = run(&[]).unwrap();
        for (part, taken) in [("fifo", "taken"), ("memory-lock", "locked-bytes")] {
            let part = &result[part];
            let why = part["refused"]["why"].as_str();
            assert!(
                part[taken] != Value::Null || why.is_some_and(|w| w.contains("CAP_")),
                "{part}"
            );
        }
        assert!(run(&["--now".to_owned()]).unwrap_err().contains("--now"));
    }
}
