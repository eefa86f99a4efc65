//! Whether real-time scheduling can be had: `SCHED_FIFO` really taken, memory really locked.
//!
//! Taken by this process and read back; both end with it. A refusal names the limit that stands
//! behind it. Latency under that priority is measured elsewhere.

use serde_json::{Value, json};

use super::{
    Instrument, Refusal,
    kernel_file::{number, status},
    real_time::{Fifo, PRIORITY, is_fifo, with_locked},
};

pub(super) const INSTRUMENT: Instrument = Instrument {
    name: "scheduling",
    summary: "Takes SCHED_FIFO and locks memory, and says what refused.",
    arguments: "",
    run: |_| Ok(run()),
};

/// Memory that is locked. *Units*: B. *Source*: eight times the default `RLIMIT_MEMLOCK` of 8 MiB.
const LOCKED: usize = 64 << 20;

fn run() -> Value {
    // Locked before the priority rises: touching 64 MiB is no work for a real-time task.
    let memory = memory_lock().unwrap_or_else(|refusal| refusal.to_json());
    let fifo = fifo().unwrap_or_else(|refusal| refusal.to_json());
    json!({
        "fifo": fifo,
        "memory-lock": memory,
        "capabilities": status("CapEff"),
        "limit-rtprio": limit(libc::RLIMIT_RTPRIO),
        "limit-memlock-bytes": limit(libc::RLIMIT_MEMLOCK),
        "rt-runtime-us": number::<i64>("/proc/sys/kernel/sched_rt_runtime_us"),
    })
}

fn fifo() -> Result<Value, Refusal> {
    let _held = Fifo::take(PRIORITY)?;
    Ok(json!({ "taken": is_fifo(), "priority": PRIORITY }))
}

fn memory_lock() -> Result<Value, Refusal> {
    let kept = with_locked(&vec![1_u8; LOCKED], || status("VmLck"))?;
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
        let result = INSTRUMENT.tried("").unwrap();
        for (part, taken) in [("fifo", "taken"), ("memory-lock", "locked-bytes")] {
            let part = &result[part];
            let why = part["refused"]["why"].as_str();
            assert!(
                part[taken] != Value::Null || why.is_some_and(|w| w.contains("CAP_")),
                "{part}"
            );
        }
        assert!(INSTRUMENT.tried("--now").unwrap_err().contains("--now"));
    }
}
